// SPDX-License-Identifier: MIT
// The handshake from both ends: they agree on the keys, and nothing forged or stale gets through.
#include "adit/stratum/v2/noise.h"

#include <doctest/doctest.h>

#include "adit/crypto/hmac.h"
#include "adit/stratum/v2/ephemeral_keys.h"
#include "adit/stratum/v2/frame_cipher.h"
#include "adit/stratum/v2/identity.h"
#include "adit/stratum/v2/key_text.h"

using namespace adit;
using namespace adit::v2;

TEST_CASE("sizes on the wire are the protocol's") {
  static_assert(sealed_frame_size(0) == 22);
  static_assert(sealed_frame_size(1) == 22 + 17);
  static_assert(sealed_frame_size(65'519) == 22 + 65'535);
  static_assert(sealed_frame_size(65'520) == 22 + 65'552);
  static_assert(sealed_frame_size(kMaxPayload) == 22 + 16'781'327);
  CHECK(kHelloSize == 64);
  CHECK(kAnswerSize == 234);
}
