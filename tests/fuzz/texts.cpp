// SPDX-License-Identifier: MIT
// Small texts of strangers: what is accepted has one meaning, and says the same when written again.
// Addresses, worker names, difficulties, hex, networks, PROXY headers, transactions.
#include <cstdlib>

#include "adit/bitcoin/address.h"
#include "adit/bitcoin/block.h"
#include "adit/bitcoin/transaction.h"
#include "fuzz.h"
#include "stratum/names.h"
#include "uv/proxy_protocol.h"
#include "uv/tcp.h"

namespace adit::fuzz {
namespace {

void address(std::string_view text) {
  for (const Network network :
       {Network::Main, Network::Testnet4, Network::Signet, Network::Regtest}) {
    const auto parsed = parse_address(text, network);
    (void)parse_worker_name(text, network, "default");
    if (!parsed.ok() || parsed->future_witness) continue;
    ADIT_CHECK(address_of(parsed->script, network) == parsed->text);
  }
}

void numbers(std::string_view text) {
  if (const auto difficulty = Difficulty::parse(text)) {
    ADIT_CHECK(Difficulty::parse(difficulty->text()) == difficulty);
    ADIT_CHECK(Work::of(difficulty->to_target()).value() > 0);
  }
  if (const auto work = Work::from_decimal(text))
    ADIT_CHECK(Work::from_decimal(work->decimal()) == work);
  if (const auto bytes = from_hex(text)) ADIT_CHECK(to_hex(*bytes).size() == text.size());
  (void)uv::parse_listen_address(text);
  (void)uv::NetworkList::parse({std::string(text)});
}

/// A header in one piece and byte by byte is the same header.
void proxy(Bytes bytes) {
  uv::ProxyParser whole, pieces;
  std::size_t used = 0;
  const auto state = whole.feed(bytes, used);
  auto stepwise = uv::ProxyParser::State::NeedMore;
  std::size_t taken = 0;
  while (taken < bytes.size() && stepwise == uv::ProxyParser::State::NeedMore) {
    std::size_t one_used = 0;
    stepwise = pieces.feed(bytes.subspan(taken, 1), one_used);
    taken += one_used;
    if (one_used == 0) break;
  }
  ADIT_CHECK(bytes.empty() || state == stepwise);
  if (state == uv::ProxyParser::State::Done)
    ADIT_CHECK(used == taken && whole.source() == pieces.source());
}

void chain(Bytes bytes) {
  if (const auto transaction = Transaction::parse(bytes); transaction.ok()) {
    const ByteVec again = transaction->serialize();
    ADIT_CHECK(std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
  }
  (void)Block::parse(bytes);
}

}  // namespace

void one(Bytes input) {
  Cursor cursor(input);
  const std::uint8_t kind = cursor.byte() % 4;
  const Bytes rest = cursor.rest();
  if (kind == 0) address(text_of(rest));
  if (kind == 1) numbers(text_of(rest));
  if (kind == 2) proxy(rest);
  if (kind == 3) chain(rest);
}

std::vector<std::string> seeds() {
  Transaction transaction;
  transaction.inputs.emplace_back();
  transaction.inputs[0].witness = {ByteVec(3, 1)};
  transaction.outputs = {{Satoshi(5), Script(ByteVec(22, 0x14))}};
  std::vector<std::string> all = {
      '\3' + std::string(text_of(transaction.serialize())),
      "\2PROXY TCP4 192.0.2.1 192.0.2.2 5555 3333\r\nrest",
      std::string("\2\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c", 17) + std::string(12, '\1')};
  for (const char* text :
       {"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
        "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyT.rig", "3P14159f73E4gFr7JterCCQh9QjiTjiZrG+d"})
    all.push_back('\0' + std::string(text));
  for (const char* text :
       {"0.00016", "1e-10", "123456789012345678901", "00ff", "[::1]:80", "10.0.0.0/8"})
    all.push_back('\1' + std::string(text));
  return all;
}

}  // namespace adit::fuzz
