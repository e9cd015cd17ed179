/* The records of one exchange as they stand in the log, for who wants to see them bare. */
#pragma once

#include "base/buf.h"
#include "base/span.h"

/*
 * Appends a JSON array of at most 256 records, each the very text that was hashed; one that is no
 * record any more stands there as a string. 0; -ENOENT: there are none; -errno. O(log files).
 */
int records_write(struct span dir, struct span request_id, struct buf *out);
