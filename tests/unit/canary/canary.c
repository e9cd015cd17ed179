/* Runs of the canary over real gates: what it misses when something is broken, and what it leaves.
 */
#include "bed.h"

#include "canary/canary.h"

static struct bed bed;
static struct canary *canary;
static uint64_t runs; /* told */
static bool passed, recovered;
static unsigned apps, probes, missed;
static char words[8192], misses[16384];

static void told(void *ctx, const struct canary_report *r)
{
    runs++;
    passed = r->passed;
    recovered = r->recovered;
    apps = r->apps;
    probes = r->probes;
    missed = r->missed;
    snprintf(words, sizeof(words), "%.*s", SPAN_ARG(r->words));
    snprintf(misses, sizeof(misses), "%.*s", SPAN_ARG(r->misses));
}

static int setup(void **state)
{
    bed_open(&bed, *state ? *state : "", false);
    runs = 0;
    struct canary_options o = {.loop = bed.loop, .snapshot = bed.snapshot, .told = told};
    return canary_new(&o, &canary);
}

static bool is_stopped(struct bed *b)
{
    return canary_stopped(canary);
}

static int teardown(void **state)
{
    canary_stop(canary);
    assert_true(bed_run(&bed, is_stopped, NULL, 5000));
    canary_free(canary);
    bed_close(&bed);
    return 0;
}

static uint64_t wanted;

static bool has_run(struct bed *b)
{
    return runs >= wanted;
}

static void wait_for_run(uint64_t n)
{
    wanted = n;
    if (!bed_run(&bed, has_run, NULL, 10000))
        fail_msg("run %llu did not end", (unsigned long long)n);
}

static void load(const char *yaml)
{
    struct snapshot *s = bed_load(&bed, yaml);
    canary_reload(canary, s);
    snapshot_unref(s);
}

static enum canary_state state_now(void)
{
    struct canary_status status;
    canary_get_status(canary, &status);
    return status.state;
}

static void it_passes_and_leaves_no_trace(void **state)
{
    assert_int_equal(state_now(), CANARY_PENDING);
    wait_for_run(1);
    if (!passed)
        fail_msg("%s", misses);
    assert_int_equal(state_now(), CANARY_PASSED);
    assert_int_equal(apps, 1);
    assert_true(probes > 4);
    assert_true(strchr(words, '/') != NULL); /* keywords of the library went through, too */
    assert_int_equal(bed.peer_count, 0);     /* the provider heard nothing */
    assert_int_equal(metrics_get(&bed.metrics, METRIC_REQUESTS), 0);
}

static void what_a_policy_lets_through_is_a_miss(void **state)
{
    static const struct {
        const char *yaml;
        bool passes;
        const char *says, *never;
    } cases[] = {
        {"policy: { actions: { '*': allow } }\n", false,
         "app default, model demo, prompt: the canary's phrase is not intercepted: it reached the "
         "model\n",
         NULL},
        {"policy: { actions: { A1: { completion: flag } } }\n", false,
         "completion (streamed): the canary's phrase", "prompt: the canary's"},
        {"policy: { actions: { A1: { prompt: allow } } }\n", false, "prompt: the canary's phrase",
         "completion"},
        {"policy: { actions: { A1: mask, A4: answer } }\n", true, "", NULL},
        {"policy: { refusal: error }\n", true, "", NULL},
        {"policy: { mode: observe, until: 2999-12-31 }\n", true, "", NULL},
        {"policy: { mode: shadow, until: 2999-12-31 }\n", true, "", NULL},
        {"policy: { observe: { A1: 2999-12-31 } }\n", true, "", NULL},
        /* Nothing is seen where nothing is done, whatever the mode. */
        {"policy: { mode: observe, until: 2999-12-31, actions: { '*': allow } }\n", false,
         "less was done than the policy says", NULL},
    };
    wait_for_run(1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        load(cases[i].yaml);
        wait_for_run(2 * i + 2);
        if (passed != cases[i].passes || !strstr(misses, cases[i].says) ||
            (cases[i].never && strstr(misses, cases[i].never)))
            fail_msg("%s%s", cases[i].yaml, misses);
        assert_int_equal(state_now(), cases[i].passes ? CANARY_PASSED : CANARY_MISSED);
        load("");
        wait_for_run(2 * i + 3);
        assert_true(passed);
        assert_int_equal(recovered, !cases[i].passes);
        assert_int_equal(state_now(), CANARY_PASSED);
    }
}

/* The rule says one word, and the matcher was built from another: as if the build were broken. */
static void a_keyword_that_does_not_hit_is_a_miss(void **state)
{
    wait_for_run(1);
    struct snapshot *s = bed_load(&bed, "");
    const struct ruleset *rules = snapshot_rules(s);
    for (size_t i = 0; i < ruleset_count(rules); i++) {
        struct rule *rule = (struct rule *)(uintptr_t)ruleset_rule(rules, (uint32_t)i);
        if (rule->kind == RULE_KEYWORD)
            rule->source = SPAN_LIT("早晨的露水");
    }
    canary_reload(canary, s);
    wait_for_run(2);
    assert_false(passed);
    assert_null(strstr(misses, "the canary's phrase")); /* that one is intercepted */
    assert_non_null(strstr(misses, "prompt: A"));
    snapshot_unref(s);
}

/* As a loader would leave it that forgot the rule. */
static void rules_without_its_phrase_are_a_miss(void **state)
{
    wait_for_run(1);
    struct snapshot *s = bed_load(&bed, "");
    uint32_t index;
    struct rule *rule = (struct rule *)(uintptr_t)ruleset_canary(snapshot_rules(s), &index);
    rule->source = SPAN_LIT("早晨的露水");
    canary_reload(canary, s);
    wait_for_run(2);
    assert_int_equal(missed, 3);
    snapshot_unref(s);
}

static void each_app_is_proven_by_itself(void **state)
{
    wait_for_run(1);
    load("apps:\n"
         "  - { name: sound, addresses: [192.0.2.1] }\n"
         "  - { name: lax, policy: { actions: { '*': allow } } }\n");
    wait_for_run(2);
    assert_int_equal(apps, 3);
    assert_int_equal(missed, 3);
    assert_non_null(strstr(misses, "app lax, "));
    assert_null(strstr(misses, "app sound, "));
    assert_null(strstr(misses, "app default, "));
}

/* The phrase is another one in each load, and the same is never a rule of the library's. */
static void the_phrase_is_drawn_anew(void **state)
{
    uint32_t a, b;
    struct snapshot *s = bed_load(&bed, "");
    const struct rule *one = ruleset_canary(snapshot_rules(bed.snapshot), &a);
    const struct rule *two = ruleset_canary(snapshot_rules(s), &b);
    assert_false(span_eq(one->source, two->source));
    assert_int_equal(one->source.len, 36);
    assert_span(ruleset_digest(snapshot_rules(bed.snapshot)), ruleset_digest(snapshot_rules(s)));
    assert_null(ruleset_find_risk(snapshot_rules(s), one->risk->id));
    snapshot_unref(s);
    wait_for_run(1);
}

static void a_missed_run_is_repeated_soon(void **state)
{
    wait_for_run(1);
    load("canary: { every: 1s }\npolicy: { actions: { '*': allow } }\n");
    wait_for_run(4); /* the next ones come by themselves */
    assert_false(passed);
}

/* Nobody else on this machine is served there. */
static void only_who_has_the_token_is_served(void **state)
{
    wait_for_run(1);
    struct gate_stand_in stand_in = {SPAN_LIT("http://127.0.0.1:9/v1"), SPAN_LIT("token")};
    struct metrics metrics = {0};
    struct gate_options o = {
        .loop = bed.loop, .metrics = &metrics, .snapshot = bed.snapshot, .stand_in = &stand_in};
    struct gate *own = bed.gate, *gate;
    assert_int_equal(gate_new(&o, &gate), 0);
    bed.gate = gate; /* clients of the bed connect there */
    static const char *const headers[] = {"", "X-Juyong-Canary: token", "X-Juyong-Canary: taken:0",
                                          "X-Juyong-Canary: token:1",
                                          "Authorization: Bearer token"};
    for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
        struct bed_client client;
        char request[512];
        snprintf(request, sizeof(request),
                 "POST /v1/chat/completions HTTP/1.1\r\nHost: gate\r\nContent-Type: "
                 "application/json\r\n%s%sContent-Length: 2\r\n\r\n{}",
                 headers[i], *headers[i] ? "\r\n" : "");
        bed_connect(&bed, &client);
        bed_send(&client, span_str(request));
        bed_answer(&bed, &client);
        assert_int_equal(bed_status(&client), 401);
        bed_leave(&client);
    }
    bed_wait(&bed, 50);
    bed.gate = own;
    gate_free(gate);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_passes_and_leaves_no_trace),         TEST(what_a_policy_lets_through_is_a_miss),
        TEST(a_keyword_that_does_not_hit_is_a_miss), TEST(rules_without_its_phrase_are_a_miss),
        TEST(each_app_is_proven_by_itself),          TEST(the_phrase_is_drawn_anew),
        TEST(a_missed_run_is_repeated_soon),         TEST(only_who_has_the_token_is_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
