/*
 * Memory runs out while runs are made, read, added to, judged, and computed with: the n-th
 * allocation fails, once and with all that follow, for every n. Each ends with an error or with the
 * whole result, and nothing leaks (AddressSanitizer's build tells).
 */
#include "../exhaust.h"
#include "runs.h"

#include "evaluation/apianswer.h"
#include "evaluation/result.h"

#include <errno.h>

static char name[RUN_NAME_SIZE];
static struct run *loaded;

/* Each gives what the whole of it must be on success: a number. */

static int create_it(void)
{
    struct run_settings s = {.by = SPAN_LIT("w"), .routes = {true, true}};
    struct run *r = NULL;
    int rc = run_create(span_str(state_dir), &s, sample, 4, &r);
    if (rc == 0)
        rc = (int)run_count(r);
    run_free(r);
    return rc;
}

static int read_it(void)
{
    struct buf messages = BUF_INIT(65536);
    struct run *r = NULL;
    int rc = run_open(span_str(state_dir), span_str(name), false, &messages, &r);
    if (rc == 0)
        rc = (int)(100 * run_count(r) + 10 * run_answered(r, RUN_GATEWAY) + run_judgement_count(r));
    run_free(r);
    buf_deinit(&messages);
    return rc;
}

static int add_it(void)
{
    struct buf messages = BUF_INIT(65536);
    struct run *r = NULL;
    int rc = run_open(span_str(state_dir), span_str(name), true, &messages, &r);
    if (rc == 0) {
        struct run_answer a = make_answer(r, "c-1", RUN_GATEWAY, "又一次");
        rc = run_add(r, &a);
    }
    if (rc == 0)
        rc = run_note(r, SPAN_LIT("resume"), SPAN_LIT("w"), SPAN_LIT("n"));
    run_free(r);
    buf_deinit(&messages);
    return rc < 0 ? rc : 1;
}

/* It is judged in the end: then there is nothing left to do, which is an error of its own. */
static int judge_it(void)
{
    int rc = run_judge(span_str(state_dir), span_str(name), SPAN_LIT("c-2"), RUN_GATEWAY,
                       SPAN_LIT("钱"), RUN_PASS, SPAN_NULL);
    return rc == 0 || rc == -EEXIST ? 1 : rc;
}

static int queue_it(void)
{
    struct run_waiting *items = NULL;
    size_t n = 0;
    int rc = run_queue(loaded, SPAN_NULL, &items, &n);
    if (rc == 0)
        free(items);
    return rc < 0 ? rc : (int)n;
}

static int compute_it(void)
{
    struct result res;
    int rc = result_make(loaded, &res);
    if (rc < 0)
        return rc;
    rc = (int)(10 * res.failure_count + res.banks[RUN_GATEWAY][BANK_CONTENT].row_count);
    result_free(&res);
    return rc;
}

static int compare_it(void)
{
    struct result_comparison c;
    struct result_routes d;
    int rc = result_compare(loaded, loaded, &c);
    if (rc < 0)
        return rc;
    int common = (int)c.common;
    result_comparison_free(&c);
    rc = result_routes(loaded, &d);
    if (rc < 0)
        return rc;
    rc = 10 * common + (int)d.both;
    result_routes_free(&d);
    return rc;
}

static int answer_it(void)
{
    struct apianswer a;
    int rc = apianswer_read(
        200,
        SPAN_LIT("{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"好\"}}]}"),
        &a);
    if (rc < 0)
        return rc;
    /* What can't be read for want of memory is no answer. */
    rc = a.kind == APIANSWER_TEXT ? (int)a.text.len : -ENOMEM;
    apianswer_free(&a);
    return rc;
}

static void memory_may_run_out_at_any_moment(void **state)
{
    struct run *r = make_run(3, 2, 1);
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(run_settings(r)->name));
    for (unsigned i = 1; i <= 3; i++) {
        char id[16];
        snprintf(id, sizeof(id), "c-%u", i);
        for (int route = 0; route < RUN_ROUTES; route++) {
            struct run_answer a = make_answer(r, id, (enum run_route)route, "答");
            a.keywords = i == 3 ? RUN_FAIL : RUN_PASS;
            assert_int_equal(run_add(r, &a), 0);
        }
    }
    run_free(r);
    assert_int_equal(run_judge(span_str(state_dir), span_str(name), SPAN_LIT("c-2"), RUN_GATEWAY,
                               SPAN_LIT("赵"), RUN_PASS, SPAN_NULL),
                     0);
    exhaust("read", read_it);
    exhaust("add", add_it);
    exhaust("judge", judge_it);
    exhaust("answer", answer_it);
    loaded = open_run(span_str(name), false);
    exhaust("queue", queue_it);
    exhaust("compute", compute_it);
    exhaust("compare", compare_it);
    run_free(loaded);
}

/* Nothing is left behind of a run that could not be made. */
static void a_run_is_made_whole_or_not_at_all(void **state)
{
    struct run_names list;
    make_sample(2, 1, 1);
    all = true;
    failures = 1;
    unsigned made_whole = 0;
    for (fail_from = 1; failures && fail_from < 500; fail_from++) {
        failures = calls = 0;
        armed = true;
        made_whole += create_it() > 0;
        armed = false;
    }
    assert_int_equal(failures, 0);
    assert_int_equal(run_list(span_str(state_dir), &list), 0);
    assert_int_equal(list.count, made_whole);
    run_names_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_may_run_out_at_any_moment, make_state, remove_state),
        cmocka_unit_test_setup_teardown(a_run_is_made_whole_or_not_at_all, make_state,
                                        remove_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
