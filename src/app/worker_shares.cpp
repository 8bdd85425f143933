// SPDX-License-Identifier: MIT
// A share's way through the worker: from the session's event into the turn's batch, and from the
// ledger's receipt back to the session that waits for it. Receipts come in the order of posting, so
// a queue of places is all the memory needed.
#include <algorithm>

#include "adit/base/log.h"
#include "app/worker.h"

namespace adit {
namespace {
/// Shares on their way to the disk before this worker stops reading its sockets.
constexpr std::size_t kAwaitingMax = 100'000;
constexpr Duration kCloseGrace = std::chrono::seconds(1);
}  // namespace

void Worker::drain_events(Connection& connection) {
  events_.clear();
  connection.session().take_events(events_);
  for (const SessionEvent& event : events_) {
    if (const auto* accepted = std::get_if<ShareAccepted>(&event))
      handle(connection, *accepted);
    else if (const auto* rejected = std::get_if<ShareRejected>(&event))
      counters_.rejected[static_cast<std::size_t>(rejected->reason)].add();
    else if (const auto* found = std::get_if<BlockFound>(&event))
      handle(connection, *found);
    else if (const auto* close = std::get_if<Close>(&event))
      handle(connection, *close);
  }
}

void Worker::handle(Connection& connection, const ShareAccepted& event) {
  const std::uint32_t index = event.worker.value();
  const WorkerEntry& worker = workers_.count_share(event.worker, event.work, now());
  if (named_.size() <= index) named_.resize(std::max<std::size_t>(index + 1, named_.size() * 2), 0);
  if (named_[index] != worker.generation + 1) {
    named_[index] = worker.generation + 1;
    batch_.named.push_back({event.worker, worker.account, worker.name});
  }
  batch_.shares.push_back(
      {event.worker, event.height, event.is_block, event.hash, event.tip, event.work});
  awaiting_.push_back(connection.place());
  ++connection.awaited;
  if (awaiting_.size() >= kAwaitingMax && !connection.paused) {
    connection.paused = true;
    connection.pause_reading();
    paused_.push_back(connection.place());
  }
}

void Worker::handle(Connection&, const BlockFound& event) {
  counters_.blocks.add();
  FoundBlock block;
  block.job = event.job;
  block.header = event.header;
  block.extranonce = event.extranonce;
  block.hash = event.hash;
  block.found = loop_.now().wall;
  if (!event.job->payee.empty()) {
    // Whoever sent it, this is who the coinbase pays.
    block.account = event.job->payee;
    if (event.worker) block.worker = workers_.at(*event.worker).name;
  } else if (event.worker) {
    block.account = workers_.at(*event.worker).account;
    block.worker = workers_.at(*event.worker).name;
  }
  links_.to_upstream(std::move(block));
}

void Worker::handle(Connection& connection, const Close& event) {
  log_debug("worker", "{}: closing: {}", connection.peer(), event.reason);
  if (event.flush)
    connection.close_after_flush(now() + kCloseGrace);
  else
    ended(connection, event.reason);
}

void Worker::post_batch() {
  if (batch_.shares.empty()) return workers_.reuse_forgotten();
  const std::size_t count = batch_.shares.size();
  batch_refused_ = !links_.to_ledger(std::move(batch_));
  if (batch_refused_) return;
  workers_.reuse_forgotten();  // the batch carries the names that its indices had
  counters_.posted.add(count);
  batch_.named.clear();
  batch_.shares.clear();
  if (!spent_.empty()) {
    batch_.shares = std::move(spent_.back());
    spent_.pop_back();
  }
  batch_.shares.reserve(count);  // the next turn brings about as many
}

void Worker::handle(CommitReceipt& receipt) {
  CHECK(receipt.outcomes.size() <= awaiting_.size());
  constexpr std::size_t kSpentMost = 16;
  for (auto& shares : receipt.spent)
    if (spent_.size() < kSpentMost) spent_.push_back(std::move(shares));
  for (const ShareOutcome& outcome : receipt.outcomes) {
    Connection* connection = at(awaiting_.front());
    awaiting_.pop_front();
    if (outcome.refused)
      counters_.rejected[static_cast<std::size_t>(*outcome.refused)].add();
    else
      counters_.accepted.add();
    if (connection == nullptr || connection->dead) continue;
    --connection->awaited;
    if (!outcome.refused && !std::exchange(connection->mines, true)) {
      options_.places->mines(connection->source);
      counters_.begun.add();
      counters_.begun_ms.add(static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(now() - connection->since)
              .count()));
    }
    connection->session().settle(outcome, now());
    touched(*connection);
  }
  if (awaiting_.size() < kAwaitingMax / 2 && !paused_.empty()) {
    for (const Connection::Place place : paused_)
      if (Connection* connection = at(place)) {
        connection->paused = false;
        connection->resume_reading();
      }
    paused_.clear();
  }
}

}  // namespace adit
