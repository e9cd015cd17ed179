#include "filing/progress.h"

#include "audit/files.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_SECONDS 86400
#define FORM        1 /* of the file; another one is of another version */
#define ITEMS       100000

/* ---- names ---- */

static const struct {
    const char *name, *zh;
} states[STEP_STATES] = {
    {"open", "未开始"}, {"doing", "进行中"}, {"done", "已完成"}, {"returned", "退回修改"}};

const char *progress_state_name(enum progress_state s)
{
    return states[s].name;
}

const char *progress_state_zh(enum progress_state s)
{
    return states[s].zh;
}

enum progress_state progress_state_from(struct span name)
{
    enum progress_state s = 0;
    while (s < STEP_STATES && !span_eq(name, span_str(states[s].name)))
        s++;
    return s;
}

static const struct {
    const char *name, *zh, *en;
} steps[PROGRESS_TRACKS] = {
    {"form", "领取表格", "get the form"},
    {"write", "编写材料", "write the papers"},
    {"assess", "自评估并准备测试账号", "self-assessment and test accounts"},
    {"submit", "提交属地", "submit"},
    {"local", "属地材料审核与技术测试", "local review of papers and technical test"},
    {"central", "中央复审", "central review"},
    {"number", "取得编号", "the number"},
    {"algorithm", "算法备案提交", "algorithm filing submitted"},
};

const char *progress_step_name(unsigned step)
{
    return steps[step].name;
}

const char *progress_step_zh(unsigned step)
{
    return steps[step].zh;
}

const char *progress_step_en(unsigned step)
{
    return steps[step].en;
}

const struct progress_note *progress_step(const struct progress *p, unsigned step)
{
    for (size_t i = p->note_count; i > 0; i--)
        if (p->notes[i - 1].step == step)
            return &p->notes[i - 1];
    return NULL;
}

/* ---- reading ---- */

static bool get_text(const struct json_value *v, const char *key, size_t max, struct span *ret)
{
    return value_get_string(value_get(v, span_str(key)), ret) && ret->len <= max;
}

/* A day of the calendar; `empty`: or none. */
static bool get_day(const struct json_value *v, const char *key, bool empty, struct span *ret)
{
    int64_t unused;
    return get_text(v, key, 10, ret) && ((empty && ret->len == 0) || day_end(*ret, &unused));
}

static bool get_time(const struct json_value *v, const char *key, int64_t *ret)
{
    return value_get_integer(value_get(v, span_str(key)), ret) && *ret >= 0;
}

static bool read_note(const struct json_value *v, void *to)
{
    struct progress_note *n = to;
    struct span state;
    int64_t step;
    bool good = value_count(v) == 6 && value_get_integer(value_get(v, SPAN_LIT("step")), &step) &&
                step >= 1 && step <= PROGRESS_TRACKS && get_text(v, "state", 16, &state) &&
                get_day(v, "date", false, &n->date) &&
                get_text(v, "note", PROGRESS_NOTE_MAX, &n->note) &&
                get_text(v, "author", PROGRESS_NAME_MAX, &n->author) && get_time(v, "at", &n->at);
    if (!good)
        return false;
    n->step = (unsigned)step - 1;
    n->state = progress_state_from(state);
    return n->state < STEP_STATES;
}

static bool read_change(const struct json_value *v, void *to)
{
    struct progress_change *c = to;
    return value_count(v) == 7 && value_get_integer(value_get(v, SPAN_LIT("number")), &c->number) &&
           c->number > 0 && get_day(v, "date", false, &c->date) &&
           get_text(v, "what", PROGRESS_NOTE_MAX, &c->what) &&
           get_text(v, "author", PROGRESS_NAME_MAX, &c->author) && get_time(v, "at", &c->at) &&
           get_day(v, "reported", true, &c->reported) &&
           get_text(v, "reported_by", PROGRESS_NAME_MAX, &c->reported_by);
}

/* An array into one of structs, each read by `one`. 0, -EBADMSG, -ENOMEM. */
static int read_list(const struct json_value *v, size_t size,
                     bool (*one)(const struct json_value *v, void *to), void **ret, size_t *ret_n)
{
    size_t n = value_count(v);
    if (!value_is_array(v) || n > ITEMS)
        return -EBADMSG;
    char *items = calloc(n + 1, size);
    if (!items)
        return -ENOMEM;
    *ret = items;
    for (size_t i = 0; i < n; i++)
        if (!one(value_at(v, i), items + i * size))
            return -EBADMSG;
    *ret_n = n;
    return 0;
}

static int read_answer(void *ctx, struct span key, const struct json_value *value)
{
    struct span text;
    return value_get_string(value, &text) && route_set(ctx, key, text) == 0 ? 0 : -EBADMSG;
}

static int read_answers(const struct json_value *v, struct progress *p)
{
    route_begin(&p->answers);
    p->answered_by = SPAN_LIT("");
    if (value_is_null(v))
        return 0;
    p->answered = true;
    bool good = value_is_object(v) && get_time(v, "at", &p->answered_at) &&
                get_text(v, "author", PROGRESS_NAME_MAX, &p->answered_by) &&
                value_is_object(value_get(v, SPAN_LIT("given")));
    return good ? value_each(value_get(v, SPAN_LIT("given")), read_answer, &p->answers) : -EBADMSG;
}

static int read_all(const struct json_value *v, struct progress *p)
{
    int64_t form;
    if (!value_get_integer(value_get(v, SPAN_LIT("form")), &form))
        return -EBADMSG;
    if (form != FORM)
        return -EPROTO;
    void *notes = NULL, *changes = NULL;
    int r = read_answers(value_get(v, SPAN_LIT("answers")), p);
    if (r == 0)
        r = read_list(value_get(v, SPAN_LIT("steps")), sizeof(*p->notes), read_note, &notes,
                      &p->note_count);
    p->notes = notes;
    if (r == 0)
        r = read_list(value_get(v, SPAN_LIT("changes")), sizeof(*p->changes), read_change, &changes,
                      &p->change_count);
    p->changes = changes;
    for (size_t i = 0; i < p->change_count && r == 0; i++)
        if (p->changes[i].number != (int64_t)i + 1)
            r = -EBADMSG;
    return r;
}

static bool make_path(struct span state_dir, const char *name, char ret[PATH_MAX])
{
    int n = snprintf(ret, PATH_MAX, "%.*s/filing%s", SPAN_ARG(state_dir), name);
    return n > 0 && n < PATH_MAX;
}

/* A pipe of that name must not keep a gateway waiting. */
static int load(const char *path, struct buf *out)
{
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    return S_ISREG(st.st_mode) ? file_read(fd, 0, out) : -EBADMSG;
}

static int complain(struct buf *messages, const char *path, int r, const struct buf *why)
{
    const char *text = r == -EBADMSG    ? "damaged; it is left as it is"
                       : r == -EPROTO   ? "written by another version of the program"
                       : r == -EMSGSIZE ? "too large"
                                        : strerror(-r);
    buf_printf(messages, "%s: %s", path, text);
    if (why->len)
        buf_printf(messages, ": %.*s", SPAN_ARG(buf_span(why)));
    buf_append_char(messages, '\n');
    return r;
}

int progress_parse(struct span text, struct buf *why, struct progress *ret_progress)
{
    struct progress p = {.answered_by = SPAN_LIT("")};
    p.held = value_parse(text, why);
    int r = p.held ? read_all(p.held, &p) : -EBADMSG;
    if (r < 0)
        progress_free(&p);
    else
        *ret_progress = p;
    return r;
}

int progress_read(struct span state_dir, struct buf *messages, struct progress *ret_progress)
{
    char path[PATH_MAX];
    struct progress p = {.answered_by = SPAN_LIT("")};
    struct buf text = BUF_INIT(PROGRESS_FILE_MAX), why = BUF_INIT(1024);
    route_begin(&p.answers);
    if (!make_path(state_dir, "/desk.json", path))
        return -ENAMETOOLONG;
    int r = load(path, &text);
    if (r == 0)
        r = progress_parse(buf_span(&text), &why, &p);
    else if (r == -ENOENT)
        r = 0;
    if (r < 0)
        complain(messages, path, r, &why);
    else
        *ret_progress = p;
    buf_deinit(&text);
    buf_deinit(&why);
    return r;
}

void progress_free(struct progress *p)
{
    free(p->notes);
    free(p->changes);
    value_free(p->held);
    *p = (struct progress){0};
}

bool progress_has_begun(struct span day, int64_t now)
{
    int64_t end;
    return day_end(day, &end) && end - DAY_SECONDS <= now;
}

bool progress_may_report(const struct progress_change *c, struct span day)
{
    return c->reported.len == 0 && span_compare(day, c->date) >= 0; /* both YYYY-MM-DD */
}

/* ---- writing ---- */

static int set(struct json_value *object, const char *key, struct json_value *value)
{
    return value_set(object, span_str(key), value);
}

static struct json_value *note_value(const struct progress_note *n)
{
    struct json_value *v = value_object();
    if (v && set(v, "step", value_integer(n->step + 1)) == 0 &&
        set(v, "state", value_string(span_str(states[n->state].name))) == 0 &&
        set(v, "date", value_string(n->date)) == 0 && set(v, "note", value_string(n->note)) == 0 &&
        set(v, "author", value_string(n->author)) == 0 && set(v, "at", value_integer(n->at)) == 0)
        return v;
    value_free(v);
    return NULL;
}

static struct json_value *change_value(const struct progress_change *c)
{
    struct json_value *v = value_object();
    if (v && set(v, "number", value_integer(c->number)) == 0 &&
        set(v, "date", value_string(c->date)) == 0 && set(v, "what", value_string(c->what)) == 0 &&
        set(v, "author", value_string(c->author)) == 0 && set(v, "at", value_integer(c->at)) == 0 &&
        set(v, "reported", value_string(c->reported)) == 0 &&
        set(v, "reported_by", value_string(c->reported_by)) == 0)
        return v;
    value_free(v);
    return NULL;
}

static struct json_value *answers_value(const struct progress *p)
{
    if (!p->answered)
        return value_null();
    struct buf given = BUF_INIT(65536);
    struct json_value *v = value_object();
    bool good = v && route_write(&p->answers, &given) == 0 &&
                set(v, "given", value_parse(buf_span(&given), NULL)) == 0 &&
                set(v, "author", value_string(p->answered_by)) == 0 &&
                set(v, "at", value_integer(p->answered_at)) == 0;
    buf_deinit(&given);
    if (good)
        return v;
    value_free(v);
    return NULL;
}

static int dump(const struct progress *p, struct buf *out)
{
    struct json_value *v = value_object(), *notes = value_array(), *changes = value_array();
    int r = v && notes && changes ? 0 : -ENOMEM;
    for (size_t i = 0; i < p->note_count && r == 0; i++)
        r = value_append(notes, note_value(&p->notes[i]));
    for (size_t i = 0; i < p->change_count && r == 0; i++)
        r = value_append(changes, change_value(&p->changes[i]));
    if (r == 0)
        r = set(v, "form", value_integer(FORM));
    if (r == 0)
        r = set(v, "answers", answers_value(p));
    if (r == 0) {
        r = set(v, "steps", notes);
        notes = NULL;
    }
    if (r == 0) {
        r = set(v, "changes", changes);
        changes = NULL;
    }
    if (r == 0)
        r = value_dump(v, out);
    value_free(v);
    value_free(notes);
    value_free(changes);
    return r < 0 ? r : buf_append_char(out, '\n');
}

/* The lock's descriptor, or -errno; waits for other writers, who take no time. */
static int lock_desk(struct span state_dir, struct buf *messages)
{
    char dir[PATH_MAX], path[PATH_MAX];
    if (!make_path(state_dir, "", dir) || !make_path(state_dir, "/desk.lock", path))
        return -ENAMETOOLONG;
    int r = file_make_dir(dir, 0700);
    const char *fault = r == 0 ? path : dir;
    int fd = r == 0 ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (r == 0 && fd < 0)
        r = -errno;
    while (r == 0 && flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            r = -errno;
    if (r == 0)
        return fd;
    buf_printf(messages, "%s: %s\n", fault, strerror(-r));
    if (fd >= 0)
        close(fd);
    return r;
}

/* Reads under the lock, lets `change` alter it, writes it whole. */
static int rewrite(struct span state_dir, int (*change)(struct progress *p, void *ctx), void *ctx,
                   struct buf *messages)
{
    char path[PATH_MAX];
    struct progress p;
    struct buf text = BUF_INIT(PROGRESS_FILE_MAX), none = BUF_INIT(16);
    cleanup(cleanup_close) int lock = lock_desk(state_dir, messages);
    if (lock < 0)
        return lock;
    int r = progress_read(state_dir, messages, &p);
    if (r < 0)
        return r;
    r = change(&p, ctx);
    if (r == 0)
        r = dump(&p, &text);
    if ((r == 0 || r == -EMSGSIZE) && make_path(state_dir, "/desk.json", path)) {
        if (r == 0)
            r = files_replace(path, buf_span(&text), 0600);
        if (r < 0)
            complain(messages, path, r, &none);
    }
    progress_free(&p);
    buf_deinit(&text);
    return r;
}

/* One line of text in UTF-8; the JSON builder looks at the encoding. */
static bool is_text(struct span text, size_t max, bool empty)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    struct json_value *v = value_string(text);
    value_free(v);
    return v && text.len <= max && (empty || span_trim(text).len);
}

/* Room for one more. */
static void *grow(void *items, size_t count, size_t size)
{
    return reallocarray(items, count + 1, size);
}

static int add_note(struct progress *p, void *ctx)
{
    struct progress_note *more = grow(p->notes, p->note_count, sizeof(*more));
    if (!more)
        return -ENOMEM;
    p->notes = more;
    more[p->note_count++] = *(const struct progress_note *)ctx;
    return 0;
}

int progress_note(struct span state_dir, const struct progress_note *note, struct buf *messages)
{
    int64_t unused;
    struct progress_note n = *note;
    if (n.step >= PROGRESS_TRACKS || n.state >= STEP_STATES || !day_end(n.date, &unused) ||
        !is_text(n.note, PROGRESS_NOTE_MAX, true) || !is_text(n.author, PROGRESS_NAME_MAX, false))
        return -EINVAL;
    return rewrite(state_dir, add_note, &n, messages);
}

struct answering {
    const struct route_answers *answers;
    struct span author;
    int64_t at;
};

static int put_answers(struct progress *p, void *ctx)
{
    const struct answering *a = ctx;
    p->answered = true;
    p->answers = *a->answers;
    p->answered_by = a->author;
    p->answered_at = a->at;
    return 0;
}

int progress_answer(struct span state_dir, const struct route_answers *a, struct span author,
                    int64_t at, struct buf *messages)
{
    struct answering given = {a, author, at};
    if (!is_text(author, PROGRESS_NAME_MAX, false))
        return -EINVAL;
    return rewrite(state_dir, put_answers, &given, messages);
}

static int add_change(struct progress *p, void *ctx)
{
    struct progress_change *c = ctx;
    struct progress_change *more = grow(p->changes, p->change_count, sizeof(*more));
    if (!more)
        return -ENOMEM;
    p->changes = more;
    c->number = (int64_t)p->change_count + 1;
    more[p->change_count++] = *c;
    return 0;
}

int progress_add_change(struct span state_dir, const struct progress_change *change,
                        struct buf *messages, int64_t *ret_number)
{
    int64_t unused;
    struct progress_change c = *change;
    if (!day_end(c.date, &unused) || !is_text(c.what, PROGRESS_NOTE_MAX, false) ||
        !is_text(c.author, PROGRESS_NAME_MAX, false))
        return -EINVAL;
    c.reported = c.reported_by = SPAN_LIT("");
    int r = rewrite(state_dir, add_change, &c, messages);
    *ret_number = c.number;
    return r;
}

static int report_change(struct progress *p, void *ctx)
{
    const struct progress_change *c = ctx;
    if (c->number < 1 || c->number > (int64_t)p->change_count)
        return -EINVAL;
    struct progress_change *known = &p->changes[c->number - 1];
    if (known->reported.len)
        return -EALREADY;
    if (!progress_may_report(known, c->reported))
        return -EINVAL;
    known->reported = c->reported;
    known->reported_by = c->reported_by;
    return 0;
}

int progress_report_change(struct span state_dir, int64_t number, struct span day,
                           struct span author, struct buf *messages)
{
    int64_t unused;
    struct progress_change c = {.number = number, .reported = day, .reported_by = author};
    if (!day_end(day, &unused) || !is_text(author, PROGRESS_NAME_MAX, false))
        return -EINVAL;
    return rewrite(state_dir, report_change, &c, messages);
}
