// SPDX-License-Identifier: MIT
// Faults for the real binary, by LD_PRELOAD: clocks that jump, and a disk under one folder whose
// calls fail, take long, or are written down so that a power loss at any of them can be replayed.
// faults.py writes the orders, in memory shared by file.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

namespace {

/// The layout that faults.py knows; int64 each.
struct Orders {
  std::atomic<int64_t> steady_offset;  ///< ns
  std::atomic<int64_t> wall_offset;    ///< ns
  std::atomic<int64_t> wall_frozen;    ///< ns since 1970; 0: it runs
  std::atomic<int64_t> sync_delay;     ///< ms, before each sync
  std::atomic<int64_t> fail_at;        ///< the call with this number fails; 0: none
  std::atomic<int64_t> fail_errno;     ///< 0: a short write, or EIO where there is none
  std::atomic<int64_t> calls;          ///< calls to the disk so far
  std::atomic<int64_t> log_size;       ///< bytes of the log
  /// At this call to the disk for a found block's file (made, written twice, synced, renamed) the
  /// process is killed before it; one more: after the last of them. 0: never.
  std::atomic<int64_t> die_at_block_call;
  std::atomic<int64_t> die_delay;  ///< ms that this call takes before
};

constexpr int kFiles = 4096;
constexpr size_t kPathMax = 512;

Orders no_orders;
char folder[kPathMax];
int log_fd = -1;
char paths[kFiles][kPathMax];  // of the files of that folder, by descriptor; empty: another
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
int64_t sequence = 0;  // of records in the log

Orders* map_orders() {
  const char* file = getenv("ADIT_FAULTS");
  if (file == nullptr) return &no_orders;
  const char* disk = getenv("ADIT_FAULTS_FOLDER");
  if (disk != nullptr) snprintf(folder, sizeof folder, "%s/", disk);
  const char* log = getenv("ADIT_FAULTS_LOG");
  if (log != nullptr)
    log_fd = static_cast<int>(
        syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC, 0));
  if (fd < 0) return &no_orders;
  void* memory = mmap(nullptr, sizeof(Orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  return memory == MAP_FAILED ? &no_orders : static_cast<Orders*>(memory);
}

Orders& orders() {
  static Orders* const mapped = map_orders();
  return *mapped;
}

/// "" for what is not under the folder.
const char* inside(const char* path) {
  orders();
  const size_t length = strlen(folder);
  if (length > 0 && strncmp(path, folder, length) == 0)
    return path[length] != '\0' ? path + length : ".";
  return length > 1 && strlen(path) == length - 1 && strncmp(path, folder, length - 1) == 0 ? "."
                                                                                            : "";
}

bool tracked(int fd) { return fd >= 0 && fd < kFiles && paths[fd][0] != '\0'; }

void track(int fd, const char* path) {
  if (fd < 0 || fd >= kFiles) return;
  snprintf(paths[fd], kPathMax, "%s", path);
}

/// One line of the log: operation, offset or size, the sequence it began at, path, data.
struct Record {
  int64_t sequence, offset, begun;
  uint32_t path_size, data_size;
  char operation;
  char padding[7];
};

int64_t now_sequence() {
  pthread_mutex_lock(&mutex);
  const int64_t at = sequence;
  pthread_mutex_unlock(&mutex);
  return at;
}

void note(char operation, const char* path, int64_t offset, const void* data, size_t size,
          int64_t begun = 0) {
  if (log_fd < 0) return;
  pthread_mutex_lock(&mutex);
  const Record record{
      ++sequence, offset, begun, static_cast<uint32_t>(strlen(path)), static_cast<uint32_t>(size),
      operation,  {}};
  syscall(SYS_write, log_fd, &record, sizeof record);
  syscall(SYS_write, log_fd, path, record.path_size);
  if (size > 0) syscall(SYS_write, log_fd, data, size);
  orders().log_size += static_cast<int64_t>(sizeof record + record.path_size + size);
  pthread_mutex_unlock(&mutex);
}

/// Counts a call; true: it is the one to fail, and errno says how (0: by a short write).
bool strikes() {
  Orders& o = orders();
  if (++o.calls != o.fail_at) return false;
  errno = static_cast<int>(o.fail_errno);
  return true;
}

/// Calls of this process for files of found blocks that are being written.
void count_block_call(const char* path) {
  static std::atomic<int64_t> block_calls{0};
  constexpr char kEnd[] = ".blk.tmp";
  const size_t length = strlen(path);
  if (length < sizeof kEnd || strcmp(path + length - (sizeof kEnd - 1), kEnd) != 0) return;
  if (++block_calls == orders().die_at_block_call) {
    const int64_t delay = orders().die_delay;
    const timespec pause_first{delay / 1000, delay % 1000 * 1'000'000};
    if (delay > 0) syscall(SYS_nanosleep, &pause_first, nullptr);
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
  }
}

int failed() {
  if (errno == 0) errno = EIO;
  return -1;
}

int64_t real_time(clockid_t clock) {
  timespec t{};
  syscall(SYS_clock_gettime, clock, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

int64_t shown_time(clockid_t clock) {
  const Orders& o = orders();
  const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (wall && o.wall_frozen != 0) return o.wall_frozen;
  const bool steady = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE ||
                      clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_BOOTTIME;
  return real_time(clock) + (wall ? o.wall_offset.load() : steady ? o.steady_offset.load() : 0);
}

timespec to_timespec(int64_t ns) { return {ns / 1'000'000'000, ns % 1'000'000'000}; }

/// The kernel waits by its own clocks: the same time from now on.
timespec real_deadline(clockid_t clock, const timespec* shown) {
  const int64_t left = shown->tv_sec * 1'000'000'000 + shown->tv_nsec - shown_time(clock);
  return to_timespec(real_time(clock) + left);
}

template <class Function>
Function next(const char* name, const char* version) {
  void* found = dlvsym(RTLD_NEXT, name, version);
  if (found == nullptr) found = dlsym(RTLD_NEXT, name);
  return reinterpret_cast<Function>(found);
}

int open_file(int directory, const char* path, int flags, mode_t mode) {
  const char* name = inside(path);
  struct stat before {};
  const bool writes = *name != '\0' && (flags & O_ACCMODE) != O_RDONLY;
  const bool made = writes && (flags & O_CREAT) != 0 && stat(path, &before) != 0;
  if (made) count_block_call(name);
  if (made && strikes()) return failed();
  const int fd = static_cast<int>(syscall(SYS_openat, directory, path, flags, mode));
  if (fd < 0 || *name == '\0') return fd;
  track(fd, name);
  if (made) note('c', name, 0, nullptr, 0);
  if (writes && !made && (flags & O_TRUNC) != 0) note('t', name, 0, nullptr, 0);
  return fd;
}

mode_t mode_of(int flags, va_list list) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0;
}

ssize_t write_file(int fd, const void* data, size_t size, int64_t offset, bool placed) {
  const auto send = [&](size_t count) -> ssize_t {
    return placed ? syscall(SYS_pwrite64, fd, data, count, offset)
                  : syscall(SYS_write, fd, data, count);
  };
  if (!tracked(fd)) return send(size);
  count_block_call(paths[fd]);
  if (strikes()) {
    if (errno != 0 || size < 2) return failed();
    size /= 2;
  }
  if (!placed) {
    const int flags = fcntl(fd, F_GETFL);
    offset = lseek(fd, 0, (flags & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
  }
  const ssize_t done = send(size);
  if (done > 0) note('w', paths[fd], offset, data, static_cast<size_t>(done));
  return done;
}

int sync_file(int fd, long call) {
  if (!tracked(fd)) return static_cast<int>(syscall(call, fd));
  count_block_call(paths[fd]);
  const int64_t begun = now_sequence();
  const int64_t delay = orders().sync_delay;
  const timespec pause{delay / 1000, delay % 1000 * 1'000'000};
  if (delay > 0) syscall(SYS_nanosleep, &pause, nullptr);
  if (strikes()) return failed();
  const int done = static_cast<int>(syscall(call, fd));
  if (done == 0) note('s', paths[fd], 0, nullptr, 0, begun);
  return done;
}

int truncate_file(int fd, int64_t size) {
  if (tracked(fd) && strikes()) return failed();
  const int done = static_cast<int>(syscall(SYS_ftruncate, fd, size));
  if (done == 0 && tracked(fd)) note('t', paths[fd], size, nullptr, 0);
  return done;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* out) {
  *out = to_timespec(shown_time(clock));
  return 0;
}
int gettimeofday(timeval* out, void*) {
  const int64_t ns = shown_time(CLOCK_REALTIME);
  *out = {ns / 1'000'000'000, ns % 1'000'000'000 / 1000};
  return 0;
}
time_t time(time_t* out) {
  const time_t seconds = shown_time(CLOCK_REALTIME) / 1'000'000'000;
  if (out != nullptr) *out = seconds;
  return seconds;
}
int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* lock,
                           const timespec* until) {
  static const auto real = next<int (*)(pthread_cond_t*, pthread_mutex_t*, const timespec*)>(
      "pthread_cond_timedwait", "GLIBC_2.3.2");
  // One of the monotonic clock has a deadline that no wall clock has.
  const bool steady = until->tv_sec < 1'000'000'000;
  const timespec at = real_deadline(steady ? CLOCK_MONOTONIC : CLOCK_REALTIME, until);
  return real(condition, lock, &at);
}
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* lock, clockid_t clock,
                           const timespec* until) {
  static const auto real =
      next<int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)>(
          "pthread_cond_clockwait", "GLIBC_2.34");
  const timespec at = real_deadline(clock, until);
  return real(condition, lock, clock, &at);
}

int open(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return open_file(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list list;
  va_start(list, flags);
  const mode_t mode = mode_of(flags, list);
  va_end(list);
  return open_file(AT_FDCWD, path, flags, mode);
}
int close(int fd) {
  if (tracked(fd)) paths[fd][0] = '\0';
  return static_cast<int>(syscall(SYS_close, fd));
}
ssize_t write(int fd, const void* data, size_t size) {
  return write_file(fd, data, size, 0, false);
}
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  return write_file(fd, data, size, offset, true);
}
ssize_t pwrite64(int fd, const void* data, size_t size, int64_t offset) {
  return write_file(fd, data, size, offset, true);
}
int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }
int ftruncate(int fd, off_t size) noexcept { return truncate_file(fd, size); }
int ftruncate64(int fd, int64_t size) noexcept { return truncate_file(fd, size); }
int rename(const char* from, const char* to) noexcept {
  const char* name = inside(from);
  count_block_call(name);
  if (*name != '\0' && strikes()) return failed();
  const int done = static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
  if (done == 0) count_block_call(name);
  if (done == 0 && *name != '\0') note('r', name, 0, inside(to), strlen(inside(to)));
  return done;
}
int unlink(const char* path) noexcept {
  const int done = static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
  if (done == 0 && *inside(path) != '\0') note('u', inside(path), 0, nullptr, 0);
  return done;
}
int mkdir(const char* path, mode_t mode) noexcept {
  const int done = static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path, mode));
  if (done == 0 && *inside(path) != '\0') note('d', inside(path), 0, nullptr, 0);
  return done;
}

}  // extern "C"
