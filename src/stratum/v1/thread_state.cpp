// SPDX-License-Identifier: MIT
// What the sessions of a thread share: see thread_state.h.
#include "stratum/v1/thread_state.h"

#include <algorithm>

#include "stratum/v1/encode.h"

namespace adit::v1 {

NotifyCache::Encoded& NotifyCache::place_of(const JobPtr& job) {
  const auto of_number = [&](const Entry& entry) { return entry.number == job->number; };
  auto entry = std::find_if(entries_.begin(), entries_.end(), of_number);
  if (entry == entries_.end()) {
    entry = entries_.begin() + static_cast<std::ptrdiff_t>(oldest_);
    oldest_ = (oldest_ + 1) % entries_.size();
    *entry = Entry{job->number, {}, 0};
  }
  for (Encoded& known : entry->jobs)
    if (known.job == job) return known;
  if (entry->jobs.size() <= kSmallerJobsMax) return entry->jobs.emplace_back(Encoded{job, {}});
  Encoded& place = entry->jobs[entry->oldest];
  entry->oldest = (entry->oldest + 1) % entry->jobs.size();
  place = Encoded{job, {}};
  return place;
}

const SharedText& NotifyCache::rest(const JobPtr& job, bool clean) {
  SharedText& text = place_of(job).text[clean ? 1 : 0];
  if (!text) text = std::make_shared<const std::string>(notify_rest(*job, clean));
  return text;
}

void ResumeTable::remember(const ExtranoncePrefix& session, const Difficulty& difficulty) {
  if (entries_.empty()) entries_.resize(kSize);
  entries_[session.counter() % kSize] = {session, difficulty};
}

std::optional<Difficulty> ResumeTable::find(const ExtranoncePrefix& session) const {
  if (entries_.empty() || session.counter() == 0) return std::nullopt;  // an empty place's
  const Entry& entry = entries_[session.counter() % kSize];
  if (entry.session != session) return std::nullopt;
  return entry.difficulty;
}

}  // namespace adit::v1
