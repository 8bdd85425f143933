// SPDX-License-Identifier: MIT
#include "adit/mining/recent_hashes.h"

#include <bit>

#include "adit/base/check.h"

namespace adit {

RecentHashes::RecentHashes(std::size_t places) : places_(places) {
  CHECK(std::has_single_bit(places));
}

}  // namespace adit
