// SPDX-License-Identifier: MIT
// `adit keygen`: key pairs for Stratum V2, and certificates signed on a machine that the miners'
// network does not reach. The forms of the files are described in app/key_files.h.
#include <fmt/format.h>

#include <optional>

#include "adit/stratum/v2/key_text.h"
#include "app/commands.h"
#include "app/key_files.h"
#include "uv/system.h"

namespace adit {
namespace {

constexpr mode_t kSecretMode = 0600;
constexpr mode_t kPublicMode = 0644;

FillRandom kernel_random() {
  return [entropy = uv::OsEntropy()](MutableBytes out) mutable { entropy.fill(out); };
}

UnixSeconds wall_seconds() {
  uv::OsClock clock;
  return UnixSeconds(static_cast<std::uint32_t>(clock.now().wall.value() / 1000));
}

Status make_pair(const KeygenOptions& options) {
  const std::string secret_file = options.out.empty() ? "authority.key" : options.out;
  const SecretKey secret = SecretKey::generate(kernel_random());
  const XOnlyKey key = public_key_of(secret);
  std::string text = v2::secret_key_text(secret);
  const Status written = write_key_file(secret_file, text, kSecretMode, options.force);
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  if (!written) return written;
  // The public half can be told from the secret one at any time, so it may be replaced.
  if (const Status s =
          write_key_file(secret_file + ".pub", v2::authority_key_text(key), kPublicMode, true);
      !s)
    return s;
  fmt::print("secret key  {} (keep it; nobody else may read it)\npublic key  {}\n", secret_file,
             v2::authority_key_text(key));
  fmt::print("miners use  {}\n", v2::pool_url("HOST:PORT", key));
  return {};
}

Status issue(const KeygenOptions& options) {
  const std::string out = options.out.empty() ? "static.cert" : options.out;
  const auto authority = read_secret_key(options.authority);
  if (!authority) return authority.error();
  const XOnlyKey authority_key = public_key_of(*authority);
  const auto network = network_from_name(options.network);
  if (!network)
    return Error{ErrorCode::Invalid, "--network must be main, testnet4, signet or regtest"};
  if (const Status good = refuse_demo_key(authority_key, *network); !good)
    return Error{good.error().code, options.authority + ": " + good.error().text};
  const auto static_key = read_public_key(options.static_key);
  if (!static_key) return static_key.error();
  if (*static_key == authority_key)
    return Error{ErrorCode::Invalid,
                 "--static holds the authority's own key: make another one with adit keygen --out "
                 "static.key"};
  std::array<std::uint8_t, 32> aux;
  kernel_random()(aux);
  const std::uint32_t now = wall_seconds().value();
  const UnixSeconds from(now - v2::IdentityKeeper::kBackdate);
  const UnixSeconds until(now + options.days * v2::IdentityKeeper::kDay);
  const v2::IssuedCertificate issued{
      authority_key, v2::issue_certificate(*authority, *static_key, from, until, aux)};
  if (const Status s = write_key_file(out, issued.text(), kPublicMode, options.force); !s) return s;
  fmt::print("certificate {} for static key {}\nvalid       from {} to {} (unix time), {} days\n",
             out, v2::authority_key_text(*static_key), from.value(), until.value(), options.days);
  fmt::print("public key  {}\n", v2::authority_key_text(authority_key));
  return {};
}

}  // namespace

int keygen_command(const KeygenOptions& options) {
  if (options.issue != !options.authority.empty() || options.issue != !options.static_key.empty()) {
    fmt::print(stderr, "keygen: --issue, --authority and --static belong together\n");
    return 2;
  }
  const Status done = options.issue ? issue(options) : make_pair(options);
  if (done) return 0;
  fmt::print(stderr, "keygen: {}\n", done.error().text);
  return 1;
}

}  // namespace adit
