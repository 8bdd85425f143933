// SPDX-License-Identifier: MIT
// Height pushes, data pushes, the commitment output, sigops.
#include "adit/bitcoin/script.h"

#include <doctest/doctest.h>

using namespace adit;

namespace {

unsigned sigops(std::string_view hex) {
  const auto script = from_hex(hex);
  REQUIRE(script);
  return count_sigops(*script);
}

}  // namespace

TEST_CASE("script: BIP34 heights") {
  CHECK(to_hex(height_push(0)) == "00");
  for (std::uint32_t h = 1; h <= 16; ++h) {
    CHECK(height_push(h) == Script{static_cast<std::uint8_t>(0x50 + h)});
  }
  CHECK(to_hex(height_push(17)) == "0111");
  CHECK(to_hex(height_push(127)) == "017f");
  CHECK(to_hex(height_push(128)) == "028000");
  CHECK(to_hex(height_push(255)) == "02ff00");
  CHECK(to_hex(height_push(256)) == "020001");
  CHECK(to_hex(height_push(32767)) == "02ff7f");
  CHECK(to_hex(height_push(32768)) == "03008000");
  CHECK(to_hex(height_push(413567)) == "037f4f06");
  CHECK(to_hex(height_push(8388607)) == "03ffff7f");
  CHECK(to_hex(height_push(8388608)) == "0400008000");
  CHECK(to_hex(height_push(0xffffffff)) == "05ffffffff00");
}

TEST_CASE("script: data pushes and the commitment") {
  Script script;
  append_push(script, ByteVec{5});
  append_push(script, {});
  append_push(script, ByteVec(75, 0xaa));
  CHECK(to_hex(script) ==
        "0105"
        "00"
        "4b" +
            to_hex(ByteVec(75, 0xaa)));
  Hash256 hash;
  hash.bytes.fill(0x11);
  CHECK(to_hex(commitment_script(hash)) == "6a24aa21a9ed" + to_hex(hash.bytes));
}

TEST_CASE("script: sigops as GetSigOpCount(false)") {
  CHECK(sigops("") == 0);
  CHECK(sigops("76a914000000000000000000000000000000000000000088ac") == 1);
  CHECK(sigops("ac") == 1);
  CHECK(sigops("ad") == 1);
  CHECK(sigops("ae") == 20);
  CHECK(sigops("af") == 20);
  CHECK(sigops("52ae") == 20);  // the count before it is not looked at
  CHECK(sigops("acadaeaf") == 42);
  CHECK(sigops("02acac") == 0);  // data
  CHECK(sigops("02acacac") == 1);
  CHECK(sigops("4c02acacac") == 1);  // PUSHDATA1
  CHECK(sigops("4d0200acacac") == 1);
  CHECK(sigops("4e02000000acacac") == 1);
  CHECK(sigops("ac05acacac") == 1);  // a truncated push ends the count
  CHECK(sigops("ac4c") == 1);
  CHECK(sigops("ac4dff") == 1);
  CHECK(sigops("ac4effffffffacac") == 1);
  CHECK(sigops("ac4f60acff") == 2);  // OP_1NEGATE, OP_16 and unknown opcodes carry no data
  CHECK(sigops("a914000000000000000000000000000000000000000087") == 0);
}
