// SPDX-License-Identifier: MIT
// Marks: text, and the store against them.
#include "adit/ledger/ledger.h"
#include "ledger/slice_reader.h"

namespace adit {
namespace {

constexpr std::string_view kRemedy =
    ". Restore the newest copy, or accept the loss with `adit run --accept-loss`";

std::optional<std::uint64_t> number_of(std::string_view text) {
  const auto number = Work::from_decimal(text);
  if (!number || number->value() >> 64 != 0) return std::nullopt;
  return static_cast<std::uint64_t>(number->value());
}

std::string pair_text(std::uint64_t number, const Digest& digest) {
  return std::to_string(number) + " " + to_hex(digest);
}

bool parse_pair(std::string_view text, std::uint64_t& number, Digest& digest) {
  const std::size_t blank = text.find(' ');
  const auto first = number_of(text.substr(0, blank));
  if (blank == std::string_view::npos || !first) return false;
  number = *first;
  return from_hex(text.substr(blank + 1), digest);
}

/// Takes the text up to the next end of line; empty where there is none.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return {};
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

Error behind(const std::string& end, const std::string& known) {
  return {ErrorCode::Conflict, "the ledger ends at " + end + ", but " + known +
                                   ": an old backup, or lost files" + std::string(kRemedy)};
}
Error other(const std::string& what) {
  return {ErrorCode::Corrupt, what +
                                  " than the high-water mark: the ledger is not the one this "
                                  "pool wrote" +
                                  std::string(kRemedy)};
}

/// The first reason is told: all have one cause.
void note(LedgerLoss& loss, Error why) {
  if (!loss.why) loss.why = std::move(why);
}

Status check_shares(LedgerStore& store, const HighWater& mark, LedgerLoss& loss) {
  if (mark.sequence == Sequence()) return {};
  const std::string name = "share " + std::to_string(mark.sequence.value());
  const auto end = chain_end(store);
  if (!end) return end.error();
  if (mark.sequence > end->sequence) {
    loss.shares = mark.sequence.value() - end->sequence.value();
    note(loss,
         behind("share " + std::to_string(end->sequence.value()), name + " was acknowledged"));
    return {};
  }
  const auto chain = chain_at(store, mark.sequence);
  if (!chain) return chain.error();
  if (*chain && **chain != mark.chain) note(loss, other(name + " has another chain value"));
  return {};
}

Status check_slices(LedgerStore& store, const SliceMark& mark, LedgerLoss& loss) {
  if (mark.number == SliceNumber()) return {};
  const std::string name = "slice " + std::to_string(mark.number.value());
  const auto newest = newest_slice(store);
  if (!newest) return newest.error();
  const SliceNumber last = *newest ? (*newest)->number : SliceNumber();
  if (mark.number > last) {
    loss.slices = mark.number.value() - last.value();
    note(loss, behind("slice " + std::to_string(last.value()), name + " was closed"));
    return {};
  }
  const auto slice = read_slice(store, mark.number);
  if (!slice) return slice.error();
  if (*slice && (*slice)->hash() != mark.hash) note(loss, other(name + " has another hash"));
  return {};
}

}  // namespace

std::string SliceMark::text() const { return pair_text(number.value(), hash); }

std::optional<SliceMark> SliceMark::parse(std::string_view text) {
  SliceMark mark;
  std::uint64_t number = 0;
  if (!parse_pair(text, number, mark.hash)) return std::nullopt;
  mark.number = SliceNumber(number);
  return mark;
}

std::string HighWater::text() const {
  return pair_text(sequence.value(), chain) + "\n" + slice.text() + "\n" +
         std::to_string(money_batches) + "\n";
}

std::optional<HighWater> HighWater::parse(std::string_view text) {
  HighWater mark;
  std::uint64_t number = 0;
  if (!parse_pair(take_line(text), number, mark.chain)) return std::nullopt;
  mark.sequence = Sequence(number);
  const auto slice = SliceMark::parse(take_line(text));
  const auto money = number_of(take_line(text));
  if (!slice || !money || !text.empty()) return std::nullopt;
  mark.slice = *slice;
  mark.money_batches = *money;
  return mark;
}

std::string LedgerLoss::text() const {
  return std::to_string(shares) + " shares, " + std::to_string(slices) + " slices and " +
         std::to_string(money_batches) + " writes of credits and payments are missing";
}

Result<LedgerLoss> measure_loss(LedgerStore& store, const HighWater& mark) {
  LedgerLoss loss;
  if (Status s = check_shares(store, mark, loss); !s) return s.error();
  if (Status s = check_slices(store, mark.slice, loss); !s) return s.error();
  const auto money = read_money_batches(store);
  if (!money) return money.error();
  if (*money < mark.money_batches) {
    loss.money_batches = mark.money_batches - *money;
    note(loss, behind("batch " + std::to_string(*money) + " of credits and payments",
                      "batch " + std::to_string(mark.money_batches) + " was written"));
  }
  return loss;
}

Status check_high_water(LedgerStore& store, const HighWater& mark) {
  const auto loss = measure_loss(store, mark);
  if (!loss) return loss.error();
  if (loss->why) return *loss->why;
  return {};
}

Result<std::optional<std::string>> unmarked_books(LedgerStore& store) {
  const auto end = chain_end(store);
  if (!end) return end.error();
  const auto money = read_money_batches(store);
  if (!money) return money.error();
  if (end->sequence == Sequence() && *money == 0) return std::optional<std::string>();
  return std::optional("the high-water mark is missing beside books that end at share " +
                       std::to_string(end->sequence.value()) + " and batch " +
                       std::to_string(*money) +
                       " of credits and payments: whether they are an old copy, or have lost "
                       "their end, cannot be checked");
}

Result<std::uint64_t> read_money_batches(LedgerStore& store) {
  const auto text = store.get(Family::Meta, kMoneyBatches);
  if (!text) return text.error();
  if (!*text) return std::uint64_t{0};
  const auto number = number_of(**text);
  if (!number) return Error{ErrorCode::Corrupt, "meta money_batches: not a number: " + **text};
  return *number;
}

Result<std::optional<SliceMark>> read_slices_through(LedgerStore& store) {
  const auto text = store.get(Family::Meta, kSlicesThrough);
  if (!text) return text.error();
  if (!*text) return std::optional<SliceMark>();
  const auto mark = SliceMark::parse(**text);
  if (!mark) return Error{ErrorCode::Corrupt, "meta slices_through: no slice: " + **text};
  return mark;
}

}  // namespace adit
