/*
 * Whom somebody means: the id that an app gives, the hash by which records know the person, or the
 * beginning of that hash, as tables print it.
 */
#pragma once

#include "audit/strikes.h"

/* Shorter ones than tables print name nobody. */
#define PERSON_SHORT 8
#define PERSON_FOUND 4 /* that are told of several */

enum {
    PERSON_AS_ID = 1 << 0,  /* an id, whatever it looks like */
    PERSON_IN_LOG = 1 << 1, /* known may be who is in the log: it is read as a whole, if need be */
    PERSON_OR_ID = 1 << 2,  /* what nobody is known by is an id */
};

struct person_search {
    struct span id;          /* as it was given */
    struct span hash;        /* of it as an id, 64 hex digits */
    struct span log_dir;     /* for PERSON_IN_LOG */
    struct strikes *strikes; /* NULL: nothing is counted */
    unsigned flags;
    uint64_t budget_us; /* of each search of the log; 0: any */
};
struct person_found {
    char hash[65];                /* whom it means */
    char begin[PERSON_FOUND][65]; /* whose hashes begin so */
    size_t count;
    bool id_known; /* the id is somebody's, too */
};

/*
 * What looks like the beginning of a hash (8 hex digits or more, perhaps followed by …) is looked
 * for among those whose strikes are counted and, if so asked, in the log: it must be known as the
 * beginning of one hash or as an id, not as both. 0 with `hash`; -ENOENT: nobody known; -EEXIST: it
 * may be more than one, of whom `begin` tells; -ETIMEDOUT; -errno: it can't be looked up. O(1) but
 * for beginnings: O(users), or O(log).
 */
int person_find(const struct person_search *s, struct person_found *ret_found);
