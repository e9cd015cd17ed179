/* What rules do about texts: one with its reasons, a change that nobody made, what may be
 * published. */
#include "../unit.h"

#include "trial/fitness.h"
#include "trial/judgement.h"
#include "trial/trial.h"
#include "trial/tried.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/juyong-trial-XXXXXX";
static struct config *config;
static struct ruleset *rules;

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static struct ruleset *load(void)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *set = NULL;
    if (ruleset_load(SPAN_LIT("r"), &report, &set) < 0)
        fail_msg("%.*s", SPAN_ARG(buf_span(&report.text)));
    buf_deinit(&report.text);
    return set;
}

static int set_up(void **state)
{
    static const char *const folders[] = {"r",       "r/keywords", "r/near",     "r/patterns",
                                          "r/allow", "r/answers",  "r/variants", "r/benign"};
    struct buf messages = BUF_INIT(65536);
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
        mkdir(folders[i], 0700);
    write_text("r/risks.yaml", "groups: [{id: A1, zh: 一, en: one}]\n"
                               "risks: [{id: A1-a, group: A1, zh: 甲, en: a}]\n");
    write_text("r/keywords/A1-a.txt", "坏词语\n疑词语\taction=flag\n");
    write_text("r/allow/a.txt", "坏词语典\n");
    write_text("r/benign/a.txt", "周末去看桔梗花\n");
    write_text("c.yaml", "listen: 127.0.0.1:1\nstate_dir: s\nrules_dir: r\nauth: passthrough\n"
                         "upstreams:\n  - name: u\n    base_url: http://127.0.0.1:2/v1\n"
                         "    models: [{id: m, display_name: M, filing_number: F-1}]\n");
    int r = config_load(SPAN_LIT("c.yaml"), &messages, &config);
    if (r < 0)
        print_error("%.*s\n", SPAN_ARG(buf_span(&messages)));
    buf_deinit(&messages);
    rules = load();
    return r;
}

static int tear_down(void **state)
{
    ruleset_unref(rules);
    config_unref(config);
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

/* ---- one text ---- */

struct told {
    unsigned hits, saved;
    int result;
};

static int on_finding(void *ctx, const struct finding *f)
{
    struct told *t = ctx;
    t->hits += !f->saved;
    t->saved += f->saved != NULL;
    return t->result;
}

static void test_judgement(void **state)
{
    struct policy *policy = NULL;
    enum action action;
    struct told t = {0};
    struct span text = SPAN_LIT("疑词语、坏词语、坏词语典");
    assert_int_equal(policy_new(&config->apps[0], rules, &policy), 0);
    struct judgement j = {.rules = rules,
                          .app = &config->apps[0],
                          .policy = policy,
                          .direction = DIRECTION_PROMPT,
                          .saved = true};
    assert_int_equal(judgement_make(&j, text, on_finding, &t, &action), 0);
    assert_int_equal(t.hits, 2);
    assert_int_equal(t.saved, 1);
    assert_int_equal(action, ACTION_BLOCK);
    /* Who can't go on telling is not told more, and what he gave is given. */
    t = (struct told){.result = -ENOMEM};
    assert_int_equal(judgement_make(&j, text, on_finding, &t, &action), -ENOMEM);
    assert_int_equal(t.hits + t.saved, 1);
    t = (struct told){0};
    j.saved = false;
    assert_int_equal(judgement_make(&j, SPAN_LIT("坏词语典"), on_finding, &t, &action), 0);
    assert_int_equal(t.hits + t.saved, 0);
    assert_int_equal(action, ACTION_ALLOW);
    policy_free(policy);
}

/* ---- a change that nobody made ---- */

static struct ruleset *try(enum tried_kind kind, const char *word)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct buf file = BUF_INIT(4096);
    struct ruleset *set = NULL;
    assert_int_equal(tried_begin(kind, SPAN_LIT("A1-a"), &file), 0);
    assert_int_equal(tried_add(span_str(word), &file), 0);
    assert_int_equal(tried_load(SPAN_LIT("r"), kind, buf_span(&file), &report, &set), 0);
    buf_deinit(&file);
    buf_deinit(&report.text);
    return set;
}

static void on_change(void *ctx, const struct trial_change *c)
{
    struct trial_effect *e = ctx;
    e[0] = c->before;
    e[1] = c->after;
}

static void test_change(void **state)
{
    struct trial_effect effect[2] = {{0}};
    struct trial_change text = {.direction = DIRECTION_PROMPT, .text = SPAN_LIT("一部坏词语传")};
    struct trial *t = NULL;
    struct ruleset *after = try(TRIED_PHRASES, "坏词语传");
    assert_int_equal(trial_new(config, &config->apps[0], rules, after, on_change, effect, &t), 0);
    assert_int_equal(trial_text(t, &text), 0);
    struct trial_counts n = trial_take_counts(t);
    assert_int_equal(n.lighter, 1);
    assert_int_equal(effect[0].action, ACTION_BLOCK);
    assert_int_equal(effect[1].action, ACTION_ALLOW);
    /* Without a log there is nothing to look at, and all of it was seen. */
    struct trial_window w = {.which = TRIAL_CAUGHT};
    struct trial_log log;
    assert_int_equal(trial_look_for(t, SPAN_LIT("坏词语传")), 0);
    assert_int_equal(trial_logged(t, &w, &log), 0);
    assert_true(log.complete);
    assert_int_equal(log.requests, 0);
    trial_free(t);
    ruleset_unref(after);
    after = try(TRIED_WORDS, "新词语");
    size_t tried = 0;
    for (uint32_t i = 0; i < ruleset_count(after); i++)
        tried += tried_is_rule(ruleset_rule(after, i));
    assert_int_equal(tried, 1);
    ruleset_unref(after);
    assert_int_not_equal(access("r/" TRIED_WORDS_FILE, F_OK), 0);
}

static void test_tried_words(void **state)
{
    static const char *const bad[] = {"", " ", "#x", "a\tb", "a\nb", "\xff"};
    struct buf file = BUF_INIT(4096);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(tried_add(span_str(bad[i]), &file), -EINVAL);
    assert_int_equal(file.len, 0);
    buf_deinit(&file);
}

/* ---- what may be published ---- */

static int check(struct fitness f, const struct ruleset *set, const char *want)
{
    struct buf messages = BUF_INIT(65536);
    f.config = config;
    int errors = fitness_check(&f, set, &messages);
    if (span_find(buf_span(&messages), span_str(want)) == messages.len && want[0])
        fail_msg("%.*s", SPAN_ARG(buf_span(&messages)));
    buf_deinit(&messages);
    return errors;
}

static void test_fitness(void **state)
{
    assert_int_equal(check((struct fitness){0}, rules, ""), 0);
    write_text("r/keywords/b.txt", "桔梗花\trisk=A1-a\n");
    struct ruleset *set = load();
    assert_true(check((struct fitness){0}, set, "桔梗花") > 0);
    assert_int_equal(check((struct fitness){.force = true}, set, "桔梗花"), 0);
    assert_int_equal(check((struct fitness){.untested = true}, set, ""), 0);
    /* One word that can't wait is tested by itself. */
    assert_true(check((struct fitness){.alone = SPAN_LIT("桔梗花")}, set, "ordinary texts") > 0);
    assert_int_equal(
        check((struct fitness){.alone = SPAN_LIT("桔梗花"), .force = true}, set, "warning: "), 0);
    assert_int_equal(check((struct fitness){.alone = SPAN_LIT("坏词语")}, set, ""), 0);
    ruleset_unref(set);
    unlink("r/keywords/b.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judgement),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_tried_words),
        cmocka_unit_test(test_fitness),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
