// SPDX-License-Identifier: MIT
// BlockVault: found blocks as durable files, so that none is lost whatever happens to database,
// node or power. `blocks/<height>-<hash>.blk`: a line of JSON (who found it, when, size and SHA-256
// of the rest), then the raw block. Blocking; any thread, also several at once (the app calls it
// off its loop).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "adit/ledger/records.h"

namespace adit {

struct VaultBlock {
  BlockRecord record;  ///< as it was found: state Found, no sequence
  ByteVec bytes;       ///< the raw block
};

class BlockVault {
 public:
  /// Files held back on the disk: where it is full, or fails, each gives its place to one block,
  /// however large that is. 64 MiB, and fewer where blocks are small and few.
  static constexpr std::size_t kReserveBytes = 4u << 20;
  static constexpr std::size_t kReserves = 16, kFewReserves = 4;
  static constexpr std::size_t kDone = 200;

  /// Makes the folder and the reserves: at most an eighth of the disk, and all but the first only
  /// while they leave others room. What cannot be made is logged, no error: blocks still find what
  /// room there is.
  static Result<BlockVault> open(const std::string& folder, std::size_t reserves = kReserves);

  /// The block is on the medium when this returns ok. Keeping it again is ok.
  Status keep(const BlockRecord& record, Bytes block);
  /// The blocks not settled, by height. A file that is not what was written is renamed to *.bad and
  /// logged, and an unfinished one removed.
  Result<std::vector<VaultBlock>> list();
  /// Moves a block whose fate is final, and in the books, to done/, of which the highest kDone
  /// stay: any node has them. Ok if it is not (or no longer) there.
  Status settle(const BlockRecord& record);
  /// False: there are fewer reserves than there should be. Does not block.
  bool reserves_are_whole() const { return shared_->whole; }
  /// Makes those that blocks have taken, where there is room again. A block that comes meanwhile
  /// waits for one of them at most.
  void refill();

 private:
  struct Shared {
    std::mutex mutex;  // names and the reserves
    std::atomic<bool> whole = true;
    std::uint64_t taken = 0;  // reserves, since the start
    bool told = false;        // that reserves are missing
  };
  BlockVault(std::string folder, std::size_t reserves)
      : folder_(std::move(folder)), reserves_(reserves), shared_(std::make_unique<Shared>()) {}
  std::string reserve(std::size_t n) const { return folder_ + "/.reserve-" + std::to_string(n); }
  std::size_t wanted_reserves() const;
  Status refill_one(std::size_t n);
  Status write_anyhow(const std::string& path, Bytes head, Bytes block);
  void trim_done();
  void quarantine(const std::string& path, const Error& why);

  std::string folder_;
  std::size_t reserves_;
  std::unique_ptr<Shared> shared_;  // in a box so that the vault can move
};

}  // namespace adit
