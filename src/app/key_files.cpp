// SPDX-License-Identifier: MIT
#include "app/key_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "adit/stratum/v2/key_text.h"
#include "app/credentials.h"
#include "rocks/durable_file.h"

namespace adit {
namespace {

MutableBytes bytes_in(std::string& text) {
  return {reinterpret_cast<std::uint8_t*>(text.data()), text.size()};
}

Error at(const std::string& path, const Error& error) {
  return {error.code, path + ": " + error.text};
}

Error system_error(const std::string& path, const char* what) {
  const int number = errno;
  return {number == EEXIST ? ErrorCode::Conflict : ErrorCode::Io,
          fmt::format("{}: cannot {}: {}", path, what, std::strerror(number))};
}

Status write_and_sync(int fd, const std::string& path, const std::string& text, mode_t mode) {
  // The mode given to open() passes through the umask.
  if (fchmod(fd, mode) != 0) return system_error(path, "set the mode");
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t count = write(fd, text.data() + done, text.size() - done);
    if (count < 0) return system_error(path, "write");
    done += static_cast<std::size_t>(count);
  }
  if (fsync(fd) != 0) return system_error(path, "sync");
  return {};
}

}  // namespace

Result<SecretKey> read_secret_key(const std::string& path) {
  auto line = first_line_of(path);
  if (!line) return line.error();
  auto key = v2::parse_secret_key(*line);
  wipe(bytes_in(*line));
  if (!key) return at(path, key.error());
  return key;
}

Result<XOnlyKey> read_public_key(const std::string& path) {
  auto line = first_line_of(path);
  if (!line) return line.error();
  if (auto key = v2::parse_authority_key(*line)) return key;
  auto secret = v2::parse_secret_key(*line);
  wipe(bytes_in(*line));
  if (!secret) return Error{ErrorCode::Invalid, path + ": holds neither a public nor a secret key"};
  return public_key_of(*secret);
}

Result<v2::IssuedCertificate> read_certificate(const std::string& path) {
  const auto line = first_line_of(path);
  if (!line) return line.error();
  auto issued = v2::IssuedCertificate::parse(*line);
  if (!issued) return at(path, issued.error());
  return issued;
}

bool is_readable_by_others(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0;
}

Status write_key_file(const std::string& path, const std::string& line, mode_t mode, bool replace) {
  const std::string target = replace ? path + ".new" : path;
  if (replace && unlink(target.c_str()) != 0 && errno != ENOENT)
    return system_error(target, "remove");
  const int fd = open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) {
    if (errno == EEXIST)
      return Error{ErrorCode::Conflict, path + " exists already; --force replaces it"};
    return system_error(target, "create");
  }
  std::string text = line + "\n";
  Status status = write_and_sync(fd, target, text, mode);
  wipe(bytes_in(text));
  if (close(fd) != 0 && status) status = system_error(target, "close");
  if (status && replace && std::rename(target.c_str(), path.c_str()) != 0)
    status = system_error(path, "replace");
  if (!status) {
    unlink(target.c_str());
    return status;
  }
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
  return sync_folder(folder.empty() ? "/" : folder);
}

Status refuse_demo_key(const XOnlyKey& authority, Network network) {
  if (network != Network::Main || !v2::is_demo_key(authority)) return {};
  return Error{
      ErrorCode::Refused,
      "this is the reference implementation's demo key, whose secret everybody knows; make "
      "one with adit keygen"};
}

Result<v2::IdentityKeeper> open_identity(const StratumV2Config& config, Network network,
                                         UnixSeconds now, const FillRandom& random) {
  if (!config.authority_secret_file.empty()) {
    auto authority = read_secret_key(config.authority_secret_file);
    if (!authority) return authority.error();
    if (const Status good = refuse_demo_key(public_key_of(*authority), network); !good)
      return at(config.authority_secret_file, good.error());
    return v2::IdentityKeeper::self_issued(std::move(*authority), config.certificate_days, now,
                                           random);
  }
  const auto issued = read_certificate(config.certificate_file);
  if (!issued) return issued.error();
  if (const Status good = refuse_demo_key(issued->authority, network); !good)
    return at(config.certificate_file, good.error());
  auto secret = read_secret_key(config.static_secret_file);
  if (!secret) return secret.error();
  auto keeper = v2::IdentityKeeper::offline(std::move(*secret), *issued, now, random);
  if (!keeper) return at(config.certificate_file, keeper.error());
  return keeper;
}

Status refuse_short_certificate(const StratumV2Config& config, const v2::Certificate& certificate,
                                UnixSeconds now) {
  const std::int64_t left =
      std::int64_t{certificate.not_valid_after.value()} - std::int64_t{now.value()};
  if (config.certificate_file.empty() || left >= v2::IdentityKeeper::kDay) return {};
  return Error{ErrorCode::Refused,
               fmt::format("{}: the certificate ends in {} hours and {} minutes: issue a new one "
                           "with adit keygen --issue, or start all the same with "
                           "`adit run --short-certificate`",
                           config.certificate_file, left / 3'600, left % 3'600 / 60)};
}

}  // namespace adit
