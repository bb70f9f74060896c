#include "images/registry/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "images/json_fields.h"
#include "images/registry/blob_stream.h"
#include "images/registry/url.h"

namespace orlop::registry {

namespace {

constexpr int kMaxRedirects = 8;
constexpr size_t kMaxComplaint = 64u << 10;

constexpr const char* kAccept =
    "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1";

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_ok(const Response& response) {
    return response.status() == 200;
}

// Where a registry sends us may be anywhere, but not onto a less protected way, nor to the services of the
// machine's own network segment.
Status check_redirect(const Url& from, const Url& to) {
    if (to.host.starts_with("169.254.") || to.host.starts_with("[fe80:"))
        return Error::precondition(from.origin() + " redirects to the link-local " + to.origin());
    if (!to.plain()) return ok();
    if (!from.plain())
        return Error::precondition(from.origin() + " redirects to " + to.origin() + ", which is not https");
    if (from.host == to.host || (from.is_loopback() && to.is_loopback())) return ok();
    return Error::precondition(from.origin() + " redirects to " + to.origin() +
                               ", another host, over plain http");
}

// RFC 9110 section 10.2.3: seconds or a date.
Nanos retry_after(const Response& response) {
    const std::string text = response.header("retry-after");
    if (text.empty()) return Nanos(0);
    if (text.find_first_not_of("0123456789") == std::string::npos)
        return std::chrono::seconds(text.size() > 6 ? 1'000'000 : std::stol(text));
    const time_t at = curl_getdate(text.c_str(), nullptr);
    const time_t now = time(nullptr);
    return at > now ? std::chrono::seconds(at - now) : std::chrono::seconds(0);
}

std::string seconds_text(Nanos time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

// What the registry says for people (distribution-spec, "Error Codes"); it is not to be trusted, so short and
// printable.
std::string complaint(Response& response) {
    const auto body = read_body(response, kMaxComplaint);
    if (!body) return "";
    std::string text;
    if (const auto json = images::parse_json(*body)) {
        const auto* errors = images::find_field(*json, "errors");
        if (errors != nullptr && errors->is_array() && !errors->empty()) {
            const auto code = images::string_field(errors->front(), "code");
            const auto message = images::string_field(errors->front(), "message");
            text = (code ? *code : "") + (message && !message->empty() ? ": " + *message : "");
        }
    }
    text = text.substr(0, 300);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
        '?');
    return text.empty() ? "" : " (" + text + ")";
}

Kind kind_of(int status) {
    if (status == 404) return Kind::NotFound;
    if (status == 401 || status == 403) return Kind::Precondition;
    if (status == 408 || status == 429 || status >= 500) return Kind::Unavailable;
    return Kind::Failed;
}

bool may_pass(const Error& error) {
    return error.kind() == Kind::Unavailable || error.kind() == Kind::TimedOut;
}

}  // namespace

Status Client::pause(Nanos time) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop_, time, [] { return false; });
    return stop_.stop_requested() ? Status(stopped_error()) : ok();
}

// Follows redirects itself: what is secret goes to the endpoint's own origin only.
Result<std::unique_ptr<Response>> Client::follow(const Endpoint& endpoint, const Query& query,
                                                 const std::string& authorization) {
    const Url own = TRY(Url::parse(endpoint.base));
    Url at = TRY(Url::parse(endpoint.base + "/" + target_.path + query.suffix +
                            (endpoint.mirror ? "?ns=" + percent_encode(target_.domain) : "")));
    for (int hop = 0; hop <= kMaxRedirects; ++hop) {
        Request request;
        request.method = query.method;
        request.url = at.str();
        request.headers = query.headers;
        request.bulk = query.bulk;
        request.connect_timeout = endpoint.dial_timeout;
        request.stall_timeout = patience_.stall;
        request.tls.ca_files = endpoint.tls.ca_files;
        if (at.host == own.host) request.tls = endpoint.tls;
        if (at.origin() == own.origin()) {
            for (const auto& [name, value] : endpoint.headers) request.headers.push_back(name + ": " + value);
            if (!authorization.empty()) request.headers.push_back("Authorization: " + authorization);
        }
        auto response = TRY(http_.send(request, stop_).under(at.origin()));
        if (!is_redirect(response->status())) return response;
        const Url next = TRY(at.join(response->header("location")).under("redirect of " + at.origin()));
        TRY(check_redirect(at, next));
        at = next;
    }
    return Error::failed(own.origin() + " redirects without end");
}

Result<std::unique_ptr<Response>> Client::send(const Endpoint& endpoint, const Query& query) {
    const std::string scope = "repository:" + target_.path + ":pull";
    std::string authorization = TRY(authorizer_.known(endpoint, scope));
    // A remembered token may have been revoked: then a second one is fetched.
    for (int tries = 0;; ++tries) {
        auto response = TRY(follow(endpoint, query, authorization));
        if (response->status() != 401 || tries == 2) return response;
        const std::string challenge = response->header("www-authenticate");
        if (query.method != "HEAD") (void)read_body(*response, kMaxComplaint);  // keeps the connection
        const std::string better = TRY(authorizer_.answer(endpoint, scope, challenge, authorization, stop_));
        if (better.empty()) return response;
        authorization = better;
    }
}

Client::Failure Client::refusal(const Endpoint& endpoint, Response& response) const {
    const int status = response.status();
    const Kind kind = kind_of(status);
    std::string text = endpoint.base + " answers " + std::to_string(status);
    if (status == 401) text += ", authentication required";
    if (status == 403) text += ", access denied";
    const Nanos wait = status == 429 || status == 408 || status == 503 ? retry_after(response) : Nanos(0);
    text += complaint(response);
    if (wait > patience_.longest_pause)
        return {Error(kind, text + ", to be asked again in " + seconds_text(wait)), false};
    return {Error(kind, text), kind == Kind::Unavailable, wait, status != 400};
}

Result<std::unique_ptr<Response>> Client::try_one(const Endpoint& endpoint, const Query& query,
                                                  const Accept& accept, std::optional<Failure>& failure) {
    auto response = send(endpoint, query);
    if (response && accept(**response)) return response;
    if (response)
        failure = refusal(endpoint, **response);
    else
        failure = Failure{response.error(), may_pass(response.error()), Nanos(0), false};
    return failure->error;
}

std::vector<size_t> Client::candidates(const Query& query, const std::vector<std::string>& avoid,
                                       const std::string& last) const {
    std::vector<size_t> out;
    for (size_t i = 0; i < target_.endpoints.size(); ++i) {
        const Endpoint& endpoint = target_.endpoints[i];
        const bool can = endpoint.pull && (!query.tag || endpoint.resolve);
        if (can && std::find(avoid.begin(), avoid.end(), endpoint.base) == avoid.end()) out.push_back(i);
    }
    std::stable_partition(out.begin(), out.end(),
                          [&](size_t i) { return target_.endpoints[i].base != last; });
    return out;
}

// Rounds over the endpoints: each is asked once before one is asked again.
Result<Client::Answer> Client::ask(const Query& query, const Accept& accept,
                                   const std::vector<std::string>& avoid, const std::string& last) {
    std::vector<size_t> left = candidates(query, avoid, last);
    std::vector<std::optional<Error>> errors(target_.endpoints.size());
    std::vector<bool> understood(target_.endpoints.size(), true);
    for (int round = 0; !left.empty() && round < patience_.attempts; ++round) {
        Nanos wait = std::min(patience_.first_pause * (1 << round), patience_.longest_pause);
        std::vector<size_t> again;
        for (const size_t i : left) {
            if (target_.endpoints[i].otherwise && (i == 0 || understood[i - 1])) continue;
            std::optional<Failure> failure;
            auto response = try_one(target_.endpoints[i], query, accept, failure);
            if (response) return Answer{std::move(*response), i};
            if (stop_.stop_requested()) return stopped_error();
            understood[i] = failure->understood;
            errors[i] = failure->error;
            if (!failure->retry) continue;
            wait = std::max(wait, failure->pause);
            again.push_back(i);
        }
        left = std::move(again);
        if (!left.empty() && round + 1 < patience_.attempts) TRY(pause(wait));
    }
    return joined(errors);
}

// The registry itself, which comes last, decides of what kind the error is.
Error Client::joined(const std::vector<std::optional<Error>>& errors) const {
    std::string text;
    Kind kind = Kind::Unavailable;
    bool reached = false;
    for (const auto& error : errors) {
        if (!error) continue;
        text += (text.empty() ? "" : "; ") + error->what();
        kind = error->kind();
        reached = reached || !may_pass(*error);
    }
    if (text.empty()) text = "no endpoint of " + target_.domain + " is left to ask";
    if (!reached) return Error(Kind::Unavailable, std::string(kUnavailable) + ": " + text);
    return {may_pass(Error(kind, "")) ? Kind::Failed : kind, text};
}

Result<std::optional<images::Digest>> Client::digest_of(const std::string& tag) {
    const Query query{"HEAD", "/manifests/" + tag, {kAccept}, true};
    // 405: no HEAD there, GET says it.
    const auto answer =
        TRY(ask(query, [](const Response& r) { return r.status() == 200 || r.status() == 405; }, {}));
    if (answer.response->status() == 405) return std::optional<images::Digest>();
    const auto digest = images::Digest::parse(answer.response->header("docker-content-digest"));
    return digest ? std::optional(*digest) : std::optional<images::Digest>();
}

Result<Fetched> Client::manifest(const std::string& tag_or_digest,
                                 const std::optional<images::Digest>& expected) {
    const Query query{"GET", "/manifests/" + tag_or_digest, {kAccept}, !expected};
    const auto answer = TRY(ask(query, is_ok, {}));
    const std::string& base = target_.endpoints[answer.endpoint].base;
    std::string content = TRY(read_body(*answer.response, images::kMaxDocument)
                                  .under("manifest " + tag_or_digest + " from " + base));
    const images::Digest digest = images::sha256_of(content);
    if (expected && digest != *expected)
        return Error::invalid("manifest " + expected->str() + " from " + base +
                              " has another digest: " + digest.str());
    std::string type = answer.response->header("content-type");
    type.resize(std::min(type.find(';'), type.size()));
    return Fetched{digest, type, std::move(content)};
}

Result<std::string> Client::document(const images::Descriptor& descriptor) {
    if (descriptor.size > images::kMaxDocument)
        return Error(Kind::Exhausted, descriptor.digest.str() + " is larger than 4 MiB");
    std::vector<std::string> avoid;
    const auto stream = TRY(blob(descriptor, avoid));
    std::string content;
    char buffer[16384];
    while (const size_t n = TRY(stream->read(buffer, sizeof buffer))) content.append(buffer, n);
    if (const auto actual = images::sha256_of(content); actual != descriptor.digest)
        return Error::invalid("blob " + descriptor.digest.str() + " has another digest: " + actual.str());
    return content;
}

Result<std::unique_ptr<images::ByteStream>> Client::blob(const images::Descriptor& descriptor,
                                                         std::vector<std::string>& avoid) {
    return std::unique_ptr<images::ByteStream>(std::make_unique<BlobStream>(*this, descriptor, avoid));
}

}  // namespace orlop::registry
