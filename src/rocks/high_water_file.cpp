// SPDX-License-Identifier: MIT
// The mark as a file.
#include "rocks/high_water_file.h"

#include "rocks/durable_file.h"

namespace adit {

Result<std::optional<HighWater>> HighWaterFile::read() const {
  const auto bytes = read_file(path_, 4096);
  if (!bytes) return bytes.error();
  if (!*bytes) return std::optional<HighWater>();
  const auto mark = HighWater::parse(text_of(**bytes));
  if (!mark)
    return Error{ErrorCode::Corrupt,
                 path_ + ": not a high-water mark; remove it if the ledger is known to be whole"};
  return mark;
}

Status HighWaterFile::write(const HighWater& mark) const {
  const std::string text = mark.text();
  return write_durably(path_, {bytes_of(text)});
}

}  // namespace adit
