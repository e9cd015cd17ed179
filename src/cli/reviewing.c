#include "cli/reviewing.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/setup.h"

#include <errno.h>
#include <stdlib.h>

/* How soon an account that was revoked is known everywhere; where it is served, at once. */
#define LOOK_MS 1000

struct reviewing {
    struct loop *loop;
    struct audit *audit;
    struct reviewers *accounts;
    struct loop_timer timer;
    char head[65]; /* of the file as it was last recorded */
    bool damaged;
};

static void record(struct reviewing *r)
{
    struct reviewers_summary s;
    struct buf detail = BUF_INIT(1024);
    reviewers_summary(r->accounts, clock_wall_s(), &s);
    if (strcmp(s.head, r->head) == 0)
        return;
    memcpy(r->head, s.head, sizeof(s.head));
    buf_printf(&detail, "{\"entries\":%u,\"enforce\":%u,\"observe\":%u", s.lines, s.enforce,
               s.observe);
    setup_json(&detail, "entry_sha256", span_str(s.head));
    buf_append_char(&detail, '}');
    struct audit_subject subject = {0};
    struct audit_event e = {.kind = AUDIT_ADMIN,
                            .subject = &subject,
                            .reason = SPAN_LIT("reviewers"),
                            .detail = buf_span(&detail)};
    if (audit_submit(r->audit, NULL, 0, &e) < 0)
        log_error("the change of reviewers' accounts could not be recorded");
    buf_deinit(&detail);
    log_info("reviewers: %u accounts in force, %u of them without interference",
             s.enforce + s.observe, s.observe);
}

static void look(struct loop_timer *t)
{
    struct reviewing *r = list_entry(t, struct reviewing, timer);
    int e = reviewers_refresh(r->accounts);
    if (e < 0 && !r->damaged)
        log_error("reviewers.jsonl can't be read (%s): no account is served",
                  e == -EBADMSG ? "a line was changed" : strerror(-e));
    r->damaged = e < 0;
    if (e >= 0)
        record(r); /* it may have been read anew by a worker */
    loop_timer_set(&r->timer, loop_now_ms(r->loop) + LOOK_MS);
}

int reviewing_open(struct loop *l, struct audit *audit, struct span state_dir,
                   struct reviewing **ret_reviewing)
{
    struct reviewing *r = calloc(1, sizeof(*r));
    if (!r)
        return -ENOMEM;
    struct buf messages = BUF_INIT(4096);
    *r = (struct reviewing){.loop = l, .audit = audit};
    int e = reviewers_open(state_dir, &messages, &r->accounts);
    struct span rest = buf_span(&messages), line;
    while (span_split(&rest, '\n', &line))
        if (line.len)
            log_error("%.*s", SPAN_ARG(line));
    buf_deinit(&messages);
    loop_timer_init(l, &r->timer, look);
    if (e < 0) {
        free(r);
        return e;
    }
    record(r);
    loop_timer_set(&r->timer, clock_mono_ms() + LOOK_MS);
    *ret_reviewing = r;
    return 0;
}

void reviewing_close(struct reviewing *r)
{
    if (!r)
        return;
    loop_timer_cancel(&r->timer);
    reviewers_close(r->accounts);
    free(r);
}

struct reviewers *reviewing_accounts(struct reviewing *r)
{
    return r ? r->accounts : NULL;
}

int reviewing_weakenings(struct reviewing *r, bool served, struct buf *out)
{
    struct reviewers_summary s = {0};
    if (r && served)
        reviewers_summary(r->accounts, clock_wall_s(), &s);
    return s.observe == 0 ? 0
                          : buf_printf(out,
                                       "weakened: reviewers: for %u of %u accounts nothing is "
                                       "blocked or masked\n",
                                       s.observe, s.enforce + s.observe);
}
