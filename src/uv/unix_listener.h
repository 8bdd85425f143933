// SPDX-License-Identifier: MIT
// A listening Unix socket for this user alone: mode 0600 from its first moment. Streams are those
// of tcp.h; libuv does not ask for the family.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "adit/base/result.h"
#include "uv/tcp.h"

namespace adit::uv {

class UnixListener {
 public:
  using OnConnection = std::function<void(StreamPtr)>;
  /// Makes `folder`/`name`; a file of that name goes first (the caller knows that nobody listens
  /// there). The folder's path may have any length.
  static Result<std::unique_ptr<UnixListener>> listen(Loop& loop, const std::string& folder,
                                                      const std::string& name,
                                                      OnConnection on_connection);
  ~UnixListener();  ///< and removes the file
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

 private:
  UnixListener(Loop& loop, int fd, std::string path, OnConnection on_connection);
  void watch();
  void accept_waiting();
  Loop* loop_;
  int fd_;
  std::string path_;
  OnConnection on_connection_;
  Timer retry_;
  HandleBox<uv_poll_t>* poll_;
};

/// A blocking connection to such a socket; the caller closes it. NotFound: nobody listens there.
Result<int> connect_unix(const std::string& folder, const std::string& name);

}  // namespace adit::uv
