/* `juyong log review`: verdicts, and the phrase that would have saved a false positive. */
#include "base/clock.h"
#include "casebook/suggest.h"
#include "cli/book.h"
#include "cli/logbook.h"
#include "cli/logfilter.h"
#include "cli/logview.h"
#include "cli/setup.h"

#include <errno.h>

#define SUGGESTED_MAX 5 /* hits of one verdict for which a phrase is looked for */

enum { KEY_CORRECT = 2048, KEY_FALSE, KEY_UNSURE, KEY_SECOND, KEY_NOTE, KEY_DAY };

struct options {
    struct book_command book;
    struct logfilter filter;
    const char *day;
    struct span ids[CASEBOOK_REQUESTS_MAX];
    struct casebook_act act;
    struct arena arena; /* ids that a filter found */
    bool filtered;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->book;
        state->child_inputs[1] = &o->filter;
        return 0;
    case KEY_CORRECT:
    case KEY_FALSE:
    case KEY_UNSURE:
        if (o->act.verdict)
            argp_error(state, "one verdict: --correct, --false-positive or --unsure");
        o->act.verdict = VERDICT_CORRECT + (key - KEY_CORRECT);
        return 0;
    case KEY_SECOND:
        o->act.second = true;
        return 0;
    case KEY_NOTE:
        o->act.note = span_str(arg);
        return 0;
    case KEY_DAY:
        o->day = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (o->act.request_count == CASEBOOK_REQUESTS_MAX)
            argp_error(state, "at most %d requests at once", CASEBOOK_REQUESTS_MAX);
        o->ids[o->act.request_count++] = span_str(arg);
        return 0;
    case ARGP_KEY_END:
        if (!o->act.verdict)
            argp_error(state, "--correct, --false-positive or --unsure?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool has_filter(const struct query_filter *f)
{
    return f->since_us || f->until_us || f->actions || f->risk.len || f->rule.len || f->app.len ||
           f->end_user.len || f->model.len || f->request_id.len || f->direction || f->text.len ||
           f->purpose.len || f->any_purpose || f->all || f->limit || f->session.len ||
           f->client_ip.len || f->trace_id.len || f->keep;
}

/* The requests that the filters find, as if they had been named. */
static int find_requests(struct options *o)
{
    struct query_filter *f = &o->filter.query;
    struct query *q = NULL;
    const struct query_row *row;
    int r = query_open(o->book.config->audit.dir, f, &q);
    while (r >= 0 && (r = query_next(q, &row)) == 1) {
        if (!row->entry.request_id.len)
            continue;
        if (o->act.request_count == CASEBOOK_REQUESTS_MAX) {
            fprintf(stderr, "%s: more than %d requests: narrow the filters\n", o->book.name,
                    CASEBOOK_REQUESTS_MAX);
            query_close(q);
            return CLI_BAD;
        }
        o->ids[o->act.request_count] = arena_copy(&o->arena, row->entry.request_id);
        o->act.request_count++;
    }
    query_close(q);
    return r < 0 ? book_failed(&o->book, r) : CLI_GOOD;
}

/* ---- what would have saved it ---- */

static void print_quoted(struct span text)
{
    fputc('\'', stdout);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\'')
            fputs("'\\''", stdout);
        else
            fputc(text.data[i], stdout);
    fputc('\'', stdout);
}

static void offer(const struct options *o, struct span id, const struct query_hit *h)
{
    struct buf phrase = BUF_INIT(1024);
    bool prompt = span_eq(h->entry->direction, SPAN_LIT("prompt"));
    struct suggest_hit hit = {.context = h->context,
                              .start = h->start,
                              .end = h->end,
                              .rule = h->entry->rule,
                              .direction = prompt ? DIRECTION_PROMPT : DIRECTION_COMPLETION};
    int r = h->has_text ? casebook_suggest(o->book.config->rules_dir, &hit, &phrase) : -ENOENT;
    book_print(id);
    if (r == 0) {
        fputs(": to allow it:\n  juyong rules try -c ", stdout);
        print_quoted(span_str(o->book.file));
        fputs(" --allow ", stdout);
        print_quoted(buf_span(&phrase));
        fputs("\nand then that line in a file of ", stdout);
        book_print(o->book.config->rules_dir);
        fputs("/allow/, and `juyong rules publish`\n", stdout);
    } else {
        fputs(": no allowed phrase would save it; the rule itself is in question: ", stdout);
        book_print(h->entry->rule);
        fputc('\n', stdout);
    }
    buf_deinit(&phrase);
}

static void suggest(const struct options *o)
{
    size_t n = o->act.request_count < SUGGESTED_MAX ? o->act.request_count : SUGGESTED_MAX;
    for (size_t i = 0; i < n; i++) {
        struct query_filter f = {
            .request_id = o->ids[i], .all = true, .any_purpose = true, .limit = 1};
        struct query *q = NULL;
        const struct query_row *row;
        if (query_open(o->book.config->audit.dir, &f, &q) == 0 && query_next(q, &row) == 1 &&
            row->main_hit)
            offer(o, o->ids[i], row->main_hit);
        query_close(q);
    }
}

static int run(struct options *o)
{
    struct desk_answer answer;
    o->filtered = has_filter(&o->filter.query) || o->day;
    if (o->filtered == (o->act.request_count > 0)) {
        fprintf(stderr, "%s: which requests? Their ids, or filters\n", o->book.name);
        return CLI_USAGE;
    }
    if (o->day &&
        !casebook_day(span_str(o->day), &o->filter.query.since_us, &o->filter.query.until_us)) {
        fprintf(stderr, "%s: --day takes a day such as 2026-11-26\n", o->book.name);
        return CLI_USAGE;
    }
    bool settled = logfilter_settle(&o->filter, o->book.config, SPAN_LIT("log review"));
    int r = settled ? CLI_GOOD : CLI_BAD;
    if (r == CLI_GOOD && o->filtered)
        r = find_requests(o);
    logfilter_end(&o->filter);
    o->act.requests = o->ids;
    if (r == CLI_GOOD)
        r = book_act(&o->book, &o->act, &answer);
    if (r != CLI_GOOD)
        return r;
    if (o->book.json)
        printf("{\"done\":%lld,\"skipped\":%lld}\n", (long long)answer.entries,
               (long long)answer.records);
    else
        printf("%lld reviewed: %s\n", (long long)answer.entries,
               casebook_verdict_name(o->act.verdict));
    if (answer.records)
        fprintf(stderr, "%s: %lld left out: the log has them not, or somebody else was faster\n",
                o->book.name, (long long)answer.records);
    if (o->act.verdict == VERDICT_FALSE_POSITIVE && !o->book.json)
        suggest(o);
    return CLI_GOOD;
}

int log_review(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"correct", KEY_CORRECT, NULL, 0, "The interception was right (判定正确)", 1},
        {"false-positive", KEY_FALSE, NULL, 0, "It was wrong (误拦); tells what would save it", 1},
        {"unsure", KEY_UNSURE, NULL, 0, "One can't tell (存疑)", 1},
        {"note", KEY_NOTE, "TEXT", 0, "A remark, kept in the casebook alone (备注)", 1},
        {"second", KEY_SECOND, NULL, 0, "As the second reviewer (复审)", 1},
        {"day", KEY_DAY, "DAY", 0, "All of that day (China time), within the filters", 1},
        {0},
    };
    static const struct argp_child children[] = {
        {&book_argp, 0, NULL, 0}, {&logfilter_argp, 0, "Which requests:", 2}, {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "[REQUEST_ID...]",
        .doc = "Say whether interceptions were right: of the requests that are named, or of all "
               "that the filters find, up to 500 in one act, which goes on record.\n"
               "人工复核拦截结果（可按编号或筛选条件批量，最多 500 条），操作本身写入日志。",
        .children = children,
    };
    static char name[] = "juyong log review";
    struct options o = {.book = {.name = name}, .act = {.verb = CASEBOOK_REVIEW}};
    argv[0] = name;
    argp_err_exit_status = CLI_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    arena_init(&o.arena, 1u << 20);
    int r = book_load(&o.book);
    if (r == CLI_GOOD)
        r = run(&o);
    book_unload(&o.book);
    arena_deinit(&o.arena);
    return r;
}
