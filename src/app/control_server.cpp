// SPDX-License-Identifier: MIT
#include "app/control_server.h"

#include "app/books_requests.h"
#include "uv/system.h"

namespace adit {
namespace {

constexpr Duration kLookForIdle = std::chrono::seconds(1);

Error busy() { return {ErrorCode::Unavailable, "the pool is busy; run the command again"}; }

}  // namespace

/// One connection. While its request is with the books nothing more is read from it.
class ControlServer::Client final : public uv::StreamHandler {
 public:
  Client(ControlServer& server, std::uint64_t id, uv::StreamPtr stream)
      : server_(&server), id_(id), stream_(std::move(stream)) {
    touch();
    stream_->start_read(this);
  }
  void on_read(Bytes bytes) override {
    touch();
    in_ += text_of(bytes);
    next();
  }
  void on_end(std::string_view) override { server_->drop(id_); }
  void on_drained() override {
    touch();
    if (last_) return server_->drop(id_);
    stream_->resume_read();
    next();
  }
  void answer(std::string text) {
    asking_ = false;
    touch();
    if (write(std::move(text))) next();
  }
  bool idle_at(Instant now) const { return !asking_ && now - touched_ >= server_->idle_limit_; }

 private:
  void touch() { touched_ = server_->loop_.now().mono; }

  /// May end this client.
  void next() {
    while (!asking_ && !stream_->pending()) {
      const std::size_t end = in_.find('\n');
      if (std::min(end, in_.size()) > kControlRequestMax) {
        last_ = true;
        stream_->stop_read();
        if (write(books_error({ErrorCode::Limit, "the request is longer than a mebibyte"})))
          server_->drop(id_);
        return;
      }
      if (end == std::string::npos) return stream_->resume_read();
      std::string line = in_.substr(0, end);
      in_.erase(0, end + 1);
      stream_->stop_read();
      asking_ = true;
      auto at_once = server_->ask(id_, std::move(line));
      if (!at_once) return;
      asking_ = false;
      if (!write(std::move(*at_once))) return;
    }
  }
  /// True: all is written.
  bool write(std::string text) {
    text += '\n';
    const Bytes all[] = {bytes_of(text)};
    const std::size_t sent = stream_->try_write(all);
    if (sent == text.size()) return true;
    const Bytes rest[] = {all[0].subspan(sent)};
    stream_->write_later(rest);
    return false;
  }

  ControlServer* server_;
  std::uint64_t id_;
  uv::StreamPtr stream_;
  std::string in_;
  Instant touched_{};
  bool asking_ = false;
  bool last_ = false;
};

ControlServer::ControlServer(Clock& clock, Post post, Duration idle)
    : loop_(clock), post_(std::move(post)), idle_limit_(idle) {
  wake_ = std::make_unique<uv::Async>(loop_, [this] { woken(); });
  idle_ = std::make_unique<uv::Timer>(loop_, [this] { drop_idle(); });
  link_->wake = wake_.get();
}

ControlServer::~ControlServer() { stop(); }

Status ControlServer::start(const std::string& data_dir) {
  auto listener = uv::UnixListener::listen(
      loop_, data_dir, kControlSocket, [this](uv::StreamPtr stream) { accept(std::move(stream)); });
  if (!listener) return listener.error();
  listener_ = std::move(*listener);
  thread_ = std::thread([this] {
    uv::name_thread("adit-control");
    loop_.run();
  });
  return {};
}

void ControlServer::stop() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(link_->mutex);
      stopping_ = true;
      wake_->wake();
    }
    thread_.join();
  }
  {
    const std::lock_guard lock(link_->mutex);
    link_->wake = nullptr;
  }
  listener_.reset();
  clients_.clear();
  idle_.reset();
  wake_.reset();
}

void ControlServer::accept(uv::StreamPtr stream) {
  if (clients_.size() >= kClients) {  // closed with the pointer
    const std::string text = books_error(busy()) + "\n";
    const Bytes all[] = {bytes_of(text)};
    (void)stream->try_write(all);
    return;
  }
  const std::uint64_t id = ++last_client_;
  clients_.emplace(id, std::make_unique<Client>(*this, id, std::move(stream)));
  if (clients_.size() == 1) watch_idle();
}

std::optional<std::string> ControlServer::ask(std::uint64_t client, std::string text) {
  if (asked_ >= kClients) return books_error(busy());
  BooksRequest request;
  request.text = std::move(text);
  request.reply = [link = link_, client](std::string answer) {
    const std::lock_guard lock(link->mutex);
    link->answers.push_back({client, std::move(answer)});
    if (link->wake != nullptr) link->wake->wake();
  };
  if (!post_(std::move(request))) return books_error(busy());
  ++asked_;
  return std::nullopt;
}

void ControlServer::woken() {
  std::vector<Answer> answers;
  bool stopping = false;
  {
    const std::lock_guard lock(link_->mutex);
    answers.swap(link_->answers);
    stopping = stopping_;
  }
  for (Answer& answer : answers) {
    --asked_;
    const auto client = clients_.find(answer.client);
    if (client != clients_.end()) client->second->answer(std::move(answer.text));
  }
  if (stopping) loop_.stop();
}

void ControlServer::drop(std::uint64_t client) { clients_.erase(client); }

void ControlServer::watch_idle() {
  idle_->set(loop_.now().mono + std::min(kLookForIdle, idle_limit_));
}

void ControlServer::drop_idle() {
  const Instant now = loop_.now().mono;
  std::erase_if(clients_, [now](const auto& entry) { return entry.second->idle_at(now); });
  if (!clients_.empty()) watch_idle();
}

}  // namespace adit
