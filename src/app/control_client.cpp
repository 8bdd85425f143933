// SPDX-License-Identifier: MIT
#include "app/control_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "adit/ledger/dry_store.h"
#include "app/books_reader.h"
#include "app/control_server.h"
#include "rocks/high_water_file.h"
#include "rocks/rocks_store.h"
#include "uv/unix_listener.h"

namespace adit {
namespace {

constexpr std::size_t kAnswerMax = 16u << 20;
constexpr int kPatienceSeconds = 60;
constexpr int kTries = 100;
constexpr auto kBetweenTries = std::chrono::milliseconds(100);

std::string ledger_folder(const Config& config) { return config.data_dir + "/ledger"; }

/// Closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

/// A running pool's books. A connection lives for one exchange: between two of them a wallet may
/// think longer than the pool waits.
class RemoteBooks final : public BooksLink {
 public:
  RemoteBooks(std::string data_dir, Descriptor first)
      : data_dir_(std::move(data_dir)), first_(std::move(first)) {}

 protected:
  Result<std::string> exchange(const std::string& request) override {
    if (request.size() > kControlRequestMax)
      return Error{ErrorCode::Limit,
                   "the transaction is too large to hand over (a mebibyte): pay fewer outputs at a "
                   "time, or join the wallet's small coins first"};
    Ended ended;
    // Every step may be repeated.
    for (int tries = 0; tries < 2 && ended.answer.empty() && !ended.too_late; ++tries) {
      const auto socket = connect();
      if (!socket) break;
      ended = talk(socket->get(), request + "\n");
    }
    if (!ended.answer.empty() && ended.answer.back() == '\n') {
      ended.answer.pop_back();
      return std::move(ended.answer);
    }
    return Error{ErrorCode::Unavailable,
                 "the pool ended before it answered; run the command again"};
  }

 private:
  struct Ended {
    std::string answer;  ///< whole with a line's end
    bool too_late = false;
  };
  Result<Descriptor> connect() {
    if (first_) {
      Descriptor first = std::move(*first_);
      first_.reset();
      return first;
    }
    const auto fd = uv::connect_unix(data_dir_, kControlSocket);
    if (!fd) return fd.error();
    return Descriptor(*fd);
  }

  static Ended talk(int fd, const std::string& line) {
    const timeval patience{kPatienceSeconds, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    for (std::size_t sent = 0; sent < line.size();) {
      const ssize_t more = send(fd, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
      if (more < 0 && errno == EINTR) continue;
      if (more <= 0) break;  // who refuses a client says why before it hangs up
      sent += static_cast<std::size_t>(more);
    }
    Ended out;
    char buffer[65536];
    while (out.answer.empty() || out.answer.back() != '\n') {
      const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EINTR) continue;
      out.too_late = got < 0 && errno == EAGAIN;
      if (got <= 0 || out.answer.size() > kAnswerMax) break;
      out.answer.append(buffer, static_cast<std::size_t>(got));
    }
    return out;
  }

  std::string data_dir_;
  std::optional<Descriptor> first_;
};

/// The lock that a pool holds while it runs; nullopt: somebody has it.
Result<std::optional<Descriptor>> take_lock(const std::string& data_dir) {
  const std::string path = data_dir + "/lock";
  Descriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.get() < 0)
    return Error{ErrorCode::Io, fmt::format("{}: {}", path, std::strerror(errno))};
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return std::optional<Descriptor>();
  return std::optional<Descriptor>(std::move(lock));
}

/// Books opened here. Destroyed from the last member up; the lock goes last.
class LocalBooks final : public BooksLink {
 public:
  /// Without a lock nothing is written.
  LocalBooks(std::optional<Descriptor> lock, Clock& clock)
      : lock_(std::move(lock)), clock_(&clock) {}

  Status open(const Config& config) {
    data_dir_ = config.data_dir;
    const auto mark = HighWaterFile(config.data_dir).read();
    if (!mark) return mark.error();
    auto store =
        lock_ ? RocksStore::open(ledger_folder(config)) : open_books_reader(config.data_dir);
    if (!store) return store.error();
    store_ = std::move(*store);
    if (const Status told = warn_of_unmarked(*store_, *mark); !told) return told;
    if (!lock_) store_ = std::make_unique<DryStore>(std::move(store_));
    LedgerOptions options;
    options.network = config.pool.network;
    options.instance = config.pool.instance;
    options.now = clock_->now().wall;
    auto ledger = Ledger::open(*store_, options, *mark);
    if (!ledger) return ledger.error();
    ledger_.emplace(std::move(*ledger));
    TreasuryOptions terms{terms_of(config), config.pool.network, config.pool.payout.script};
    auto treasury = Treasury::open(*ledger_, terms, options.now);
    if (!treasury) return treasury.error();
    treasury_.emplace(std::move(*treasury));
    auto payments = Payments::open(*ledger_, *treasury_);
    if (!payments) return payments.error();
    payments_.emplace(std::move(*payments));
    return write_mark();
  }

 protected:
  Result<std::string> exchange(const std::string& request) override {
    const std::string answer = handle_books_request(*payments_, request, clock_->now().wall);
    if (const Status marked = write_mark(); !marked) return marked.error();
    return answer;
  }

 private:
  /// Before anybody acts on what was done: books without it must never be opened again.
  Status write_mark() {
    if (!lock_ || ledger_->failed() || ledger_->high_water() == marked_) return {};
    const HighWater mark = ledger_->high_water();
    Status written = HighWaterFile(data_dir_).write(mark);
    if (written) marked_ = mark;
    return written;
  }

  std::optional<Descriptor> lock_;
  std::string data_dir_;
  HighWater marked_;
  Clock* clock_;
  std::unique_ptr<LedgerStore> store_;
  std::optional<Ledger> ledger_;
  std::optional<Treasury> treasury_;
  std::optional<Payments> payments_;
};

Result<std::unique_ptr<BooksLink>> remote(const Config& config, int fd) {
  return std::unique_ptr<BooksLink>(std::make_unique<RemoteBooks>(config.data_dir, Descriptor(fd)));
}

Result<std::unique_ptr<BooksLink>> local(const Config& config, Clock& clock,
                                         std::optional<Descriptor> lock) {
  auto books = std::make_unique<LocalBooks>(std::move(lock), clock);
  if (const Status opened = books->open(config); !opened) return opened.error();
  return std::unique_ptr<BooksLink>(std::move(books));
}

}  // namespace

Result<JsonFields> BooksLink::ask(const BooksCall& call) {
  const auto answer = exchange(call.json());
  if (!answer) return answer.error();
  return parse_books_answer(*answer);
}

Result<std::unique_ptr<BooksLink>> BooksLink::open(const Config& config, Clock& clock) {
  const std::string path = ledger_folder(config);
  if (access((path + "/CURRENT").c_str(), F_OK) != 0)
    return Error{ErrorCode::NotFound, path + ": there is no ledger yet"};
  for (int tries = 0; tries < kTries; ++tries) {
    auto lock = take_lock(config.data_dir);
    if (!lock) return lock.error();
    if (*lock) return local(config, clock, std::move(*lock));
    const auto fd = uv::connect_unix(config.data_dir, kControlSocket);
    if (fd) return remote(config, *fd);
    if (fd.error().code != ErrorCode::NotFound) return fd.error();
    std::this_thread::sleep_for(kBetweenTries);
  }
  return Error{ErrorCode::Unavailable,
               fmt::format("the books in {} are in use by another adit that does not answer at {}; "
                           "try again",
                           config.data_dir, kControlSocket)};
}

Result<std::unique_ptr<BooksLink>> BooksLink::open_dry(const Config& config, Clock& clock) {
  const auto fd = uv::connect_unix(config.data_dir, kControlSocket);
  if (fd) return remote(config, *fd);
  if (fd.error().code != ErrorCode::NotFound) return fd.error();
  return local(config, clock, std::nullopt);
}

}  // namespace adit
