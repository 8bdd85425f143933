// SPDX-License-Identifier: MIT
// Worker names: see names.h.
#include "stratum/names.h"

#include <algorithm>
#include <optional>

#include "adit/base/bytes.h"
#include "adit/bitcoin/address.h"

namespace adit {

namespace {

constexpr std::size_t kAddressMax = 90;
constexpr std::size_t kWorkerMax = 32;
constexpr std::size_t kNameMax = kAddressMax + 1 + kWorkerMax;

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// nullopt: a broken escape, or longer than any name.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (out.size() == kNameMax) return std::nullopt;
    if (text[at] != '%') {
      out += text[at];
      continue;
    }
    std::uint8_t byte[1];
    if (at + 3 > text.size() || !from_hex(text.substr(at + 1, 2), byte)) return std::nullopt;
    out += static_cast<char>(byte[0]);
    at += 2;
  }
  return out;
}

/// A mistyped address must not become a worker of somebody else's account.
bool looks_like_address(std::string_view text) {
  std::string start(text.substr(0, 4));
  std::ranges::transform(start, start.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  if (start.starts_with("bc1") || start.starts_with("tb1") || start == "bcrt") return true;
  return text.size() >= 25 && std::string_view("123mn").find(text[0]) != std::string_view::npos &&
         std::ranges::all_of(text, is_alnum);
}

}  // namespace

bool is_worker_label(std::string_view text) {
  return text.size() <= kWorkerMax && std::ranges::all_of(text, [](char c) {
           return is_alnum(c) || c == '_' || c == '-' || c == '.';
         });
}

Result<WorkerName> parse_worker_name(std::string_view text, Network network,
                                     std::string_view default_account) {
  const auto name = percent_decoded(text);
  if (!name) return Error{ErrorCode::Invalid, "invalid name"};
  const std::string_view whole = *name;
  const std::size_t dot = whole.find('.');
  const std::string_view address = whole.substr(0, dot);
  const std::string_view worker = dot == whole.npos ? std::string_view() : whole.substr(dot + 1);
  if (!default_account.empty() && dot == whole.npos && !whole.empty() && is_worker_label(whole) &&
      !looks_like_address(whole))
    return WorkerName{std::string(default_account), std::string(whole)};
  auto parsed = parse_address(address, network);
  if (!parsed) {
    constexpr std::size_t kReasonMax = 80;
    return Error{ErrorCode::Invalid, "invalid " + parsed.error().text.substr(0, kReasonMax)};
  }
  if (parsed->future_witness)
    return Error{ErrorCode::Invalid, "invalid address: nobody can spend this witness version yet"};
  if (!is_worker_label(worker))
    return Error{ErrorCode::Invalid, "invalid worker name: at most 32 of A-Z a-z 0-9 _ - ."};
  return WorkerName{std::move(parsed->text), std::string(worker)};
}

bool spells(std::string_view text, std::string_view account, std::string_view worker) {
  if (!text.starts_with(account)) return false;
  const std::string_view rest = text.substr(account.size());
  if (worker.empty()) return rest.empty();
  return rest.size() == worker.size() + 1 && rest[0] == '.' && rest.substr(1) == worker;
}

}  // namespace adit
