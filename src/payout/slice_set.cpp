// SPDX-License-Identifier: MIT
#include "adit/payout/slice_set.h"

#include <algorithm>
#include <charconv>

namespace adit {
namespace {

bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc{};
}

bool take_sign(std::string_view& text, char sign) {
  if (!text.starts_with(sign)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

SliceSet::SliceSet(SliceNumber first, SliceNumber last) {
  if (first <= last) ranges_.push_back({first.value(), last.value()});
}

void SliceSet::add(const SliceSet& more) {
  std::vector<Range> all;
  std::merge(ranges_.begin(), ranges_.end(), more.ranges_.begin(), more.ranges_.end(),
             std::back_inserter(all));
  ranges_.clear();
  for (const Range& range : all) {
    if (!ranges_.empty() && range.first <= ranges_.back().last + 1)
      ranges_.back().last = std::max(ranges_.back().last, range.last);
    else
      ranges_.push_back(range);
  }
}

void SliceSet::remove(const SliceSet& less) {
  std::vector<Range> left;
  auto cut = less.ranges_.begin();
  for (Range range : ranges_) {
    while (cut != less.ranges_.end() && cut->last < range.first) ++cut;
    // The last cut may reach into the next range, too.
    auto at = cut;
    for (; at != less.ranges_.end() && at->first <= range.last; ++at) {
      if (range.first < at->first) left.push_back({range.first, at->first - 1});
      range.first = at->last + 1;
    }
    if (range.first <= range.last) left.push_back(range);
  }
  ranges_ = std::move(left);
}

bool SliceSet::contains(SliceNumber number) const { return meets(SliceSet(number, number)); }

bool SliceSet::meets(const SliceSet& other) const {
  auto a = ranges_.begin(), b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    if (a->first <= b->last && b->first <= a->last) return true;
    (a->last < b->last ? a : b)++;
  }
  return false;
}

std::string SliceSet::text() const {
  std::string out;
  for (const Range& range : ranges_) {
    if (!out.empty()) out += ',';
    out += std::to_string(range.first) + '-' + std::to_string(range.last);
  }
  return out;
}

std::optional<SliceSet> SliceSet::parse(std::string_view text) {
  SliceSet set;
  std::string_view rest = text;
  while (!rest.empty()) {
    Range range;
    if (!take_number(rest, range.first) || !take_sign(rest, '-') || !take_number(rest, range.last))
      return std::nullopt;
    if (!rest.empty() && !take_sign(rest, ',')) return std::nullopt;
    set.add(SliceSet(SliceNumber(range.first), SliceNumber(range.last)));
  }
  // Only the text that would be written.
  return set.text() == text ? std::optional(std::move(set)) : std::nullopt;
}

}  // namespace adit
