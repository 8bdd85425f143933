// SPDX-License-Identifier: MIT
// Key files: written with their modes, never over another, whole or not at all; `adit keygen` as an
// operator uses it.
#include "app/key_files.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "adit/stratum/v2/key_text.h"
#include "app/commands.h"

using namespace adit;

namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    std::string name = "/tmp/adit-keys-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return path + "/" + name; }
  std::string path;
};

std::string read(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 0777;
}

int keygen(const std::string& out, bool force = false) {
  KeygenOptions options;
  options.out = out;
  options.force = force;
  return keygen_command(options);
}

}  // namespace

TEST_CASE("files have their mode whatever the umask, and are not replaced unasked") {
  Folder folder;
  const std::string path = folder / "a.key";
  const mode_t before = umask(0);
  CHECK(write_key_file(path, "one", 0600, false).ok());
  CHECK(mode_of(path) == 0600);
  umask(0777);
  CHECK(write_key_file(folder / "b", "x", 0644, false).ok());
  umask(before);
  CHECK(mode_of(folder / "b") == 0644);
  CHECK(is_readable_by_others(folder / "b"));
  CHECK_FALSE(is_readable_by_others(path));

  const Status again = write_key_file(path, "two", 0600, false);
  REQUIRE_FALSE(again.ok());
  CHECK(again.error().code == ErrorCode::Conflict);
  CHECK(again.error().text.find("--force") != std::string::npos);
  CHECK(read(path) == "one\n");
  CHECK(write_key_file(path, "two", 0600, true).ok());
  CHECK(read(path) == "two\n");
  CHECK_FALSE(fs::exists(path + ".new"));
  CHECK_FALSE(write_key_file(folder / "no/such", "x", 0600, false).ok());
}

TEST_CASE("keygen makes a pair that reads back, another one each time") {
  Folder folder;
  const std::string path = folder / "authority.key";
  CHECK(keygen(path) == 0);
  CHECK(mode_of(path) == 0600);
  CHECK(mode_of(path + ".pub") == 0644);
  const auto secret = read_secret_key(path);
  REQUIRE(secret.ok());
  const auto key = read_public_key(path + ".pub");
  REQUIRE(key.ok());
  CHECK(*key == public_key_of(*secret));
  CHECK(*read_public_key(path) == *key);
  CHECK(read(path + ".pub") == v2::authority_key_text(*key) + "\n");
  CHECK(keygen(path) == 1);
  CHECK(read_secret_key(path)->bytes() == secret->bytes());
  CHECK(keygen(path, true) == 0);
  CHECK(read_secret_key(path)->bytes() != secret->bytes());
  CHECK(*read_public_key(path + ".pub") == *read_public_key(path));
}

TEST_CASE("keygen --issue signs for the public half alone, and the pool can use it") {
  Folder folder;
  REQUIRE(keygen(folder / "authority.key") == 0);
  REQUIRE(keygen(folder / "static.key") == 0);
  KeygenOptions options;
  options.issue = true;
  options.authority = folder / "authority.key";
  options.static_key = folder / "static.key.pub";
  options.out = folder / "static.cert";
  options.days = 30;
  CHECK(keygen_command(options) == 0);
  CHECK(keygen_command(options) == 1);  // it exists
  options.force = true;
  options.static_key = folder / "static.key";
  CHECK(keygen_command(options) == 0);
  const auto issued = read_certificate(folder / "static.cert");
  REQUIRE(issued.ok());
  const std::uint32_t from = issued->certificate.valid_from.value();
  CHECK(issued->certificate.not_valid_after.value() - from == 30 * 86'400 + 3'600);
  StratumV2Config config;
  config.certificate_file = folder / "static.cert";
  config.static_secret_file = folder / "static.key";
  const auto random = [](MutableBytes out) { std::fill(out.begin(), out.end(), 3); };
  const UnixSeconds now(from + 3'600);
  CHECK(open_identity(config, Network::Main, now, random).ok());
  config.static_secret_file = folder / "authority.key";
  const auto wrong = open_identity(config, Network::Main, now, random);
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().text.find("issued for another static key") != std::string::npos);
}

TEST_CASE("keygen --issue refuses what makes no sense") {
  Folder folder;
  REQUIRE(keygen(folder / "authority.key") == 0);
  REQUIRE(keygen(folder / "static.key") == 0);
  REQUIRE(write_key_file(folder / "demo.key", "mkDLTBBRxdBv998612qipDYoTK3YUrqLe8uWw7gu3iXbSrn2n",
                         0600, false)
              .ok());
  KeygenOptions options;
  options.issue = true;
  options.out = folder / "static.cert";
  CHECK(keygen_command(options) == 2);
  options.authority = folder / "authority.key";
  CHECK(keygen_command(options) == 2);
  options.static_key = folder / "authority.key";
  CHECK(keygen_command(options) == 1);
  options.static_key = folder / "nothing";
  CHECK(keygen_command(options) == 1);
  options.static_key = folder / "static.key";
  options.authority = folder / "authority.key.pub";
  CHECK(keygen_command(options) == 1);
  options.authority = folder / "demo.key";
  CHECK(keygen_command(options) == 1);
  CHECK_FALSE(fs::exists(options.out));
  options.network = "regtest";
  CHECK(keygen_command(options) == 0);
  options.issue = false;
  CHECK(keygen_command(options) == 2);
}
