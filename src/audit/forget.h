/*
 * Privacy deletion: takes the kept texts of one end user's records out of the log. The records
 * stay, with commitments that nobody can open any more, so that the chain verifies as before.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct forget_result {
    uint64_t records; /* interceptions of this user */
    uint64_t texts;   /* kept texts that were removed with their salts */
    bool left_in_wal; /* a reader was in the way: a copy stays until the log is next written to */
};

/*
 * Of that end user (the HMAC, 64 hex digits) of that app (empty: of any), up to now. For the
 * process that holds the log; from any thread of it, beside the writer, which it keeps waiting for
 * some milliseconds at a time. 0, -EBUSY, or as db/db.h; what was done by then stays done.
 * O(interceptions in the log).
 */
int forget_run(struct span dir, struct span app, struct span end_user,
               struct forget_result *ret_result);
