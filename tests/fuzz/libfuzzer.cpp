// SPDX-License-Identifier: MIT
// The same target for libFuzzer. The seeds go into the first corpus folder that is named.
#include <filesystem>
#include <fstream>

#include "fuzz.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  for (int i = 1; i < *argc; ++i) {
    const std::filesystem::path folder = (*argv)[i];
    if (!std::filesystem::is_directory(folder)) continue;
    const auto seeds = adit::fuzz::seeds();
    for (std::size_t n = 0; n < seeds.size(); ++n)
      std::ofstream(folder / ("seed-" + std::to_string(n)), std::ios::binary) << seeds[n];
    break;
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  adit::fuzz::one({data, size});
  return 0;
}
