// SPDX-License-Identifier: MIT
// ZeroedTable: a table of fixed size, all zeros at first, that is read at random places. From 2 MiB
// on its pages come zeroed from the kernel, on first use, and huge where it has huge ones: nothing
// is cleared twice, and a look-up costs one cache miss and not a walk through page tables too.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <utility>

namespace adit {

/// `T` is a plain type whose default value is all zero bytes. std::bad_alloc when there is no
/// memory.
template <class T>
class ZeroedTable {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  ZeroedTable() = default;
  explicit ZeroedTable(std::size_t count) : size_(count) {
    if (count > SIZE_MAX / 2 / sizeof(T)) throw std::bad_alloc();
    if (is_mapped())
      map();
    else
      memory_ = data_ = static_cast<T*>(std::calloc(count, sizeof(T)));
    if (data_ == nullptr && count > 0) throw std::bad_alloc();
  }
  ~ZeroedTable() {
    if (is_mapped())
      munmap(memory_, bytes() + kHuge);
    else
      std::free(memory_);
  }
  ZeroedTable(ZeroedTable&& other) noexcept { swap(other); }
  ZeroedTable& operator=(ZeroedTable&& other) noexcept {
    ZeroedTable(std::move(other)).swap(*this);
    return *this;
  }
  void swap(ZeroedTable& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t index) { return data_[index]; }
  const T& operator[](std::size_t index) const { return data_[index]; }

 private:
  static constexpr std::size_t kHuge = std::size_t{2} << 20;
  std::size_t bytes() const { return size_ * sizeof(T); }
  bool is_mapped() const { return bytes() >= kHuge; }

  /// A huge page more than is needed, so that the table can begin on one. What is not touched is
  /// never made.
  void map() {
    void* memory =
        mmap(nullptr, bytes() + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    memory_ = memory;
    data_ = reinterpret_cast<T*>((reinterpret_cast<std::uintptr_t>(memory) + kHuge - 1) / kHuge *
                                 kHuge);
    // A wish: without it all is the same but slower.
    madvise(data_, bytes() / kHuge * kHuge, MADV_HUGEPAGE);
  }

  void* memory_ = nullptr;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace adit
