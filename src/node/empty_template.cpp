// SPDX-License-Identifier: MIT
// Work without transactions, a coinbase with the subsidy only: what a new tip allows before its
// template is there, and what is left of a template in doubt.
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

TemplatePtr coinbase_only(const BlockTemplate& full) {
  auto made = std::make_shared<BlockTemplate>();
  made->network = full.network;
  made->height = full.height;
  made->prev = full.prev;
  made->version = full.version;
  made->bits = full.bits;
  made->target = full.target;
  made->curtime = full.curtime;
  made->mintime = full.mintime;
  made->coinbase_value = block_subsidy(full.network, full.height);
  made->received = full.received;
  return made;
}

}  // namespace adit
