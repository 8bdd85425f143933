// SPDX-License-Identifier: MIT
// How jemalloc keeps the service's memory, where it is linked; MALLOC_CONF overrides. In huge
// pages: a session is a dozen small objects, and telling thousands of idle ones of a new tip is a
// walk through all of them. And for a minute after it was freed, because batches, log and memtables
// come back at their full size within seconds. What that is worth: docs/performance.md.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "thp:always,metadata_thp:auto,dirty_decay_ms:60000";
}
