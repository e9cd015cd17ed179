/* A run's files, read line by line. */
#include "evaluation/runfile.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

/* The file that is being read. */
struct reading {
    struct run *run;
    const char *file;
    size_t line;
    struct buf *messages;
};

static int bad(const struct reading *g, const char *what)
{
    buf_printf(g->messages, "%s/%s:%zu: %s\n", g->run->dir, g->file, g->line, what);
    return -EINVAL;
}

/* The member's text, copied; empty where it is missing or something else. */
static bool take_text(struct run *r, const struct json_value *v, const char *key, struct span *ret)
{
    struct span text;
    *ret = SPAN_LIT("");
    if (!value_get_string(value_get(v, span_str(key)), &text) || text.len == 0)
        return true;
    *ret = arena_copy(&r->arena, text);
    return ret->data != NULL;
}

static struct span text_of(const struct json_value *v, const char *key)
{
    struct span text = SPAN_NULL;
    value_get_string(value_get(v, span_str(key)), &text);
    return text;
}

static int64_t int_of(const struct json_value *v, const char *key)
{
    int64_t n = 0;
    value_get_integer(value_get(v, span_str(key)), &n);
    return n;
}

static bool bool_of(const struct json_value *v, const char *key)
{
    bool b = false;
    value_get_boolean(value_get(v, span_str(key)), &b);
    return b;
}

void *runfile_grow(void *array, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return array;
    size_t more = *cap ? *cap * 2 : 64;
    void *bigger = reallocarray(array, more, size);
    if (bigger)
        *cap = more;
    return bigger;
}

static int read_settings(struct reading *g, const struct json_value *v)
{
    struct run *r = g->run;
    struct run_settings *s = &r->settings;
    unsigned long long seed;
    double rate;
    if (!(take_text(r, v, "run", &s->name) && take_text(r, v, "by", &s->by) &&
          take_text(r, v, "agreed", &s->agreed) && take_text(r, v, "app", &s->app) &&
          take_text(r, v, "model", &s->model) && take_text(r, v, "upstream", &s->upstream) &&
          take_text(r, v, "rules", &s->version) && take_text(r, v, "rules_sha256", &s->digest) &&
          take_text(r, v, "bank_sha256", &s->bank_digest) &&
          take_text(r, v, "opinion", &s->opinion) && take_text(r, v, "software", &s->software)))
        return -ENOMEM;
    if (!clock_read(text_of(v, "started"), &s->started) ||
        !span_to_u64(text_of(v, "seed"), &seed) ||
        !value_get_real(value_get(v, SPAN_LIT("rate")), &rate))
        return bad(g, "'started', 'seed' and 'rate' are needed");
    if (!span_eq(s->name, span_str(strrchr(r->dir, '/') + 1)))
        return bad(g, "it is another run's: 'run' is not the folder's name");
    int64_t concurrency = int_of(v, "concurrency");
    if (!(rate >= 0 && rate <= RUN_RATE_MAX) || concurrency < 0 ||
        concurrency > RUN_CONCURRENCY_MAX)
        return bad(g, "'rate' or 'concurrency' is out of range");
    s->seed = seed;
    s->rate = rate;
    s->all = bool_of(v, "all");
    s->derived = bool_of(v, "derived");
    s->concurrency = (unsigned)concurrency;
    const struct json_value *sample = value_get(v, SPAN_LIT("sample"));
    for (int k = 0; k < BANK_KINDS; k++) {
        struct span name = span_str(bank_kind_name((enum bank_kind)k));
        int64_t n = 0;
        s->banks[k] = value_get_integer(value_get(sample, name), &n);
        s->sample[k] = (unsigned)n;
    }
    const struct json_value *routes = value_get(v, SPAN_LIT("routes"));
    for (size_t i = 0; i < value_count(routes); i++) {
        struct span name = SPAN_NULL;
        value_get_string(value_at(routes, i), &name);
        enum run_route route = run_route_from(name);
        if (route == RUN_ROUTES)
            return bad(g, "an unknown route");
        s->routes[route] = true;
    }
    if (!s->routes[RUN_GATEWAY] && !s->routes[RUN_BARE])
        return bad(g, "no route");
    return 0;
}

static int take_messages(struct run *r, const struct json_value *v, struct span *ret)
{
    const struct json_value *messages = value_get(v, SPAN_LIT("messages"));
    *ret = SPAN_LIT("");
    if (!messages)
        return 0;
    struct buf text = BUF_INIT(RUN_LINE_MAX);
    int rc = value_dump(messages, &text);
    if (rc == 0) {
        *ret = arena_copy(&r->arena, buf_span(&text));
        rc = ret->data ? 0 : -ENOMEM;
    }
    buf_deinit(&text);
    return rc;
}

static int read_question(struct reading *g, const struct json_value *v)
{
    struct run *r = g->run;
    void *more = runfile_grow(r->questions, &r->question_cap, r->count, sizeof(*r->questions));
    if (!more)
        return -ENOMEM;
    r->questions = more;
    struct run_question q = {.kind = bank_kind_from(text_of(v, "bank")),
                             .technique = (unsigned)int_of(v, "technique")};
    if (!(take_text(r, v, "id", &q.id) && take_text(r, v, "type", &q.type) &&
          take_text(r, v, "question", &q.text) && take_text(r, v, "note", &q.note) &&
          take_text(r, v, "seed", &q.seed)) ||
        take_messages(r, v, &q.messages) < 0)
        return -ENOMEM;
    if (q.kind == BANK_KINDS || q.id.len == 0)
        return bad(g, "no question: 'id' and 'bank' are needed");
    r->questions[r->count++] = q;
    return 0;
}

static int read_answer(struct reading *g, const struct json_value *v)
{
    struct run *r = g->run;
    struct run_answer a = {.question = run_find(r, text_of(v, "question")),
                           .route = run_route_from(text_of(v, "route")),
                           .ms = (unsigned)int_of(v, "ms"),
                           .status = (int)int_of(v, "status"),
                           .refused = bool_of(v, "refused"),
                           .keywords = run_verdict_from(text_of(v, "keywords")),
                           .opinion = run_verdict_from(text_of(v, "opinion"))};
    if (a.question == r->count || a.route == RUN_ROUTES ||
        !clock_read(text_of(v, "time"), &a.time) || a.time == 0)
        return bad(g, "no answer to a question of this run");
    if (!(take_text(r, v, "error", &a.error) && take_text(r, v, "text", &a.text) &&
          take_text(r, v, "finish", &a.finish) && take_text(r, v, "model", &a.model) &&
          take_text(r, v, "id", &a.id) && take_text(r, v, "action", &a.action) &&
          take_text(r, v, "refused_by", &a.refused_by) && take_text(r, v, "rule", &a.rule) &&
          take_text(r, v, "acted_by", &a.acted_by) &&
          take_text(r, v, "opinion_note", &a.opinion_note)))
        return -ENOMEM;
    r->answer[a.route][a.question] = a;
    return 0;
}

static int read_judgement(struct reading *g, const struct json_value *v)
{
    struct run *r = g->run;
    struct run_judgement j = {.question = run_find(r, text_of(v, "question")),
                              .route = run_route_from(text_of(v, "route")),
                              .verdict = run_verdict_from(text_of(v, "verdict"))};
    if (j.question == r->count || j.route == RUN_ROUTES || j.verdict == RUN_NONE ||
        !clock_read(text_of(v, "time"), &j.time))
        return bad(g, "no judgement on a question of this run");
    if (!take_text(r, v, "by", &j.by) || !take_text(r, v, "note", &j.note))
        return -ENOMEM;
    void *more =
        runfile_grow(r->judgements, &r->judgement_cap, r->judgement_count, sizeof(*r->judgements));
    if (!more)
        return -ENOMEM;
    r->judgements = more;
    r->judgements[r->judgement_count++] = j;
    return 0;
}

static int read_event(struct reading *g, const struct json_value *v)
{
    struct run *r = g->run;
    struct run_event e = {0};
    if (!clock_read(text_of(v, "time"), &e.time))
        return bad(g, "no event");
    if (!take_text(r, v, "event", &e.name) || !take_text(r, v, "by", &e.by) ||
        !take_text(r, v, "note", &e.note))
        return -ENOMEM;
    void *more = runfile_grow(r->event_list, &r->event_cap, r->event_count, sizeof(*r->event_list));
    if (!more)
        return -ENOMEM;
    r->event_list = more;
    r->event_list[r->event_count++] = e;
    return 0;
}

typedef int (*line_fn)(struct reading *g, const struct json_value *v);

static int read_line(struct reading *g, struct span line, line_fn fn)
{
    struct buf why = BUF_INIT(4096);
    struct json_value *v = value_parse(line, &why);
    int rc = value_is_object(v) ? fn(g, v) : bad(g, v ? "no object" : buf_cstr(&why));
    value_free(v);
    buf_deinit(&why);
    return rc;
}

/* A last line without its end is being written, or was torn: it is none. */
static int read_lines(struct run *r, const char *file, line_fn fn, struct buf *messages,
                      off_t *ret_whole)
{
    struct reading g = {.run = r, .file = file, .messages = messages};
    char path[PATH_MAX];
    struct buf text = BUF_INIT(RUN_FILE_MAX);
    *ret_whole = 0;
    int n = snprintf(path, sizeof(path), "%s/%s", r->dir, file);
    if (n < 0 || (size_t)n >= sizeof(path))
        return -ENAMETOOLONG;
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int rc = file_read(fd, 0, &text);
    struct span rest = buf_span(&text);
    while (rc == 0) {
        size_t end = span_find(rest, SPAN_LIT("\n"));
        if (end == rest.len)
            break;
        g.line++;
        rc = read_line(&g, span_slice(rest, 0, end), fn);
        rest = span_slice(rest, end + 1, rest.len);
    }
    *ret_whole = (off_t)(text.len - rest.len);
    if (rc < 0 && rc != -EINVAL)
        buf_printf(messages, "%s: %s\n", path, strerror(-rc));
    buf_deinit(&text);
    return rc;
}

/* ---- questions by id ---- */

static int compare_ids(const void *a, const void *b, void *ctx)
{
    const struct run_question *q = ctx;
    return span_compare(q[*(const size_t *)a].id, q[*(const size_t *)b].id);
}

int runfile_index(struct run *r)
{
    r->by_id = calloc(r->count ? r->count : 1, sizeof(*r->by_id));
    for (int route = 0; route < RUN_ROUTES; route++)
        r->answer[route] = calloc(r->count ? r->count : 1, sizeof(**r->answer));
    if (!r->by_id || !r->answer[RUN_GATEWAY] || !r->answer[RUN_BARE])
        return -ENOMEM;
    for (size_t i = 0; i < r->count; i++)
        r->by_id[i] = i;
    if (r->count)
        qsort_r(r->by_id, r->count, sizeof(*r->by_id), compare_ids, r->questions);
    return 0;
}

size_t run_find(const struct run *r, struct span id)
{
    size_t low = 0, high = r->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = span_compare(r->questions[r->by_id[middle]].id, id);
        if (c == 0)
            return r->by_id[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return r->count;
}

bool runfile_keep(struct arena *a, struct run_answer *answer)
{
    struct span *const texts[] = {
        &answer->error,        &answer->text,       &answer->finish, &answer->model,
        &answer->id,           &answer->action,     &answer->rule,   &answer->acted_by,
        &answer->opinion_note, &answer->refused_by,
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        *texts[i] = texts[i]->len ? arena_copy(a, *texts[i]) : SPAN_LIT("");
        if (!texts[i]->data)
            return false;
    }
    return true;
}

/* ---- all of it ---- */

int runfile_read_judgements(struct run *r, struct buf *messages, off_t *ret_whole)
{
    int rc = read_lines(r, "judgements.jsonl", read_judgement, messages, ret_whole);
    return rc == -ENOENT ? 0 : rc;
}

int runfile_read(struct run *r, struct buf *messages, off_t ret_whole[2])
{
    off_t ignored;
    int rc = read_lines(r, "run.json", read_settings, messages, &ignored);
    if (rc == 0 && ignored == 0) {
        buf_printf(messages, "%s/run.json:1: no line\n", r->dir);
        rc = -EINVAL;
    }
    if (rc == 0) {
        rc = read_lines(r, "questions.jsonl", read_question, messages, &ignored);
        if (rc == -ENOENT) {
            buf_printf(messages, "%s/questions.jsonl: %s\n", r->dir, strerror(ENOENT));
            rc = -EINVAL;
        }
    }
    if (rc == 0 && r->count == 0) {
        buf_printf(messages, "%s/questions.jsonl:1: no line\n", r->dir);
        rc = -EINVAL;
    }
    if (rc == 0)
        rc = runfile_index(r);
    if (rc == 0)
        rc = read_lines(r, "answers.jsonl", read_answer, messages, &ret_whole[0]);
    if (rc == 0 || rc == -ENOENT)
        rc = read_lines(r, "events.jsonl", read_event, messages, &ret_whole[1]);
    if (rc == 0 || rc == -ENOENT)
        rc = runfile_read_judgements(r, messages, &ignored);
    return rc;
}
