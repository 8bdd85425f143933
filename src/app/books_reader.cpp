// SPDX-License-Identifier: MIT
#include "app/books_reader.h"

#include <fmt/format.h>

#include <cstdio>

#include "rocks/high_water_file.h"

namespace adit {

Status warn_of_unmarked(LedgerStore& store, const std::optional<HighWater>& mark) {
  if (mark) return {};
  const auto unmarked = unmarked_books(store);
  if (!unmarked) return unmarked.error();
  if (*unmarked) fmt::print(stderr, "warning: {}\n", **unmarked);
  return {};
}

Result<std::unique_ptr<RocksStore>> open_books_reader(const std::string& data_dir) {
  const std::string path = data_dir + "/ledger";
  auto store = RocksStore::open_reader(path);
  if (store || store.error().code != ErrorCode::Corrupt) return store;
  auto torn = RocksStore::open_reader(path, true);
  if (!torn) return store;
  const auto mark = HighWaterFile(data_dir).read();
  if (!mark) return mark.error();
  if (*mark && !check_high_water(**torn, **mark)) return store;
  fmt::print(stderr, "warning: {}; the log ends there, as after a power loss\n",
             store.error().text);
  return torn;
}

}  // namespace adit
