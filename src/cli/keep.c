/* What the log's own process does of keeping it. */
#include "cli/keep.h"

#include "audit/act.h"
#include "audit/backup.h"
#include "audit/holds.h"
#include "audit/prune.h"
#include "audit/witness.h"
#include "base/clock.h"
#include "cli/setup.h"

#include <errno.h>
#include <stdio.h>

#define WHO_MAX 4096

/* Members of a JSON object, without its braces. */
static int write_who(const struct desk_act *act, struct buf *out)
{
    struct buf object = BUF_INIT(WHO_MAX);
    int r = buf_append_char(&object, '{');
    setup_json(&object, "author", act->author);
    setup_json(&object, "login", act->login);
    if (act->reason.len)
        setup_json(&object, "why", act->reason);
    if (r == 0)
        r = buf_append(out, span_slice(buf_span(&object), 1, object.len));
    buf_deinit(&object);
    return r;
}

static int reveal(struct audit *a, const struct desk_act *act, struct span who)
{
    struct buf detail = BUF_INIT(WHO_MAX);
    int r = buf_append_char(&detail, '{');
    setup_json(&detail, "request", act->what);
    if (r == 0)
        r = buf_printf(&detail, ",%.*s}", SPAN_ARG(who));
    if (r == 0)
        r = act_note(a, SPAN_LIT("reveal"), buf_span(&detail), NULL);
    buf_deinit(&detail);
    return r;
}

static int prune(struct audit *a, struct span who, struct desk_answer *ret)
{
    struct prune_report report;
    const struct audit_retention *keep = audit_retention(a);
    struct prune_options o = {.dir = audit_dir(a),
                              .records = keep->records,
                              .texts = keep->texts,
                              .originals = keep->originals,
                              .samples = keep->samples,
                              .now_us = clock_wall_us(),
                              .who = who};
    int r = witness_clock(o.dir, o.now_us, &o.witnessed_us);
    report = (struct prune_report){0};
    if (r == 0)
        r = prune_run(a, &o, &report);
    ret->entries = (int64_t)report.file_count;
    ret->records = (int64_t)report.originals;
    ret->texts = (int64_t)(report.texts + report.samples);
    ret->left_in_wal = report.left_in_wal;
    if (r == -EBADMSG)
        snprintf(ret->error, sizeof(ret->error),
                 "the list of holds or a file is damaged; "
                 "`juyong log verify` tells more");
    return r;
}

static int hold(struct audit *a, const struct desk_act *act, struct span who,
                struct desk_answer *ret)
{
    uint64_t number = 0;
    struct hold h = {.since_us = (uint64_t)act->since_us,
                     .until_us = (uint64_t)act->until_us,
                     .request_id = act->what,
                     .app = act->app,
                     .end_user = act->end_user,
                     .why = act->reason};
    int r = holds_add(a, &h, who, &number);
    ret->entries = (int64_t)number;
    return r;
}

static int release(struct audit *a, const struct desk_act *act, struct span who,
                   struct desk_answer *ret)
{
    unsigned long long number;
    int r = span_to_u64(act->what, &number) ? holds_release(a, number, who) : -EINVAL;
    if (r == -ENOENT)
        snprintf(ret->error, sizeof(ret->error), "there is no hold %.*s; `juyong log hold list`",
                 SPAN_ARG(act->what));
    return r;
}

static int backup(struct audit *a, const struct desk_act *act, struct span who,
                  struct desk_answer *ret)
{
    struct backup_report report;
    struct backup_options o = {.into = act->what, .keys = act->seconds > 0, .who = who};
    int r = backup_run(a, &o, &report);
    ret->entries = (int64_t)report.files;
    ret->records = (int64_t)report.last_seq;
    if (r == -ENOTEMPTY)
        snprintf(ret->error, sizeof(ret->error), "there is something in that directory already");
    return r;
}

void keep_carry_out(struct audit *a, const struct desk_act *act, struct desk_answer *ret_answer)
{
    struct buf who = BUF_INIT(WHO_MAX);
    int r = write_who(act, &who);
    if (r == 0)
        switch (act->verb) {
        case DESK_REVEAL:
            r = reveal(a, act, buf_span(&who));
            break;
        case DESK_PRUNE:
            r = prune(a, buf_span(&who), ret_answer);
            break;
        case DESK_HOLD:
            r = hold(a, act, buf_span(&who), ret_answer);
            break;
        case DESK_RELEASE:
            r = release(a, act, buf_span(&who), ret_answer);
            break;
        case DESK_BACKUP:
            r = backup(a, act, buf_span(&who), ret_answer);
            break;
        default:
            r = -EINVAL;
        }
    if (r < 0 && !ret_answer->error[0])
        snprintf(ret_answer->error, sizeof(ret_answer->error), "%s",
                 r == -EIO || r == -EAGAIN ? "the log can't be written now" : strerror(-r));
    buf_deinit(&who);
}
