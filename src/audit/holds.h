/*
 * Legal holds: texts that neither retention nor a privacy deletion may take until they are
 * released. Each is a record (`hold`, `hold_release`); <dir>/holds.tsv lists those in force, a line
 * each:
 *
 *   number ⇥ made ⇥ since ⇥ until ⇥ request id ⇥ app ⇥ end user ⇥ why
 *
 * `log verify` compares the list with the records. A hold that is being made stands on it with the
 * number 0, and holds already: a crash may leave it so, holds_settle() then looks for its record.
 */
#pragma once

#include "audit/audit.h"
#include "audit/entry.h"
#include "base/arena.h"

#define HOLDS_MAX 4096

/* What is empty or 0 asks for nothing; a record must fit all that is asked. */
struct hold {
    uint64_t number; /* of its record */
    uint64_t made_us;
    uint64_t since_us, until_us; /* wall clock, half open */
    struct span request_id, app, end_user, why;
};
struct holds {
    struct hold *list; /* with its texts in the arena */
    size_t count;
};

/* 0, also when there are none; -EBADMSG: damaged, nothing may be deleted; -ENOMEM, -errno. */
int holds_load(struct span dir, struct arena *arena, struct holds *ret_holds);
/* Before the log is written to: ends what a crash interrupted. 0, as holds_load(), or -errno. */
int holds_settle(struct span dir);
/* Is a record held? Also the hold's own. */
bool holds_cover(const struct holds *h, const struct entry *e);
/* Could one be held among records of these numbers and times? False is certain. */
bool holds_may_cover(const struct holds *h, uint64_t first_seq, uint64_t last_seq, uint64_t from_us,
                     uint64_t to_us);

/*
 * For who holds the log, from a thread that may wait. `who`: members of a JSON object that tell who
 * does it and why, for the record. 0; -EINVAL: asks for nothing, or for no time; -E2BIG; as
 * act_record().
 * *ret_number names the hold from now on.
 */
int holds_add(struct audit *a, const struct hold *h, struct span who, uint64_t *ret_number);
/* -ENOENT: there is none of that number. */
int holds_release(struct audit *a, uint64_t number, struct span who);
