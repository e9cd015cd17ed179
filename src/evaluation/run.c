#include "evaluation/runfile.h"

#include "audit/files.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#define ARENA_MAX (4 * RUN_FILE_MAX)
#define SAME_NAME 100 /* runs begun within a second */

static const char *const routes[] = {"gateway", "bare", NULL};
static const char *const verdicts[] = {"none", "pass", "fail"};

const char *run_route_name(enum run_route r)
{
    return routes[r];
}

const char *run_route_title(enum run_route r)
{
    return r == RUN_GATEWAY ? "附加审核策略" : "不附加审核策略";
}

enum run_route run_route_from(struct span name)
{
    for (int r = 0; r < RUN_ROUTES; r++)
        if (span_eq(name, span_str(routes[r])))
            return (enum run_route)r;
    return RUN_ROUTES;
}

const char *run_verdict_name(enum run_verdict v)
{
    return verdicts[v];
}

enum run_verdict run_verdict_from(struct span name)
{
    return span_eq(name, SPAN_LIT("pass"))   ? RUN_PASS
           : span_eq(name, SPAN_LIT("fail")) ? RUN_FAIL
                                             : RUN_NONE;
}

/* Letters, digits and hyphens behind "run-": no way out of the folder. */
static bool is_name(struct span name)
{
    if (!span_starts(name, SPAN_LIT("run-")) || name.len >= RUN_NAME_SIZE)
        return false;
    for (size_t i = 4; i < name.len; i++)
        if (!((name.data[i] >= '0' && name.data[i] <= '9') || name.data[i] == '-'))
            return false;
    return name.len > 4;
}

bool runfile_dir(struct span state_dir, struct span name, char ret_dir[PATH_MAX])
{
    int n = snprintf(ret_dir, PATH_MAX, "%.*s/filing/runs%s%.*s", SPAN_ARG(state_dir),
                     name.len ? "/" : "", SPAN_ARG(name));
    return n > 0 && n < PATH_MAX && (name.len == 0 || is_name(name));
}

static struct run *make(void)
{
    struct run *r = calloc(1, sizeof(*r));
    if (r) {
        arena_init(&r->arena, ARENA_MAX);
        r->answers = r->events = r->lock = -1;
    }
    return r;
}

void run_free(struct run *r)
{
    if (!r)
        return;
    int fds[] = {r->answers, r->events, r->lock};
    for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(r->questions);
    free(r->by_id);
    for (int route = 0; route < RUN_ROUTES; route++)
        free(r->answer[route]);
    free(r->judgements);
    free(r->event_list);
    arena_deinit(&r->arena);
    free(r);
}

/* ---- making one ---- */

/* The folder, by China's time, of a name that nobody has. */
static int make_folder(struct run *r, struct span state_dir)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%.*s", SPAN_ARG(state_dir)); /* no gateway ran yet */
    int rc = n > 0 && n < PATH_MAX ? file_make_dir(path, 0700) : -ENAMETOOLONG;
    if (rc == 0) {
        n = snprintf(path, sizeof(path), "%.*s/filing", SPAN_ARG(state_dir));
        rc = n > 0 && n < PATH_MAX ? file_make_dir(path, 0700) : -ENAMETOOLONG;
    }
    if (rc == 0)
        rc = runfile_dir(state_dir, SPAN_NULL, path) ? file_make_dir(path, 0700) : -ENAMETOOLONG;
    time_t china = (time_t)(r->settings.started / 1000000) + 8 * 3600;
    struct tm tm;
    gmtime_r(&china, &tm);
    for (unsigned i = 1; rc == 0 && i < SAME_NAME; i++) {
        char name[RUN_NAME_SIZE];
        size_t len = strftime(name, sizeof(name), "run-%Y%m%d-%H%M%S", &tm);
        if (i > 1)
            snprintf(name + len, sizeof(name) - len, "-%u", i);
        if (!runfile_dir(state_dir, span_str(name), r->dir))
            return -ENAMETOOLONG;
        if (mkdir(r->dir, 0700) == 0) {
            r->settings.name = arena_copy(&r->arena, span_str(name));
            return r->settings.name.data ? files_sync_dir(path) : -ENOMEM;
        }
        if (errno != EEXIST)
            return -errno;
    }
    return rc < 0 ? rc : -EEXIST;
}

static int keep(struct run *r, struct span text, struct span *ret)
{
    *ret = text.len ? arena_copy(&r->arena, text) : SPAN_LIT("");
    return ret->data ? 0 : -ENOMEM;
}

static int keep_settings(struct run *r, const struct run_settings *s)
{
    struct run_settings *to = &r->settings;
    *to = *s;
    to->started = clock_wall_us();
    const struct {
        struct span from, *to;
    } texts[] = {
        {s->by, &to->by},
        {s->agreed, &to->agreed},
        {s->app, &to->app},
        {s->model, &to->model},
        {s->upstream, &to->upstream},
        {s->version, &to->version},
        {s->digest, &to->digest},
        {s->bank_digest, &to->bank_digest},
        {s->opinion, &to->opinion},
        {s->software, &to->software},
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(texts) / sizeof(*texts); i++)
        rc = keep(r, texts[i].from, texts[i].to);
    return rc;
}

static int keep_question(struct run *r, const struct question *q)
{
    struct run_question *to = &r->questions[r->count];
    struct buf messages = BUF_INIT(RUN_LINE_MAX);
    *to = (struct run_question){.kind = q->kind, .technique = q->technique};
    int rc = q->messages ? value_dump(q->messages, &messages) : 0;
    if (rc == 0)
        rc = keep(r, q->id, &to->id);
    if (rc == 0)
        rc = keep(r, q->risk ? q->risk->id : q->aspect ? q->aspect->zh : SPAN_NULL, &to->type);
    if (rc == 0)
        rc = keep(r, q->text, &to->text);
    if (rc == 0)
        rc = keep(r, q->note, &to->note);
    if (rc == 0)
        rc = keep(r, q->seed, &to->seed);
    if (rc == 0)
        rc = keep(r, buf_span(&messages), &to->messages);
    buf_deinit(&messages);
    r->count += rc == 0;
    return rc;
}

static int keep_sample(struct run *r, const struct question *const *sample, size_t count)
{
    r->questions = calloc(count, sizeof(*r->questions));
    r->question_cap = count;
    int rc = r->questions ? 0 : -ENOMEM;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = keep_question(r, sample[i]);
    return rc == 0 ? runfile_index(r) : rc;
}

static int replace(const struct run *r, const char *name, const struct buf *text)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/%s", r->dir, name);
    return n > 0 && n < PATH_MAX ? files_replace(path, buf_span(text), 0600) : -ENAMETOOLONG;
}

/* run.json last: a folder without it is no run. */
static int write_parameters(struct run *r)
{
    struct buf text = BUF_INIT(RUN_FILE_MAX);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < r->count; i++)
        rc = runfile_write_question(&r->questions[i], &text);
    if (rc == 0)
        rc = replace(r, "questions.jsonl", &text);
    buf_clear(&text);
    if (rc == 0)
        rc = runfile_write_settings(&r->settings, &text);
    if (rc == 0)
        rc = replace(r, "run.json", &text);
    if (rc == 0)
        rc = files_sync_dir(r->dir);
    buf_deinit(&text);
    return rc;
}

static int open_for_writing(struct run *r, const off_t whole[2])
{
    r->answers = runfile_append_to(r->dir, "answers.jsonl", whole[0]);
    if (r->answers < 0)
        return r->answers;
    r->events = runfile_append_to(r->dir, "events.jsonl", whole[1]);
    return r->events < 0 ? r->events : files_sync_dir(r->dir);
}

/* Nothing is left of a run that could not be begun. */
static void remove_folder(const struct run *r)
{
    static const char *const names[] = {"answers.jsonl",      "events.jsonl",    "lock",
                                        "run.json",           "questions.jsonl", "run.json.new",
                                        "questions.jsonl.new"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (snprintf(path, sizeof(path), "%s/%s", r->dir, names[i]) < PATH_MAX)
            unlink(path);
    rmdir(r->dir);
}

int run_create(struct span state_dir, const struct run_settings *s,
               const struct question *const *sample, size_t count, struct run **ret_run)
{
    static const off_t nothing[2] = {0, 0};
    if (count == 0)
        return -EINVAL;
    struct run *r = make();
    if (!r)
        return -ENOMEM;
    int rc = keep_settings(r, s);
    if (rc == 0)
        rc = keep_sample(r, sample, count);
    if (rc == 0)
        rc = make_folder(r, state_dir);
    bool made = rc == 0;
    if (rc == 0) {
        r->lock = runfile_lock(r->dir, "lock", false);
        rc = r->lock < 0 ? r->lock : write_parameters(r);
    }
    if (rc == 0)
        rc = open_for_writing(r, nothing);
    if (rc < 0) {
        if (made)
            remove_folder(r);
        run_free(r);
        return rc;
    }
    *ret_run = r;
    return 0;
}

int run_open(struct span state_dir, struct span name, bool write, struct buf *messages,
             struct run **ret_run)
{
    struct run *r = make();
    off_t whole[2] = {0, 0};
    struct stat st;
    if (!r)
        return -ENOMEM;
    int rc = name.len && runfile_dir(state_dir, name, r->dir) ? 0 : -EINVAL;
    if (rc == 0 && stat(r->dir, &st) < 0)
        rc = -errno;
    if (rc == 0 && write) {
        r->lock = runfile_lock(r->dir, "lock", false);
        rc = r->lock < 0 ? r->lock : 0;
    }
    if (rc == 0)
        rc = runfile_read(r, messages, whole);
    if (rc == 0 && write)
        rc = open_for_writing(r, whole);
    if (rc < 0) {
        run_free(r);
        return rc;
    }
    *ret_run = r;
    return 0;
}

bool run_is_busy(const struct run *r)
{
    char path[PATH_MAX];
    if (r->lock >= 0)
        return true;
    if (snprintf(path, sizeof(path), "%s/lock", r->dir) >= PATH_MAX)
        return false;
    int fd cleanup(cleanup_close) = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* ---- what is in it ---- */

const struct run_settings *run_settings(const struct run *r)
{
    return &r->settings;
}

size_t run_count(const struct run *r)
{
    return r->count;
}

const struct run_question *run_question(const struct run *r, size_t index)
{
    return &r->questions[index];
}

const struct run_answer *run_answer(const struct run *r, size_t question, enum run_route route)
{
    const struct run_answer *a = &r->answer[route][question];
    return a->time ? a : NULL;
}

size_t run_answered(const struct run *r, enum run_route route)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += r->answer[route][i].time && r->answer[route][i].error.len == 0;
    return n;
}

bool run_is_complete(const struct run *r)
{
    for (int route = 0; route < RUN_ROUTES; route++)
        if (r->settings.routes[route] && run_answered(r, (enum run_route)route) < r->count)
            return false;
    return true;
}

size_t run_event_count(const struct run *r)
{
    return r->event_count;
}

const struct run_event *run_event(const struct run *r, size_t index)
{
    return &r->event_list[index];
}

/* ---- adding to it ---- */

int run_add(struct run *r, const struct run_answer *a)
{
    struct run_answer kept = *a;
    struct buf line = BUF_INIT(RUN_LINE_MAX);
    if (kept.time == 0)
        kept.time = clock_wall_us();
    int rc = r->answers < 0 || a->question >= r->count ? -EINVAL : 0;
    if (rc == 0 && !runfile_keep(&r->arena, &kept))
        rc = -ENOMEM;
    if (rc == 0)
        rc = runfile_write_answer(r, &kept, &line);
    if (rc == 0)
        rc = runfile_append(r->answers, buf_span(&line));
    buf_deinit(&line);
    if (rc == 0)
        r->answer[a->route][a->question] = kept;
    return rc;
}

int run_note(struct run *r, struct span name, struct span by, struct span note)
{
    struct run_event e = {.time = clock_wall_us()};
    struct buf line = BUF_INIT(65536);
    int rc = r->events < 0 ? -EINVAL : keep(r, name, &e.name);
    if (rc == 0)
        rc = keep(r, by, &e.by);
    if (rc == 0)
        rc = keep(r, note, &e.note);
    void *more =
        rc < 0 ? NULL
               : runfile_grow(r->event_list, &r->event_cap, r->event_count, sizeof(*r->event_list));
    if (rc == 0 && !more)
        rc = -ENOMEM;
    if (rc == 0) {
        r->event_list = more;
        rc = runfile_write_event(&e, &line);
    }
    if (rc == 0)
        rc = runfile_append(r->events, buf_span(&line));
    if (rc == 0)
        r->event_list[r->event_count++] = e;
    buf_deinit(&line);
    return rc;
}

/* ---- all of them ---- */

/* By time, then by the counter behind it. */
static int compare_newest(const void *a, const void *b)
{
    const char *x = a, *y = b;
    int c = strncmp(y, x, sizeof("run-YYYYMMDD-HHMMSS") - 1);
    if (c)
        return c;
    size_t n = strlen(x), m = strlen(y);
    return n != m ? (n < m) - (n > m) : strcmp(y, x);
}

int run_list(struct span state_dir, struct run_names *ret_names)
{
    struct run_names names = {0};
    char path[PATH_MAX], file[PATH_MAX];
    size_t cap = 0;
    struct dirent *e;
    int rc = 0;
    *ret_names = names;
    if (!runfile_dir(state_dir, SPAN_NULL, path))
        return -ENAMETOOLONG;
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? 0 : -errno;
    while (rc == 0 && (e = readdir(dir))) {
        int n = snprintf(file, sizeof(file), "%s/%s/run.json", path, e->d_name);
        if (!is_name(span_str(e->d_name)) || n < 0 || n >= PATH_MAX || access(file, F_OK) < 0)
            continue;
        void *more = runfile_grow(names.names, &cap, names.count, RUN_NAME_SIZE);
        if (more) {
            names.names = more;
            snprintf(names.names[names.count++], RUN_NAME_SIZE, "%.*s", RUN_NAME_SIZE - 1,
                     e->d_name);
        } else {
            rc = -ENOMEM;
        }
    }
    closedir(dir);
    if (rc < 0) {
        free(names.names);
        return rc;
    }
    if (names.count)
        qsort(names.names, names.count, RUN_NAME_SIZE, compare_newest);
    *ret_names = names;
    return 0;
}

void run_names_free(struct run_names *n)
{
    free(n->names);
    *n = (struct run_names){0};
}
