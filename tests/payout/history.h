// SPDX-License-Identifier: MIT
// Random histories of a pool: shares, blocks that win, lose, come back, changes of difficulty. Made
// once from a seed; played against any bank, from any crash on.
#pragma once

#include "adit/ledger/reader.h"
#include "bank.h"

namespace adit::test {

/// Every scheme, and every way of payment it has.
inline const std::vector<std::string> kTerms = {
    "pplns factor=2 fee=150 way=wallet threshold=546 weight=8000",
    "pplns factor=8 fee=200 way=coinbase threshold=1048576 weight=600",
    "prop fee=100 way=export threshold=546 weight=8000",
    "prop fee=0 way=coinbase threshold=20000000 weight=500",
    "solo fee=150 way=wallet threshold=546 weight=8000",
    "solo fee=150 way=coinbase threshold=546 weight=8000",
    "pps fee=400 way=wallet threshold=546 weight=8000",
    "fpps fee=400 way=wallet threshold=546 weight=8000",
};

struct HistoryStep {
  enum class Kind { Mine, Find, Move, Difficulty, Restart, Tick };
  struct Share {
    std::uint32_t member;
    std::uint64_t number, work;
  };
  Kind kind = Kind::Tick;
  std::int64_t pass = 0;      ///< ms before it
  std::vector<Share> shares;  ///< Mine; Find: the winner
  bool share_first = true;    ///< Find
  bool stale = false;         ///< Find: the share never comes
  std::uint64_t room = 0;     ///< Find: for the outputs of its job
  bool twin = false;          ///< Find: on the plan of the block before it
  std::size_t block = 0;      ///< Find, Move
  BlockState to = BlockState::Found;
  Uint128 network_work = 0;
};

struct HistoryBlock {
  std::uint32_t member = 0, height = 0;
  Satoshi value;
  BlockState state = BlockState::Found;
  bool announced = false;  ///< by the first run: what miners mined on is the same in each
  BlockRecord record;
  std::vector<TxOut> outputs;
  PlanPtr plan;
};

class History {
 public:
  static constexpr std::uint32_t kMembers = 9;

  History(std::uint64_t seed, std::size_t steps, bool stale) : random_(seed), stale_(stale) {
    HistoryStep first{HistoryStep::Kind::Mine};
    // Every worker has its id from here on; one without a share in the books would lose it.
    for (std::uint32_t m = 1; m <= kMembers + 1; ++m)
      for (int rig = 0; rig < 2; ++rig) first.shares.push_back(share(m > kMembers ? 0xFFFF : m));
    steps_.push_back(first);
    while (steps_.size() < steps) add();
    // To the end of every wait.
    for (int i = 0; i < 3; ++i) steps_.push_back({HistoryStep::Kind::Tick, 20'000});
  }

  const std::vector<HistoryStep>& steps() const { return steps_; }
  std::vector<HistoryBlock>& blocks() { return blocks_; }

  /// False: the store failed on the way. Then the step must be played again.
  bool play(Bank& bank, const HistoryStep& step) {
    switch (step.kind) {
      case HistoryStep::Kind::Mine:
        return bank.append(candidates(bank, step, false)) && bank.close_slice();
      case HistoryStep::Kind::Find:
        return find(bank, step);
      case HistoryStep::Kind::Move: {
        BlockRecord block = blocks_[step.block].record;
        block.state = step.to;
        // Already on disk, from before a crash: nobody says it again.
        return known(bank, block) == step.to ? bank.take_slices() : bank.put(block);
      }
      case HistoryStep::Kind::Difficulty:
        bank.facts.work = step.network_work;
        bank.ledger->set_network(bank.facts);
        return true;
      case HistoryStep::Kind::Restart:
        return bank.open();
      case HistoryStep::Kind::Tick:
        return bank.close_slice() && bank.tick();
    }
    return false;
  }

 private:
  HistoryStep::Share share(std::uint32_t member) {
    return {member, ++numbers_, 1 + random_.below(1ull << 32)};
  }
  std::uint32_t any_member() {
    // Now and then the pool's own address.
    return random_.below(12) == 0 ? 0xFFFF
                                  : 1 + static_cast<std::uint32_t>(random_.below(kMembers));
  }

  void add() {
    HistoryStep step;
    step.pass = static_cast<std::int64_t>(random_.below(40'000));
    const std::uint64_t dice = random_.below(20);
    if (dice < 9) {
      step.kind = HistoryStep::Kind::Mine;
      for (std::uint64_t n = 1 + random_.below(8); n > 0; --n)
        step.shares.push_back(share(any_member()));
    } else if (dice < 12) {
      add_find(step);
    } else if (dice < 17) {
      if (!add_move(step)) return;
    } else if (dice < 18) {
      step.kind = HistoryStep::Kind::Difficulty;
      step.network_work = (4 + random_.below(60)) * kSampleWork.value();
    } else {
      step.kind = dice < 19 ? HistoryStep::Kind::Restart : HistoryStep::Kind::Tick;
    }
    steps_.push_back(step);
  }

  void add_find(HistoryStep& step) {
    step.kind = HistoryStep::Kind::Find;
    step.share_first = random_.below(2) == 0;
    step.stale = stale_ && random_.below(4) == 0;
    step.twin = !blocks_.empty() && random_.below(4) == 0;
    step.room = random_.below(2) == 0 ? random_.below(600) : 8'000;
    step.shares = {share(any_member())};
    step.block = blocks_.size();
    HistoryBlock block;
    block.member = step.shares[0].member;
    block.height = 100 + static_cast<std::uint32_t>(blocks_.size() * 2 / 3);
    block.value = Satoshi(312'500'000 + static_cast<std::int64_t>(random_.below(9'000'000)));
    blocks_.push_back(block);
  }

  bool add_move(HistoryStep& step) {
    if (blocks_.empty()) return false;
    step.kind = HistoryStep::Kind::Move;
    step.block = random_.below(blocks_.size());
    constexpr BlockState kStates[] = {
        BlockState::Submitted, BlockState::Side,     BlockState::Accepted,
        BlockState::Accepted,  BlockState::Accepted, BlockState::Refused,
        BlockState::Orphaned,  BlockState::Mature,   BlockState::Mature};
    step.to = kStates[random_.below(std::size(kStates))];
    HistoryBlock& block = blocks_[step.block];
    if (!block_may_move(block.state, step.to)) return false;
    block.state = step.to;
    return true;
  }

  std::vector<ShareCandidate> candidates(Bank& bank, const HistoryStep& step, bool winner) {
    std::vector<ShareCandidate> out;
    for (const auto& s : step.shares) out.push_back(bank.share(s.member, s.number, s.work, winner));
    return out;
  }

  bool find(Bank& bank, const HistoryStep& step) {
    HistoryBlock& block = blocks_[step.block];
    const auto winner = candidates(bank, step, true);
    if (!block.announced) announce(bank, step, winner[0]);
    if (!step.stale && step.share_first && !bank.append(winner)) return false;
    BlockRecord record = block.record;
    record.after = bank.ledger->last_sequence();
    // After a crash the vault tells it again.
    if (!bank.put(record, block.outputs)) return false;
    return step.stale || step.share_first || bank.append(winner);
  }

  static std::optional<BlockState> known(Bank& bank, const BlockRecord& wanted) {
    const auto blocks = all_blocks(bank.store);
    REQUIRE(blocks.ok());
    for (const BlockRecord& block : *blocks)
      if (block.hash == wanted.hash) return block.state;
    return std::nullopt;
  }

  void announce(Bank& bank, const HistoryStep& step, const ShareCandidate& winner) {
    HistoryBlock& block = blocks_[step.block];
    block.announced = true;
    block.record = bank.block_of(winner, block.member, block.height, block.value);
    const PayoutTerms& terms = bank.options.terms;
    block.plan = step.twin ? blocks_[step.block - 1].plan : bank.treasury->plan();
    if (block.plan) {
      block.outputs = Bank::job_outputs(block.record, *block.plan, step.room);
    } else if (terms.way == PayWay::Coinbase && terms.scheme.kind == SchemeKind::Solo) {
      block.outputs = solo_outputs(block.value, terms.scheme.fee_basis_points,
                                   member_script(block.member), kBankScript);
    }
  }

  ShareMaker random_;
  bool stale_;
  std::uint64_t numbers_ = 0;
  std::vector<HistoryStep> steps_;
  std::vector<HistoryBlock> blocks_;
};

}  // namespace adit::test
