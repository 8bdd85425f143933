// SPDX-License-Identifier: MIT
// BooksLink: the books as a command reaches them, through the socket of a running pool, or, where
// none runs, opened here under the lock of data_dir. The answers are the same.
#pragma once

#include <memory>
#include <string>

#include "adit/ledger/json_fields.h"
#include "adit/runtime/ports.h"
#include "app/books_requests.h"
#include "app/config.h"

namespace adit {

class BooksLink {
 public:
  virtual ~BooksLink() = default;
  /// Unavailable: no answer came; the step may have been made, and may be asked again.
  Result<JsonFields> ask(const BooksCall& call);

  /// While somebody else starts, ends or works with the books: tries for ten seconds.
  static Result<std::unique_ptr<BooksLink>> open(const Config& config, Clock& clock);
  /// For requests that change nothing: without a pool the books are only read, and what opening
  /// them would write stays in memory.
  static Result<std::unique_ptr<BooksLink>> open_dry(const Config& config, Clock& clock);

 protected:
  virtual Result<std::string> exchange(const std::string& request) = 0;
};

}  // namespace adit
