// SPDX-License-Identifier: MIT
#include "app/ledger_writer.h"

#include <algorithm>
#include <utility>

#include "adit/base/log.h"
#include "rocks/high_water_file.h"
#include "rocks/rocks_store.h"
#include "uv/system.h"

namespace adit {
namespace {

constexpr std::size_t kInbox = 1 << 16;
/// Under load the next commit starts this long after the last one did: fewer syncs, fewer wake-ups,
/// fuller writes to miners. A batch below kBusyBatch is committed at once.
constexpr Duration kGroup = std::chrono::milliseconds(4);
constexpr std::size_t kBusyBatch = 32;
/// The vault's own patience with the disk, and a little for its way here.
constexpr Duration kBlockPatience = std::chrono::milliseconds(60);
constexpr Duration kRelaxedSync = std::chrono::milliseconds(100);
constexpr Duration kMarkEvery = std::chrono::seconds(1);
constexpr Duration kRoomEvery = std::chrono::milliseconds(100);
/// After a write that found no room: where there is some by then, the books are opened again.
constexpr Duration kShutFor = std::chrono::milliseconds(500);
constexpr Duration kExpiryEvery = std::chrono::minutes(10);
/// Shares are refused while less than this, or a twentieth of the disk if that is less, is free.
constexpr std::uint64_t kRoomBytes = 64u << 20;

Result<std::unique_ptr<LedgerStore>> open_rocks(const std::string& data_dir) {
  auto store = RocksStore::open(data_dir + "/ledger");
  if (!store) return store.error();
  return std::unique_ptr<LedgerStore>(std::move(*store));
}

}  // namespace

LedgerWriter::LedgerWriter(Clock& clock, LedgerWriterOptions options, ToWorker to_worker,
                           std::function<void(const std::string&)> fatal)
    : clock_(&clock),
      options_(std::move(options)),
      to_worker_(std::move(to_worker)),
      fatal_(std::move(fatal)),
      inbox_(kInbox, [this] {
        {
          const std::lock_guard lock(mutex_);
          woken_ = true;
        }
        wake_.notify_one();
      }) {
  if (!options_.open_store) options_.open_store = [this] { return open_rocks(options_.data_dir); };
}

LedgerWriter::~LedgerWriter() { stop(); }

Status LedgerWriter::open() {
  shut();
  const auto mark = HighWaterFile(options_.data_dir).read();
  if (!mark) return mark.error();
  auto store = options_.open_store();
  if (!store) return store.error();
  store_ = std::move(*store);
  if (!*mark) {
    const auto unmarked = unmarked_books(*store_);
    if (!unmarked) return unmarked.error();
    if (*unmarked) log_warn("ledger", "{}; a new mark is written", **unmarked);
  }
  auto ledger = Ledger::open(*store_, options_.ledger, *mark);
  if (!ledger) return ledger.error();
  ledger_ = std::make_unique<Ledger>(std::move(*ledger));
  tell_loss();
  counters_.last_sequence.set(ledger_->last_sequence().value());
  const auto newest = ledger_->newest_time();
  if (!newest) return newest.error();
  newest_at_open_ = *newest;
  if (Status money = open_money(); !money) {
    shut();
    return money;
  }
  // At once: books without a mark are books that cannot be checked.
  marked_ = mark->value_or(HighWater());
  if (!*mark || ledger_->high_water() != marked_) write_mark();
  return {};
}

/// A loss is accepted once: books that are opened again after a full disk must be whole.
void LedgerWriter::tell_loss() {
  if (!std::exchange(options_.ledger.accept_loss, false)) return;
  const LedgerLoss& loss = ledger_->accepted_loss();
  if (!loss.why)
    return log_warn("ledger", "--accept-loss: nothing is missing; start without it from now on");
  log_error("ledger", "--accept-loss: {}", loss.why->text);
  log_error("ledger",
            "the loss is accepted: {}. The books go on at share {} and the high-water mark is "
            "written anew. Compare the wallet with `adit payout list` before the next payment",
            loss.text(), ledger_->last_sequence().value() + 1);
}

Result<Satoshi> LedgerWriter::mean_fees() {
  const auto newest = newest_slice(*store_);
  if (!newest) return newest.error();
  return *newest ? (*newest)->network.mean_fees : Satoshi();
}

void LedgerWriter::start() {
  thread_ = std::thread([this] { run(); });
}

void LedgerWriter::stop() {
  if (!thread_.joinable()) return;
  while (!inbox_.post(StopLedger{})) std::this_thread::yield();
  thread_.join();
}

void LedgerWriter::run() {
  uv::name_thread("adit-ledger");
  while (!stopping_) {
    wait();
    turn();
  }
  if (failed_ || !ledger_) return;
  if (const Status closed = ledger_->close(clock_->now().wall); !closed)
    return fail(closed.error());
  write_mark();
}

void LedgerWriter::wait() {
  std::unique_lock lock(mutex_);
  // A relaxed ledger has a sync to do even when nothing comes any more; the full disk is looked at
  // again, too.
  wake_.wait_for(lock, unsynced_ ? kRelaxedSync : Duration(kMarkEvery), [this] { return woken_; });
  if (busy_) {
    const Duration left = last_append_ + kGroup - clock_->now().mono;
    if (left > Duration{}) wake_.wait_for(lock, left, [] { return false; });
  }
  woken_ = false;
}

void LedgerWriter::turn() {
  inbox_.drain(messages_);
  candidates_.clear();
  senders_.clear();
  for (LedgerMessage& message : messages_) {
    if (auto* batch = std::get_if<ShareBatch>(&message))
      gather(*batch);
    else if (auto* block = std::get_if<BlockEvent>(&message))
      remember(std::move(*block));
    else if (const auto* network = std::get_if<NetworkSeen>(&message))
      network_ = network->facts;
    else if (auto* request = std::get_if<BooksRequest>(&message))
      requests_.push_back(std::move(*request));
    else
      stopping_ = true;
  }
  if (failed_) return;
  if (has_room() && (ledger_ || reopen())) {
    book();
  } else if (!failed_) {
    refuse_all();
    keep_promises();
  }
  for (BooksRequest& request : requests_) answer(request);
  requests_.clear();
}

void LedgerWriter::book() {
  if (network_.work != 0) ledger_->set_network(network_);
  if (!candidates_.empty()) append();
  if (!failed_) write_blocks();
  if (!failed_) settle();
  if (!failed_) housekeeping();
}

void LedgerWriter::gather(ShareBatch& batch) {
  if (names_.size() <= batch.thread) names_.resize(batch.thread + 1);
  auto& names = names_[batch.thread];
  for (WorkerNamed& named : batch.named) {
    const std::uint32_t index = named.worker.value();
    if (names.size() <= index) names.resize(std::max<std::size_t>(index + 1, names.size() * 2));
    names[index] = {std::move(named.account), std::move(named.name), LedgerWorkerId{}, 0};
  }
  for (const PostedShare& share : batch.shares) {
    Name& name = names[share.worker.value()];
    if (ledger_ && name.opened != opened_) {
      name.id = ledger_->worker_id(name.account, name.worker);
      name.opened = opened_;
    }
    if (const auto ended = best_share_.see(share, network_.work, name.account, name.worker))
      log_info("pool", "{}", ended->text());
    candidates_.push_back(
        {name.id, share.hash, share.tip, share.work, share.height, share.is_block});
  }
  senders_.push_back({batch.thread, batch.shares.size()});
  give_back(batch);
}

void LedgerWriter::give_back(ShareBatch& batch) {
  constexpr std::size_t kMost = 8, kUsual = 4096;  // the shares of a storm are no measure
  auto& spent = receipt_of(senders_.back()).spent;
  if (spent.size() >= kMost || batch.shares.capacity() > kUsual) return;
  batch.shares.clear();
  spent.push_back(std::move(batch.shares));
}

void LedgerWriter::append() {
  const Now now = clock_->now();
  busy_ = candidates_.size() >= kBusyBatch;
  last_append_ = now.mono;
  const Status status = ledger_->append(candidates_, now.wall, verdicts_, first_);
  if (!status) return fail(status.error());
  watch_disk(now.mono);
  counters_.commits.add();
  unsynced_ = !options_.ledger.sync;
  wait_for_blocks();
  send_receipts();
}

void LedgerWriter::watch_disk(Instant begun) {
  const Instant now = clock_->now().mono;
  const auto alarm = commit_times_.took(now - begun, now);
  if (!alarm) return;
  log_error("ledger",
            "the disk is slow: {} of the last {} commits took over 100 ms, the longest {} ms; "
            "miners wait for their answers as long",
            alarm->slow, alarm->commits,
            std::chrono::duration_cast<std::chrono::milliseconds>(alarm->longest).count());
}

void LedgerWriter::wait_for_blocks() {
  if (options_.kept == nullptr) return;
  const Instant until = clock_->now().mono + kBlockPatience;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (!candidates_[i].is_block || verdicts_[i] != DoorVerdict::Durable) continue;
    const Duration left = std::max(until - clock_->now().mono, Duration{});
    if (!options_.kept->wait(candidates_[i].hash, left))
      log_warn("ledger",
               "block {} is acknowledged before its file is safe: the disk takes too long",
               candidates_[i].hash.hex());
  }
}

void LedgerWriter::send_receipts() {
  std::uint64_t sequence = first_.value();
  std::size_t next = 0;
  for (const Sender& sender : senders_) {
    CommitReceipt& receipt = receipt_of(sender);
    if (receipt.outcomes.empty()) receipt.outcomes.reserve(candidates_.size());
    for (std::size_t i = 0; i < sender.count; ++i) {
      switch (verdicts_[next++]) {
        case DoorVerdict::Durable:
          receipt.outcomes.push_back({std::nullopt, sequence++});
          counters_.shares.add();
          continue;
        case DoorVerdict::Duplicate:
          receipt.outcomes.push_back({RejectReason::Duplicate, 0});
          break;
        case DoorVerdict::NotProved:
          receipt.outcomes.push_back({RejectReason::LowDifficulty, 0});
          break;
        case DoorVerdict::Full:
          receipt.outcomes.push_back({RejectReason::StorageFull, 0});
          break;
      }
      counters_.refused.add();
    }
  }
  post_receipts();
  counters_.last_sequence.set(ledger_->last_sequence().value());
}

void LedgerWriter::refuse_all() {
  for (const Sender& sender : senders_) {
    counters_.refused.add(sender.count);
    auto& outcomes = receipt_of(sender).outcomes;
    outcomes.insert(outcomes.end(), sender.count, ShareOutcome{RejectReason::StorageFull, 0});
  }
  post_receipts();
}

/// One receipt a worker and turn, however many batches: after a slow sync there may be more of
/// those than its mailbox takes.
CommitReceipt& LedgerWriter::receipt_of(const Sender& sender) {
  if (receipts_.size() <= sender.thread) receipts_.resize(sender.thread + 1);
  return receipts_[sender.thread];
}

void LedgerWriter::post_receipts() {
  for (std::uint32_t thread = 0; thread < receipts_.size(); ++thread) {
    CommitReceipt& receipt = receipts_[thread];
    if (!receipt.outcomes.empty()) to_worker_(thread, std::exchange(receipt, {}));
  }
  senders_.clear();  // answered: a failure later in this turn must not answer them again
}

void LedgerWriter::housekeeping() {
  keep_promises();
  if (!ledger_ || failed_) return;
  const Now now = clock_->now();
  if (options_.retention_days != 0 && now.mono - last_expiry_ >= kExpiryEvery) expire(now);
}

/// What a relaxed ledger owes, with room for more or without.
void LedgerWriter::keep_promises() {
  if (!ledger_) return;
  const Now now = clock_->now();
  if (unsynced_ && now.mono - last_sync_ >= kRelaxedSync && !sync_books()) return;
  if (!unsynced_ && now.mono - last_mark_ >= kMarkEvery && ledger_->high_water() != marked_) {
    write_mark();
    last_mark_ = now.mono;
  }
}

/// True: what was appended is on the medium.
bool LedgerWriter::sync_books() {
  if (const Status synced = ledger_->sync(); !synced) {
    fail(synced.error());
    return false;
  }
  unsynced_ = false;
  last_sync_ = clock_->now().mono;
  return true;
}

/// One that could not be written is tried again each second, until it can.
bool LedgerWriter::write_mark() {
  const HighWater mark = ledger_->high_water();
  const Status written = HighWaterFile(options_.data_dir).write(mark);
  if (written) marked_ = mark;
  if (written.ok() == !mark_failed_) return written.ok();
  mark_failed_ = !written;
  if (written)
    log_info("ledger", "the high-water mark can be written again");
  else
    log_error("ledger", "high-water mark: {}", written.error().text);
  return written.ok();
}

void LedgerWriter::expire(const Now& now) {
  last_expiry_ = now.mono;
  if (const std::int64_t leap = clock_trust_.look(now, newest_at_open_); leap != 0)
    log_warn("ledger",
             "the clock is {} days ahead of what was booked last: no share is forgotten for a day",
             leap / ClockTrust::kLeapMs);
  if (!clock_trust_.trusted(now.mono)) return;
  const std::int64_t keep_ms = std::int64_t{options_.retention_days} * 86'400'000;
  if (const Status expired = ledger_->expire_shares(UnixMillis(now.wall.value() - keep_ms));
      !expired)
    return fail(expired.error());
  if (const Status expired = forget_slices(UnixMillis(now.wall.value() - keep_ms)); !expired)
    fail(expired.error());
}

/// Refusing early is better than failing late: RocksDB after a failed write knows no way back but
/// to be opened again.
bool LedgerWriter::has_room() {
  const Instant now = clock_->now().mono;
  if (now - last_room_check_ < kRoomEvery) return room_;
  last_room_check_ = now;
  const DiskSpace space = disk_space(options_.data_dir);
  const bool room = space.free_bytes >= std::min(kRoomBytes, space.total_bytes / 20);
  if (room != room_) {
    if (room)
      log_info("ledger", "there is room on the disk again");
    else
      log_error("ledger", "{} has {} MiB left: shares are refused until there is room",
                options_.data_dir, space.free_bytes >> 20);
  }
  counters_.storage_full.set(room ? 0 : 1);
  return room_ = room;
}

/// True when shares can be booked now. What was gathered while the books were shut has no ids yet:
/// those shares are refused, the next ones are not.
bool LedgerWriter::reopen() {
  if (const Status status = open(); !status) {
    // Anything but a lack of room will not mend itself while the pool refuses everybody's shares.
    fail(status.error());
    return false;
  }
  ++opened_;
  log_info("ledger", "open again at share {}", ledger_->last_sequence().value());
  return false;
}

void LedgerWriter::fail(const Error& error) {
  if (error.code == ErrorCode::Limit) {
    // No space left. Whether these shares reached the log is unknown until it is read again: no
    // answer may say "accepted", and the next open finds out. A share that did get in and is sent
    // again is a duplicate.
    log_error("ledger", "{}; shares are refused until there is room", error.text);
    shut();
    last_room_check_ = clock_->now().mono + kShutFor;
    room_ = false;
    counters_.storage_full.set(1);
    return refuse_all();
  }
  failed_ = true;
  fatal_(error.text);
}

}  // namespace adit
