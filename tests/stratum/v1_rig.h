// SPDX-License-Identifier: MIT
// Rig: a connection whose miner has said hello and hears what the pool says.
#pragma once

#include <string>
#include <string_view>

#include "v1_miner.h"
#include "v1_pool.h"

namespace adit::test {

inline const std::string kConfigure =
    R"({"id":1,"method":"mining.configure","params":[["version-rolling"],)"
    R"({"version-rolling.mask":"ffffffff","version-rolling.min-bit-count":2}]})";
inline const std::string kSubscribe =
    R"({"id":2,"method":"mining.subscribe","params":["test/1.0"]})";

inline std::string authorize(std::string_view user, std::string_view password = "x", int id = 3) {
  return "{\"id\":" + std::to_string(id) + ",\"method\":\"mining.authorize\",\"params\":[\"" +
         std::string(user) + "\",\"" + std::string(password) + "\"]}";
}
inline const std::string kUser = std::string(kAlice) + ".rig1";

struct Rig {
  Connection connection;
  TestMiner miner;
  explicit Rig(TestPool& pool, bool configure = true, std::string_view password = "x",
               Instant now = at(0))
      : connection(pool, now) {
    connection.send((configure ? kConfigure + "\n" : "") + kSubscribe + "\n" +
                        authorize(kUser, password) + "\n",
                    now);
    hear();
  }
  void hear() {
    for (const std::string& line : connection.take()) miner.hear(line);
  }
};

inline std::string result_true(std::string_view id) {
  return "{\"id\":" + std::string(id) + ",\"result\":true,\"error\":null}";
}

}  // namespace adit::test
