// SPDX-License-Identifier: MIT
// A getblocktemplate result as Bitcoin Core 28 gives it on regtest, key by key, so that a test can
// spoil any of them; and the small JSON answers a node gives besides.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "adit/base/json.h"
#include "adit/bitcoin/merkle.h"
#include "adit/bitcoin/script.h"
#include "adit/bitcoin/transaction.h"
#include "adit/node/node_link.h"

namespace adit::test {

using Fields = std::map<std::string, std::string>;  ///< key -> raw JSON

inline std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

inline std::string object_of(const Fields& fields) {
  JsonWriter json;
  json.begin_object();
  for (const auto& [key, value] : fields) json.key(key).raw(value);
  return json.end_object().take();
}

inline Hash256 hash_number(std::uint32_t number) {
  Hash256 hash;
  store_le(hash.bytes.data(), number);
  hash.bytes[20] = 0x77;
  return hash;
}

inline Transaction make_transaction(const Txid& previous, std::uint32_t index, bool witness) {
  Transaction made;
  TxIn input;
  input.previous = {previous, index};
  if (witness) {
    input.witness = {ByteVec(71, 0x30), ByteVec(33, 0x02)};
  } else {
    input.script_sig = ByteVec(107, 0x47);
  }
  made.inputs = {input};
  made.outputs = {{Satoshi(50'000), ByteVec(22, 0x14)}, {Satoshi(7'000), ByteVec(25, 0x76)}};
  return made;
}

struct TemplateText {
  Fields fields;
  std::vector<Fields> transactions;
  std::vector<Wtxid> wtxids;

  std::string text() const {
    Fields all = fields;
    if (!all.contains("transactions")) {
      JsonWriter list;
      list.begin_array();
      for (const Fields& transaction : transactions) list.raw(object_of(transaction));
      all["transactions"] = list.end_array().take();
    }
    return object_of(all);
  }
  void add(const Transaction& made, std::int64_t fee, std::vector<int> depends = {}) {
    JsonWriter parents;
    parents.begin_array();
    for (const int parent : depends) parents.number(parent);
    const Wtxid wtxid = made.wtxid();
    transactions.push_back({{"data", in_quotes(to_hex(made.serialize()))},
                            {"txid", in_quotes(made.txid().hex())},
                            {"hash", in_quotes(wtxid.hex())},
                            {"depends", parents.end_array().take()},
                            {"fee", std::to_string(fee)},
                            {"sigops", "4"},
                            {"weight", std::to_string(made.weight())}});
    wtxids.push_back(wtxid);
  }
  void commit() {
    const Hash256 commitment = witness_commitment(wtxids, {});
    fields["default_witness_commitment"] = in_quotes(to_hex(commitment_script(commitment)));
  }
};

inline constexpr std::uint32_t kRegtestBits = 0x207fffff;

/// No transactions; `fees` are those of what the caller adds.
inline TemplateText bare_template(std::uint32_t height = 102,
                                  const Hash256& prev = hash_number(101), std::int64_t fees = 0,
                                  Network network = Network::Regtest,
                                  std::uint32_t bits = kRegtestBits) {
  TemplateText made;
  const auto value = block_subsidy(network, height).value() + fees;
  made.fields = {
      {"capabilities", R"(["proposal"])"},
      {"version", "536870912"},
      {"rules", R"(["csv","!segwit","taproot"])"},
      {"vbavailable", "{}"},
      {"vbrequired", "0"},
      {"previousblockhash", in_quotes(prev.hex())},
      {"coinbaseaux", "{}"},
      {"coinbasevalue", std::to_string(value)},
      {"longpollid", in_quotes(prev.hex() + "7")},
      {"target", in_quotes(Target::from_compact(CompactTarget(bits))->hex())},
      {"mintime", "1700000001"},
      {"mutable", R"(["time","transactions","prevblock"])"},
      {"noncerange", R"("00000000ffffffff")"},
      {"sigoplimit", "80000"},
      {"sizelimit", "4000000"},
      {"weightlimit", "4000000"},
      {"curtime", "1700000600"},
      {"bits", in_quotes(to_hex(ByteVec{std::uint8_t(bits >> 24), std::uint8_t(bits >> 16),
                                        std::uint8_t(bits >> 8), std::uint8_t(bits)}))},
      {"height", std::to_string(height)},
  };
  if (network == Network::Signet) made.fields["signet_challenge"] = in_quotes("51");
  made.commit();
  return made;
}

/// A legacy, a segwit and a child transaction, as a regtest node would put them.
inline TemplateText full_template(std::uint32_t height = 102,
                                  const Hash256& prev = hash_number(101)) {
  TemplateText made = bare_template(height, prev, 1'000 + 2'000 + 500);
  const Transaction legacy = make_transaction(Txid::from(hash_number(7)), 0, false);
  const Transaction segwit = make_transaction(Txid::from(hash_number(8)), 1, true);
  const Transaction child = make_transaction(segwit.txid(), 0, true);
  made.add(legacy, 1'000);
  made.add(segwit, 2'000);
  made.add(child, 500, {2});
  made.commit();
  return made;
}

inline NodeOptions on(Network network) {
  NodeOptions options;
  options.network = network;
  return options;
}
inline NodeOptions regtest() { return on(Network::Regtest); }

}  // namespace adit::test
