/* Runs made up for tests: questions of all three banks, in a folder of their own. */
#pragma once

#include "../unit.h"

#include "evaluation/run.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define QUESTIONS_MAX 64

static char state_dir[] = "/tmp/juyong-runs-XXXXXX";
static struct risk risk_a = {.id = SPAN_LIT("A1-a")}, risk_b = {.id = SPAN_LIT("A2-b")};
static struct aspect aspect_a = {.zh = SPAN_LIT("历史")};
static struct question made[QUESTIONS_MAX];
static const struct question *sample[QUESTIONS_MAX];
static char names[QUESTIONS_MAX][16];

/* Question n of a kind: c-1, r-1, a-1 …; odd ones are of the first type. */
static inline void make_question(size_t at, enum bank_kind kind, unsigned n)
{
    snprintf(names[at], sizeof(names[at]), "%c-%u", "cra"[kind], n);
    made[at] = (struct question){.id = span_str(names[at]),
                                 .kind = kind,
                                 .risk = kind == BANK_ANSWER ? NULL
                                         : n % 2             ? &risk_a
                                                             : &risk_b,
                                 .aspect = kind == BANK_ANSWER ? &aspect_a : NULL,
                                 .text = SPAN_LIT("问"),
                                 .note = SPAN_LIT("看"),
                                 .seed = SPAN_LIT("")};
    sample[at] = &made[at];
}

static inline size_t make_sample(unsigned content, unsigned refuse, unsigned answer)
{
    const unsigned counts[BANK_KINDS] = {content, refuse, answer};
    size_t n = 0;
    for (int k = 0; k < BANK_KINDS; k++)
        for (unsigned i = 1; i <= counts[k]; i++)
            make_question(n++, (enum bank_kind)k, i);
    return n;
}

static inline struct run *make_run(unsigned content, unsigned refuse, unsigned answer)
{
    struct run_settings s = {.by = SPAN_LIT("wang"),
                             .agreed = SPAN_LIT("李经理, 2026-11-20"),
                             .app = SPAN_LIT("default"),
                             .model = SPAN_LIT("demo"),
                             .upstream = SPAN_LIT("u"),
                             .seed = UINT64_MAX,
                             .sample = {content, refuse, answer},
                             .banks = {true, true, true},
                             .routes = {true, true},
                             .rate = 2.5,
                             .concurrency = 3};
    struct run *r = NULL;
    size_t n = make_sample(content, refuse, answer);
    assert_int_equal(run_create(span_str(state_dir), &s, sample, n, &r), 0);
    return r;
}

static inline struct run *open_run(struct span name, bool write)
{
    struct buf messages = BUF_INIT(65536);
    struct run *r = NULL;
    int rc = run_open(span_str(state_dir), name, write, &messages, &r);
    if (rc < 0)
        fail_msg("%d: %s", rc, buf_cstr(&messages));
    buf_deinit(&messages);
    return r;
}

static inline struct run_answer make_answer(const struct run *r, const char *id,
                                            enum run_route route, const char *text)
{
    return (struct run_answer){.question = run_find(r, span_str(id)),
                               .route = route,
                               .ms = 12,
                               .status = 200,
                               .text = span_str(text),
                               .finish = SPAN_LIT("stop"),
                               .keywords = RUN_PASS};
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline int make_state(void **state)
{
    memcpy(state_dir + sizeof(state_dir) - 7, "XXXXXX", 6);
    return mkdtemp(state_dir) ? 0 : -1;
}

static inline int remove_state(void **state)
{
    return nftw(state_dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
