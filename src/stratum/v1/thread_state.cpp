// SPDX-License-Identifier: MIT
// What the sessions of a thread share: see thread_state.h.
#include "stratum/v1/thread_state.h"

#include "stratum/v1/encode.h"

namespace adit::v1 {

NotifyCache::Entry& NotifyCache::entry(const JobPtr& job) {
  for (Entry& known : entries_)
    if (known.job == job) return known;
  Entry& place = entries_[oldest_];
  oldest_ = (oldest_ + 1) % entries_.size();
  place = Entry{job, {}};
  return place;
}

const SharedText& NotifyCache::rest(const JobPtr& job, bool clean) {
  SharedText& text = entry(job).text[clean ? 1 : 0];
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
