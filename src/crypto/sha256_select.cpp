// SPDX-License-Identifier: MIT
// Which SHA-256 implementations this CPU can run, and which one is in use.
#include <atomic>
#include <span>

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

std::vector<const Impl*> usable() {
  std::vector<const Impl*> list;
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
