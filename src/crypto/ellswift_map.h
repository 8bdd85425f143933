// SPDX-License-Identifier: MIT
// The map behind ElligatorSwift (BIP324, XSwiftEC): from two field elements to an X coordinate, and
// back. Built on the field alone, for libraries that have no such module.
#pragma once

#include <optional>

#include "crypto/field.h"

namespace adit {

/// The X coordinate that (u, t) stands for; always on the curve.
Field xswiftec(Field u, Field t);
/// A t with xswiftec(u, t) = x, one of up to eight, by `branch` 0 to 7; nullopt where this branch
/// has none. x is on the curve, u is not zero.
std::optional<Field> xswiftec_inverse(const Field& x, const Field& u, unsigned branch);

}  // namespace adit
