/* What people judge of a run: two for each answer, a third where they differ. */
#include "evaluation/runfile.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "config/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX_BYTES 256
#define NOTE_MAX_BYTES 2000

size_t run_judgement_count(const struct run *r)
{
    return r->judgement_count;
}

const struct run_judgement *run_judgement(const struct run *r, size_t index)
{
    return &r->judgements[index];
}

/* What is known of an answer while the judgements are gone through in their order. */
struct tally {
    unsigned count;
    enum run_verdict first, verdict;
    bool differ, mine;
};

static void count_one(struct tally *t, const struct run_judgement *j)
{
    t->count++;
    if (t->count == 1)
        t->first = j->verdict;
    else if (t->count == 2 && j->verdict == t->first)
        t->verdict = j->verdict;
    else if (t->count == 2)
        t->differ = true;
    else if (t->verdict == RUN_NONE)
        t->verdict = j->verdict;
}

struct run_people run_people(const struct run *r, size_t question, enum run_route route)
{
    struct tally t = {0};
    for (size_t i = 0; i < r->judgement_count; i++)
        if (r->judgements[i].question == question && r->judgements[i].route == route)
            count_one(&t, &r->judgements[i]);
    return (struct run_people){.verdict = t.verdict, .count = t.count, .differ = t.differ};
}

/* ---- judging ---- */

static bool is_line(struct span text, size_t max)
{
    return text.len <= max && value_is_printable(text) && utf8_check(text) == text.len;
}

/* May that person judge it? Names differ in more than the case of their letters. */
static int check(const struct run *r, size_t question, enum run_route route, struct span by)
{
    struct run_people people = run_people(r, question, route);
    for (size_t i = 0; i < r->judgement_count; i++) {
        const struct run_judgement *j = &r->judgements[i];
        if (j->question == question && j->route == route && span_eq_nocase(j->by, by))
            return -EEXIST;
    }
    return people.verdict != RUN_NONE ? -EALREADY : 0;
}

static int append(struct run *r, const struct run_judgement *j)
{
    off_t whole = 0;
    struct buf messages = BUF_INIT(4096), line = BUF_INIT(65536);
    int rc = runfile_read_judgements(r, &messages, &whole);
    if (rc == 0)
        rc = check(r, j->question, j->route, j->by);
    int fd = rc == 0 ? runfile_append_to(r->dir, "judgements.jsonl", whole) : -1;
    if (rc == 0 && fd < 0)
        rc = fd;
    if (rc == 0)
        rc = runfile_write_judgement(r->questions[j->question].id, j, &line);
    if (rc == 0)
        rc = runfile_append(fd, buf_span(&line));
    if (fd >= 0)
        close(fd);
    buf_deinit(&messages);
    buf_deinit(&line);
    return rc;
}

int run_judge(struct span state_dir, struct span name, struct span question, enum run_route route,
              struct span by, enum run_verdict verdict, struct span note)
{
    struct run *r = NULL;
    struct buf messages = BUF_INIT(65536);
    by = span_trim(by);
    note = span_trim(note);
    if (verdict == RUN_NONE || route >= RUN_ROUTES || by.len == 0 || !is_line(by, NAME_MAX_BYTES) ||
        !is_line(note, NOTE_MAX_BYTES))
        return -EINVAL;
    int rc = run_open(state_dir, name, false, &messages, &r);
    buf_deinit(&messages);
    if (rc < 0)
        return rc;
    struct run_judgement j = {.question = run_find(r, question),
                              .route = route,
                              .by = by,
                              .verdict = verdict,
                              .note = note};
    const struct run_answer *a = j.question < r->count ? run_answer(r, j.question, route) : NULL;
    int lock = a && a->error.len == 0 ? runfile_lock(r->dir, "judgements.lock", true) : -ENOENT;
    rc = lock < 0 ? lock : 0;
    if (rc == 0) {
        r->judgement_count = 0; /* others may have judged since */
        j.time = clock_wall_us();
        rc = append(r, &j);
    }
    if (lock >= 0)
        close(lock);
    run_free(r);
    return rc;
}

/* ---- what waits ---- */

enum { THIRD, SECOND, FAILED, DISAGREE, REST };

struct ranked {
    struct run_waiting item;
    unsigned rank;
};

static unsigned rank_of(const struct tally *t, const struct run_answer *a)
{
    if (t->differ)
        return THIRD;
    if (t->count)
        return SECOND;
    if (a->keywords != RUN_NONE && a->opinion != RUN_NONE && a->keywords != a->opinion)
        return DISAGREE;
    return a->keywords == RUN_FAIL || a->opinion == RUN_FAIL ? FAILED : REST;
}

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->item.question != y->item.question)
        return x->item.question < y->item.question ? -1 : 1;
    return (int)x->item.route - (int)y->item.route;
}

static void tally_all(const struct run *r, struct span by, struct tally *tallies)
{
    for (size_t i = 0; i < r->judgement_count; i++) {
        const struct run_judgement *j = &r->judgements[i];
        struct tally *t = &tallies[j->question * RUN_ROUTES + j->route];
        count_one(t, j);
        t->mine |= by.len && span_eq_nocase(j->by, by);
    }
}

int run_queue(const struct run *r, struct span by, struct run_waiting **ret_items,
              size_t *ret_count)
{
    size_t all = r->count * RUN_ROUTES, n = 0;
    struct tally *tallies = calloc(all ? all : 1, sizeof(*tallies));
    struct ranked *ranked = calloc(all ? all : 1, sizeof(*ranked));
    struct run_waiting *items = calloc(all ? all : 1, sizeof(*items));
    if (!tallies || !ranked || !items) {
        free(tallies);
        free(ranked);
        free(items);
        return -ENOMEM;
    }
    tally_all(r, span_trim(by), tallies);
    for (size_t i = 0; i < all; i++) {
        struct run_waiting item = {i / RUN_ROUTES, (enum run_route)(i % RUN_ROUTES)};
        const struct run_answer *a = run_answer(r, item.question, item.route);
        if (a && a->error.len == 0 && tallies[i].verdict == RUN_NONE && !tallies[i].mine)
            ranked[n++] = (struct ranked){item, rank_of(&tallies[i], a)};
    }
    if (n)
        qsort(ranked, n, sizeof(*ranked), compare_ranked);
    for (size_t i = 0; i < n; i++)
        items[i] = ranked[i].item;
    free(tallies);
    free(ranked);
    *ret_items = items;
    *ret_count = n;
    return 0;
}
