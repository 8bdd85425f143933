// SPDX-License-Identifier: MIT
// Files that are wholly there or not at all, also after power loss: written beside, synced,
// renamed, folder synced. Blocking; any thread.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "adit/base/bytes.h"
#include "adit/base/result.h"

namespace adit {

/// Error from errno: "<path>: cannot <what>: <reason>". Limit for a full disk or quota, NotFound,
/// else Io.
Error file_error(const std::string& path, const char* what, int number);

/// Replaces `path` with the parts in a row.
Status write_durably(const std::string& path, std::initializer_list<Bytes> parts);
/// As write_durably, but into the blocks that file `reserve` (in the same folder) already occupies,
/// so that a full disk cannot refuse. `reserve` is gone afterwards. NotFound without one, Limit if
/// it is too small.
Status write_into_reserve(const std::string& path, const std::string& reserve,
                          std::initializer_list<Bytes> parts);
/// Makes `path` a file of `size` allocated bytes, unless it is one.
Status make_reserve(const std::string& path, std::size_t size);
/// Renames within one file system, durably.
Status move_durably(const std::string& from, const std::string& to);
/// Makes the folder and its parents, durably.
Status make_folder(const std::string& path);
/// Makes the names in a folder durable.
Status sync_folder(const std::string& path);
/// The whole file; nullopt if there is none; Limit above `max` bytes.
Result<std::optional<ByteVec>> read_file(const std::string& path, std::size_t max);

}  // namespace adit
