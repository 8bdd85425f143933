// SPDX-License-Identifier: MIT
// fuzz-NAME [--runs N] [--seed S] [FILE...]: runs a target on each of its seeds, on each file, and
// on N mutations of them, the same in every run with the same S. An input that ends the process is
// left in crash-NAME.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "fuzz.h"

namespace {

constexpr std::size_t kMostBytes = 16'384;
std::string current;     // what the target sees now
std::string crash_file;  // where it goes if the target dies of it

void keep_input(int signal) {
  const int fd = open(crash_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd >= 0 && write(fd, current.data(), current.size()) >= 0) {
    constexpr std::string_view kText = "fuzz: the input is in the crash file beside this run\n";
    if (write(2, kText.data(), kText.size()) < 0) _exit(1);
  }
  ::signal(signal, SIG_DFL);
  raise(signal);
}

class Mutator {
 public:
  Mutator(const std::vector<std::string>& pool, std::uint64_t seed) : pool_(&pool), state_(seed) {}
  std::string next() {
    std::string text = (*pool_)[below(pool_->size())];
    for (std::size_t changes = 1 + below(6); changes > 0; --changes) change(text);
    if (text.size() > kMostBytes) text.resize(kMostBytes);
    return text;
  }

 private:
  /// SplitMix64: the same numbers in every run.
  std::uint64_t random() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : random() % bound; }

  void change(std::string& text) {
    static constexpr std::string_view kWords[] = {"\"",      "\\",
                                                  "{",       "}",
                                                  "[",       "]",
                                                  ",",       ":",
                                                  "null",    "true",
                                                  "-1",      "0",
                                                  "1e400",   "1e-10",
                                                  "\n",      "18446744073709551616",
                                                  "0.1",     std::string_view("\0", 1),
                                                  "\xff",    "\xc3\x28",
                                                  "\\u0000", "="};
    const std::size_t at = below(text.size() + 1);
    switch (below(7)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 2:
        text.erase(at, 1 + below(8));
        break;
      case 3:
        text.insert(at, 1 + below(4), static_cast<char>(random()));
        break;
      case 4:
        text.insert(at, kWords[below(std::size(kWords))]);
        break;
      case 5: {  // a piece of its own, again
        const std::size_t from = below(text.size());
        text.insert(at, text.substr(from, below(64)));
        break;
      }
      default: {  // the end of another
        const std::string& other = (*pool_)[below(pool_->size())];
        text = text.substr(0, at) + other.substr(below(other.size() + 1));
      }
    }
  }

  const std::vector<std::string>* pool_;
  std::uint64_t state_;
};

void run(std::string input) {
  current = std::move(input);
  adit::fuzz::one(adit::bytes_of(current));
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> pool = adit::fuzz::seeds();
  unsigned long runs = 0, seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if ((word == "--runs" || word == "--seed") && i + 1 < argc) {
      const std::string_view digits = argv[++i];
      unsigned long& number = word == "--runs" ? runs : seed;
      if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec == std::errc())
        continue;
    }
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "usage: %s [--runs N] [--seed S] [FILE...]\ncannot read %s\n", argv[0],
                   argv[i]);
      return 2;
    }
    pool.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  const std::string_view path = argv[0];
  crash_file = "crash-" + std::string(path.substr(path.rfind('/') + 1));
  for (const int fatal : {SIGABRT, SIGSEGV, SIGILL, SIGFPE, SIGBUS}) signal(fatal, keep_input);

  for (const std::string& input : pool) run(input);
  Mutator mutator(pool, seed);
  for (unsigned long i = 0; i < runs; ++i) run(mutator.next());
  std::printf("%zu inputs and %lu mutations of them (seed %lu): no promise broken\n", pool.size(),
              runs, seed);
}
