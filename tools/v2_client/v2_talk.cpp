// SPDX-License-Identifier: MIT
// Frames to events: see v2_talk.h.
#include "v2_client/v2_talk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adit/base/check.h"

namespace adit::client {

namespace {

/// A job with a full coinbase and its path; no message of a pool is longer.
constexpr std::uint32_t kLongestPayload = 160 * 1024;

Event malformed(std::string_view what) {
  return {.what = Heard::Malformed, .text = std::string(what)};
}

/// Decodes the payload and hands the message to `use`.
template <class Message, class Use>
Event read(Bytes payload, Use&& use) {
  const auto message = v2::decode<Message>(payload);
  if (!message) return malformed(fmt::format("message {:#04x}", Message::kId.type));
  return use(*message);
}

}  // namespace

V2Talk::V2Talk(const Login& login, V2Options options, EllSwiftKey ephemeral, Scratch scratch)
    : login_(&login),
      options_(std::move(options)),
      scratch_(scratch),
      initiator_(std::move(ephemeral)) {
  CHECK(options_.channels > 0);
}

template <class Message>
void V2Talk::send(const Message& message, std::string& out) {
  constexpr v2::MessageId id = Message::kId;
  v2::encode(message, scratch_.payload);
  scratch_.wire.clear();
  const auto extension =
      static_cast<std::uint16_t>(id.extension | (id.channel ? v2::kChannelBit : 0));
  CHECK(v2::seal_frame(*cipher_, extension, id.type, scratch_.payload, scratch_.wire));
  out += text_of(scratch_.wire);
}

void V2Talk::begin(std::string& out) { out += text_of(initiator_->hello()); }

std::optional<Event> V2Talk::hear(Bytes& wire, UnixSeconds now, std::string& out) {
  if (broken_) wire = {};
  if (!broken_ && !reader_) {
    const std::size_t count = std::min(wire.size(), v2::kAnswerSize - answer_.size());
    append(answer_, wire.first(count));
    wire = wire.subspan(count);
    if (answer_.size() == v2::kAnswerSize) return on_answer(now, out);
  }
  while (!broken_ && reader_) {
    switch (reader_->next(wire)) {
      case v2::FrameReader::Step::NeedMore:
        return std::nullopt;
      case v2::FrameReader::Step::Header:
        if (reader_->header().length > kLongestPayload) return broken("a frame without end");
        break;
      case v2::FrameReader::Step::Frame:
        return on_frame(reader_->header(), reader_->payload(), out);
      case v2::FrameReader::Step::Failed:
        return broken("a frame does not decrypt");
    }
  }
  return std::nullopt;
}

Event V2Talk::broken(std::string why) {
  broken_ = true;
  return {.what = Heard::Broken, .text = std::move(why)};
}

Event V2Talk::on_answer(UnixSeconds now, std::string& out) {
  auto finished = std::move(*initiator_)
                      .finish(std::span(answer_).first<v2::kAnswerSize>(), options_.authority, now);
  initiator_.reset();
  ByteVec().swap(answer_);
  if (!finished) return broken(finished.error().text);
  reader_.emplace(std::move(finished->ciphers.receive));
  cipher_.emplace(std::move(finished->ciphers.send));
  certificate_ = finished->certificate;
  v2::SetupConnection setup;
  if (!options_.extended && options_.header_only)
    setup.flags = v2::SetupConnection::kRequiresStandardJobs;
  setup.endpoint_host = std::string_view(options_.host).substr(0, 255);
  setup.endpoint_port = options_.port;
  setup.vendor = login_->agent;
  send(setup, out);
  return {.what = Heard::Secured};
}

Event V2Talk::on_frame(const v2::FrameHeader& header, Bytes payload, std::string& out) {
  if (header.extension() != 0) return {};
  if (dozing())
    return {.what =
                header.msg_type == v2::SetNewPrevHash::kId.type ? Heard::NewTip : Heard::Nothing};
  switch (header.msg_type) {
    case v2::SetupConnectionSuccess::kId.type:
      return read<v2::SetupConnectionSuccess>(
          payload, [&](const auto& message) { return on_setup_success(message, out); });
    case v2::SetupConnectionError::kId.type:
      return read<v2::SetupConnectionError>(payload, [](const auto& message) {
        return Event{.what = Heard::Refused, .text = std::string(message.error_code)};
      });
    case v2::Reconnect::kId.type:
      return read<v2::Reconnect>(payload, [](const auto& message) {
        return Event{.what = Heard::Reconnect,
                     .text = std::string(message.new_host),
                     .port = message.new_port};
      });
    default:
      return on_mining_frame(header.msg_type, payload);
  }
}

Event V2Talk::on_mining_frame(std::uint8_t type, Bytes payload) {
  const auto to = [this](auto handler) {
    return [this, handler](const auto& message) { return (this->*handler)(message); };
  };
  switch (type) {
    case v2::SubmitSharesSuccess::kId.type:
      return read<v2::SubmitSharesSuccess>(payload, to(&V2Talk::on_accepted));
    case v2::SubmitSharesError::kId.type:
      return read<v2::SubmitSharesError>(payload, to(&V2Talk::on_rejected));
    case v2::NewMiningJob::kId.type:
      return read<v2::NewMiningJob>(payload, to(&V2Talk::on_job<v2::NewMiningJob>));
    case v2::NewExtendedMiningJob::kId.type:
      return read<v2::NewExtendedMiningJob>(payload, to(&V2Talk::on_job<v2::NewExtendedMiningJob>));
    case v2::SetNewPrevHash::kId.type:
      return read<v2::SetNewPrevHash>(payload, to(&V2Talk::on_tip));
    case v2::SetTarget::kId.type:
      return read<v2::SetTarget>(payload, [this](const auto& message) {
        return with_channels(message.channel_id, [&](MinedChannel& channel) {
          channel.set_target(message.maximum_target);
          return Event{};
        });
      });
    case v2::SetExtranoncePrefix::kId.type:
      return read<v2::SetExtranoncePrefix>(payload, [this](const auto& message) {
        return with_channels(message.channel_id, [&](MinedChannel& channel) {
          channel.set_prefix(message.extranonce_prefix.bytes);
          return Event{};
        });
      });
    case v2::OpenStandardMiningChannelSuccess::kId.type:
      return read<v2::OpenStandardMiningChannelSuccess>(
          payload, to(&V2Talk::on_opened<v2::OpenStandardMiningChannelSuccess>));
    case v2::OpenExtendedMiningChannelSuccess::kId.type:
      return read<v2::OpenExtendedMiningChannelSuccess>(
          payload, to(&V2Talk::on_opened<v2::OpenExtendedMiningChannelSuccess>));
    case v2::OpenMiningChannelError::kId.type:
      return read<v2::OpenMiningChannelError>(payload, [](const auto& message) {
        return Event{.what = Heard::Refused, .text = std::string(message.error_code)};
      });
    case v2::CloseChannel::kId.type:
      return read<v2::CloseChannel>(payload, [](const auto& message) {
        return Event{.what = Heard::Refused,
                     .text = "the channel is closed: " + std::string(message.reason_code)};
      });
    default:
      return {};
  }
}

Event V2Talk::on_setup_success(const v2::SetupConnectionSuccess& message, std::string& out) {
  if (std::exchange(set_up_, true)) return malformed("a second SetupConnection.Success");
  fixed_version_ = (message.flags & v2::SetupConnectionSuccess::kRequiresFixedVersion) != 0;
  open_channels(out);
  return {.what = Heard::Subscribed};
}

void V2Talk::open_channels(std::string& out) {
  for (std::uint32_t i = 1; i <= options_.channels; ++i) {
    const auto rate = static_cast<float>(login_->hash_rate / options_.channels);
    if (options_.extended)
      send(v2::OpenExtendedMiningChannel{i, login_->user, rate, options_.max_target,
                                         options_.min_extranonce_size},
           out);
    else
      send(v2::OpenStandardMiningChannel{i, login_->user, rate, options_.max_target}, out);
  }
}

template <class Opened>
Event V2Talk::on_opened(const Opened& message) {
  constexpr bool kExtended = std::is_same_v<Opened, v2::OpenExtendedMiningChannelSuccess>;
  if (!set_up_ || authorised() || kExtended != options_.extended)
    return malformed("a channel that was not asked for");
  channels_.emplace_back(message, fixed_version_);
  return {.what = authorised() ? Heard::Authorised : Heard::Nothing};
}

MinedChannel* V2Talk::find(std::uint32_t channel_id) {
  const auto found = std::ranges::find(channels_, channel_id, &MinedChannel::id);
  return found == channels_.end() ? nullptr : &*found;
}

template <class Use>
Event V2Talk::with_channels(std::uint32_t channel_id, Use&& use) {
  std::optional<Event> event;
  for (MinedChannel& channel : channels_)
    if (channel.is_meant_by(channel_id)) event = use(channel);
  return event ? std::move(*event) : malformed(fmt::format("channel {} is not ours", channel_id));
}

template <class NewJob>
Event V2Talk::on_job(const NewJob& message) {
  return with_channels(message.channel_id, [&](MinedChannel& channel) {
    switch (channel.add(message)) {
      case MinedChannel::Took::Held:
        return Event{};
      case MinedChannel::Took::Active:
        return Event{.what = Heard::NewWork};
      case MinedChannel::Took::Unusable:
        break;
    }
    return malformed(fmt::format("job {} cannot be mined", message.job_id));
  });
}

Event V2Talk::on_tip(const v2::SetNewPrevHash& message) {
  return with_channels(message.channel_id, [&](MinedChannel& channel) {
    return channel.start(message)
               ? Event{.what = Heard::NewWork}
               : malformed(fmt::format("SetNewPrevHash names job {}, which was not sent",
                                       message.job_id));
  });
}

Event V2Talk::on_accepted(const v2::SubmitSharesSuccess& message) {
  MinedChannel* channel = find(message.channel_id);
  if (channel == nullptr) return malformed("shares of a channel that is not ours");
  channel->account.accepted += message.new_submits_accepted_count;
  channel->account.difficulty_sum += message.new_shares_sum;
  return {.what = Heard::Accepted,
          .id = message.last_sequence_number,
          .count = message.new_submits_accepted_count};
}

Event V2Talk::on_rejected(const v2::SubmitSharesError& message) {
  if (MinedChannel* channel = find(message.channel_id)) ++channel->account.rejected;
  return {.what = Heard::Rejected,
          .id = message.sequence_number,
          .text = std::string(message.error_code)};
}

const WorkPtr& V2Talk::work() const {
  static const WorkPtr kNone;
  return channels_.empty() ? kNone : channels_.front().work();
}

std::uint64_t V2Talk::append_submit(std::string& out, const MinerWork& work, Bytes extranonce2,
                                    std::uint32_t nonce, std::uint32_t version_bits) {
  MinedChannel* channel = find(work.channel_id);
  CHECK(channel != nullptr);
  const std::uint32_t sequence = channel->take_sequence();
  const std::uint32_t version = version_of(work, version_bits);
  if (channel->extended())
    send(v2::SubmitSharesExtended{channel->id(),
                                  sequence,
                                  work.job_number,
                                  nonce,
                                  work.job.ntime,
                                  version,
                                  {extranonce2}},
         out);
  else
    send(v2::SubmitSharesStandard{channel->id(), sequence, work.job_number, nonce, work.job.ntime,
                                  version},
         out);
  return sequence;
}

}  // namespace adit::client
