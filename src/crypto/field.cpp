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

/// limbs + extra * 2^256 modulo p, for limbs + extra * 2^256 below 2^256 + 2^100 or so.
Limbs reduced(Limbs limbs, std::uint64_t extra) {
  Wide carry = Wide{extra} * kFold;
  for (std::uint64_t& limb : limbs) {
    carry += limb;
    limb = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  const bool above = (limbs[1] & limbs[2] & limbs[3]) == kAll && limbs[0] >= kP[0];
  if (carry == 0 && !above) return limbs;
  carry = kFold;
  for (std::uint64_t& limb : limbs) {
    carry += limb;
    limb = static_cast<std::uint64_t>(carry);
    carry >>= 64;
  }
  return limbs;
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
  std::array<std::uint64_t, 8> product{};
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const Wide wide = Wide{a.limbs_[i]} * b.limbs_[j] + product[i + j] + carry;
      product[i + j] = static_cast<std::uint64_t>(wide);
      carry = static_cast<std::uint64_t>(wide >> 64);
    }
    product[i + 4] = carry;
  }
  Limbs low;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Wide wide = Wide{product[i + 4]} * kFold + product[i] + carry;
    low[i] = static_cast<std::uint64_t>(wide);
    carry = static_cast<std::uint64_t>(wide >> 64);
  }
  return Field::from_limbs(reduced(low, carry));
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
