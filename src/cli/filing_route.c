/* `juyong filing route`: the questionnaire, at a terminal or out of a file, and what it leads to.
 */
#include "cli/filingcmd.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/setup.h"
#include "filing/progress.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>

#define TEXT_MAX 1048576

enum { KEY_ANSWERS = 2048, KEY_SAVE, KEY_SAVED, KEY_TEMPLATE };

struct options {
    const char *file, *answers, *author;
    bool json, save, saved, template;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 'a':
        o->author = arg;
        return 0;
    case 'j':
        o->json = true;
        return 0;
    case KEY_ANSWERS:
        o->answers = arg;
        return 0;
    case KEY_SAVE:
        o->save = true;
        return 0;
    case KEY_SAVED:
        o->saved = true;
        return 0;
    case KEY_TEMPLATE:
        o->template = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument '%s'", arg);
        return EINVAL;
    case ARGP_KEY_END:
        if ((o->save || o->saved) && !o->file)
            argp_error(state, "--save and --saved need -c FILE: answers are kept in its state_dir");
        if (o->saved && (o->answers || o->save))
            argp_error(state, "--saved tells what was saved: no --answers, no --save");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option argp_options[] = {
    {"config", 'c', "FILE", 0, "The configuration; without it nothing is read or kept", 0},
    {"answers", KEY_ANSWERS, "FILE", 0, "Answers in YAML or JSON instead of questions; - is stdin",
     0},
    {"template", KEY_TEMPLATE, NULL, 0, "Print such a file to fill in", 0},
    {"save", KEY_SAVE, NULL, 0, "Keep the answers for status, console and papers; on record", 0},
    {"saved", KEY_SAVED, NULL, 0, "Ask nothing: what follows from the answers that were kept", 0},
    {"author", 'a', "NAME", 0, "Who answers; your login name unless told", 0},
    {"json", 'j', NULL, 0, "One JSON object", 0},
    {0},
};
static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .doc = "Ask what the service is, and tell which filing it needs: filing of the model, "
           "registration, algorithm filing, none, or to ask the province first; why, with sources; "
           "steps, documents, deadlines, and what the province decides.\n"
           "通过问卷判断应走的路径（大模型备案、登记、算法备案、无需办理、先问属地），并列出依据、"
           "步骤、材料与期限。\v"
           "Questions are asked on stderr and answered on stdin: the number or name of a choice; "
           "? explains, < goes back, an empty line keeps what is in brackets. Exit status 4: "
           "something was left unanswered.",
};

/* ---- asking ---- */

#define WIDTH 1024

struct talk {
    struct route_answers *answers;
    bool ended; /* stdin */
};

static unsigned asked_before(const struct route_answers *a, enum route_key k)
{
    unsigned n = 0;
    for (enum route_key i = 0; i < k; i++)
        n += route_is_asked(a, i);
    return n;
}

static void show(const struct route_answers *a, enum route_key k)
{
    const struct route_question *q = route_question(k);
    fprintf(stderr, "\n[%u/%u] %s\n      %s\n      理由：%s\n", asked_before(a, k) + 1,
            asked_before(a, ROUTE_KEYS), q->zh, q->en, q->why_zh);
    for (unsigned i = 0; i < ROUTE_CHOICES && q->choices[i].name; i++)
        fprintf(stderr, "  %u  %-10s %s (%s)\n", i + 1, q->choices[i].name, q->choices[i].zh,
                q->choices[i].en);
}

static void explain(enum route_key k)
{
    const struct route_question *q = route_question(k);
    const char *mark = route_mark_text(q->mark);
    fprintf(stderr, "      %s\n      %s\n      〔%s%s%s〕\n", q->why_zh, q->why_en, q->source,
            *mark ? "；" : "", mark);
}

/* A line without its end; false at the end of input. */
static bool read_line(struct talk *t, char line[WIDTH], struct span *ret)
{
    if (t->ended || !fgets(line, WIDTH, stdin)) {
        t->ended = true;
        return false;
    }
    *ret = span_trim(span_str(line));
    if (strlen(line) < WIDTH - 1 || line[WIDTH - 2] == '\n')
        return true;
    /* Longer than anything that was asked for: all of it is one answer, and none. */
    for (int c; (c = getchar()) != EOF && c != '\n';)
        ;
    *ret = SPAN_LIT("\x7f");
    return true;
}

/* By number or by name. */
static bool choose(struct route_answers *a, enum route_key k, struct span said)
{
    const struct route_question *q = route_question(k);
    unsigned long long n;
    if (!span_to_u64(said, &n))
        return route_set(a, span_str(q->key), said) == 0;
    for (unsigned i = 0; i < ROUTE_CHOICES && q->choices[i].name; i++)
        if (n == i + 1)
            return route_set(a, span_str(q->key), span_str(q->choices[i].name)) == 0;
    return false;
}

/* Online since a day to come? */
static bool is_ahead(const struct route_answers *a)
{
    const char *since = route_detail(a, ROUTE_ONLINE);
    return strcmp(route_answer(a, ROUTE_ONLINE), "yes") == 0 && *since &&
           !progress_has_begun(span_str(since), clock_wall_s());
}

static void ask_detail(struct talk *t, enum route_key k)
{
    const struct route_question *q = route_question(k);
    char line[WIDTH];
    struct span said;
    if (!q->detail || strcmp(route_answer(t->answers, k), "yes") != 0)
        return;
    for (;;) {
        if (is_ahead(t->answers))
            route_set(t->answers, span_str(q->detail), SPAN_LIT(""));
        fprintf(stderr, "      %s %s [%s]: ", q->detail_zh, q->detail_en,
                route_detail(t->answers, k));
        if (!read_line(t, line, &said) || said.len == 0)
            return;
        if (route_set(t->answers, span_str(q->detail), said) == 0 && !is_ahead(t->answers))
            return;
        fprintf(stderr, "      填写有误，请重新输入。 Not so; again please.\n");
    }
}

enum move { STAY, FORTH, BACK };

static enum move ask_one(struct talk *t, enum route_key k)
{
    char line[WIDTH];
    struct span said;
    const char *kept = route_answer(t->answers, k);
    fprintf(stderr, "（? 说明 explain　< 上一题 back）[%s] > ", *kept ? kept : "unsure");
    if (!read_line(t, line, &said))
        return FORTH;
    if (span_eq(said, SPAN_LIT("<")) || span_eq(said, SPAN_LIT("＜")))
        return BACK;
    if (span_eq(said, SPAN_LIT("?")) || span_eq(said, SPAN_LIT("？"))) {
        explain(k);
        return STAY;
    }
    if (said.len == 0)
        said = span_str(*kept ? kept : "unsure");
    if (!choose(t->answers, k, said)) {
        fprintf(stderr,
                "      没有这个选项：请输入编号或名称。 No such choice: its number or name, "
                "please.\n");
        return STAY;
    }
    ask_detail(t, k);
    return FORTH;
}

/* The question before this one that was asked, or this one. */
static enum route_key go_back(const struct route_answers *a, enum route_key k)
{
    for (enum route_key i = k; i > 0; i--)
        if (route_is_asked(a, i - 1))
            return i - 1;
    return k;
}

static void ask_all(struct route_answers *a)
{
    struct talk t = {.answers = a};
    fprintf(stderr, "备案路径问卷 Which filing does the service need?\n");
    enum route_key k = 0;
    while (k < ROUTE_KEYS && !t.ended) {
        if (!route_is_asked(a, k)) {
            k++;
            continue;
        }
        show(a, k);
        enum move m;
        while ((m = ask_one(&t, k)) == STAY)
            ;
        k = m == BACK ? go_back(a, k) : k + 1;
    }
    if (t.ended && !route_is_complete(a))
        fprintf(stderr,
                "\n输入已结束，其余按不确定处理。 The input ended: the rest is taken as not "
                "sure.\n");
    fputc('\n', stderr);
}

/* ---- answers from elsewhere ---- */

static int read_file(const char *name, struct route_answers *a)
{
    struct buf text = BUF_INIT(TEXT_MAX), messages = BUF_INIT(65536);
    bool in = strcmp(name, "-") == 0;
    char piece[4096];
    int r = 0;
    FILE *f = in ? stdin : fopen(name, "re");
    size_t n;
    if (!f)
        r = -errno;
    while (r == 0 && (n = fread(piece, 1, sizeof(piece), f)) > 0)
        r = buf_append(&text, span_from(piece, n));
    if (r == 0 && ferror(f))
        r = -EIO;
    if (f && !in)
        fclose(f);
    if (r < 0)
        fprintf(stderr, "juyong filing route: %s: %s\n", name,
                r == -EMSGSIZE ? "too large" : strerror(-r));
    else
        r = route_read(buf_span(&text), in ? SPAN_LIT("stdin") : span_str(name), &messages, a);
    setup_print_messages(stderr, &messages);
    buf_deinit(&text);
    buf_deinit(&messages);
    if (r == 0 && is_ahead(a)) {
        fprintf(stderr, "juyong filing route: %s: it is online already, since %s, a day to come\n",
                name, a->online_since);
        r = -EINVAL;
    }
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

/* What was kept, and what the configuration tells of itself. */
static int read_kept(const struct options *o, const struct config *c, struct route_answers *a)
{
    struct progress p;
    struct buf messages = BUF_INIT(65536);
    int r = progress_read(c->state_dir, &messages, &p);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r < 0)
        return CLI_BAD;
    *a = p.answers;
    bool answered = p.answered;
    progress_free(&p);
    if (o->saved && !answered) {
        fprintf(stderr, "juyong filing route: no answers were saved yet (--save)\n");
        return CLI_BAD;
    }
    if (!answered && c->service.launched.len) {
        route_set(a, SPAN_LIT("online_since"), c->service.launched);
        if (c->upstream_count && c->upstreams[0].model_count)
            route_set(a, SPAN_LIT("model_number"), c->upstreams[0].models[0].filing_number);
    }
    return CLI_GOOD;
}

static int save(const struct options *o, const struct config *c, const struct route_answers *a,
                const struct route_advice *d)
{
    char login[256], kinds[256] = "";
    setup_login(login, sizeof(login));
    struct span author = span_trim(span_str(o->author ? o->author : login));
    struct buf messages = BUF_INIT(65536);
    if (!setup_is_line("filing route", "--author", author, PROGRESS_NAME_MAX))
        return CLI_USAGE;
    for (unsigned bit = 1; bit < 1u << ROUTE_KINDS; bit <<= 1)
        if (d->due & bit)
            snprintf(kinds + strlen(kinds), sizeof(kinds) - strlen(kinds), "%s%s",
                     kinds[0] ? "+" : "", route_kind_name(bit));
    if (filing_record(c, "route", span_str(kinds), author) < 0)
        return CLI_BAD;
    int r = progress_answer(c->state_dir, a, author, clock_wall_s(), &messages);
    setup_print_messages(stderr, &messages);
    if (r < 0 && messages.len == 0)
        fprintf(stderr, "juyong filing route: not saved: %s\n", strerror(-r));
    buf_deinit(&messages);
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

/* ---- the command ---- */

static int tell(const struct options *o, const struct route_answers *a,
                const struct route_advice *d)
{
    struct buf out = BUF_INIT(TEXT_MAX);
    int r = o->json ? route_json(a, d, &out) : route_text(a, d, &out);
    if (r == 0 && o->json)
        r = buf_append_char(&out, '\n');
    bool written = r == 0 && setup_show(stdout, &out);
    buf_deinit(&out);
    return !written ? CLI_BAD : route_is_complete(a) ? CLI_GOOD : CLI_UNMET;
}

static int print_template(const struct route_answers *a)
{
    struct buf out = BUF_INIT(TEXT_MAX);
    bool written = route_template(a, &out) == 0 && setup_write(stdout, &out);
    buf_deinit(&out);
    return written ? CLI_GOOD : CLI_BAD;
}

static int run(const struct options *o, const struct config *c)
{
    struct route_answers a;
    struct route_advice d;
    route_begin(&a);
    int r = c ? read_kept(o, c, &a) : CLI_GOOD;
    if (r == CLI_GOOD && o->answers)
        r = read_file(o->answers, &a);
    if (r != CLI_GOOD)
        return r;
    if (o->template)
        return print_template(&a);
    if (!o->answers && !o->saved)
        ask_all(&a);
    route_decide(&a, &d);
    r = o->save ? save(o, c, &a, &d) : CLI_GOOD;
    return r == CLI_GOOD ? tell(o, &a, &d) : r;
}

int filing_route(int argc, char **argv)
{
    struct options o = {0};
    struct setup s = {0};
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = o.file ? setup_load(span_str(o.file), false, &s) : CLI_GOOD;
    if (r != CLI_GOOD)
        return r;
    r = run(&o, s.config);
    setup_deinit(&s);
    return r;
}
