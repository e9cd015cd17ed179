/*
 * Privacy deletion: takes the kept texts of one end user's records out of the log: masked ones with
 * their salts, sealed ones with the keys that open them, and what the index knows of them. The
 * records stay, with commitments that nobody can open any more, so that the chain verifies as
 * before. What is on hold (holds.h) stays, too, and is counted.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct forget_result {
    uint64_t records;   /* of this user, with texts that were removed */
    uint64_t texts;     /* kept texts that were removed with their salts */
    uint64_t originals; /* records whose sealed texts were removed */
    uint64_t held;      /* records whose texts stay for a legal hold */
    bool left_in_wal;   /* a reader was in the way: a copy stays until the log is next written to */
};

/*
 * Of that end user (the HMAC, 64 hex digits) of that app (empty: of any), up to now. For the
 * process that holds the log; from any thread of it, beside the writer, which it keeps waiting for
 * some milliseconds at a time. 0, -EBUSY, -EBADMSG (the list of holds is damaged), or as db/db.h;
 * what was done by then stays done. O(kept texts).
 */
int forget_run(struct span dir, struct span app, struct span end_user,
               struct forget_result *ret_result);
