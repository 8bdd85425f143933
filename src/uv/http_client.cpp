// SPDX-License-Identifier: MIT
#include "uv/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "adit/base/check.h"

namespace adit::uv {
namespace {

constexpr std::size_t kHeaderMax = 64 * 1024;
constexpr std::size_t kIdleHandles = 8;
constexpr long kConnectionsMax = 64;  // curl counts busy ones as well before it keeps an idle one
constexpr long kIdleSeconds = 20;     // bitcoind drops an idle connection after 30 s
constexpr long kReceiveBuffer = 512 * 1024;
constexpr std::chrono::milliseconds kConnectMax{10'000};
/// Room behind the body, so that a parser that reads ahead need not copy it.
constexpr std::size_t kPadding = 64;

/// One POST on its way. Its address is known to curl, so it never moves.
struct Exchange {
  CURL* easy = nullptr;
  HttpRequest request;
  HttpClient::Callback callback;
  HttpAnswer answer;
  std::size_t header_bytes = 0;
  bool header_ended = false;
  bool body_too_large = false;
  bool header_too_large = false;
  bool tried_again = false;
  long connect_ms = 0;
  long timeout_ms = 0;
  char detail[CURL_ERROR_SIZE] = "";
};

std::string text_of_ms(long ms) {
  return ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto* exchange = static_cast<Exchange*>(user);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) exchange->header_ended = false;  // after a 100 Continue
  if (line == "\r\n" || line == "\n") exchange->header_ended = true;
  exchange->header_bytes += line.size();
  if (exchange->header_bytes <= kHeaderMax) return size * count;
  exchange->header_too_large = true;
  return 0;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto* exchange = static_cast<Exchange*>(user);
  std::string& body = exchange->answer.body;
  const std::size_t length = size * count;
  if (length > exchange->request.max_answer - body.size()) {
    exchange->body_too_large = true;
    return 0;
  }
  if (body.empty()) {
    curl_off_t promised = -1;
    curl_easy_getinfo(exchange->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &promised);
    if (promised > 0)
      body.reserve(std::min(exchange->request.max_answer, static_cast<std::size_t>(promised)) +
                   kPadding);
  }
  body.append(data, length);
  return length;
}

std::string host_of(const std::string& url) {
  CURLU* parts = curl_url();
  char* host = nullptr;
  std::string out = url;
  if (parts != nullptr && curl_url_set(parts, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
    out = host;
  curl_free(host);
  curl_url_cleanup(parts);
  return out;
}

/// What an operator can act on. curl's own words where ours would add nothing.
std::string failure_text(const Exchange& exchange, CURLcode code) {
  long system_error = 0;
  curl_off_t sent_after = 0;
  curl_easy_getinfo(exchange.easy, CURLINFO_OS_ERRNO, &system_error);
  curl_easy_getinfo(exchange.easy, CURLINFO_PRETRANSFER_TIME_T, &sent_after);
  const bool was_connected = sent_after > 0;
  if (exchange.body_too_large || code == CURLE_FILESIZE_EXCEEDED)
    return fmt::format("answer larger than {} bytes", exchange.request.max_answer);
  if (exchange.header_too_large)
    return fmt::format("answer's header larger than {} bytes", kHeaderMax);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return fmt::format("could not resolve host {}", host_of(exchange.request.url));
    case CURLE_COULDNT_CONNECT:
      if (system_error == ECONNREFUSED) return "connection refused";
      if (system_error != 0)
        return fmt::format("could not connect: {}", std::strerror(static_cast<int>(system_error)));
      return fmt::format("could not connect: {}", exchange.detail);
    case CURLE_OPERATION_TIMEDOUT:
      if (was_connected || exchange.connect_ms == exchange.timeout_ms)
        return fmt::format("timed out after {}", text_of_ms(exchange.timeout_ms));
      return fmt::format("could not connect within {}", text_of_ms(exchange.connect_ms));
    case CURLE_GOT_NOTHING:
      return "connection closed without an answer";
    case CURLE_PARTIAL_FILE:
      return "connection closed in the middle of the answer";
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return exchange.header_bytes > 0 ? "connection closed in the middle of the answer"
                                       : "connection closed without an answer";
    case CURLE_URL_MALFORMAT:
      return fmt::format("\"{}\" is no URL; write \"http://127.0.0.1:8332\"", exchange.request.url);
    case CURLE_UNSUPPORTED_PROTOCOL:
      if (was_connected) return "the answer is not HTTP";
      return fmt::format("\"{}\" is neither http nor https", exchange.request.url);
    case CURLE_WEIRD_SERVER_REPLY:
      return "the answer is not HTTP";
    default:
      return exchange.detail[0] != '\0' ? exchange.detail : curl_easy_strerror(code);
  }
}

/// The node closed a kept connection just when we wrote on it; curl sees to some of these cases
/// only. bitcoind's calls may come twice: a block or a transaction that is known stays known.
bool died_before_answer(const Exchange& exchange, CURLcode code) {
  if (code != CURLE_SEND_ERROR && code != CURLE_RECV_ERROR && code != CURLE_GOT_NOTHING)
    return false;
  long connects = 1;
  curl_easy_getinfo(exchange.easy, CURLINFO_NUM_CONNECTS, &connects);
  return connects == 0 && exchange.header_bytes == 0;
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

void prepare(Exchange& exchange, curl_slist* headers) {
  using std::chrono::milliseconds;
  const auto timeout =
      std::max(milliseconds(1), std::chrono::ceil<milliseconds>(exchange.request.timeout));
  exchange.timeout_ms = static_cast<long>(timeout.count());
  exchange.connect_ms = static_cast<long>(std::min(timeout, kConnectMax).count());
  const HttpRequest& request = exchange.request;
  CURL* easy = exchange.easy;
  curl_easy_reset(easy);
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  set(easy, CURLOPT_PROXY, "");  // else the environment's http_proxy would see the password
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_QUICK_EXIT, 1L);  // a name server that is down must not hold up the end
  set(easy, CURLOPT_TCP_NODELAY, 1L);
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_MAXAGE_CONN, kIdleSeconds);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, exchange.connect_ms);
  set(easy, CURLOPT_TIMEOUT_MS, exchange.timeout_ms);
  set(easy, CURLOPT_BUFFERSIZE, kReceiveBuffer);
  set(easy, CURLOPT_MAXFILESIZE_LARGE,
      std::max(curl_off_t{1}, static_cast<curl_off_t>(request.max_answer)));
  set(easy, CURLOPT_HTTPHEADER, headers);
  set(easy, CURLOPT_USERAGENT, "adit");
  if (!request.user_password.empty()) {
    set(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(easy, CURLOPT_USERPWD, request.user_password.c_str());
  }
  set(easy, CURLOPT_POST, 1L);
  set(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  set(easy, CURLOPT_HEADERFUNCTION, &on_header);
  set(easy, CURLOPT_HEADERDATA, &exchange);
  set(easy, CURLOPT_WRITEFUNCTION, &on_body);
  set(easy, CURLOPT_WRITEDATA, &exchange);
  set(easy, CURLOPT_ERRORBUFFER, exchange.detail);
}

}  // namespace

struct HttpClient::State {
  using PollBox = HandleBox<uv_poll_t>;

  explicit State(Loop& on);
  ~State();
  static int on_socket(CURL*, curl_socket_t fd, int what, void* user, void* socket);
  static int on_timer(CURLM*, long wait_ms, void* user);
  void watch(curl_socket_t fd, int what, PollBox* box);
  void act(curl_socket_t fd, int events);
  void finish_done();
  void finish(CURLMsg* message, std::vector<std::unique_ptr<Exchange>>& done);

  Loop& loop;
  CURLM* multi;
  curl_slist* headers = nullptr;
  HandleBox<uv_timer_t>* timer;
  std::unordered_set<PollBox*> polls;
  std::vector<CURL*> idle;
  std::unordered_map<CURL*, std::unique_ptr<Exchange>> open;
  /// A callback may destroy the client; whoever calls it holds a weak pointer to this.
  std::shared_ptr<State*> alive = std::make_shared<State*>(this);
};

HttpClient::State::State(Loop& on) : loop(on), timer(new_box<uv_timer_t>(this)) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(ready == CURLE_OK);
  multi = curl_multi_init();
  CHECK(multi != nullptr);
  CHECK(uv_timer_init(loop.raw(), &timer->handle) == 0);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &State::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &State::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, kConnectionsMax);
  headers = curl_slist_append(headers, "Content-Type: application/json");
  headers = curl_slist_append(headers, "Accept: application/json");
  headers = curl_slist_append(headers, "Expect:");  // no round trip before a long body
}

HttpClient::State::~State() {
  alive.reset();
  for (auto& [easy, exchange] : open) {
    curl_multi_remove_handle(multi, easy);
    curl_easy_cleanup(easy);
  }
  for (CURL* easy : idle) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  for (PollBox* box : polls) close_box(box);
  close_box(timer);
}

int HttpClient::State::on_socket(CURL*, curl_socket_t fd, int what, void* user, void* socket) {
  auto* self = static_cast<State*>(user);
  auto* box = static_cast<PollBox*>(socket);
  if (what != CURL_POLL_REMOVE) {
    self->watch(fd, what, box);
  } else if (box != nullptr) {
    self->polls.erase(box);
    curl_multi_assign(self->multi, fd, nullptr);
    close_box(box);
  }
  return 0;
}

void HttpClient::State::watch(curl_socket_t fd, int what, PollBox* box) {
  if (box == nullptr) {
    box = new_box<uv_poll_t>(this);
    CHECK(uv_poll_init_socket(loop.raw(), &box->handle, fd) == 0);
    polls.insert(box);
    curl_multi_assign(multi, fd, box);
  }
  const int events =
      (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
  uv_poll_start(&box->handle, events, [](uv_poll_t* poll, int status, int ready) {
    auto* self = owner_of<State>(poll);
    uv_os_fd_t at = -1;
    if (self == nullptr || uv_fileno(reinterpret_cast<uv_handle_t*>(poll), &at) != 0) return;
    const int flags =
        (ready & UV_READABLE ? CURL_CSELECT_IN : 0) | (ready & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    self->act(at, status < 0 ? CURL_CSELECT_ERR : flags);
  });
}

int HttpClient::State::on_timer(CURLM*, long wait_ms, void* user) {
  auto* self = static_cast<State*>(user);
  uv_timer_t* timer = &self->timer->handle;
  if (wait_ms < 0) {
    uv_timer_stop(timer);
    return 0;
  }
  uv_update_time(self->loop.raw());
  uv_timer_start(
      timer,
      [](uv_timer_t* fired) {
        if (auto* owner = owner_of<State>(fired)) owner->act(CURL_SOCKET_TIMEOUT, 0);
      },
      static_cast<std::uint64_t>(wait_ms), 0);
  return 0;
}

void HttpClient::State::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi, fd, events, &running);
  finish_done();
}

void HttpClient::State::finish_done() {
  // First all that curl has to say, then the callbacks: they may post() or destroy the client.
  std::vector<std::unique_ptr<Exchange>> done;
  int waiting = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &waiting))
    if (message->msg == CURLMSG_DONE) finish(message, done);
  const std::weak_ptr<State*> still_there = alive;
  for (const auto& exchange : done) {
    if (still_there.expired()) return;
    exchange->callback(std::move(exchange->answer));
  }
}

void HttpClient::State::finish(CURLMsg* message, std::vector<std::unique_ptr<Exchange>>& done) {
  CURL* easy = message->easy_handle;
  CURLcode code = message->data.result;  // gone once the handle is removed
  auto found = open.find(easy);
  CHECK(found != open.end());
  if (!found->second->tried_again && died_before_answer(*found->second, code)) {
    found->second->tried_again = true;
    curl_multi_remove_handle(multi, easy);
    set(easy, CURLOPT_FRESH_CONNECT, 1L);
    CHECK(curl_multi_add_handle(multi, easy) == CURLM_OK);
    return;
  }
  std::unique_ptr<Exchange> exchange = std::move(found->second);
  open.erase(found);
  // curl takes a header that breaks off for a whole one without a body.
  if (code == CURLE_OK && !exchange->header_ended) code = CURLE_PARTIAL_FILE;
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    exchange->answer.status = static_cast<int>(status);
  } else {
    exchange->answer.body.clear();
    exchange->answer.transport_error = failure_text(*exchange, code);
  }
  curl_multi_remove_handle(multi, easy);
  // After a failure curl 7.88 may keep a buffer that makes CURLOPT_BUFFERSIZE fail next time.
  if (code == CURLE_OK && idle.size() < kIdleHandles) {
    curl_easy_reset(easy);  // it must not point into the exchange any more
    idle.push_back(easy);
  } else {
    curl_easy_cleanup(easy);
  }
  done.push_back(std::move(exchange));
}

HttpClient::HttpClient(Loop& loop) : state_(std::make_unique<State>(loop)) {}

HttpClient::~HttpClient() = default;

void HttpClient::post(HttpRequest request, Callback callback) {
  auto exchange = std::make_unique<Exchange>();
  exchange->request = std::move(request);
  exchange->callback = std::move(callback);
  if (state_->idle.empty()) {
    exchange->easy = curl_easy_init();
  } else {
    exchange->easy = state_->idle.back();
    state_->idle.pop_back();
  }
  CURL* easy = exchange->easy;
  CHECK(easy != nullptr);
  prepare(*exchange, state_->headers);
  state_->open.emplace(easy, std::move(exchange));
  CHECK(curl_multi_add_handle(state_->multi, easy) == CURLM_OK);
}

std::size_t HttpClient::open_requests() const { return state_->open.size(); }

}  // namespace adit::uv
