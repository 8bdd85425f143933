// SPDX-License-Identifier: MIT
// Out of file descriptors: who connects waits in the kernel's queue, the loop does not spin, and
// all get in when there is room again. In a child, since the limit is the whole process's.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "uv/system.h"
#include "uv_support.h"

namespace adit::uv {

using namespace std::chrono_literals;
namespace {

/// Opens descriptors until none is left, and closes them again.
std::size_t free_descriptors() {
  std::vector<int> opened;
  for (int fd = dup(0); fd >= 0; fd = dup(0)) opened.push_back(fd);
  for (const int fd : opened) close(fd);
  return opened.size();
}

/// Places in the process's table of open files.
std::size_t table_size() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (std::size_t size = 0; word == "FDSize:" && status >> size) return size;
  return 0;
}

int child() {
  TestLoop test;
  std::vector<StreamPtr> accepted;
  auto made = TcpListener::listen(test.loop(), loopback(),
                                  [&](StreamPtr stream) { accepted.push_back(std::move(stream)); });
  if (!made.ok()) return 1;
  {  // one before the limit, since libuv opens a descriptor of its own at the first stream
    Peer first((*made)->address());
    if (!test.run_until([&] { return accepted.size() == 1; })) return 8;
    accepted.clear();
  }
  test.run_for(5ms);
  std::vector<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 20; ++i) peers.push_back(std::make_unique<Peer>((*made)->address()));
  const int next = dup(0);
  close(next);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = static_cast<rlim_t>(next + 5);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 2;
  const std::size_t room = free_descriptors();
  if (room == 0 || room > 5) return 3;
  // Turns, not CPU time: a machine under load gives a spinning loop little of that. The test's own
  // timer makes one every 2 ms or so.
  int turns = 0;
  test.loop().set_turn_end([&] { ++turns; });
  test.run_for(400ms);
  if (accepted.size() != room) return 4;
  if (turns > 500) return 5;
  // Others leave, and those who waited get in.
  accepted.clear();
  std::size_t total = room;
  const bool all = test.run_until([&] {
    total += accepted.size();
    accepted.clear();
    return total == 20;
  });
  if (!all) return 6;
  std::string got;
  for (auto& peer : peers)
    if (!test.run_until([&] { return peer->receive(got) == -1; })) return 7;
  return 0;
}

}  // namespace

TEST_CASE("running out of descriptors neither spins nor drops anybody") {
  const pid_t pid = fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    alarm(20);
    _exit(child());
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("the table of open files grows ahead, as far as the limit goes, and no file stays open") {
  const pid_t pid = fork();
  if (pid == 0) {
    const int next = dup(0);
    close(next);
    const std::size_t before = table_size();
    grow_fd_table(2 * before + 1);
    const bool grown = before > 0 && table_size() > 2 * before;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_cur, 4 * before);
    setrlimit(RLIMIT_NOFILE, &limit);
    grow_fd_table(std::size_t{1} << 40);
    const bool bounded = table_size() <= 4 * before;
    const int after = dup(0);
    _exit(grown && bounded && after == next ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
}

}  // namespace adit::uv
