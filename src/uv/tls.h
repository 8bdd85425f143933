// SPDX-License-Identifier: MIT
// TLS for miners (stratum+ssl) by OpenSSL over a BIO of our own: no socket in here, so that it
// works over any stream.
#pragma once

#include <memory>
#include <string>

#include "adit/base/bytes.h"
#include "adit/base/result.h"
#include "adit/base/time.h"

namespace adit::uv {

/// Certificate and key, TLS 1.2 or newer. Immutable; a reload makes a new one and sessions keep
/// theirs.
class TlsContext {
 public:
  static Result<std::shared_ptr<const TlsContext>> load(const std::string& certificate_file,
                                                        const std::string& key_file);
  ~TlsContext();
  /// When the certificate ends.
  UnixMillis not_after() const;
  struct Native;
  const Native& native() const { return *native_; }

 private:
  explicit TlsContext(std::unique_ptr<Native> native);
  std::unique_ptr<Native> native_;
};

/// One server-side connection. Thread: its worker's.
class TlsCodec {
 public:
  explicit TlsCodec(std::shared_ptr<const TlsContext> context);
  ~TlsCodec();
  /// Bytes from the wire in; what they say in plaintext is appended to `plain`. An error ends the
  /// connection.
  Status receive(Bytes wire, ByteVec& plain);
  /// Plaintext to send; before the handshake is done it waits inside (at most 64 KiB, else an
  /// error).
  Status send(Bytes plain);
  /// Bytes for the wire since the last call (handshake, records, alerts).
  ByteVec take_wire();
  bool established() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace adit::uv
