// SPDX-License-Identifier: MIT
// What the files of this room that use libsecp256k1 share.
#pragma once

#include <secp256k1.h>

#include "adit/crypto/ellswift.h"

namespace adit {

/// One for the process, never changed after its making: any thread may use it.
const secp256k1_context* curve_context();
XOnlyKey x_of(const secp256k1_pubkey& point);

/// ElligatorSwift without libsecp256k1's module. Compiled always, so that tests hold the two
/// together.
XOnlyKey ellswift_decode_in_house(const EllSwift& encoding);
EllSwift ellswift_create_in_house(const SecretKey& secret,
                                  const std::array<std::uint8_t, 32>& seed);

}  // namespace adit
