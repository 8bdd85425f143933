// SPDX-License-Identifier: MIT
// BIP324's formulas, with one division where the text has three.
#include "crypto/ellswift_map.h"

namespace adit {
namespace {

const Field kOne(1);
/// The square root of -3 that is a square itself.
constexpr Field kRootOfMinus3 = Field::from_limbs(
    {0x7d8d27ae1cd5f852, 0xc61f6d15da14ecd4, 0x233770c2a797962c, 0x0a2d2ba93507f1df});

/// x^3 + 7: a square where x is on the curve.
Field curve(const Field& x) { return x.squared() * x + Field(7); }

struct Slope {
  Field v, w;
};

/// Branches whose bit 1 is clear: x takes the place of X/Y's first or second candidate.
std::optional<Slope> slope_of_pair(const Field& x, const Field& u) {
  if (curve(-x - u).is_square()) return std::nullopt;  // decoding would find that one first
  const Field s = -curve(u) * (u.squared() + u * x + x.squared()).inverse();
  const auto w = s.sqrt();
  if (!w) return std::nullopt;
  return Slope{x, *w};
}

/// Branches whose bit 1 is set: x = u + 4Y^2.
std::optional<Slope> slope_of_third(const Field& x, const Field& u, bool second_root) {
  const Field s = x - u;
  if (s.is_zero()) return std::nullopt;
  const auto w = s.sqrt();
  if (!w) return std::nullopt;
  const auto r = (-s * (Field(4) * curve(u) + Field(3) * u.squared() * s)).sqrt();
  if (!r || (second_root && r->is_zero())) return std::nullopt;
  return Slope{(*r * s.inverse() - u).half(), *w};
}

}  // namespace

Field xswiftec(Field u, Field t) {
  if (u.is_zero()) u = kOne;
  if (t.is_zero()) t = kOne;
  const Field g = curve(u);
  if ((g + t.squared()).is_zero()) t = t + t;
  // With X = (g - t^2) / 2t and Y = (X + t) / cu: Y = sum / scale, X / Y = cu * difference / sum.
  const Field t2 = t.squared();
  const Field sum = g + t2;
  const Field difference = g - t2;
  const Field cu = kRootOfMinus3 * u;
  const Field scale = (t + t) * cu;
  const Field inverse = (scale * sum).inverse();
  const Field y = sum.squared() * inverse;
  const Field x_by_y = cu * difference * scale * inverse;
  const Field first = u + Field(4) * y.squared();
  if (curve(first).is_square()) return first;
  const Field second = (-x_by_y - u).half();
  if (curve(second).is_square()) return second;
  return (x_by_y - u).half();  // the product of the three is a square, so this one is left
}

std::optional<Field> xswiftec_inverse(const Field& x, const Field& u, unsigned branch) {
  const bool odd = (branch & 1) != 0;
  const auto slope = (branch & 2) == 0 ? slope_of_pair(x, u) : slope_of_third(x, u, odd);
  if (!slope) return std::nullopt;
  const Field factor = odd ? kOne + kRootOfMinus3 : kOne - kRootOfMinus3;
  const Field t = slope->w * ((u * factor).half() + slope->v);
  return odd == ((branch & 4) != 0) ? -t : t;
}

}  // namespace adit
