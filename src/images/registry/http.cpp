#include "images/registry/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "base/dir.h"
#include "images/registry/url.h"

namespace orlop::registry {

namespace {

constexpr size_t kWindow = 1u << 20;        // of a body, read from the network and not yet taken
constexpr long kReceiveBuffer = 256 << 10;  // CURLOPT_BUFFERSIZE
constexpr size_t kMaxHeaders = 256u << 10;
constexpr long kMaxConnections = 32;
constexpr int kIdle = 3'600'000;  // ms; curl_multi_wakeup(3) ends the wait

struct FreeEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string trim(const std::string& text) {
    const size_t from = text.find_first_not_of(" \t\r\n");
    if (from == std::string::npos) return "";
    return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

// One exchange. The I/O thread writes what the mutex guards, a reader takes it.
struct Transfer {
    // Of the I/O thread.
    std::unique_ptr<CURL, FreeEasy> easy;
    std::unique_ptr<curl_slist, FreeList> list;
    std::string post;
    char message[CURL_ERROR_SIZE] = {};
    size_t header_bytes = 0;

    std::mutex mutex;
    std::condition_variable_any changed;
    int status = 0;
    std::map<std::string, std::string> headers;
    bool head_done = false, ended = false, paused = false;
    std::string incoming;
    std::optional<Error> failure;
};

size_t on_header(char* data, size_t size, size_t count, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    const std::string line(data, size * count);
    t.header_bytes += line.size();
    if (t.header_bytes > kMaxHeaders) return 0;
    const std::lock_guard lock(t.mutex);
    if (line.starts_with("HTTP/")) {
        const size_t space = line.find(' ');
        t.status = space == std::string::npos ? 0 : std::atoi(line.c_str() + space);
        t.headers.clear();
    } else if (line == "\r\n" || line == "\n") {
        t.head_done = t.status >= 200;
        if (t.head_done) t.changed.notify_all();
    } else if (const size_t colon = line.find(':'); colon != std::string::npos) {
        std::string& value = t.headers[lower(trim(line.substr(0, colon)))];
        // RFC 9110 section 5.3: repeated fields are one list.
        value += (value.empty() ? "" : ", ") + trim(line.substr(colon + 1));
    }
    return size * count;
}

size_t on_body(char* data, size_t size, size_t count, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    const std::lock_guard lock(t.mutex);
    if (t.incoming.size() >= kWindow) {
        t.paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    t.incoming.append(data, size * count);
    t.changed.notify_all();
    return size * count;
}

Error transfer_error(CURLcode code, const char* message) {
    const std::string text = *message != '\0' ? message : curl_easy_strerror(code);
    if (code == CURLE_OPERATION_TIMEDOUT) return Error::timed_out(text);
    // Trying again does not make a certificate better.
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CERTPROBLEM ||
        code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_ISSUER_ERROR)
        return Error::precondition(text);
    return Error::unavailable(text);
}

Status set_tls(CURL* easy, const Tls& tls) {
    if (!tls.ca_files.empty()) {
        std::string all;
        for (const std::string& file : tls.ca_files) all += TRY(read_file(file, 4u << 20)) + "\n";
        curl_blob blob{all.data(), all.size(), CURL_BLOB_COPY};
        curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
    }
    if (!tls.client_cert.empty()) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.client_cert.c_str());
        curl_easy_setopt(easy, CURLOPT_SSLKEY,
                         (tls.client_key.empty() ? tls.client_cert : tls.client_key).c_str());
    }
    if (tls.skip_verify) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return ok();
}

Status set_method(Transfer& t, const Request& request) {
    CURL* easy = t.easy.get();
    if (request.method == "HEAD") {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (request.method == "POST") {
        t.post = request.body;
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t.post.c_str());
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(t.post.size()));
    } else if (request.method != "GET") {
        return Error::invalid("HTTP method " + request.method);
    }
    return ok();
}

Status set_headers(Transfer& t, const Request& request) {
    for (const std::string& header : request.headers) {
        if (header.find_first_of(std::string("\r\n\0", 3)) != std::string::npos)
            return Error::invalid("a header with a line break");
        curl_slist* more = curl_slist_append(t.list.get(), header.c_str());
        if (more == nullptr) return Error::sys("curl_slist_append", ENOMEM);
        (void)t.list.release();
        t.list.reset(more);
    }
    curl_easy_setopt(t.easy.get(), CURLOPT_HTTPHEADER, t.list.get());
    return ok();
}

Result<std::shared_ptr<Transfer>> prepare(const Request& request) {
    auto t = std::make_shared<Transfer>();
    t->easy.reset(curl_easy_init());
    CURL* easy = t->easy.get();
    if (easy == nullptr) return Error::sys("curl_easy_init", ENOMEM);
    const Url url = TRY(Url::parse(request.url));
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "orlop/" ORLOP_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->message);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kReceiveBuffer);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                     request.bulk ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(std::chrono::duration_cast<Millis>(request.connect_timeout).count()));
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, t.get());
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, t.get());
    // As other clients have it: no proxy is asked for this machine.
    if (url.is_loopback()) curl_easy_setopt(easy, CURLOPT_PROXY, "");
    TRY(set_method(*t, request));
    TRY(set_headers(*t, request));
    TRY(set_tls(easy, request.tls));
    return t;
}

enum class Order { Start, Resume, End };

// The I/O thread.
class Engine {
  public:
    explicit Engine(CURLM* multi) : multi_(multi) {
        curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, kMaxConnections);
        thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
    }
    ~Engine() {
        thread_.request_stop();
        curl_multi_wakeup(multi_.get());
        thread_.join();
    }
    void order(Order what, const std::shared_ptr<Transfer>& transfer) {
        {
            const std::lock_guard lock(mutex_);
            orders_.emplace_back(what, transfer);
        }
        curl_multi_wakeup(multi_.get());
    }

  private:
    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            obey();
            int running = 0;
            curl_multi_perform(multi_.get(), &running);
            finish();
            curl_multi_poll(multi_.get(), nullptr, 0, kIdle, nullptr);
        }
        while (!active_.empty()) drop(*active_.begin());
    }

    void obey() {
        std::deque<std::pair<Order, std::shared_ptr<Transfer>>> orders;
        {
            const std::lock_guard lock(mutex_);
            orders.swap(orders_);
        }
        for (auto& [what, transfer] : orders) {
            if (what == Order::Start) {
                active_.insert(transfer);
                curl_easy_setopt(transfer->easy.get(), CURLOPT_PRIVATE, transfer.get());
                curl_multi_add_handle(multi_.get(), transfer->easy.get());
            } else if (active_.contains(transfer)) {
                if (what == Order::Resume)
                    curl_easy_pause(transfer->easy.get(), CURLPAUSE_CONT);
                else
                    drop(transfer);
            }
        }
    }

    void finish() {
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            Transfer* done = nullptr;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &done);
            const CURLcode code = message->data.result;
            const auto at = std::find_if(active_.begin(), active_.end(),
                                         [&](const auto& transfer) { return transfer.get() == done; });
            if (at == active_.end()) continue;
            const std::shared_ptr<Transfer> transfer = *at;
            drop(transfer);
            const std::lock_guard lock(transfer->mutex);
            transfer->ended = true;
            if (code != CURLE_OK) transfer->failure = transfer_error(code, transfer->message);
            transfer->changed.notify_all();
        }
    }

    void drop(std::shared_ptr<Transfer> transfer) {
        curl_multi_remove_handle(multi_.get(), transfer->easy.get());
        active_.erase(transfer);
        transfer->easy.reset();
    }

    std::unique_ptr<CURLM, FreeMulti> multi_;
    std::mutex mutex_;
    std::deque<std::pair<Order, std::shared_ptr<Transfer>>> orders_;
    std::set<std::shared_ptr<Transfer>> active_;  // of the thread
    std::jthread thread_;
};

class CurlResponse final : public Response {
  public:
    CurlResponse(Engine& engine, std::shared_ptr<Transfer> transfer, Nanos patience, std::stop_token stop)
        : engine_(engine), transfer_(std::move(transfer)), patience_(patience), stop_(std::move(stop)) {}
    CurlResponse(const CurlResponse&) = delete;
    CurlResponse& operator=(const CurlResponse&) = delete;
    ~CurlResponse() override { engine_.order(Order::End, transfer_); }

    Status await_head() {
        std::unique_lock lock(transfer_->mutex);
        TRY(await(lock, [this] { return transfer_->head_done || transfer_->ended; }));
        if (transfer_->head_done) return ok();
        if (transfer_->failure) return *transfer_->failure;
        return Error::unavailable("the connection ended before an answer");
    }

    int status() const override {
        const std::lock_guard lock(transfer_->mutex);
        return transfer_->status;
    }

    std::string header(const std::string& name) const override {
        const std::lock_guard lock(transfer_->mutex);
        const auto at = transfer_->headers.find(name);
        return at == transfer_->headers.end() ? "" : at->second;
    }

    Result<size_t> read(char* to, size_t size) override {
        if (at_ == taken_.size()) TRY(take());
        const size_t n = std::min(size, taken_.size() - at_);
        std::memcpy(to, taken_.data() + at_, n);
        at_ += n;
        return n;
    }

  private:
    template <class Ready>
    Status await(std::unique_lock<std::mutex>& lock, Ready ready) {
        if (transfer_->changed.wait_for(lock, stop_, patience_, ready)) return ok();
        if (stop_.stop_requested()) return stopped_error();
        return Error::timed_out("no byte came for " +
                                std::to_string(std::chrono::duration_cast<Millis>(patience_).count()) +
                                " ms");
    }

    // All that has come, at the end nothing.
    Status take() {
        bool resume = false;
        {
            std::unique_lock lock(transfer_->mutex);
            TRY(await(lock, [this] { return !transfer_->incoming.empty() || transfer_->ended; }));
            taken_.clear();
            at_ = 0;
            if (transfer_->incoming.empty() && transfer_->failure) return *transfer_->failure;
            taken_.swap(transfer_->incoming);
            resume = std::exchange(transfer_->paused, false);
        }
        if (resume) engine_.order(Order::Resume, transfer_);
        return ok();
    }

    Engine& engine_;
    std::shared_ptr<Transfer> transfer_;
    Nanos patience_;
    std::stop_token stop_;
    std::string taken_;
    size_t at_ = 0;
};

class CurlHttp final : public Http {
  public:
    explicit CurlHttp(CURLM* multi) : engine_(multi) {}

    Result<std::unique_ptr<Response>> send(const Request& request, std::stop_token stop) override {
        auto transfer = TRY(prepare(request));
        auto response = std::make_unique<CurlResponse>(engine_, transfer, request.stall_timeout, stop);
        engine_.order(Order::Start, transfer);
        TRY(response->await_head());
        return std::unique_ptr<Response>(std::move(response));
    }

  private:
    Engine engine_;
};

}  // namespace

Error stopped_error() {
    return Error::failed("the pull was cancelled");
}

Result<std::string> read_body(Response& response, size_t limit) {
    std::string body;
    char buffer[16384];
    for (;;) {
        const size_t n = TRY(response.read(buffer, sizeof buffer));
        if (n == 0) return body;
        if (body.size() + n > limit)
            return Error(Kind::Exhausted, "an answer of more than " + std::to_string(limit) + " bytes");
        body.append(buffer, n);
    }
}

Result<std::unique_ptr<Http>> Http::start() {
    CURLM* multi = curl_multi_init();
    if (multi == nullptr) return Error::sys("curl_multi_init", ENOMEM);
    return std::unique_ptr<Http>(std::make_unique<CurlHttp>(multi));
}

}  // namespace orlop::registry
