#include "console/roles.h"

static const struct {
    struct span name;
    unsigned may;
} roles[STAFF_COUNT] = {
    [STAFF_NONE] = {{"", 0}, 0},
    [STAFF_VIEWER] = {{"viewer", 6}, MAY_COME | MAY_SEE},
    [STAFF_REVIEWER] = {{"reviewer", 8},
                        MAY_COME | MAY_SEE | MAY_READ | MAY_REVEAL | MAY_REVIEW | MAY_USERS},
    [STAFF_PUBLISHER] = {{"publisher", 9}, MAY_COME | MAY_SEE | MAY_READ | MAY_PUBLISH},
    [STAFF_ADMINISTRATOR] = {{"administrator", 13},
                             MAY_COME | MAY_SEE | MAY_USERS | MAY_APPS | MAY_ACCOUNTS},
    [STAFF_INSPECTOR] = {{"inspector", 9},
                         MAY_COME | MAY_SEE | MAY_READ | MAY_REVEAL | MAY_EXPORT | MAY_ACTS},
};

struct span staff_name(enum staff r)
{
    return r < STAFF_COUNT ? roles[r].name : SPAN_LIT("");
}

enum staff staff_from(struct span name)
{
    for (enum staff r = STAFF_VIEWER; r < STAFF_COUNT; r++)
        if (span_eq(roles[r].name, name))
            return r;
    return STAFF_NONE;
}

unsigned staff_may(enum staff r)
{
    return r < STAFF_COUNT ? roles[r].may : 0;
}

struct span permission_name(unsigned index)
{
    static const char *const names[PERMISSIONS] = {"see",   "read", "reveal",   "review", "publish",
                                                   "users", "apps", "accounts", "export", "acts"};
    return index < PERMISSIONS ? span_str(names[index]) : SPAN_LIT("");
}
