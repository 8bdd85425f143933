// SPDX-License-Identifier: MIT
// The parts of the configuration that say where miners connect and at which difficulty they begin.
#pragma once

#include "app/config.h"
#include "app/toml_reader.h"

namespace adit {

/// A list of addresses to listen on.
void read_listen(TomlTable& table, std::string_view key, std::vector<std::string>& addresses);
/// V1's version_mask: any bits of BIP323's.
void read_version_mask(TomlTable& table, std::uint32_t& mask);
/// [vardiff] and [[vardiff.agent]]. `source`: the file's text.
void read_vardiff(TomlTable table, std::string_view source, Config& config);
/// [[stratum.v1.port]]; `config.vardiff`, [payout] and what [stratum.v1] says itself have been
/// read.
void read_ports(TomlTable& v1_table, std::string_view source, Config& config);

}  // namespace adit
