#include "console/difference.h"

#include "rules/diff.h"
#include "rules/urgent.h"
#include "json/walk.h"

#define LINES_MAX 2000 /* that are told; more are counted */

struct writing {
    bool library_only;
    struct buf line, lines;
    size_t count, untold, phrases;
    struct rule_diff sums;
};

static void put_line(struct writing *w)
{
    if (w->line.len && w->line.data[w->line.len - 1] == '\n')
        w->line.len--;
    if (w->count == LINES_MAX) {
        w->untold++;
        return;
    }
    buf_append(&w->lines, w->count++ ? SPAN_LIT(",\"") : SPAN_LIT("\""));
    json_escape(&w->lines, buf_span(&w->line));
    buf_append_char(&w->lines, '"');
}

static void on_rule(void *ctx, char kind, const struct rule *old, const struct rule *new,
                    struct span path)
{
    struct writing *w = ctx;
    const struct rule *r = new ? new : old;
    if (w->library_only && r && urgent_is_rule(r))
        return;
    w->sums.added += r && kind == '+';
    w->sums.removed += r && kind == '-';
    w->sums.changed += r && kind == '~';
    w->sums.files += !r;
    buf_clear(&w->line);
    rule_diff_line(&w->line, kind, old, new, path);
    put_line(w);
}

static void on_phrase(void *ctx, char kind, struct span phrase, struct place at)
{
    struct writing *w = ctx;
    w->phrases++;
    buf_clear(&w->line);
    rule_diff_phrase_line(&w->line, kind, phrase, at);
    put_line(w);
}

int difference_write(const struct ruleset *old, const struct ruleset *new, bool library_only,
                     struct buf *out, bool *ret_differs)
{
    struct writing w = {
        .library_only = library_only, .line = BUF_INIT(65536), .lines = BUF_INIT(8u << 20)};
    struct rule_diff unused;
    int r = rule_diff(old, new, on_rule, &w, &unused);
    if (r == 0)
        r = rule_diff_phrases(old, new, on_phrase, &w);
    if (r == 0)
        r = buf_printf(out,
                       "\"added\":%u,\"removed\":%u,\"changed\":%u,\"files\":%u,\"phrases\":%zu,"
                       "\"lines\":[",
                       w.sums.added, w.sums.removed, w.sums.changed, w.sums.files, w.phrases);
    if (r == 0)
        r = buf_append(out, buf_span(&w.lines));
    if (r == 0)
        r = buf_printf(out, "],\"untold\":%zu", w.untold);
    if (ret_differs)
        *ret_differs = w.count > 0;
    buf_deinit(&w.line);
    buf_deinit(&w.lines);
    return r;
}
