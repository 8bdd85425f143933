// SPDX-License-Identifier: MIT
// From address to script and back.
#include "adit/bitcoin/address.h"

#include <algorithm>
#include <array>

#include "adit/base/check.h"
#include "adit/bitcoin/base58.h"
#include "bitcoin/bech32.h"
#include "bitcoin/opcodes.h"

namespace adit {
namespace {

struct Prefixes {
  std::uint8_t pubkey_hash;
  std::uint8_t script_hash;
  std::string_view bech32;
  auto operator<=>(const Prefixes&) const = default;
};
constexpr Prefixes kMain{0, 5, "bc"};
constexpr Prefixes kTest{111, 196, "tb"};  // testnet4 and signet
constexpr Prefixes kRegtest{111, 196, "bcrt"};
constexpr std::array<Prefixes, 3> kAll{kMain, kTest, kRegtest};

constexpr std::size_t kMaxText = 90;
constexpr std::size_t kHash160 = 20;

const Prefixes& prefixes(Network network) {
  if (network == Network::Main) return kMain;
  return network == Network::Regtest ? kRegtest : kTest;
}

Error bad(std::string why) { return {ErrorCode::Invalid, "address: " + std::move(why)}; }

Error wrong_network(Network network) {
  return bad("wrong network: it is not one of " + std::string(network_name(network)));
}

/// Whether `text` starts with a known bech32 prefix and its separator, in any case.
bool looks_like_bech32(std::string_view text) {
  return std::any_of(kAll.begin(), kAll.end(), [&](const Prefixes& p) {
    if (text.size() <= p.bech32.size() || text[p.bech32.size()] != '1') return false;
    // 0x20 is the case bit of ASCII letters.
    return std::equal(p.bech32.begin(), p.bech32.end(), text.begin(),
                      [](char a, char b) { return a == (b | 0x20); });
  });
}

Script pubkey_hash_script(Bytes hash) {
  Script script{kOpDup, kOpHash160};
  append_push(script, hash);
  script.push_back(kOpEqualVerify);
  script.push_back(kOpCheckSig);
  return script;
}

Script script_hash_script(Bytes hash) {
  Script script{kOpHash160};
  append_push(script, hash);
  script.push_back(kOpEqual);
  return script;
}

Script witness_script(unsigned version, Bytes program) {
  Script script{version == 0 ? kOp0 : static_cast<std::uint8_t>(kOp1 + version - 1)};
  append_push(script, program);
  return script;
}

Result<Address> parse_base58(std::string_view text, Network network) {
  const auto payload = base58check_decode(text);
  if (!payload) return bad("no such prefix, or the base58 checksum is wrong");
  if (payload->size() != 1 + kHash160) return bad("wrong length");
  const std::uint8_t version = payload->front();
  const Bytes hash = Bytes(*payload).subspan(1);
  const Prefixes& own = prefixes(network);
  if (version == own.pubkey_hash) return Address{std::string(text), pubkey_hash_script(hash)};
  if (version == own.script_hash) return Address{std::string(text), script_hash_script(hash)};
  const bool known = std::any_of(kAll.begin(), kAll.end(), [&](const Prefixes& p) {
    return version == p.pubkey_hash || version == p.script_hash;
  });
  return known ? wrong_network(network) : bad("unknown version byte");
}

const char* describe(Bech32Error error) {
  switch (error) {
    case Bech32Error::Length:
      return "wrong length";
    case Bech32Error::MixedCase:
      return "mixed case";
    case Bech32Error::Character:
      return "a character that bech32 does not have";
    case Bech32Error::Separator:
      return "no separator";
    case Bech32Error::Checksum:
      return "the bech32 checksum is wrong";
    case Bech32Error::None:
      break;
  }
  UNREACHABLE();
}

Result<Address> parse_bech32(std::string_view text, Network network) {
  const Bech32 decoded = bech32_decode(text);
  if (decoded.error != Bech32Error::None) return bad(describe(decoded.error));
  if (decoded.data.empty()) return bad("no witness version");
  const unsigned version = decoded.data.front();
  if (version > 16) return bad("witness version above 16");
  if ((version == 0) != (decoded.kind == Bech32Kind::Bech32)) {
    return bad(version == 0 ? "checksum: version 0 must be bech32, not bech32m"
                            : "checksum: version 1 and above must be bech32m, not bech32");
  }
  const auto program = from_five_bits(Bytes(decoded.data).subspan(1));
  if (!program) return bad("padding is wrong");
  const std::size_t size = program->size();
  if (size < 2 || size > 40) return bad("wrong length of the witness program");
  if (version == 0 && size != 20 && size != 32) return bad("wrong length for witness version 0");
  const std::string_view own = prefixes(network).bech32;
  if (decoded.prefix != own) return wrong_network(network);
  Address address;
  address.text = bech32_encode(decoded.kind, own, decoded.data);
  address.script = witness_script(version, *program);
  address.future_witness = version > 1 || (version == 1 && size != 32);
  return address;
}

bool has_shape(Bytes script, Bytes front, Bytes back) {
  return script.size() == front.size() + kHash160 + back.size() &&
         std::equal(front.begin(), front.end(), script.begin()) &&
         std::equal(back.begin(), back.end(), script.end() - std::ssize(back));
}

std::string base58_address(std::uint8_t version, Bytes hash) {
  ByteVec payload{version};
  append(payload, hash);
  return base58check_encode(payload);
}

std::optional<std::string> witness_address(Bytes script, std::string_view prefix) {
  if (script.size() < 4 || script.size() > 42 || script[1] + 2u != script.size()) {
    return std::nullopt;
  }
  const std::uint8_t op = script[0];
  if (op != kOp0 && (op < kOp1 || op > kOp16)) return std::nullopt;
  const Bytes program = script.subspan(2);
  if (op == kOp0 && program.size() != 20 && program.size() != 32) return std::nullopt;
  ByteVec data{static_cast<std::uint8_t>(op == kOp0 ? 0 : op - kOp1 + 1)};
  append(data, to_five_bits(program));
  return bech32_encode(op == kOp0 ? Bech32Kind::Bech32 : Bech32Kind::Bech32m, prefix, data);
}

}  // namespace

Result<Address> parse_address(std::string_view text, Network network) {
  if (text.empty()) return bad("empty");
  if (text.size() > kMaxText) return bad("wrong length: more than 90 characters");
  return looks_like_bech32(text) ? parse_bech32(text, network) : parse_base58(text, network);
}

std::optional<std::string> address_of(Bytes script, Network network) {
  constexpr std::array<std::uint8_t, 3> kP2pkhFront{kOpDup, kOpHash160, kHash160};
  constexpr std::array<std::uint8_t, 2> kP2pkhBack{kOpEqualVerify, kOpCheckSig};
  constexpr std::array<std::uint8_t, 2> kP2shFront{kOpHash160, kHash160};
  constexpr std::array<std::uint8_t, 1> kP2shBack{kOpEqual};
  const Prefixes& own = prefixes(network);
  if (has_shape(script, kP2pkhFront, kP2pkhBack)) {
    return base58_address(own.pubkey_hash, script.subspan(kP2pkhFront.size(), kHash160));
  }
  if (has_shape(script, kP2shFront, kP2shBack)) {
    return base58_address(own.script_hash, script.subspan(kP2shFront.size(), kHash160));
  }
  return witness_address(script, own.bech32);
}

}  // namespace adit
