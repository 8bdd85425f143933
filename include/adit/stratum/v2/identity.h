// SPDX-License-Identifier: MIT
// Where the server's identity comes from: signed here with the authority's secret, or brought from
// a machine that keeps that secret offline.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adit/base/result.h"
#include "adit/base/time.h"
#include "adit/stratum/v2/noise.h"

namespace adit::v2 {

/// A certificate as it travels in a file: one line, the authority's key text, a blank, and 148 hex
/// digits.
struct IssuedCertificate {
  XOnlyKey authority;
  Certificate certificate;
  std::string text() const;
  static Result<IssuedCertificate> parse(std::string_view line);
  bool operator==(const IssuedCertificate&) const = default;
};

/// One thread owns it; identities it gave out are immutable and may be read by any. Miners look at
/// the certificate during the handshake only, so live connections never care that it ends.
class IdentityKeeper {
 public:
  static constexpr std::uint32_t kBackdate = 3'600;  ///< seconds; for clients whose clock is slow
  static constexpr std::uint32_t kDay = 86'400;
  using Shared = std::shared_ptr<const StaticIdentity>;

  /// Makes a static key and signs it for `days` (1 to 3650, CHECK).
  static IdentityKeeper self_issued(SecretKey authority, std::uint32_t days, UnixSeconds now,
                                    const FillRandom& random);
  /// Refuses a certificate that does not belong to the key, is forged, has an unknown version, has
  /// ended, or has not begun.
  static Result<IdentityKeeper> offline(SecretKey static_secret, const IssuedCertificate& issued,
                                        UnixSeconds now, const FillRandom& random);

  const Shared& identity() const { return identity_; }
  /// The public key for the pool's URL.
  const XOnlyKey& authority() const { return authority_; }
  /// True when a third of the validity is left, and when the clock was set back before its begin:
  /// call renew. Never for an offline one: nobody here can sign.
  bool renew_due(UnixSeconds now) const;
  /// Signs the same static key anew and replaces identity(). An offline identity stays, and the
  /// error says until when it holds.
  Status renew(UnixSeconds now, const FillRandom& random);

 private:
  IdentityKeeper() = default;

  std::optional<SecretKey> authority_secret_;  // absent: offline
  XOnlyKey authority_;
  std::uint32_t days_ = 0;
  Shared identity_;
};

}  // namespace adit::v2
