#include "images/registry/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace orlop::registry {

namespace {

struct FreeUrl {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Handle = std::unique_ptr<CURLU, FreeUrl>;

std::string part(const Handle& url, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url.get(), which, &text, flags) != CURLUE_OK || text == nullptr) return "";
    std::string out(text);
    curl_free(text);
    return out;
}

Result<Url> take(const Handle& url, const std::string& text) {
    Url out;
    out.scheme = part(url, CURLUPART_SCHEME);
    out.host = part(url, CURLUPART_HOST);
    std::transform(out.host.begin(), out.host.end(), out.host.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    out.port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    out.path = part(url, CURLUPART_PATH);
    out.query = part(url, CURLUPART_QUERY);
    const std::string shown = text.substr(0, 200);
    if (out.scheme != "http" && out.scheme != "https")
        return Error::invalid("\"" + shown + "\" is neither http:// nor https://");
    if (!part(url, CURLUPART_USER).empty() || !part(url, CURLUPART_PASSWORD).empty())
        return Error::invalid("a URL with a user name or password");
    if (out.host.empty()) return Error::invalid("\"" + shown + "\" names no host");
    return out;
}

}  // namespace

Result<Url> Url::parse(const std::string& text) {
    if (text.find('\0') != std::string::npos) return Error::invalid("a URL with a NUL byte");
    const Handle url(curl_url());
    if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
        return Error::invalid("\"" + text.substr(0, 200) + "\" is not a URL");
    return take(url, text);
}

Result<Url> Url::join(const std::string& location) const {
    const Handle url(curl_url());
    if (!url || location.find('\0') != std::string::npos ||
        curl_url_set(url.get(), CURLUPART_URL, str().c_str(), 0) != CURLUE_OK ||
        curl_url_set(url.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK)
        return Error::invalid("\"" + location.substr(0, 200) + "\" is not a URL");
    return take(url, location);
}

std::string Url::str() const {
    return origin() + path + (query.empty() ? "" : "?" + query);
}

bool Url::is_loopback() const {
    return is_loopback_host(host);
}

bool is_loopback_host(const std::string& host) {
    if (host == "localhost" || host == "[::1]" || host == "::1") return true;
    in_addr address{};
    return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

std::string percent_encode(const std::string& text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
            out.push_back(c);
        } else {
            out.push_back('%');
            out.push_back(digits[byte >> 4]);
            out.push_back(digits[byte & 15]);
        }
    }
    return out;
}

}  // namespace orlop::registry
