/*
 * Who may do what: the one table of roles (README.md of this room shows it to people). One role a
 * person; who makes accounts neither reads texts nor audits.
 */
#pragma once

#include "base/span.h"

/* Not enum role of terms/: these are people. */
enum staff {
    STAFF_NONE, /* nobody is logged in */
    STAFF_VIEWER,
    STAFF_REVIEWER,
    STAFF_PUBLISHER,
    STAFF_ADMINISTRATOR,
    STAFF_INSPECTOR,
    STAFF_COUNT,
};

/* Bits. A route names those of which one suffices. */
enum permission {
    MAY_SEE = 1 << 0,    /* lists, overview, rules, statistics */
    MAY_READ = 1 << 1,   /* masked text */
    MAY_REVEAL = 1 << 2, /* original text */
    MAY_REVIEW = 1 << 3,
    MAY_PUBLISH = 1 << 4,
    MAY_USERS = 1 << 5,
    MAY_APPS = 1 << 6,
    MAY_ACCOUNTS = 1 << 7,
    MAY_EXPORT = 1 << 8,
    MAY_ACTS = 1 << 9,
    MAY_COME = 1 << 10, /* everybody who is logged in: his own session and password */
};
#define PERMISSIONS 10 /* that have a name: all but MAY_COME */

/* "viewer" and so on; empty for STAFF_NONE. */
struct span staff_name(enum staff r);
/* STAFF_NONE when there is no such role. */
enum staff staff_from(struct span name);
/* The bits of a role. */
unsigned staff_may(enum staff r);
/* The name of the bit 1 << index, as the API tells it: see, read, … */
struct span permission_name(unsigned index);
