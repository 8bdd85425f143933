// SPDX-License-Identifier: MIT
// The public SHA-256 functions, on top of whichever implementation is in use.
#include "adit/crypto/sha256.h"

#include <algorithm>

#include "adit/base/check.h"
#include "crypto/sha256_impl.h"
#include "crypto/sha256_words.h"

namespace adit {
namespace {

Digest digest_of(const Sha256State& state) {
  Digest out;
  for (std::size_t i = 0; i < 8; ++i) store_be32(out.data() + 4 * i, state.words[i]);
  return out;
}

}  // namespace

Sha256State Sha256State::initial() { return {std::to_array(sha::kInitial)}; }

Sha256::Sha256() : state_(Sha256State::initial()) {}

Sha256& Sha256::write(Bytes data) {
  if (data.empty()) return *this;
  const sha::Impl& impl = sha::impl();
  const std::size_t held = length_ % 64;
  length_ += data.size();
  if (held > 0) {
    const std::size_t take = std::min(64 - held, data.size());
    std::memcpy(buffer_.data() + held, data.data(), take);
    data = data.subspan(take);
    if (held + take < 64) return *this;
    impl.compress(state_.words.data(), buffer_.data(), 1);
  }
  const std::size_t blocks = data.size() / 64;
  if (blocks > 0) impl.compress(state_.words.data(), data.data(), blocks);
  const Bytes rest = data.subspan(blocks * 64);
  if (!rest.empty()) std::memcpy(buffer_.data(), rest.data(), rest.size());
  return *this;
}

Digest Sha256::finish() {
  std::array<std::uint8_t, 128> last;
  const std::size_t held = length_ % 64;
  const std::size_t size = held < 56 ? 64 : 128;
  std::memcpy(last.data(), buffer_.data(), held);
  last[held] = 0x80;
  std::memset(last.data() + held + 1, 0, size - 8 - held - 1);
  store_be64(last.data() + size - 8, length_ * 8);
  sha::impl().compress(state_.words.data(), last.data(), size / 64);
  return digest_of(state_);
}

Digest Sha256::finish_double() { return sha256(finish()); }

Digest sha256(Bytes data) { return Sha256().write(data).finish(); }

Digest sha256d(Bytes data) { return Sha256().write(data).finish_double(); }

Digest sha256d_64(const std::uint8_t* in) {
  Digest out;
  sha::impl().d64_many(out.data(), in, 1);
  return out;
}

Digest sha256d_80(const std::uint8_t* in) {
  Digest out;
  sha::impl().d80(out.data(), in);
  return out;
}

void sha256d_64_many(std::uint8_t* out, const std::uint8_t* in, std::size_t count) {
  sha::impl().d64_many(out, in, count);
}

std::vector<std::uint32_t> scan_nonces(Bytes header, std::uint32_t first, std::uint32_t count,
                                       std::uint32_t top_word) {
  CHECK(header.size() == 80);
  const sha::Impl& impl = sha::impl();
  sha::ScanFront front;
  std::copy(std::begin(sha::kInitial), std::end(sha::kInitial), front.midstate);
  impl.compress(front.midstate, header.data(), 1);
  for (std::size_t i = 0; i < 3; ++i) front.tail[i] = load_be32(header.data() + 64 + 4 * i);

  std::vector<std::uint32_t> nonces;
  std::array<std::uint32_t, 2048> found;  // a slice can never overflow it
  while (count > 0) {
    const std::uint32_t slice = std::min<std::uint32_t>(count, found.size());
    const std::size_t hits = impl.scan(front, first, slice, top_word, found.data());
    nonces.insert(nonces.end(), found.begin(), found.begin() + static_cast<std::ptrdiff_t>(hits));
    first += slice;
    count -= slice;
  }
  return nonces;
}

}  // namespace adit
