// SPDX-License-Identifier: MIT
// What a miner may wish about its difficulty: by password, by mining.suggest_difficulty and by
// mining.suggest_target. Everything here only reads; the operator's bounds are Vardiff's business.
#pragma once

#include <simdjson.h>

#include <optional>
#include <string_view>

#include "adit/bitcoin/target.h"

namespace adit::v1 {

/// A JSON number >= 0, or a string of plain decimal digits with an optional fraction. Zero and what
/// is below or above every Difficulty becomes the least or greatest one. nullopt: anything else.
std::optional<Difficulty> difficulty_wish(const simdjson::dom::element& value);
/// 64 hex digits, not zero.
std::optional<Difficulty> target_wish(const simdjson::dom::element& value);

/// "d=1024" starts there, "md=64" never goes below, "fd=2048" stays there; separated by commas,
/// semicolons or blanks. Other words and unreadable values are ignored, as is all past 256
/// characters.
struct PasswordWishes {
  std::optional<Difficulty> start, minimum, fixed;
  bool any() const { return start || minimum || fixed; }
};
PasswordWishes parse_password(std::string_view password);

/// "ADDRESS.rig+1024" is the worker ADDRESS.rig with the wish d=1024, for renters who can say it
/// nowhere else. No name has a '+', so what stands behind one never belongs to it, readable or not.
inline std::string_view name_before_wish(std::string_view user) {
  return user.substr(0, user.find('+'));
}
std::optional<Difficulty> wish_in_name(std::string_view user);

}  // namespace adit::v1
