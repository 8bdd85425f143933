// SPDX-License-Identifier: MIT
// What a worker tells of an account's workers. Miners wait meanwhile, so it looks at no more than
// kLiveMost of them, and at nobody else's.
#include <algorithm>

#include "app/worker.h"

namespace adit {
namespace {

std::uint64_t whole_rate(double hashes_per_second) {
  constexpr double kMost = 1.8e19;  // a u64 has no more
  return static_cast<std::uint64_t>(std::clamp(hashes_per_second, 0.0, kMost));
}

/// A monotonic instant as the wall clock shows it; zero stays zero.
UnixMillis wall_time(Instant at, const Now& now) {
  if (at == Instant{}) return {};
  const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(now.mono - at);
  return UnixMillis(now.wall.value() - ago.count());
}

LiveWorker live(const WorkerEntry& worker, const Now& now) {
  LiveWorker out;
  out.name = worker.name;
  out.connections = worker.sessions;
  out.last_share = wall_time(worker.last_share, now);
  if (worker.sessions == 0) return out;
  out.since = wall_time(worker.since, now);
  out.hash_rate = whole_rate(worker.rate.per_second(worker.since, now.mono));
  return out;
}

}  // namespace

void Worker::handle(const WhoMines& message) {
  const LiveQuestion& question = message.question;
  LiveWorkers answer;
  std::vector<const WorkerEntry*> found;
  std::size_t seen = 0;
  workers_.for_each(question.account, [&](const WorkerEntry& worker) {
    answer.whole = ++seen <= kLiveMost;
    if (!answer.whole) return false;
    const bool known = worker.sessions > 0 || worker.last_share != Instant{};
    if (known && worker.name >= question.from) found.push_back(&worker);
    return true;
  });
  const auto by_name = [](const WorkerEntry* a, const WorkerEntry* b) { return a->name < b->name; };
  if (found.size() > question.limit) {
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(question.limit);
    std::nth_element(found.begin(), end, found.end(), by_name);
    found.erase(end, found.end());
  }
  std::sort(found.begin(), found.end(), by_name);
  answer.workers.reserve(found.size());
  for (const WorkerEntry* worker : found) answer.workers.push_back(live(*worker, loop_.now()));
  message.reply(std::move(answer));
}

}  // namespace adit
