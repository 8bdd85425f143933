// SPDX-License-Identifier: MIT
// Encoding of V1 lines: see encode.h.
#include "stratum/v1/encode.h"

#include <charconv>

#include "adit/base/json.h"

namespace adit::v1 {

namespace {

void append_number(std::string& out, long long value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_hex_u16(std::string& out, std::uint16_t value) {
  std::uint8_t bytes[2];
  store_be16(bytes, value);
  append_hex(out, bytes);
}

std::string_view end_of_notify(bool clean) { return clean ? "\",true]}\n" : "\",false]}\n"; }

void append_hex_u32(std::string& out, std::uint32_t value) {
  std::uint8_t bytes[4];
  store_be32(bytes, value);
  append_hex(out, bytes);
}

/// V1's oddity: the previous hash goes out with the bytes of each 32-bit word turned round.
void append_prevhash(std::string& out, const BlockHash& prev) {
  for (std::size_t word = 0; word < 32; word += 4)
    append_hex_u32(out, load_le<std::uint32_t>(prev.bytes.data() + word));
}

/// Four significant digits are enough to see what is wrong.
std::string short_number(double value) {
  char digits[32];
  const auto end =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::general, 4).ptr;
  return std::string(digits, end);
}

}  // namespace

Refusal refusal_of(RejectReason reason) {
  switch (reason) {
    case RejectReason::UnknownJob:
      return {Code::JobNotFound, "job not found", 1};
    case RejectReason::StaleJob:
      return {Code::JobNotFound, "stale", 0};
    case RejectReason::NtimeOutOfRange:
      return {Code::Other, "ntime out of range", 1};
    case RejectReason::VersionNotAllowed:
      return {Code::Other, "version bits", 5};
    case RejectReason::VersionMissing:
      return {Code::Other, "version bits missing", 2};
    case RejectReason::BadExtranonceSize:
      return {Code::Other, "extranonce2 size", 2};
    case RejectReason::LowDifficulty:
      return {Code::LowDifficulty, "low difficulty share", 1};
    case RejectReason::Duplicate:
      return {Code::Duplicate, "duplicate share", 1};
    case RejectReason::Unauthorised:
      return {Code::Unauthorised, "unauthorized worker", 5};
    case RejectReason::StorageFull:
      return {Code::Other, "storage full", 0};
    case RejectReason::TooFast:
      return {Code::Other, "slow down", 1};
  }
  return {Code::Other, "refused", 1};
}

std::string low_difficulty_text(const BlockHash& hash, const Difficulty& wanted) {
  const Difficulty measured = Difficulty::of(Target(U256::from_le(hash.bytes.data())));
  return "low difficulty share " + short_number(measured.approximate()) + " of " + wanted.text();
}

void append_result(std::string& out, std::string_view id, std::string_view result) {
  out += "{\"id\":";
  out += id;
  out += ",\"result\":";
  out += result;
  out += ",\"error\":null}\n";
}

void append_error(std::string& out, std::string_view id, Code code, std::string_view text,
                  std::string_view result) {
  out += "{\"id\":";
  out += id;
  out += ",\"result\":";
  out += result;
  out += ",\"error\":[";
  append_number(out, static_cast<int>(code));
  out += ',';
  append_json_string(out, text);
  out += ",null]}\n";
}

void append_set_difficulty(std::string& out, const Difficulty& difficulty) {
  out += "{\"id\":null,\"method\":\"mining.set_difficulty\",\"params\":[";
  out += difficulty.text();
  out += "]}\n";
}

void append_reconnect(std::string& out) {
  out += "{\"id\":null,\"method\":\"client.reconnect\",\"params\":[]}\n";
}

void append_set_extranonce(std::string& out, Bytes extranonce1, std::size_t extranonce2_size) {
  out += "{\"id\":null,\"method\":\"mining.set_extranonce\",\"params\":[\"";
  out += to_hex(extranonce1);
  out += "\",";
  out += std::to_string(extranonce2_size);
  out += "]}\n";
}

std::optional<WireJobId> parse_job_id(std::string_view text) {
  std::array<std::uint8_t, 8> bytes;
  if (text.size() != 16 || !from_hex(text, bytes)) return std::nullopt;
  return WireJobId{load_be16(bytes.data()),
                   {JobNumber(load_be32(bytes.data() + 2)), load_be16(bytes.data() + 6)}};
}

void append_notify_front(std::string& out, const WireJobId& id) {
  out += "{\"id\":null,\"method\":\"mining.notify\",\"params\":[\"";
  append_hex_u16(out, id.epoch);
  append_hex_u32(out, id.job.number.value());
  append_hex_u16(out, id.job.issue);
}

std::string notify_rest(const Job& job, bool clean) {
  std::string out;
  out.reserve(256 + 2 * (job.coinbase.prefix.size() + job.coinbase.suffix.size()) +
              67 * job.branch.size());
  out += "\",\"";
  append_prevhash(out, job.block_template->prev);
  out += "\",\"";
  append_hex(out, job.coinbase.prefix);
  out += "\",\"";
  append_hex(out, job.coinbase.suffix);
  out += "\",[";
  for (std::size_t i = 0; i < job.branch.size(); ++i) {
    out += i == 0 ? "\"" : ",\"";
    append_hex(out, job.branch[i].bytes);
    out += '"';
  }
  out += "],\"";
  append_hex_u32(out, static_cast<std::uint32_t>(job.version));
  out += "\",\"";
  append_hex_u32(out, job.block_template->bits.value());
  out += "\",\"";
  append_hex_u32(out, job.ntime);
  out += end_of_notify(clean);
  return out;
}

void append_notify_rest(std::string& out, std::string_view rest, bool clean, std::uint32_t ntime) {
  constexpr std::size_t kTimeDigits = 8;
  out += rest.substr(0, rest.size() - end_of_notify(clean).size() - kTimeDigits);
  append_hex_u32(out, ntime);
  out += end_of_notify(clean);
}

}  // namespace adit::v1
