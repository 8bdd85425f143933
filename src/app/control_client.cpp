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

/// A running pool's books.
class RemoteBooks final : public BooksLink {
 public:
  explicit RemoteBooks(int fd) : fd_(fd) {
    const timeval patience{kPatienceSeconds, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  ~RemoteBooks() override { close(fd_); }
  RemoteBooks(const RemoteBooks&) = delete;
  RemoteBooks& operator=(const RemoteBooks&) = delete;

 protected:
  Result<std::string> exchange(const std::string& request) override {
    const Error silent{ErrorCode::Unavailable,
                       "the pool ended before it answered; run the command again"};
    if (request.size() > kControlRequestMax)
      return Error{ErrorCode::Limit,
                   "the transaction is too large to hand over (a mebibyte): pay fewer outputs at a "
                   "time, or join the wallet's small coins first"};
    const std::string line = request + "\n";
    for (std::size_t sent = 0; sent < line.size();) {
      const ssize_t more = send(fd_, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
      if (more < 0 && errno == EINTR) continue;
      if (more <= 0) return silent;
      sent += static_cast<std::size_t>(more);
    }
    std::string answer;
    char buffer[65536];
    while (answer.empty() || answer.back() != '\n') {
      const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0 || answer.size() > kAnswerMax) return silent;
      answer.append(buffer, static_cast<std::size_t>(got));
    }
    answer.pop_back();
    return answer;
  }

 private:
  int fd_;
};

/// The lock that a pool holds while it runs; kept as long as this lives.
class DataLock {
 public:
  static Result<std::optional<DataLock>> take(const std::string& data_dir) {
    const std::string path = data_dir + "/lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
      return Error{errno == ENOENT ? ErrorCode::NotFound : ErrorCode::Io,
                   fmt::format("{}: {}", path, std::strerror(errno))};
    DataLock lock(fd);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) return std::optional<DataLock>();
    return std::optional<DataLock>(std::move(lock));
  }
  DataLock(DataLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DataLock& operator=(DataLock&&) = delete;
  ~DataLock() {
    if (fd_ >= 0) close(fd_);
  }

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  int fd_;
};

/// Books that no pool has open. Destroyed from the last member up; the lock goes last.
class LocalBooks final : public BooksLink {
 public:
  LocalBooks(DataLock lock, Clock& clock) : lock_(std::move(lock)), clock_(&clock) {}

  Status open(const Config& config) {
    data_dir_ = config.data_dir;
    const std::string path = data_dir_ + "/ledger";
    if (access((path + "/CURRENT").c_str(), F_OK) != 0)
      return Error{ErrorCode::NotFound, fmt::format("{}: there are no books yet", path)};
    const auto mark = HighWaterFile(config.data_dir).read();
    if (!mark) return mark.error();
    auto store = RocksStore::open(path);
    if (!store) return store.error();
    store_ = std::move(*store);
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
    if (ledger_->failed() || ledger_->high_water() == marked_) return {};
    marked_ = ledger_->high_water();
    return HighWaterFile(data_dir_).write(marked_);
  }

  DataLock lock_;
  std::string data_dir_;
  HighWater marked_;
  Clock* clock_;
  std::unique_ptr<LedgerStore> store_;
  std::optional<Ledger> ledger_;
  std::optional<Treasury> treasury_;
  std::optional<Payments> payments_;
};

}  // namespace

Result<JsonFields> BooksLink::ask(const BooksCall& call) {
  const auto answer = exchange(call.json());
  if (!answer) return answer.error();
  return parse_books_answer(*answer);
}

Result<std::unique_ptr<BooksLink>> BooksLink::open(const Config& config, Clock& clock) {
  for (int tries = 0; tries < kTries; ++tries) {
    auto lock = DataLock::take(config.data_dir);
    if (!lock) return lock.error();
    if (*lock) {
      auto books = std::make_unique<LocalBooks>(std::move(**lock), clock);
      if (const Status opened = books->open(config); !opened) return opened.error();
      return std::unique_ptr<BooksLink>(std::move(books));
    }
    const auto fd = uv::connect_unix(config.data_dir, kControlSocket);
    if (fd) return std::unique_ptr<BooksLink>(std::make_unique<RemoteBooks>(*fd));
    if (fd.error().code != ErrorCode::NotFound) return fd.error();
    std::this_thread::sleep_for(kBetweenTries);
  }
  return Error{ErrorCode::Unavailable,
               fmt::format("the books in {} are in use by another adit that does not answer at {}; "
                           "try again",
                           config.data_dir, kControlSocket)};
}

}  // namespace adit
