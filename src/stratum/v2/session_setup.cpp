// SPDX-License-Identifier: MIT
// MinerSession: SetupConnection and the negotiation of extensions.
#include <algorithm>

#include "adit/base/log.h"
#include "stratum/v2/session.h"

namespace adit::v2 {
namespace {

constexpr std::uint16_t kVersion = 2;
/// Extensions named in one refusal: a request of 65,535 does not get an answer of that size.
constexpr std::size_t kNamedExtensions = 64;

std::string device_name(const SetupConnection& setup) {
  std::string name(setup.vendor);
  for (const std::string_view part : {setup.hardware_version, setup.firmware})
    if (!part.empty()) name.append(name.empty() ? "" : " ").append(part);
  return log_escape(name);
}

}  // namespace

void MinerSession::on_setup(Bytes payload, Instant now) {
  const auto setup = decode<SetupConnection>(payload);
  if (!setup) return close("malformed SetupConnection", false);
  if (setup->protocol != SetupConnection::kMiningProtocol)
    return refuse_setup(0, "unsupported-protocol");
  const bool common = setup->min_version <= kVersion && kVersion <= setup->max_version;
  if (!common) return refuse_setup(0, "protocol-version-mismatch");
  std::uint32_t supported = SetupConnection::kRequiresStandardJobs;
  if (shared_.policy.version_mask != 0) supported |= SetupConnection::kRequiresVersionRolling;
  if ((setup->flags & ~supported) != 0)
    return refuse_setup(setup->flags & ~supported, "unsupported-feature-flags");
  flags_ = setup->flags;
  agent_ = device_name(*setup);
  phase_ = Phase::Mining;
  since_ = now;
  send(SetupConnectionSuccess{kVersion, shared_.policy.version_mask == 0
                                            ? SetupConnectionSuccess::kRequiresFixedVersion
                                            : 0});
}

/// The answer is the last word: what the peer sends after it is not read.
void MinerSession::refuse_setup(std::uint32_t flags, std::string_view code) {
  send(SetupConnectionError{flags, code});
  close(std::string(code), true);
}

void MinerSession::on_request_extensions(Bytes payload, Instant now) {
  const auto request = decode<RequestExtensions>(payload);
  if (!request) return close("malformed RequestExtensions", false);
  ByteVec supported, unsupported;
  for (std::size_t i = 0; i < request->requested.size(); ++i) {
    const auto extension = load_le<std::uint16_t>(request->requested.bytes.data() + 2 * i);
    if (extension == kWorkerHashrate && supported.empty())
      append_le(supported, extension);
    else if (extension != kWorkerHashrate && unsupported.size() < 2 * kNamedExtensions)
      append_le(unsupported, extension);
  }
  if (!supported.empty()) {
    names_negotiated_ = true;
    return send(RequestExtensionsSuccess{request->request_id, {supported}});
  }
  send(RequestExtensionsError{request->request_id, {unsupported}, {}});
  strike(5, now);
}

}  // namespace adit::v2
