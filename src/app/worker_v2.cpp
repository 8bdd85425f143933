// SPDX-License-Identifier: MIT
// What a worker does for Stratum V2 beside its sessions: ephemeral keys are made ahead while nobody
// waits, and the certificate is signed anew before it ends.
#include "adit/base/log.h"
#include "adit/stratum/auto.h"
#include "adit/stratum/v1.h"
#include "app/worker.h"

namespace adit {
namespace {

/// A key costs about 0.1 ms: a batch is a pause that no miner notices.
constexpr std::size_t kKeysAtOnce = 8;
constexpr Duration kKeysEvery = std::chrono::milliseconds(20);
constexpr Duration kIdentityEvery = std::chrono::minutes(10);

UnixSeconds seconds_of(UnixMillis wall) {
  return UnixSeconds(static_cast<std::uint32_t>(wall.value() / 1000));
}

}  // namespace

void Worker::serve_v2(V2Service service) {
  v2_ = std::make_unique<v2::ThreadState>();
  v2_->policy = options_.policy;
  v2_->policy.version_mask = service.version_mask;
  v2_->channel_limit = service.channels_per_connection;
  v2_->identity = service.identity.identity();
  v2_->random = std::move(service.random);
  context_.v2 = v2_.get();
  identity_.emplace(std::move(service.identity));
  keys_timer_ = std::make_unique<uv::Timer>(loop_, [this] { prepare_keys(); });
  identity_timer_ = std::make_unique<uv::Timer>(loop_, [this] { renew_identity(); });
  keys_timer_->set(now());
  identity_timer_->set(now());
}

std::unique_ptr<Session> Worker::make_session(const Door& door) {
  if (door.protocol == Protocol::V1) return v1::make_session(context_, job_, now(), door.policy);
  if (v2_->keys.size() < v2::ThreadState::kKeysAhead / 2) keys_timer_->set(now() + kKeysEvery);
  if (door.protocol == Protocol::V2) return v2::make_session(context_, job_, now());
  return make_auto_session(context_, job_, now());
}

void Worker::prepare_keys() {
  v2_->keys.refill(v2_->random, kKeysAtOnce);
  if (!v2_->keys.full()) keys_timer_->set(now() + kKeysEvery);
}

void Worker::renew_identity() {
  identity_timer_->set(now() + kIdentityEvery);
  const UnixSeconds wall = seconds_of(loop_.now().wall);
  if (identity_->renew_due(wall)) {
    if (const Status status = identity_->renew(wall, v2_->random); !status)
      return log_warn("worker", "stratum.v2: {}", status.error().text);
    v2_->identity = identity_->identity();
    if (options_.index == 0) log_info("worker", "stratum.v2: the certificate is signed anew");
  }
  // One that was signed elsewhere ends: who mines goes on, newcomers get no answer.
  const UnixSeconds end = v2_->identity->certificate.not_valid_after;
  v2_->certified = wall < end;
  if (v2_->certified && std::chrono::seconds(end.value() - wall.value()) < kIdentityEvery)
    identity_timer_->set(now() + std::chrono::seconds(end.value() - wall.value()));
}

}  // namespace adit
