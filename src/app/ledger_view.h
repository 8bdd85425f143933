// SPDX-License-Identifier: MIT
// What `adit ledger` prints of the books: a line a record.
#pragma once

#include <unordered_map>

#include "adit/ledger/store.h"
#include "app/commands.h"
#include "app/ledger_row.h"

namespace adit {

class LedgerView {
 public:
  /// `kinds`: each line says of which view it is.
  LedgerView(LedgerStore& store, const LedgerCommandOptions& options, bool kinds)
      : store_(store), options_(options), csv_(options.format == "csv"), kinds_(kinds) {}

  // ledger_view.cpp
  Status shares();
  Status accounts();
  Status workers();
  Status blocks();
  Status slices();
  // ledger_view_money.cpp
  Status balances();
  Status journal();
  Status settlements();
  Status payments();

  void next_kind() {
    lines_ = 0;
    if (csv_) header_done_ = false;
  }

 private:
  using Addresses = std::unordered_map<std::uint32_t, std::string>;
  Result<Addresses> addresses();
  LedgerRow row(std::string_view kind) {
    LedgerRow line(csv_);
    if (kinds_) line.kind(kind);
    return line;
  }
  LedgerStore& store_;
  const LedgerCommandOptions& options_;
  bool csv_, kinds_;
  bool header_done_ = false;
  std::uint64_t lines_ = 0;
};

}  // namespace adit
