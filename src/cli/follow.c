#include "cli/follow.h"

#include "base/log.h"
#include "cli/foldwatch.h"
#include "rules/vault.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define RETRY_MS 60000

struct follow {
    struct foldwatch folder;
    void (*changed)(void *ctx);
    void *ctx;
    uint64_t retry_ms; /* 0: none is due */
    bool complained;
    char seen[RULE_DIGEST_SIZE]; /* the last one that was told */
    char state_dir[PATH_MAX];
};

static void complain(struct follow *f, const struct buf *messages)
{
    struct span rest = buf_span(messages), line;
    if (span_split(&rest, '\n', &line) && !f->complained)
        log_error("%.*s", SPAN_ARG(line));
    f->complained = messages->len > 0;
}

/* What is to be served; "" when that is nothing published, or can't be known. */
static void read_current(struct follow *f, char ret_digest[RULE_DIGEST_SIZE])
{
    struct buf messages = BUF_INIT(8192);
    struct vault *s = NULL;
    ret_digest[0] = '\0';
    if (vault_open(span_str(f->state_dir), &messages, &s) == 0 &&
        vault_current(s, &messages, ret_digest) < 0)
        ret_digest[0] = '\0';
    vault_close(s);
    complain(f, &messages);
    buf_deinit(&messages);
}

static void look(struct foldwatch *w)
{
    struct follow *f = list_entry(w, struct follow, folder);
    char digest[RULE_DIGEST_SIZE];
    read_current(f, digest);
    bool due = f->retry_ms && loop_now_ms(f->folder.loop) >= f->retry_ms;
    /* One that vanished changes nothing: what was decided stays in force. */
    if (!due && (digest[0] == '\0' || strcmp(digest, f->seen) == 0))
        return;
    f->retry_ms = 0;
    memcpy(f->seen, digest, sizeof(f->seen));
    f->changed(f->ctx);
}

struct follow *follow_new(struct loop *loop, struct span state_dir, struct span served,
                          void (*changed)(void *ctx), void *ctx)
{
    struct follow *f = calloc(1, sizeof(*f));
    if (!f)
        return NULL;
    f->changed = changed;
    f->ctx = ctx;
    snprintf(f->seen, sizeof(f->seen), "%.*s", SPAN_ARG(served));
    snprintf(f->state_dir, sizeof(f->state_dir), "%.*s", SPAN_ARG(state_dir));
    char rules[PATH_MAX + 8];
    snprintf(rules, sizeof(rules), "%s/rules", f->state_dir);
    if (foldwatch_begin(&f->folder, loop, rules, FOLDWATCH_MS, look) < 0) {
        follow_free(f);
        return NULL;
    }
    return f;
}

void follow_retry(struct follow *f)
{
    f->retry_ms = loop_now_ms(f->folder.loop) + RETRY_MS;
}

void follow_free(struct follow *f)
{
    if (!f)
        return;
    foldwatch_end(&f->folder);
    free(f);
}
