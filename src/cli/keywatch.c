#include "cli/keywatch.h"

#include "cli/foldwatch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

struct keywatch {
    struct foldwatch folder;
    void (*changed)(void *ctx);
    void *ctx;
    struct access_stamp seen;
    char state_dir[PATH_MAX];
};

static void look(struct foldwatch *w)
{
    struct keywatch *k = list_entry(w, struct keywatch, folder);
    struct access_stamp now = access_stamp(span_str(k->state_dir));
    /* One that vanished revokes nothing: what was created stays in force. */
    if (!now.exists || access_stamp_eq(&now, &k->seen))
        return;
    k->seen = now;
    k->changed(k->ctx);
}

struct keywatch *keywatch_new(struct loop *loop, struct span state_dir, const struct access *served,
                              void (*changed)(void *ctx), void *ctx)
{
    struct keywatch *k = calloc(1, sizeof(*k));
    if (!k)
        return NULL;
    k->changed = changed;
    k->ctx = ctx;
    k->seen = access_stamp_of(served);
    snprintf(k->state_dir, sizeof(k->state_dir), "%.*s", SPAN_ARG(state_dir));
    if (foldwatch_begin(&k->folder, loop, k->state_dir, 0, look) < 0) {
        keywatch_free(k);
        return NULL;
    }
    return k;
}

void keywatch_free(struct keywatch *k)
{
    if (!k)
        return;
    foldwatch_end(&k->folder);
    free(k);
}
