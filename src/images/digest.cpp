#include "images/digest.h"

#include <openssl/evp.h>

#include <array>
#include <cstdlib>

namespace orlop::images {

namespace {

constexpr std::string_view kPrefix = "sha256:";

// Without a working SHA-256 nothing can be verified, and there is no weaker way to go on.
void must(int result) {
    if (result != 1) std::abort();
}

}  // namespace

Status DigestRule::check(std::string_view text) {
    const std::string shown(text.substr(0, 100));
    if (text.starts_with("sha512:") || text.starts_with("sha384:"))
        return Error::unimplemented("digest algorithm of " + shown + " (only sha256 is supported)");
    if (!text.starts_with(kPrefix)) return Error::invalid("not a sha256 digest: \"" + shown + "\"");
    const std::string_view hex = text.substr(kPrefix.size());
    if (hex.size() != 64 || hex.find_first_not_of("0123456789abcdef") != std::string_view::npos)
        return Error::invalid("not 64 hexadecimal digits in digest \"" + shown + "\"");
    return ok();
}

std::string hex_of(const Digest& digest) {
    return digest.str().substr(kPrefix.size());
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    must(context_ != nullptr);
    must(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::update(const void* data, size_t size) {
    must(EVP_DigestUpdate(context_.get(), data, size));
}

Digest Sha256::finish() {
    static constexpr char digits[] = "0123456789abcdef";
    std::array<unsigned char, 32> bytes{};
    must(EVP_DigestFinal_ex(context_.get(), bytes.data(), nullptr));
    std::string text(kPrefix);
    for (unsigned char byte : bytes) {
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15]);
    }
    return std::move(Digest::parse(text)).value();
}

Digest sha256_of(std::string_view content) {
    Sha256 hash;
    hash.update(content.data(), content.size());
    return hash.finish();
}

Digest chain_id(const std::optional<Digest>& below, const Digest& diff_id) {
    return below ? sha256_of(below->str() + " " + diff_id.str()) : diff_id;
}

}  // namespace orlop::images
