// SPDX-License-Identifier: MIT
// The TLS codec against OpenSSL's own client, in memory: every split, garbage, limits, key files.
#include "uv/tls.h"

#include <doctest/doctest.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace adit::uv {
namespace {

/// A directory with a self-signed P-256 certificate, its key, a foreign key, and a locked one.
class Files {
 public:
  Files() {
    char name[] = "/tmp/adit-tls-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    dir_ = name;
    EVP_PKEY* key = EVP_EC_gen("P-256");
    EVP_PKEY* other = EVP_EC_gen("P-256");
    write_key("key.pem", key, nullptr);
    write_key("other.pem", other, nullptr);
    write_key("locked.pem", key, "secret");
    write_certificate(key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
  }
  ~Files() { std::filesystem::remove_all(dir_); }
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;
  std::string path(const std::string& name) const { return dir_ + "/" + name; }

 private:
  void write_key(const std::string& name, EVP_PKEY* key, const char* password) {
    FILE* file = fopen(path(name).c_str(), "w");
    REQUIRE(file != nullptr);
    REQUIRE(PEM_write_PrivateKey(file, key, password != nullptr ? EVP_aes_128_cbc() : nullptr,
                                 reinterpret_cast<const unsigned char*>(password),
                                 password != nullptr ? 6 : 0, nullptr, nullptr) == 1);
    fclose(file);
  }
  void write_certificate(EVP_PKEY* key) {
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("pool"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    REQUIRE(X509_sign(certificate, key, EVP_sha256()) > 0);
    FILE* file = fopen(path("cert.pem").c_str(), "w");
    REQUIRE(PEM_write_X509(file, certificate) == 1);
    fclose(file);
    X509_free(certificate);
  }
  std::string dir_;
};

std::shared_ptr<const TlsContext> context() {
  static const Files files;
  static const auto loaded =
      TlsContext::load(files.path("cert.pem"), files.path("key.pem")).value();
  return loaded;
}

class Client {
 public:
  explicit Client(int newest = TLS1_3_VERSION, int oldest = 0) {
    context_ = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, oldest);
    SSL_CTX_set_max_proto_version(context_, newest);
    ssl_ = SSL_new(context_);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_, in_, out_);
    SSL_set_connect_state(ssl_);
  }
  ~Client() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Takes what came, goes on with the handshake, and returns what to send.
  ByteVec step(Bytes wire) {
    if (!wire.empty()) BIO_write(in_, wire.data(), static_cast<int>(wire.size()));
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_) == 0) {
      const int result = SSL_do_handshake(ssl_);
      if (result != 1 && SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) failed = true;
    }
    char buffer[4096];
    for (int got; (got = SSL_read(ssl_, buffer, sizeof buffer)) > 0;)
      received.append(buffer, static_cast<std::size_t>(got));
    return drain();
  }
  ByteVec drain() {
    ByteVec out(BIO_ctrl_pending(out_));
    if (!out.empty()) BIO_read(out_, out.data(), static_cast<int>(out.size()));
    return out;
  }
  ByteVec write(std::string_view text) {
    REQUIRE(SSL_write(ssl_, text.data(), static_cast<int>(text.size())) ==
            static_cast<int>(text.size()));
    return drain();
  }
  SSL* ssl() { return ssl_; }
  std::string received;
  bool failed = false;

 private:
  SSL_CTX* context_;
  SSL* ssl_;
  BIO* in_;
  BIO* out_;
};

struct Pair {
  explicit Pair(std::size_t piece_size = 100'000, int newest = TLS1_3_VERSION)
      : client(newest), piece(piece_size) {}
  /// Client's bytes into the server in pieces, and its answers back, until nobody speaks.
  Status carry(ByteVec to_server) {
    for (int round = 0; round < 100; ++round) {
      for (std::size_t at = 0; at < to_server.size(); at += piece) {
        const std::size_t count = std::min(piece, to_server.size() - at);
        Status status = server.receive(Bytes(to_server).subspan(at, count), plain);
        if (!status) return status;
      }
      const ByteVec back = server.take_wire();
      to_server.clear();
      for (std::size_t at = 0; at < back.size(); at += piece)
        append(to_server, client.step(Bytes(back).subspan(at, std::min(piece, back.size() - at))));
      if (to_server.empty()) return {};
    }
    FAIL("the two never end");
    return {};
  }
  void connect() {
    const Status status = carry(client.step({}));
    REQUIRE_MESSAGE(status.ok(), (status ? "" : status.error().text));
    REQUIRE(server.established());
    REQUIRE(!client.failed);
  }
  Client client;
  TlsCodec server{context()};
  std::size_t piece;
  ByteVec plain;
};

std::string pattern(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>((i * 2654435761U) >> 24);
  return out;
}

}  // namespace

TEST_CASE("handshake and data both ways, in pieces of every size") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION})
    for (const std::size_t piece : {1, 2, 3, 5, 7, 64, 333, 1000, 4096, 65536}) {
      CAPTURE(version);
      CAPTURE(piece);
      Pair pair(piece, version);
      CHECK(!pair.server.established());
      pair.connect();
      const std::string line = "{\"id\":1,\"method\":\"mining.subscribe\"}\n";
      CHECK(pair.carry(pair.client.write(line)).ok());
      CHECK(text_of(pair.plain) == line);
      REQUIRE(pair.server.send(bytes_of("{\"id\":1,\"result\":true}\n")).ok());
      CHECK(pair.carry({}).ok());
      CHECK(pair.client.received == "{\"id\":1,\"result\":true}\n");
    }
}

TEST_CASE("many records at once, both ways") {
  Pair pair(20'000);
  pair.connect();
  const std::string much = pattern(300'000);
  CHECK(pair.carry(pair.client.write(much)).ok());
  CHECK((text_of(pair.plain) == much));
  REQUIRE(pair.server.send(bytes_of(much)).ok());
  CHECK(pair.carry({}).ok());
  CHECK((pair.client.received == much));
}

TEST_CASE("what is sent too early waits for the handshake, up to a bound") {
  Pair pair;
  REQUIRE(pair.server.send(bytes_of("early ")).ok());
  REQUIRE(pair.server.send(bytes_of("bird")).ok());
  CHECK(pair.server.take_wire().empty());
  pair.connect();
  CHECK(pair.client.received == "early bird");
  TlsCodec codec(context());
  CHECK(codec.send(bytes_of(std::string(64 * 1024, 'x'))).ok());
  const Status full = codec.send(bytes_of("x"));
  REQUIRE(!full.ok());
  CHECK(full.error().code == ErrorCode::Limit);
}

TEST_CASE("plain text on the TLS side is told at its first byte") {
  TlsCodec codec(context());
  ByteVec plain;
  const Status status = codec.receive(bytes_of("{"), plain);
  REQUIRE(!status.ok());
  CHECK(status.error().text == "no TLS: plain text on the TLS port?");
  CHECK(codec.take_wire().empty());
  CHECK(!codec.receive(bytes_of("more"), plain).ok());
  CHECK(!codec.send(bytes_of("x")).ok());
  CHECK(plain.empty());
}

TEST_CASE("garbage in the handshake ends it with an alert, in any split") {
  for (const std::size_t piece : {1, 4, 200}) {
    Pair pair(piece);
    const std::string garbage = std::string("\x16\x03\x01\x00\x40", 5) + pattern(64);
    const Status status = pair.carry(ByteVec(garbage.begin(), garbage.end()));
    REQUIRE(!status.ok());
    CHECK(status.error().text.starts_with("TLS handshake: "));
    const ByteVec alert = pair.server.take_wire();
    REQUIRE(alert.size() == 7);
    CHECK(alert[0] == 21);
    CHECK(!pair.server.established());
  }
}

TEST_CASE("any flipped bit in a record is an error, and gives no plain text") {
  for (std::size_t at = 0; at < 60; ++at) {
    Pair pair;
    pair.connect();
    ByteVec record = pair.client.write("{\"method\":\"mining.submit\",\"params\":[]}");
    REQUIRE(record.size() >= 60);
    record[at] ^= 0x10;
    // A longer length only waits for the rest: give it more than that.
    if (at == 3 || at == 4) record.resize(record.size() + 20'000);
    CHECK(!pair.carry(record).ok());
    CHECK(pair.plain.empty());
    CHECK(!pair.server.take_wire().empty());
  }
}

TEST_CASE("old versions are refused") {
  Client old(TLS1_1_VERSION, TLS1_VERSION);
  TlsCodec codec(context());
  ByteVec plain;
  const Status status = codec.receive(old.step({}), plain);
  REQUIRE(!status.ok());
  CHECK(status.error().text == "TLS handshake: unsupported protocol");
}

TEST_CASE("no renegotiation") {
  Pair pair(100'000, TLS1_2_VERSION);
  pair.connect();
  CHECK(SSL_renegotiate(pair.client.ssl()) == 1);
  SSL_do_handshake(pair.client.ssl());
  (void)pair.carry(pair.client.drain());
  CHECK(SSL_renegotiate_pending(pair.client.ssl()) == 1);
  CHECK(pair.plain.empty());
}

TEST_CASE("the peer's goodbye is its end") {
  Pair pair;
  pair.connect();
  ByteVec last = pair.client.write("bye");
  SSL_shutdown(pair.client.ssl());
  append(last, pair.client.drain());
  const Status status = pair.carry(last);
  REQUIRE(!status.ok());
  CHECK(status.error().text == "peer closed");
  CHECK(text_of(pair.plain) == "bye");
}

TEST_CASE("what nobody takes is bounded") {
  Pair pair;
  pair.connect();
  const std::string much(100'000, 'm');
  int sent = 0;
  while (sent < 100 && pair.server.send(bytes_of(much)).ok()) ++sent;
  CHECK(sent >= 5);
  CHECK(sent <= 10);
}

TEST_CASE("key updates are followed") {
  Pair pair;
  pair.connect();
  for (int i = 0; i < 20; ++i) {
    SSL_key_update(pair.client.ssl(), SSL_KEY_UPDATE_REQUESTED);
    CHECK(pair.carry(pair.client.write("x")).ok());
    REQUIRE(pair.server.send(bytes_of("y")).ok());
    CHECK(pair.carry({}).ok());
  }
  CHECK(pair.plain.size() == 20);
  CHECK(pair.client.received.size() == 20);
}

TEST_CASE("a session outlives its context's owner") {
  const Files files;
  auto loaded = TlsContext::load(files.path("cert.pem"), files.path("key.pem")).value();
  TlsCodec codec(loaded);
  loaded.reset();
  Client client;
  ByteVec plain;
  CHECK(codec.receive(client.step({}), plain).ok());
  CHECK(!codec.take_wire().empty());
}

TEST_CASE("wrong files are told by name") {
  const Files files;
  const auto text = [&](const char* certificate, const char* key) {
    const auto loaded = TlsContext::load(files.path(certificate), files.path(key));
    return loaded.ok() ? std::string() : loaded.error().text;
  };
  CHECK(text("none.pem", "key.pem")
            .starts_with("cannot use TLS certificate " + files.path("none.pem")));
  CHECK(text("cert.pem", "none.pem").starts_with("cannot use TLS key " + files.path("none.pem")));
  CHECK(text("key.pem", "key.pem").starts_with("cannot use TLS certificate "));
  CHECK(text("cert.pem", "cert.pem").starts_with("cannot use TLS key "));
  CHECK(text("cert.pem", "other.pem").find(files.path("other.pem")) != std::string::npos);
  // Without asking at the terminal.
  CHECK(text("cert.pem", "locked.pem").starts_with("cannot use TLS key "));
  CHECK(text("cert.pem", "key.pem").empty());
}

}  // namespace adit::uv
