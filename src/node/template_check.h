// SPDX-License-Identifier: MIT
// What must hold before a template is mined on, whoever sent it: a block that a patched or broken
// node proposes loses the reward just the same.
#pragma once

#include "adit/node/node_link.h"
#include "node/template_parser.h"

namespace adit {

/// Every rule that needs nothing but the template itself. Transactions move over on success.
/// An error names the rule.
Result<TemplatePtr> check_template(RawTemplate raw, const NodeOptions& options, Instant now);

}  // namespace adit
