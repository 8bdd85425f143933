// SPDX-License-Identifier: MIT
// An allocator for large tables that are read at random places: from 2 MiB on it asks the kernel
// for huge pages, so that a look-up costs one cache miss and not a walk through page tables too.
// Any thread; std::bad_alloc as usual.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>

namespace adit {

template <class T>
struct HugePageAllocator {
  using value_type = T;
  HugePageAllocator() = default;
  template <class Other>
  explicit HugePageAllocator(const HugePageAllocator<Other>&) {}

  T* allocate(std::size_t count) {
    constexpr std::size_t kHuge = std::size_t{2} << 20;
    const std::size_t bytes = count * sizeof(T);
    if (bytes < kHuge) return static_cast<T*>(::operator new(bytes));
    const std::size_t whole = (bytes + kHuge - 1) / kHuge * kHuge;
    void* memory = std::aligned_alloc(kHuge, whole);
    if (memory == nullptr) throw std::bad_alloc();
    madvise(memory, whole, MADV_HUGEPAGE);  // a wish: without it all is the same but slower
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) {
    if (count * sizeof(T) < std::size_t{2} << 20)
      ::operator delete(memory);
    else
      std::free(memory);
  }
  bool operator==(const HugePageAllocator&) const { return true; }
};

}  // namespace adit
