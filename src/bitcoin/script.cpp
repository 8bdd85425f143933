// SPDX-License-Identifier: MIT
// Writing and counting scripts.
#include "adit/bitcoin/script.h"

#include "adit/base/check.h"
#include "bitcoin/opcodes.h"

namespace adit {
namespace {

/// Size of the data after the push opcode `op` (PUSHDATA's length bytes are taken from `reader`).
std::size_t push_size(std::uint8_t op, ByteReader& reader) {
  if (op < kOpPushData1) return op;
  if (op == kOpPushData1) return reader.u8();
  if (op == kOpPushData2) return reader.le<std::uint16_t>();
  if (op == kOpPushData4) return reader.le<std::uint32_t>();
  return 0;
}

}  // namespace

Script height_push(std::uint32_t height) {
  if (height == 0) return {kOp0};
  if (height <= 16) return {static_cast<std::uint8_t>(kOp1 + height - 1)};
  Script number;
  for (std::uint32_t rest = height; rest != 0; rest >>= 8) {
    number.push_back(static_cast<std::uint8_t>(rest));
  }
  // The top bit is the sign.
  if ((number.back() & 0x80) != 0) number.push_back(0);
  Script script;
  append_push(script, number);
  return script;
}

void append_push(Script& script, Bytes data) {
  CHECK(data.size() < kOpPushData1);
  script.push_back(static_cast<std::uint8_t>(data.size()));
  append(script, data);
}

Script commitment_script(const Hash256& commitment) {
  Script script(kCommitmentPrefix.begin(), kCommitmentPrefix.end());
  append(script, commitment.bytes);
  return script;
}

unsigned count_sigops(Bytes script) {
  unsigned count = 0;
  ByteReader reader(script);
  while (reader.remaining() > 0) {
    const std::uint8_t op = reader.u8();
    reader.take(push_size(op, reader));
    if (!reader.ok()) break;
    if (op == kOpCheckSig || op == kOpCheckSigVerify) ++count;
    if (op == kOpCheckMultisig || op == kOpCheckMultisigVerify) count += 20;
  }
  return count;
}

}  // namespace adit
