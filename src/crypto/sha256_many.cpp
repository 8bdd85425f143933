// SPDX-License-Identifier: MIT
// Messages side by side: they are laid out as blocks, eight at a time, which fills the widest
// implementation.
#include "adit/crypto/sha256_many.h"

#include <algorithm>

#include "adit/base/check.h"
#include "crypto/sha256_impl.h"
#include "crypto/sha256_words.h"

namespace adit {
namespace {

constexpr std::size_t kWidth = 8;
constexpr std::size_t kBlock = 64;
constexpr std::size_t kHeaderBlocks = 2 * kBlock;
/// The most blocks a gap can touch: it may begin anywhere in the first.
constexpr std::size_t kTouched = 2 * kBlock;
static_assert(Sha256Gap::kMaxGap <= kBlock);

using Words = std::uint32_t[8 * kWidth];

void fill(Words& words, const Sha256State& state, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    std::copy(state.words.begin(), state.words.end(), words + 8 * i);
}

void store(std::uint8_t* out, const std::uint32_t* state) {
  for (std::size_t i = 0; i < 8; ++i) store_be32(out + 4 * i, state[i]);
}

/// The bit that ends a message of `size` bytes, and its length, in zeroed blocks that end at `end`.
void pad(std::uint8_t* after_message, std::uint8_t* end, std::uint64_t size) {
  *after_message = 0x80;
  store_be64(end - 8, size * 8);
}

/// The states are those of whole messages: their digests are hashed once more.
void hash_again(std::uint8_t* out, Words& words, std::size_t count) {
  std::uint8_t blocks[kWidth * kBlock] = {};
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t* block = blocks + i * kBlock;
    store(block, words + 8 * i);
    pad(block + 32, block + kBlock, 32);
  }
  fill(words, Sha256State::initial(), count);
  sha::impl().compress_many(words, blocks, kBlock, 1, count);
  for (std::size_t i = 0; i < count; ++i) store(out + 32 * i, words + 8 * i);
}

}  // namespace

void sha256d_80_many(std::uint8_t* out, const std::uint8_t* in, std::size_t count) {
  std::uint8_t blocks[kWidth * kHeaderBlocks] = {};
  for (std::size_t done = 0; done < count; done += kWidth) {
    const std::size_t now = std::min(kWidth, count - done);
    for (std::size_t i = 0; i < now; ++i) {
      std::uint8_t* block = blocks + i * kHeaderBlocks;
      std::memcpy(block, in + 80 * (done + i), 80);
      pad(block + 80, block + kHeaderBlocks, 80);
    }
    Words words;
    fill(words, Sha256State::initial(), now);
    sha::impl().compress_many(words, blocks, kHeaderBlocks, 2, now);
    hash_again(out + 32 * done, words, now);
  }
}

void sha256d_fold_many(std::uint8_t* nodes, std::size_t count, const std::uint8_t* siblings,
                       std::size_t levels) {
  const sha::Impl& impl = sha::impl();
  for (std::size_t done = 0; done < count; done += kWidth, nodes += 32 * kWidth) {
    const std::size_t now = std::min(kWidth, count - done);
    if (impl.fold_lanes != nullptr && now >= impl.lanes_worth) {
      impl.fold_lanes(nodes, now, siblings, levels);
      continue;
    }
    std::uint8_t pairs[kWidth * kBlock];
    for (std::size_t level = 0; level < levels; ++level) {
      for (std::size_t i = 0; i < now; ++i) {
        std::memcpy(pairs + i * kBlock, nodes + 32 * i, 32);
        std::memcpy(pairs + i * kBlock + 32, siblings + 32 * level, 32);
      }
      impl.d64_many(nodes, pairs, now);
    }
  }
}

Sha256Gap::Sha256Gap(Bytes front, std::size_t gap, Bytes back) : gap_(gap) {
  CHECK(gap <= kMaxGap);
  const std::size_t hashed = front.size() / kBlock * kBlock;
  sha::impl().compress(midstate_.words.data(), front.data(), hashed / kBlock);
  at_ = front.size() - hashed;
  touched_ = (at_ + gap + kBlock - 1) / kBlock * kBlock;
  const std::size_t size = at_ + gap + back.size();
  blocks_.resize((size + 9 + kBlock - 1) / kBlock * kBlock);
  std::copy(front.begin() + static_cast<std::ptrdiff_t>(hashed), front.end(), blocks_.begin());
  std::copy(back.begin(), back.end(), blocks_.begin() + static_cast<std::ptrdiff_t>(at_ + gap));
  pad(blocks_.data() + size, blocks_.data() + blocks_.size(), hashed + size);
}

void Sha256Gap::sha256d_many(std::uint8_t* out, const std::uint8_t* fillings,
                             std::size_t count) const {
  const sha::Impl& impl = sha::impl();
  for (std::size_t done = 0; done < count; done += kWidth) {
    const std::size_t now = std::min(kWidth, count - done);
    std::uint8_t own[kWidth * kTouched];
    for (std::size_t i = 0; i < now; ++i) {
      std::memcpy(own + i * touched_, blocks_.data(), touched_);
      std::copy_n(fillings + gap_ * (done + i), gap_, own + i * touched_ + at_);
    }
    Words words;
    fill(words, midstate_, now);
    impl.compress_many(words, own, touched_, touched_ / kBlock, now);
    impl.compress_many(words, blocks_.data() + touched_, 0, (blocks_.size() - touched_) / kBlock,
                       now);
    hash_again(out + 32 * done, words, now);
  }
}

}  // namespace adit
