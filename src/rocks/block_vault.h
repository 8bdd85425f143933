// SPDX-License-Identifier: MIT
// BlockVault: found blocks as durable files, so that none is lost whatever happens to database,
// node or power. `blocks/<height>-<hash>.blk`: a line of JSON (who found it, when, size and SHA-256
// of the rest), then the raw block. Blocking; any thread, also several at once (the app calls it
// off its loop).
#pragma once

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
  /// Held back on the disk; a full disk gives it up for a block.
  static constexpr std::size_t kReserveBytes = 8u << 20;

  /// Makes the folder. A reserve that cannot be made is logged, no error: blocks still find what
  /// room there is.
  static Result<BlockVault> open(const std::string& folder);

  /// The block is on the medium when this returns ok. Keeping it again is ok.
  Status keep(const BlockRecord& record, Bytes block);
  /// The blocks not settled, by height. A file that is not what was written is renamed to *.bad and
  /// logged, and an unfinished one removed.
  Result<std::vector<VaultBlock>> list();
  /// Moves a block whose fate is final, and in the books, to done/. Ok if it is not (or no longer)
  /// there.
  Status settle(const BlockRecord& record);

 private:
  explicit BlockVault(std::string folder)
      : folder_(std::move(folder)), mutex_(std::make_unique<std::mutex>()) {}
  std::string reserve() const { return folder_ + "/.reserve"; }
  Status write_anyhow(const std::string& path, Bytes head, Bytes block);
  void quarantine(const std::string& path, const Error& why);

  std::string folder_;
  std::unique_ptr<std::mutex> mutex_;  // names and the reserve; in a box so that the vault can move
};

}  // namespace adit
