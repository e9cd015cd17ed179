/* `juyong filing evaluate --judge`: people's word, one answer after the other. */
#include "cli/evaluatecmd.h"
#include "cli/filingcmd.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

static enum run_verdict read_verdict(struct span text)
{
    if (span_eq(text, SPAN_LIT("合格")) || span_eq(text, SPAN_LIT("p")))
        return RUN_PASS;
    if (span_eq(text, SPAN_LIT("不合格")) || span_eq(text, SPAN_LIT("f")))
        return RUN_FAIL;
    return run_verdict_from(text);
}

static int complain(struct span question, int r)
{
    fprintf(stderr, "juyong filing evaluate: %.*s: %s\n", SPAN_ARG(question),
            r == -ENOENT     ? "no such question of this run, or it has no answer over that route"
            : r == -EEXIST   ? "that person has judged it already 该人员已研判"
            : r == -EALREADY ? "it is decided already 已有结论"
            : r == -EINVAL   ? "a name is one line of up to 256 bytes, a note of up to 2,000"
                             : strerror(-r));
    return CLI_BAD;
}

struct one {
    const char *run;
    struct span question, by, note;
    enum run_route route;
    enum run_verdict verdict;
};

/* It is on record before it counts; what does not count then is on record as tried. */
static int judge_one(const struct setup *s, const struct one *j)
{
    struct buf why = BUF_INIT(4096);
    int r = buf_printf(&why, "%.*s %s %s by %.*s", SPAN_ARG(j->question), run_route_name(j->route),
                       run_verdict_name(j->verdict), SPAN_ARG(j->by));
    if (r == 0 && filing_record(s->config, "judge", span_str(j->run), buf_span(&why)) < 0)
        r = CLI_BAD;
    if (r == 0) {
        r = run_judge(s->config->state_dir, span_str(j->run), j->question, j->route, j->by,
                      j->verdict, j->note);
        r = r < 0 ? complain(j->question, r) : CLI_GOOD;
    }
    buf_deinit(&why);
    return r < 0 ? CLI_BAD : r;
}

/* ---- on the terminal ---- */

/* What a model says must not move the cursor. */
static void show_text(struct span text)
{
    while (text.len) {
        uint32_t cp = (unsigned char)*text.data;
        int n = utf8_decode(text, false, &cp);
        size_t len = n > 0 ? (size_t)n : 1;
        bool plain = n > 0 && (cp == '\n' || cp == '\t' || cp >= 0x20) && cp != 0x7f &&
                     !(cp >= 0x80 && cp < 0xa0) && !(cp >= 0x202a && cp <= 0x202e) &&
                     !(cp >= 0x2066 && cp <= 0x2069);
        if (plain)
            fwrite(text.data, 1, len, stdout);
        else
            printf("\\u{%x}", (unsigned)cp);
        text = span_slice(text, len, text.len);
    }
    putchar('\n');
}

/*
 * A line without its end; false at the end of what is typed. What is too long for it is cut off: it
 * must not answer the next question.
 */
static bool ask(const char *prompt, char line[LINE_MAX_BYTES], struct span *ret)
{
    printf("%s", prompt);
    fflush(stdout);
    if (!fgets(line, LINE_MAX_BYTES, stdin))
        return false;
    if (!strchr(line, '\n'))
        for (int c = getchar(); c != '\n' && c != EOF;)
            c = getchar();
    *ret = span_trim(span_str(line));
    return true;
}

/* Not what others, or machines, made of it: a second judgement is one of its own. */
static void show(const struct run *r, const struct run_waiting *w, size_t at, size_t count)
{
    const struct run_question *q = run_question(r, w->question);
    const struct run_answer *a = run_answer(r, w->question, w->route);
    printf("\n[%zu/%zu] %.*s  %s %.*s  %s\n", at, count, SPAN_ARG(q->id), bank_kind_title(q->kind),
           SPAN_ARG(q->type), run_route_title(w->route));
    printf("问: ");
    if (q->messages.len)
        show_text(q->messages);
    show_text(q->text);
    if (q->note.len) {
        printf("研判要点: ");
        show_text(q->note);
    }
    printf("答: ");
    show_text(a->text);
}

/* Only what came over that route; RUN_ROUTES: all. What is left, in its order. */
static size_t keep_route(struct run_waiting *items, size_t count, enum run_route route)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (route == RUN_ROUTES || items[i].route == route)
            items[kept++] = items[i];
    return kept;
}

/* j->route: which answers; then the route of each. */
static int judge_many(const struct setup *s, const struct run *r, struct one *j)
{
    struct run_waiting *items = NULL;
    size_t count = 0, done = 0;
    char line[LINE_MAX_BYTES], note[LINE_MAX_BYTES];
    struct span said;
    int rc = run_queue(r, j->by, &items, &count);
    if (rc < 0)
        return complain(j->by, rc);
    count = keep_route(items, count, j->route);
    for (size_t i = 0; i < count; i++) {
        show(r, &items[i], i + 1, count);
        j->question = run_question(r, items[i].question)->id;
        j->route = items[i].route;
        do {
            if (!ask("p 合格 pass, f 不合格 fail, s 跳过 skip, q 结束 quit: ", line, &said))
                said = SPAN_LIT("q");
            j->verdict = read_verdict(said);
        } while (j->verdict == RUN_NONE && !span_eq(said, SPAN_LIT("s")) &&
                 !span_eq(said, SPAN_LIT("q")));
        if (span_eq(said, SPAN_LIT("q")))
            break;
        if (j->verdict == RUN_NONE)
            continue;
        if (!ask("说明 note (may be empty): ", note, &j->note))
            j->note = SPAN_NULL;
        done += judge_one(s, j) == CLI_GOOD;
    }
    printf("%zu judged 已研判, %zu waited 待研判\n", done, count);
    free(items);
    return CLI_GOOD;
}

int evaluate_judge(const struct setup *s, const struct evaluate_options *o)
{
    char login[256];
    setup_login(login, sizeof(login));
    struct one j = {.run = o->judge,
                    .by = span_str(o->by ? o->by : login),
                    .question = span_str(o->question),
                    .route = o->route ? run_route_from(span_str(o->route)) : RUN_ROUTES,
                    .note = span_str(o->note)};
    if (!setup_is_line("filing evaluate", "--by", j.by, sizeof(login)))
        return CLI_USAGE;
    if (o->question)
        j.verdict = read_verdict(span_str(o->verdict));
    if ((o->route && j.route == RUN_ROUTES) || (o->question && j.verdict == RUN_NONE)) {
        fputs("juyong filing evaluate: --route takes gateway or bare, --verdict pass or fail\n",
              stderr);
        return CLI_USAGE;
    }
    if (o->question)
        return judge_one(s, &j);
    struct run *r = evaluate_open(s, o->judge, false);
    if (!r)
        return CLI_BAD;
    int rc = judge_many(s, r, &j);
    run_free(r);
    return rc;
}
