// SPDX-License-Identifier: MIT
// The work that a new tip allows before its template is there: a coinbase with the subsidy only.
#include <algorithm>

#include "adit/node/node_link.h"

namespace adit {

TemplatePtr empty_template(Network network, const BlockHash& tip, std::uint32_t tip_height,
                           std::int32_t version, CompactTarget bits, std::uint32_t median_time,
                           std::uint32_t curtime, Instant now) {
  const auto target = Target::from_compact(bits);
  if (!target) return nullptr;
  auto made = std::make_shared<BlockTemplate>();
  made->network = network;
  made->height = tip_height + 1;
  made->prev = tip;
  made->version = version;
  made->bits = bits;
  made->target = *target;
  made->mintime = median_time + 1;
  made->curtime = std::max(curtime, made->mintime);
  made->coinbase_value = block_subsidy(network, made->height);
  made->received = now;
  return made;
}

}  // namespace adit
