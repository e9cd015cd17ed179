/* What the authority has: the version that was noted as filed last, against a library of now. */
#pragma once

#include "filing/keywordlist.h"

struct filed {
    struct keywordlist_filed list;
    struct ruleset *rules; /* of that version */
    const struct rule **changed;
    char version[RULE_VERSION_SIZE];
};

/*
 * Compares the keywords that count, by id, for that app. Without a version filed list.version stays
 * empty. 0, -ENOMEM, or a negative error with messages.
 */
int filed_read(struct span state_dir, const struct library *now_library,
               const struct config_app *app, int64_t now, struct buf *messages,
               struct filed *ret_filed);
void filed_free(struct filed *f);
