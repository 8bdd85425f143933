// SPDX-License-Identifier: MIT
// Talk: the miner's half of one connection, whichever protocol it speaks, without the socket:
// bytes in, what they mean and bytes out. Thread: one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "adit/base/time.h"
#include "client/work.h"

namespace adit::client {

enum class Heard : std::uint8_t {
  Nothing,     ///< well-formed, but of no concern here
  Malformed,   ///< cannot be used; `text` is what came, or what is wrong with it
  Broken,      ///< the connection cannot go on; `text` says why
  Secured,     ///< V2: the handshake is done
  Subscribed,  ///< the pool has answered what comes before the login
  Authorised,
  Refused,    ///< the pool will not have us; `text` says why
  Accepted,   ///< shares up to `id`
  Rejected,   ///< the share `id`; `text` says why
  NewWork,    ///< work() is new
  NewTip,     ///< only while dozing: work for a new tip came and was not read
  Reconnect,  ///< `text` is a host or empty, `port` may be 0
  Message,    ///< for the owner of the machine
  Asked,      ///< V1: answer with `text`, a whole line; never comes out of a Talk
};

struct Event {
  Heard what = Heard::Nothing;
  std::uint64_t id = 0;
  std::uint32_t count = 1;  ///< of an acceptance: the shares it stands for, the last one `id`
  std::string text;
  std::uint16_t port = 0;
  std::uint32_t wait_s = 0;
};

struct Login {
  std::string user, password = "x", agent = "adit-tool/0.1";
  double hash_rate = 0;  ///< what V2 tells the pool; 0: unknown
};

class Talk {
 public:
  virtual ~Talk() = default;

  /// Appends what the client says first.
  virtual void begin(std::string& out) = 0;
  /// Takes bytes from the front of `wire` up to the next event; nullopt: all are taken, and there
  /// is none. What the protocol wants said in return is appended to `out`. `now` dates a
  /// certificate.
  virtual std::optional<Event> hear(Bytes& wire, UnixSeconds now, std::string& out) = 0;
  /// Appends one share and returns the id that its answer will name.
  virtual std::uint64_t append_submit(std::string& out, const MinerWork& work, Bytes extranonce2,
                                      std::uint32_t nonce, std::uint32_t version_bits) = 0;
  virtual bool authorised() const = 0;
  /// The newest, or null before the first.
  virtual const WorkPtr& work() const = 0;
  bool ready() const { return authorised() && work() != nullptr; }
  /// From now on only new tips are told, and as little is read as that takes: for many idle miners
  /// beside the server that is measured.
  void doze() { dozing_ = true; }

 protected:
  bool dozing() const { return dozing_; }

 private:
  bool dozing_ = false;
};

}  // namespace adit::client
