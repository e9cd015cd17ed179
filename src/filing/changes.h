/*
 * When the rules of each risk type last changed, out of the journal of versions and the versions
 * themselves: the standard wants keywords brought up to date every week.
 */
#pragma once

#include "rules/ruleset.h"

/* Versions that are compared, going back; what is older counts as changed then. */
#define CHANGES_VERSIONS_MAX 60

struct changes {
    const struct ruleset *rules;
    int64_t *times; /* by risk; Unix seconds, 0: unknown */
};

/*
 * Of the library `rules`, as it is in force or being edited, against the versions before it. What
 * is not published yet has changed at `now`. With no journal all is unknown. 0, -ENOMEM, or a
 * negative error with messages. Reads up to CHANGES_VERSIONS_MAX versions.
 */
int changes_read(struct span state_dir, const struct ruleset *rules, int64_t now,
                 struct buf *messages, struct changes *ret_changes);
void changes_free(struct changes *c);
/* A coverage_changed function (filing/coverage.h). */
int64_t changes_at(void *changes, const struct risk *risk);
/*
 * When the library in force came, Unix seconds, as the journal alone tells: the newest entry that
 * put another library in force than the one before. 0: it tells nothing. O(entries).
 */
int64_t changes_newest(struct span state_dir);
