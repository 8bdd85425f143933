// SPDX-License-Identifier: MIT
// How RocksDB is set up, and why: durability first, then a small and steady footprint.
#pragma once

#include <rocksdb/db.h>

#include <string>
#include <vector>

#include "adit/ledger/store.h"

namespace adit {

rocksdb::DBOptions rocks_db_options();
/// Families in the order of enum Family, then "default".
std::vector<rocksdb::ColumnFamilyDescriptor> rocks_families();

}  // namespace adit
