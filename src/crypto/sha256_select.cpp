// SPDX-License-Identifier: MIT
// Which SHA-256 implementations this CPU can run, and which one is in use.
#include <atomic>
#include <string_view>
#include <vector>

#include "adit/crypto/sha256.h"
#include "crypto/sha256_impl.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace adit {
namespace sha {
namespace {

#if defined(__x86_64__)
// Asked of the CPU itself: __builtin_cpu_supports knows no "sha" in GCC 12. Only XMM registers are
// used, which every x86-64 system saves.
bool has_sha_ni() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return false;
  const bool ssse3 = (c >> 9) & 1, sse41 = (c >> 19) & 1;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  return ssse3 && sse41 && ((b >> 29) & 1);
}
#endif

std::vector<const Impl*> usable() {
  std::vector<const Impl*> list;
#if defined(__x86_64__)
  // The compiler's question covers the system too: whether it saves the wide registers.
  if (has_sha_ni() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
    list.push_back(&kAvx512);
  if (has_sha_ni()) list.push_back(&kShaNi);
  if (__builtin_cpu_supports("avx2")) list.push_back(&kAvx2);
#elif defined(__aarch64__)
  if ((getauxval(AT_HWCAP) & HWCAP_SHA2) != 0) list.push_back(&kArmv8);
#endif
  list.push_back(&kPortable);
  return list;
}

// Relaxed order is enough: what it points at is constant data, there before the program runs.
constinit std::atomic<const Impl*> selected{nullptr};

}  // namespace

const Impl& impl() {
  const Impl* chosen = selected.load(std::memory_order_relaxed);
  if (chosen == nullptr) [[unlikely]] {
    chosen = usable().front();
    selected.store(chosen, std::memory_order_relaxed);
  }
  return *chosen;
}

}  // namespace sha

std::vector<std::string_view> sha256_implementations() {
  std::vector<std::string_view> names;
  for (const sha::Impl* one : sha::usable()) names.emplace_back(one->name);
  return names;
}

bool sha256_select(std::string_view name) {
  for (const sha::Impl* one : sha::usable()) {
    if (one->name != name) continue;
    sha::selected.store(one, std::memory_order_relaxed);
    return true;
  }
  return false;
}

std::string_view sha256_selected() { return sha::impl().name; }

}  // namespace adit
