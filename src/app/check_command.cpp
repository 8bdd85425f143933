// SPDX-License-Identifier: MIT
// `adit check`: reads the configuration, asks each node for a template, and shows the coinbase the
// pool would mine. Exit status 1 on the first thing that would keep a pool from working.
#include <fmt/format.h>

#include <cstdio>

#include "adit/base/log.h"
#include "adit/bitcoin/block.h"
#include "adit/node/node_link.h"
#include "adit/stratum/v2/key_text.h"
#include "app/commands.h"
#include "app/config.h"
#include "app/job_plan.h"
#include "app/key_files.h"
#include "app/node_caller.h"
#include "uv/system.h"

namespace adit {
namespace {

std::string printable(Bytes bytes) {
  std::string out;
  for (const std::uint8_t b : bytes)
    out.push_back(b >= 0x20 && b < 0x7f ? static_cast<char>(b) : '.');
  return out;
}

void print_coinbase(const Config& config, const Job& job) {
  const auto coinbase = Transaction::parse(coinbase_for_block(
      job.coinbase, Extranonce{}, job.block_template->witness_commitment.has_value()));
  CHECK(coinbase.ok());
  const BlockTemplate& block_template = *job.block_template;
  fmt::print("template    height {}, {} transactions, {} sat in all, difficulty {:.4g}\n",
             block_template.height, block_template.transactions.size(),
             block_template.coinbase_value.value(),
             Difficulty::of(block_template.target).approximate());
  fmt::print("coinbase    txid without extranonce {}\n", coinbase->txid().hex());
  const Script& script = coinbase->inputs[0].script_sig;
  fmt::print("  scriptSig {} ({} bytes: \"{}\")\n", to_hex(script), script.size(),
             printable(script));
  fmt::print("  lock time {}, sequence {:08x}\n", coinbase->lock_time,
             coinbase->inputs[0].sequence);
  for (const TxOut& output : coinbase->outputs) {
    const auto address = address_of(output.script, config.pool.network);
    fmt::print("  output    {:>12} sat to {}\n", output.value.value(),
               address ? *address : "script " + to_hex(output.script));
  }
}

/// Where miners begin that nothing is known of, and how far they may go.
void print_difficulty(const Config& config) {
  const auto print = [](const std::string& who, const VardiffOptions& vardiff) {
    fmt::print("difficulty  {}: start {}, {} to {}, {:g} shares a minute\n", who,
               vardiff.start.text(), vardiff.minimum.text(), vardiff.maximum.text(),
               vardiff.shares_per_minute);
  };
  print("all ports", config.vardiff);
  for (const PortConfig& port : config.ports)
    print(fmt::format("port \"{}\"", port.name), port.vardiff);
  for (const AgentStart& agent : config.agents)
    fmt::print("difficulty  agents with \"{}\": start {}\n", agent.match, agent.start.text());
}

/// How much of the plan's outputs a V1 miner's work has, where that is not the same for all.
void print_sizes(const Config& config) {
  if (!pays_by_plan(config)) return;
  const auto print = [](const std::string& who, const CoinbaseSize& size) {
    fmt::print("outputs     {}: up to {} weight units{}\n", who, size.coinbase_weight,
               size.small_coinbases ? "" : ", for everybody");
  };
  print("all ports", config.v1.size);
  for (const PortConfig& port : config.ports)
    print(fmt::format("port \"{}\"", port.name), port.size);
  for (const AgentSize& agent : config.payout.agents)
    fmt::print("outputs     agents with \"{}\": up to {} weight units\n", agent.match,
               agent.coinbase_weight);
}

Status check_node(const Config& config, const NodeConfig& node, NodeCaller& caller) {
  const auto genesis = caller.call(node, "getblockhash", "[0]");
  if (!genesis) return genesis.error();
  const std::string expected = "\"" + genesis_hash(config.pool.network).hex() + "\"";
  if (*genesis != expected)
    return Error{ErrorCode::Conflict,
                 fmt::format("{}: is on another chain than {}: genesis {}", node.rpc,
                             network_name(config.pool.network), *genesis)};
  const auto info = caller.call(node, "getblockchaininfo", "[]");
  if (!info) return info.error();
  if (const auto objection = chain_objection(*info, config.pool.network))
    return Error{ErrorCode::Unavailable, fmt::format("{}: not ready: {}", node.rpc, *objection)};
  const auto answer =
      caller.call(node, "getblocktemplate",
                  config.pool.network == Network::Signet ? R"([{"rules":["segwit","signet"]}])"
                                                         : R"([{"rules":["segwit"]}])");
  if (!answer) return answer.error();
  NodeOptions options;
  options.network = config.pool.network;
  const auto parsed = parse_template(*answer, options, caller.now());
  if (!parsed)
    return Error{parsed.error().code,
                 fmt::format("{}: template: {}", node.rpc, parsed.error().text)};
  const auto job =
      make_job(JobNumber(1), TipNumber(1), true, *parsed, job_options(config, **parsed, nullptr));
  if (!job) return Error{job.error().code, "coinbase: " + job.error().text};
  const auto proposal =
      caller.call(node, "getblocktemplate",
                  fmt::format(R"([{{"mode":"proposal","rules":["segwit"],"data":"{}"}}])",
                              to_hex(block_for_proposal(**job))));
  if (!proposal) return proposal.error();
  fmt::print("node        {}: ready; our block as a proposal: {}\n", node.rpc,
             *proposal == "null" ? "valid" : "refused: " + *proposal);
  print_coinbase(config, **job);
  if (*proposal != "null")
    return Error{ErrorCode::Refused,
                 fmt::format("{}: would refuse our block: {}", node.rpc, *proposal)};
  return {};
}

/// What miners of Stratum V2 would be shown.
Status check_v2(const Config& config, UnixSeconds now) {
  if (!config.v2.has_key()) return {};
  uv::OsEntropy entropy;
  const auto keeper = open_identity(config.v2, config.pool.network, now,
                                    [&](MutableBytes out) { entropy.fill(out); });
  if (!keeper) return keeper.error();
  const v2::Certificate& certificate = keeper->identity()->certificate;
  fmt::print("stratum v2  {}\n", v2::pool_url("HOST:PORT", keeper->authority()));
  if (!config.v2.certificate_file.empty())
    fmt::print("  certificate valid until {} (unix time), {} days from now\n",
               certificate.not_valid_after.value(),
               (certificate.not_valid_after.value() - now.value()) / v2::IdentityKeeper::kDay);
  return refuse_short_certificate(config.v2, certificate, now);
}

}  // namespace

int check_command(const CommonOptions& options) {
  const auto config = load_config(options.config_file);
  if (!config) {
    fmt::print(stderr, "{}\n", config.error().text);
    return 1;
  }
  fmt::print("config      {}: good\n", options.config_file);
  for (const std::string& warning : config->warnings) fmt::print("warning     {}\n", warning);
  fmt::print("pool        \"{}\" on {}, pays {}\n", config->pool.name,
             network_name(config->pool.network), config->pool.payout.text);
  print_difficulty(*config);
  print_sizes(*config);
  uv::OsClock clock;
  NodeCaller caller(clock);
  int status = 0;
  const UnixSeconds now(static_cast<std::uint32_t>(clock.now().wall.value() / 1000));
  if (const Status good = check_v2(*config, now); !good) {
    fmt::print(stderr, "{}\n", good.error().text);
    status = 1;
  }
  for (const NodeConfig& node : config->nodes) {
    if (const Status good = check_node(*config, node, caller); !good) {
      fmt::print(stderr, "{}\n", good.error().text);
      status = 1;
    }
  }
  return status;
}

}  // namespace adit
