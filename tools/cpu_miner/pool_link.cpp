// SPDX-License-Identifier: MIT
// The miner's connection: see pool_link.h.
#include "cpu_miner/pool_link.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace adit::miner {

namespace {

using client::Event;
using client::Heard;
using namespace std::chrono_literals;

constexpr auto kLoginWithin = 30s;
constexpr auto kAnswerWithin = 60s;
constexpr std::size_t kReasonsKept = 32;
constexpr unsigned kLongestPause = 30;

/// What a pool says is shown, but must not steer a terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 200)) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

UnixSeconds unix_now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return UnixSeconds(static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(since_epoch).count()));
}

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

}  // namespace

PoolLink::PoolLink(const Options& options, WorkShelf& shelf, int stop_fd)
    : options_(options),
      shelf_(shelf),
      stop_fd_(stop_fd),
      parent_(getppid()),
      started_(Clock::now()),
      pool_(options.pool),
      open_(options.pool.is_v2()) {}

double PoolLink::seconds() const {
  return std::chrono::duration<double>(Clock::now() - started_).count();
}

bool PoolLink::over() {
  pollfd stop{stop_fd_, POLLIN, 0};
  if (poll(&stop, 1, 0) > 0) return true;
  if (options_.exit_with_parent && getppid() != parent_) return true;
  return options_.seconds != 0 && Clock::now() - started_ >= std::chrono::seconds(options_.seconds);
}

/// False when all is over.
bool PoolLink::pause(Clock::duration length) {
  const auto until = Clock::now() + length;
  while (!over() && Clock::now() < until) {
    pollfd stop{stop_fd_, POLLIN, 0};
    poll(&stop, 1, 100);
  }
  return !over();
}

void PoolLink::run() {
  for (unsigned wait = 1; !over();) {
    std::string why;
    const auto fd = client::dial(pool_.endpoint, 10s);
    if (fd) {
      why = talk(*fd);
      close(*fd);
      shelf_.put(nullptr);
      if (talk_->ready()) wait = 1;
    } else {
      why = fd.error().text;
    }
    if (over()) return;
    if (!std::exchange(moved_, false)) pool_.endpoint = options_.pool.endpoint;
    const unsigned length = std::max(wait, std::exchange(wait_s_, 0));
    say(fmt::format("{}: {}; again in {} s", pool_.endpoint.text(), printable(why), length));
    wait = std::min(2 * wait, kLongestPause);
    if (!pause(std::chrono::seconds(length))) return;
  }
}

std::string PoolLink::talk(int fd) {
  talk_ = client::make_talk(pool_, shared_);
  out_.clear();
  talk_->begin(out_);
  open_.clear();
  connected_ = Clock::now();
  ++totals_.connections;
  say(fmt::format("connected to {}", pool_.endpoint.text()));
  while (!over()) {
    submit_found();
    if (!flush(fd)) return std::strerror(errno);
    const short events = out_.empty() ? POLLIN : POLLIN | POLLOUT;
    pollfd waiting[] = {{fd, events, 0}, {shelf_.wake_fd(), POLLIN, 0}, {stop_fd_, POLLIN, 0}};
    poll(waiting, 3, 250);
    std::string why;
    if ((waiting[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0) why = read_some(fd);
    if (why.empty()) why = overdue();
    if (!why.empty()) return why;
    print_status();
  }
  return {};
}

std::string PoolLink::read_some(int fd) {
  char bytes[16384];
  const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
  if (got == 0) return "the pool closed the connection";
  if (got < 0) return errno == EAGAIN || errno == EINTR ? std::string() : std::strerror(errno);
  Bytes wire(reinterpret_cast<const std::uint8_t*>(bytes), static_cast<std::size_t>(got));
  while (const auto event = talk_->hear(wire, unix_now(), out_)) {
    std::string why = on_event(*event);
    if (!why.empty()) return why;
  }
  return {};
}

/// New work is told before the login is over, too.
void PoolLink::take_work() {
  const client::WorkPtr& work = talk_->work();
  if (!talk_->authorised() || !work) return;
  shelf_.put(work);
  if (!options_.quiet)
    say(fmt::format("job {}{}, difficulty {}", printable(work->job.job_id),
                    work->job.clean ? " (clean)" : "", work->difficulty.text()));
}

std::string PoolLink::on_event(const Event& event) {
  switch (event.what) {
    case Heard::Refused:
      return "the pool refuses " + options_.pool.login.user + ": " + event.text;
    case Heard::Broken:
      return event.text;
    case Heard::Malformed:
      say("cannot use: " + printable(event.text));
      break;
    case Heard::Authorised:
      say("authorised as " + options_.pool.login.user);
      take_work();
      break;
    case Heard::NewWork:
      take_work();
      break;
    case Heard::Accepted:
    case Heard::Rejected:
      on_answer(event);
      break;
    case Heard::Reconnect:
      return on_reconnect(event);
    case Heard::Message:
      say("the pool says: " + printable(event.text));
      break;
    case Heard::Nothing:
    case Heard::Secured:
    case Heard::Subscribed:
    case Heard::NewTip:
    case Heard::Asked:
      break;
  }
  return {};
}

/// Only to the same host: otherwise whoever can write one line into a connection owns the hashrate.
std::string PoolLink::on_reconnect(const Event& event) {
  const bool same_host = event.text.empty() || event.text == options_.pool.endpoint.host;
  if (!same_host) {
    say("the pool names another host, which is not followed: " + printable(event.text));
    return "the pool asks to reconnect";
  }
  if (event.port != 0) pool_.endpoint.port = event.port;
  moved_ = event.port != 0;
  wait_s_ = event.wait_s;
  return "the pool asks to reconnect";
}

void PoolLink::on_answer(const Event& event) {
  std::size_t count = 0;
  if (!open_.settle(event, [&](const auto&) { ++count; })) say("an answer out of order");
  shelf_.close_shares(count);
  if (event.what == Heard::Accepted) {
    totals_.accepted += count;
  } else if (count > 0) {
    count_refusal(printable(event.text));
  }
}

void PoolLink::count_refusal(const std::string& reason) {
  ++totals_.rejected;
  const bool known = totals_.reasons.contains(reason);
  if (!known && totals_.reasons.size() == kReasonsKept) return;
  ++totals_.reasons[reason];
  if (!known || !options_.quiet) say("rejected: " + reason);
}

void PoolLink::submit_found() {
  for (const FoundShare& share : shelf_.collect()) {
    const std::uint64_t id =
        talk_->append_submit(out_, *share.work, share.extranonce2, share.nonce, share.version_bits);
    open_.push(id, Clock::now());
  }
}

bool PoolLink::flush(int fd) {
  if (out_.empty()) return true;
  const ssize_t sent = send(fd, out_.data(), out_.size(), MSG_NOSIGNAL);
  if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
  return sent >= 0 || errno == EAGAIN || errno == EINTR;
}

std::string PoolLink::overdue() const {
  const auto now = Clock::now();
  if (!talk_->ready() && now - connected_ > kLoginWithin) return "no work came";
  if (!open_.empty() && now - open_.oldest().at > kAnswerWithin) return "a share got no answer";
  return {};
}

void PoolLink::print_status() {
  const auto now = Clock::now();
  const std::uint64_t answers = totals_.accepted + totals_.rejected;
  if (options_.quiet || answers == printed_answers_ || now - printed_ < 1s) return;
  printed_ = now;
  printed_answers_ = answers;
  say(fmt::format("accepted {}, rejected {}, {:.4f} MH/s", totals_.accepted, totals_.rejected,
                  static_cast<double>(shelf_.hashes.load()) / seconds() / 1e6));
}

}  // namespace adit::miner
