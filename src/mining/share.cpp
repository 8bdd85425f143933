// SPDX-License-Identifier: MIT
// Names of the reject reasons.
#include "adit/mining/share.h"

#include "adit/base/check.h"

namespace adit {

std::string_view reject_reason_name(RejectReason reason) {
  switch (reason) {
    case RejectReason::UnknownJob:
      return "unknown-job";
    case RejectReason::StaleJob:
      return "stale-job";
    case RejectReason::NtimeOutOfRange:
      return "ntime-out-of-range";
    case RejectReason::VersionNotAllowed:
      return "version-not-allowed";
    case RejectReason::VersionMissing:
      return "version-missing";
    case RejectReason::BadExtranonceSize:
      return "bad-extranonce-size";
    case RejectReason::LowDifficulty:
      return "low-difficulty";
    case RejectReason::Duplicate:
      return "duplicate";
    case RejectReason::Unauthorised:
      return "unauthorised";
    case RejectReason::StorageFull:
      return "storage-full";
  }
  UNREACHABLE();
}

}  // namespace adit
