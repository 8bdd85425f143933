// SPDX-License-Identifier: MIT
#include "uv/system.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace adit::uv {
namespace {
std::int64_t nanoseconds(clockid_t clock) {
  timespec t{};
  CHECK(clock_gettime(clock, &t) == 0);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}
}  // namespace

Now OsClock::now() {
  return {Instant(Duration(nanoseconds(CLOCK_MONOTONIC))),
          UnixMillis(nanoseconds(CLOCK_REALTIME) / 1'000'000)};
}

void OsEntropy::fill(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    CHECK(got > 0 || errno == EINTR);
    if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
  }
}

std::size_t raise_fd_limit() {
  rlimit limit{};
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  return limit.rlim_cur;
}

void grow_fd_table(std::size_t files) {
  rlimit limit{};
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const rlim_t last = std::min<rlim_t>({files, limit.rlim_cur, INT_MAX}) - 1;
  const int own = eventfd(0, EFD_CLOEXEC);
  const int high = own < 0 ? -1 : fcntl(own, F_DUPFD_CLOEXEC, static_cast<int>(last));
  for (const int fd : {own, high})
    if (fd >= 0) ::close(fd);
}

void name_thread(const char* name) { pthread_setname_np(pthread_self(), name); }

unsigned cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(CPU_COUNT(&set));
}

Duration process_cpu_time() { return Duration(nanoseconds(CLOCK_PROCESS_CPUTIME_ID)); }

void notify_service_manager(const char* state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, std::strlen(path));
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  // An unreachable manager is no reason to stop mining.
  (void)!sendto(fd, state, std::strlen(state), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address),
                length);
  close(fd);
}

}  // namespace adit::uv
