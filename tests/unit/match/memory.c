/*
 * Memory that runs out at each allocation in turn, while patterns are made and while a text is
 * watched: said as -ENOMEM, and everything is freed. Linked with --wrap.
 */
#include "probe.h"

#include "match/set.h"
#include "match/watch.h"

#include <errno.h>

static unsigned countdown; /* the allocation that fails, counted from 1; 0: none */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

static bool fails(void)
{
    return countdown && --countdown == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return fails() ? NULL : __real_realloc(p, size);
}

/* Enough candidates and text that lists and ring grow; one pattern has no table. */
static int make_set(struct matchset **ret_set)
{
    static const struct match_pattern patterns[] = {
        {SPAN_LIT("[0-9]{4,40}x"), GATE_DIGITS, SPAN_NULL, 41, NULL},
        {SPAN_LIT("[0-9]{2,3}\\b"), GATE_DIGITS, SPAN_NULL, 3, NULL},
        {SPAN_LIT("[a-z.]{1,64}@[a-z]{2,200}"), GATE_AT, SPAN_NULL, 265, NULL},
        {SPAN_LIT("sk-[a-z]{4,9}"), GATE_LITERAL, SPAN_LIT("sk-"), 12, NULL},
    };
    struct matchset_builder *b = matchset_builder_new();
    int r = b ? 0 : -ENOMEM;
    const char *reason;
    for (uint32_t i = 0; i < sizeof(patterns) / sizeof(*patterns) && r == 0; i++)
        r = matchset_add_pattern(b, &patterns[i], i, DIRECTION_BOTH, &reason);
    if (r == 0)
        r = matchset_build(b, ret_set);
    matchset_builder_free(b);
    return r;
}

static int run(const struct matchset *set, struct probe *p)
{
    static const char *const parts[] = {"1-2-3-4-5-6-7-8-9-一-二",
                                        "0123456789",
                                        "，",
                                        "aaaa.bbbb.cccc.dddd.eeee@",
                                        "ffffffffffffffffffffffff",
                                        "ffffffffffffffffffffffffffffffffffffffffffffff",
                                        " sk-abcd "};
    struct watch *w = watch_new(&set->patterns, DIRECTION_PROMPT);
    if (!w)
        return -ENOMEM;
    int r = 0;
    uint64_t at = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && r == 0; i++) {
        for (struct span rest = span_str(parts[i]); rest.len && r == 0;) {
            struct fold_point point = {.start = at};
            int n = utf8_decode(rest, false, &point.cp);
            point.end = at += (uint64_t)n;
            rest = span_slice(rest, (size_t)n, rest.len);
            r = watch_point(w, &point, probe_hit, p);
        }
    }
    uint64_t clear = watch_clear(w);
    assert_true(clear == UINT64_MAX || clear <= at);
    if (r == 0)
        r = watch_end(w, probe_hit, p);
    watch_free(w);
    return r;
}

static void running_out_is_said(void **state)
{
    struct matchset *set = NULL;
    unsigned failures = 0;
    for (unsigned n = 1;; n++) {
        countdown = n;
        int r = make_set(&set);
        bool reached = countdown == 0;
        countdown = 0;
        if (!reached) {
            assert_int_equal(r, 0);
            break;
        }
        /* A table that can't be made smaller stays as it is. */
        assert_true(r == -ENOMEM || r == 0);
        if (r == 0)
            set = matchset_unref(set);
        failures++;
    }
    assert_true(failures > 10);
    struct probe want = {0};
    assert_int_equal(run(set, &want), 0);
    assert_true(want.count >= 3);
    failures = 0;
    for (unsigned n = 1;; n++) {
        struct probe p = {0};
        countdown = n;
        int r = run(set, &p);
        bool reached = countdown == 0;
        countdown = 0;
        if (!reached) {
            assert_int_equal(r, 0);
            probe_same(&p, &want, SPAN_LIT("the text"));
            break;
        }
        assert_int_equal(r, -ENOMEM);
        failures++;
    }
    assert_true(failures > 5);
    matchset_unref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_out_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
