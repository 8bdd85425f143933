// SPDX-License-Identifier: MIT
// Four limbs of 64 bits. As 2^256 = 2^32 + 977 modulo p, the upper half of a product folds into the
// lower one by one multiplication with a small number.
#include "crypto/field.h"

namespace adit {
namespace {

__extension__ using Wide = unsigned __int128;
using Limbs = std::array<std::uint64_t, 4>;

constexpr std::uint64_t kFold = 0x1'0000'03d1;  // 2^256 - p
constexpr std::uint64_t kAll = ~std::uint64_t{0};
constexpr Limbs kP = {0xffff'fffe'ffff'fc2f, kAll, kAll, kAll};

/// limb + more, with the carry kept in the upper half of `sum`. The rows below are written out:
/// this is where a handshake's time goes, and compilers leave the loops rolled.
inline std::uint64_t take(Wide& sum) {
  const auto limb = static_cast<std::uint64_t>(sum);
  sum >>= 64;
  return limb;
}

/// limbs + extra * 2^256 modulo p.
inline Limbs reduced(const Limbs& limbs, std::uint64_t extra) {
  Limbs out;
  Wide sum = Wide{extra} * kFold + limbs[0];
  out[0] = take(sum);
  out[1] = take(sum += limbs[1]);
  out[2] = take(sum += limbs[2]);
  out[3] = take(sum += limbs[3]);
  const bool above = (out[1] & out[2] & out[3]) == kAll && out[0] >= kP[0];
  if (sum == 0 && !above) [[likely]]
    return out;
  sum = Wide{out[0]} + kFold;
  out[0] = take(sum);
  out[1] = take(sum += out[1]);
  out[2] = take(sum += out[2]);
  out[3] = take(sum += out[3]);
  return out;
}

/// out[0..4] += factor * limbs, where out[4] is new.
inline void add_row(std::uint64_t* out, std::uint64_t factor, const Limbs& limbs) {
  Wide sum = Wide{factor} * limbs[0] + out[0];
  out[0] = take(sum);
  out[1] = take(sum += Wide{factor} * limbs[1] + out[1]);
  out[2] = take(sum += Wide{factor} * limbs[2] + out[2]);
  out[3] = take(sum += Wide{factor} * limbs[3] + out[3]);
  out[4] = static_cast<std::uint64_t>(sum);
}

/// The upper four limbs times 2^256 modulo p, and the lower four.
inline Limbs folded(const std::uint64_t* product) {
  Limbs low;
  Wide sum = Wide{product[4]} * kFold + product[0];
  low[0] = take(sum);
  low[1] = take(sum += Wide{product[5]} * kFold + product[1]);
  low[2] = take(sum += Wide{product[6]} * kFold + product[2]);
  low[3] = take(sum += Wide{product[7]} * kFold + product[3]);
  return reduced(low, static_cast<std::uint64_t>(sum));
}

Field squared_times(Field value, int times) {
  for (int i = 0; i < times; ++i) value = value.squared();
  return value;
}

/// Powers whose exponents are a row of ones in binary: p - 2 and (p + 1) / 4 both begin with 223
/// ones, a zero and 22 ones.
struct Ones {
  explicit Ones(const Field& x) {
    two = x.squared() * x;
    const Field three = two.squared() * x;
    const Field six = squared_times(three, 3) * three;
    const Field eleven = squared_times(squared_times(six, 3) * three, 2) * two;
    const Field twenty_two = squared_times(eleven, 11) * eleven;
    const Field forty_four = squared_times(twenty_two, 22) * twenty_two;
    const Field eighty_eight = squared_times(forty_four, 44) * forty_four;
    const Field all_176 = squared_times(eighty_eight, 88) * eighty_eight;
    const Field all_220 = squared_times(all_176, 44) * forty_four;
    const Field all_223 = squared_times(all_220, 3) * three;
    front = squared_times(all_223, 23) * twenty_two;
  }
  Field two;
  Field front;
};

}  // namespace

Field Field::from_bytes(std::span<const std::uint8_t, 32> bytes) {
  Limbs limbs;
  for (std::size_t i = 0; i < 4; ++i) limbs[i] = load_be64(&bytes[24 - 8 * i]);
  return from_limbs(reduced(limbs, 0));
}

std::array<std::uint8_t, 32> Field::bytes() const {
  std::array<std::uint8_t, 32> out;
  for (std::size_t i = 0; i < 4; ++i) store_be64(&out[24 - 8 * i], limbs_[i]);
  return out;
}

Field operator+(const Field& a, const Field& b) {
  Limbs sum;
  Wide carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    carry += Wide{a.limbs_[i]} + b.limbs_[i];
    sum[i] = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  return Field::from_limbs(reduced(sum, static_cast<std::uint64_t>(carry)));
}

Field operator-(const Field& a, const Field& b) {
  Limbs difference;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Wide wide = Wide{a.limbs_[i]} - b.limbs_[i] - borrow;
    difference[i] = static_cast<std::uint64_t>(wide);
    borrow = static_cast<std::uint64_t>(wide >> 64) & 1;
  }
  if (borrow == 0) return Field::from_limbs(difference);
  // 2^256 too much; taking the fold away leaves p too much, which is none.
  borrow = kFold;
  for (std::uint64_t& limb : difference) {
    const Wide wide = Wide{limb} - borrow;
    limb = static_cast<std::uint64_t>(wide);
    borrow = static_cast<std::uint64_t>(wide >> 64) & 1;
  }
  return Field::from_limbs(difference);
}

Field operator*(const Field& a, const Field& b) {
  std::uint64_t product[8] = {};
  add_row(product, a.limbs_[0], b.limbs_);
  add_row(product + 1, a.limbs_[1], b.limbs_);
  add_row(product + 2, a.limbs_[2], b.limbs_);
  add_row(product + 3, a.limbs_[3], b.limbs_);
  return Field::from_limbs(folded(product));
}

Field Field::half() const {
  Limbs limbs = limbs_;
  std::uint64_t top = 0;
  if ((limbs[0] & 1) != 0) {
    Wide carry = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      carry += Wide{limbs[i]} + kP[i];
      limbs[i] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    top = static_cast<std::uint64_t>(carry);
  }
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint64_t above = i < 3 ? limbs[i + 1] : top;
    limbs[i] = (limbs[i] >> 1) | (above << 63);
  }
  return from_limbs(limbs);
}

Field Field::inverse() const {
  const Ones ones(*this);
  Field out = squared_times(ones.front, 5) * *this;
  out = squared_times(out, 3) * ones.two;
  return squared_times(out, 2) * *this;
}

std::optional<Field> Field::sqrt() const {
  const Ones ones(*this);
  const Field root = squared_times(squared_times(ones.front, 6) * ones.two, 2);
  if (root.squared() != *this) return std::nullopt;
  return root;
}

}  // namespace adit
