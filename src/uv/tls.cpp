// SPDX-License-Identifier: MIT
#include "uv/tls.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "adit/base/check.h"

namespace adit::uv {
namespace {

constexpr std::size_t kWaitingMax = 64 * 1024;
/// A peer that makes us answer (key updates) but does not read is cut here.
constexpr std::size_t kWireMax = 1024 * 1024;
constexpr std::size_t kRecordMax = 16 * 1024;
constexpr std::uint8_t kHandshakeRecord = 22;

/// OpenSSL's word for the oldest error of this thread's queue.
std::string openssl_reason() {
  const unsigned long code = ERR_peek_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : fmt::format("error {:x}", code);
}

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

/// Both directions of one connection: a view of what came in, and what is to go out.
struct Wire {
  Bytes in;
  ByteVec out;
};

int bio_read(BIO* bio, char* to, int size) {
  auto* wire = static_cast<Wire*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const std::size_t count = std::min(wire->in.size(), static_cast<std::size_t>(size));
  if (count == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(to, wire->in.data(), count);
  wire->in = wire->in.subspan(count);
  return static_cast<int>(count);
}

int bio_write(BIO* bio, const char* from, int size) {
  auto* wire = static_cast<Wire*>(BIO_get_data(bio));
  append(wire->out, {reinterpret_cast<const std::uint8_t*>(from), static_cast<std::size_t>(size)});
  return size;
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

/// OpenSSL's own memory BIO would copy once more, and keep the largest chunk's room for good.
const BIO_METHOD* wire_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "adit wire");
    CHECK(made != nullptr && BIO_meth_set_read(made, bio_read) == 1 &&
          BIO_meth_set_write(made, bio_write) == 1 && BIO_meth_set_ctrl(made, bio_control) == 1);
    return made;
  }();
  return method;
}

Status load_files(SSL_CTX* context, const std::string& certificate_file,
                  const std::string& key_file) {
  const auto failure = [](const char* what, const std::string& file) {
    return Error{ErrorCode::Invalid, fmt::format("{} {}: {}", what, file, openssl_reason())};
  };
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
    return failure("cannot use TLS certificate", certificate_file);
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return failure("cannot use TLS key", key_file);
  if (SSL_CTX_check_private_key(context) != 1)
    return failure("the certificate does not fit TLS key", key_file);
  return {};
}

}  // namespace

struct TlsContext::Native {
  std::unique_ptr<SSL_CTX, Free> context;
};

TlsContext::TlsContext(std::unique_ptr<Native> native) : native_(std::move(native)) {}

TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const std::string& certificate_file,
                                                           const std::string& key_file) {
  auto native = std::make_unique<Native>();
  native->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = native->context.get();
  CHECK(context != nullptr);
  CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  // Resumption by one ticket, so that nothing is kept here for those who may never come back.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  // A key with a passphrase would otherwise ask for it at the terminal.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return -1; });
  if (const Status status = load_files(context, certificate_file, key_file); !status)
    return status.error();
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(native)));
}

UnixMillis TlsContext::not_after() const {
  const X509* certificate = SSL_CTX_get0_certificate(native_->context.get());
  tm end{};
  CHECK(certificate != nullptr);
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return UnixMillis(0);
  return UnixMillis(std::int64_t{timegm(&end)} * 1000);
}

struct TlsCodec::State {
  std::shared_ptr<const TlsContext> context;
  std::unique_ptr<SSL, Free> ssl;
  Wire wire;
  ByteVec waiting;  // plaintext until the handshake is done
  bool begun = false;
  bool established = false;
  bool failed = false;

  Status fail(ErrorCode code, std::string text) {
    failed = true;
    wire.in = {};
    return Error{code, std::move(text)};
  }
  Status fail_by(int result);
  Status handshake();
  Status read_all(ByteVec& plain);
  Status write(Bytes plain);
};

/// Status{} when OpenSSL only waits for more bytes.
Status TlsCodec::State::fail_by(int result) {
  switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return {};
    case SSL_ERROR_ZERO_RETURN:
      return fail(ErrorCode::Unavailable, "peer closed");
    default:
      return fail(ErrorCode::Invalid,
                  fmt::format("TLS{}: {}", established ? "" : " handshake", openssl_reason()));
  }
}

Status TlsCodec::State::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl.get());
  if (result != 1) return fail_by(result);
  established = true;
  const ByteVec held = std::exchange(waiting, {});
  return write(held);
}

Status TlsCodec::State::read_all(ByteVec& plain) {
  std::array<std::uint8_t, kRecordMax> buffer;
  // Every turn takes at least one record off a finite input.
  for (;;) {
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl.get(), buffer.data(), buffer.size(), &count);
    if (result != 1) return fail_by(result);
    append(plain, Bytes(buffer).first(count));
  }
}

Status TlsCodec::State::write(Bytes plain) {
  if (plain.empty()) return {};
  if (wire.out.size() + plain.size() > kWireMax)
    return fail(ErrorCode::Limit, "TLS: the peer does not read");
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl.get(), plain.data(), plain.size(), &written);
  if (result == 1) return {};
  Status status = fail_by(result);
  return status ? fail(ErrorCode::Invalid, "TLS: cannot write now") : status;
}

TlsCodec::TlsCodec(std::shared_ptr<const TlsContext> context) : state_(std::make_unique<State>()) {
  state_->context = std::move(context);
  state_->ssl.reset(SSL_new(state_->context->native().context.get()));
  BIO* bio = BIO_new(wire_method());
  CHECK(state_->ssl != nullptr && bio != nullptr);
  BIO_set_data(bio, &state_->wire);
  BIO_set_init(bio, 1);
  SSL_set_bio(state_->ssl.get(), bio, bio);  // takes it over
  SSL_set_accept_state(state_->ssl.get());
}

TlsCodec::~TlsCodec() = default;

Status TlsCodec::receive(Bytes wire, ByteVec& plain) {
  State& state = *state_;
  if (state.failed) return Error{ErrorCode::Invalid, "TLS: already failed"};
  if (wire.empty()) return {};
  if (!state.begun && wire[0] != kHandshakeRecord)
    return state.fail(ErrorCode::Invalid, "no TLS: plain text on the TLS port?");
  state.begun = true;
  state.wire.in = wire;
  if (!state.established) {
    if (Status status = state.handshake(); !status) return status;
  }
  if (state.established) {
    if (Status status = state.read_all(plain); !status) return status;
  }
  if (!state.wire.in.empty()) return state.fail(ErrorCode::Invalid, "TLS: bytes left over");
  if (state.wire.out.size() > kWireMax)
    return state.fail(ErrorCode::Limit, "TLS: the peer does not read");
  return {};
}

Status TlsCodec::send(Bytes plain) {
  State& state = *state_;
  if (state.failed) return Error{ErrorCode::Invalid, "TLS: already failed"};
  if (state.established) return state.write(plain);
  if (state.waiting.size() + plain.size() > kWaitingMax)
    return state.fail(ErrorCode::Limit, "TLS: too much to send before the handshake is done");
  append(state.waiting, plain);
  return {};
}

ByteVec TlsCodec::take_wire() { return std::exchange(state_->wire.out, {}); }

bool TlsCodec::established() const { return state_->established; }

}  // namespace adit::uv
