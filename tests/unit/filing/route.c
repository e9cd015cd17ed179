/* Which filing: no combination of answers without a route, the named cases, answers from files. */
#include "../unit.h"

#include "filing/routetable.h"

#include <errno.h>
#include <stdio.h>

static size_t choices(enum route_key k)
{
    size_t n = 0;
    while (n < ROUTE_CHOICES && route_question(k)->choices[n].name)
        n++;
    return n;
}

static void set(struct route_answers *a, const char *key, const char *value)
{
    assert_int_equal(route_set(a, span_str(key), span_str(value)), 0);
}

/* A pure caller of a filed model, all as it should be. */
static struct route_answers caller(void)
{
    static const char *const given[][2] = {
        {"public", "yes"},   {"model", "called"},  {"model_filed", "yes"}, {"model_number", "B-1"},
        {"opinion", "yes"},  {"synthesis", "yes"}, {"added", "none"},      {"minors", "among"},
        {"companion", "no"}, {"field", "none"},    {"online", "no"},       {"ready", "both"},
    };
    struct route_answers a;
    route_begin(&a);
    for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++)
        set(&a, given[i][0], given[i][1]);
    return a;
}

static struct route_answers owner(void)
{
    struct route_answers a = caller();
    set(&a, "model", "own");
    set(&a, "small", "no");
    return a;
}

static bool says(const struct route_advice *d, enum route_part part, const char *zh)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->lines[i]->part == part && strstr(d->lines[i]->zh, zh))
            return true;
    return false;
}

static void the_bits_of_the_table_are_the_choices(void **state)
{
    static const struct {
        enum route_key key;
        unsigned bit;
        const char *name;
    } all[] = {
        {ROUTE_PUBLIC, PUBLIC_NO, "no"},
        {ROUTE_MODEL, MODEL_OWN, "own"},
        {ROUTE_MODEL, MODEL_TUNED, "tuned"},
        {ROUTE_MODEL, MODEL_CALLED, "called"},
        {ROUTE_FILED, FILED_YES, "yes"},
        {ROUTE_FILED, FILED_NO, "no"},
        {ROUTE_OPINION, OPINION_YES, "yes"},
        {ROUTE_SYNTHESIS, SYNTHESIS_YES, "yes"},
        {ROUTE_SMALL, SMALL_NO, "no"},
        {ROUTE_ADDED, ADDED_NONE, "none"},
        {ROUTE_ADDED, ADDED_PROMPTS, "prompts"},
        {ROUTE_ADDED, ADDED_RAG, "rag"},
        {ROUTE_MINORS, MINORS_FOR, "for"},
        {ROUTE_MINORS, MINORS_AMONG, "among"},
        {ROUTE_MINORS, MINORS_EXCLUDED, "excluded"},
        {ROUTE_COMPANION, COMPANION_YES, "yes"},
        {ROUTE_FIELD, FIELD_MEDICAL, "medical"},
        {ROUTE_FIELD, FIELD_FINANCE, "finance"},
        {ROUTE_FIELD, FIELD_PSYCHOLOGY, "psychology"},
        {ROUTE_FIELD, FIELD_NEWS, "news"},
        {ROUTE_FIELD, FIELD_CRITICAL, "critical"},
        {ROUTE_FIELD, FIELD_OTHER, "other"},
        {ROUTE_ONLINE, ONLINE_YES, "yes"},
        {ROUTE_READY, READY_BOTH, "both"},
        {ROUTE_READY, READY_ONE, "one"},
        {ROUTE_READY, READY_NONE, "none"},
        {ROUTE_PUBLIC, PUBLIC_UNSURE, "unsure"},
        {ROUTE_MODEL, MODEL_UNSURE, "unsure"},
        {ROUTE_FILED, FILED_UNSURE, "unsure"},
        {ROUTE_OPINION, OPINION_UNSURE, "unsure"},
        {ROUTE_SYNTHESIS, SYNTHESIS_UNSURE, "unsure"},
        {ROUTE_SMALL, SMALL_UNSURE, "unsure"},
        {ROUTE_ADDED, ADDED_UNSURE, "unsure"},
        {ROUTE_MINORS, MINORS_UNSURE, "unsure"},
        {ROUTE_COMPANION, COMPANION_UNSURE, "unsure"},
        {ROUTE_FIELD, FIELD_UNSURE, "unsure"},
        {ROUTE_ONLINE, ONLINE_UNSURE, "unsure"},
        {ROUTE_READY, READY_UNSURE, "unsure"},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        unsigned n = 0;
        while (1u << n != all[i].bit)
            n++;
        assert_string_equal(route_question(all[i].key)->choices[n].name, all[i].name);
    }
    for (enum route_key k = 0; k < ROUTE_KEYS; k++)
        assert_string_equal(route_question(k)->choices[choices(k) - 1].name, "unsure");
}

/* What must hold of any advice. */
static void check(const struct route_answers *a)
{
    struct route_advice d;
    route_decide(a, &d);
    unsigned kinds = ROUTE_FILING | ROUTE_REGISTRATION | ROUTE_ALGORITHM;
    if (!d.due || (d.due & d.possible) || d.count == ROUTE_LINES)
        fail_msg("due %u possible %u lines %zu", d.due, d.possible, d.count);
    bool reason = false, last = false;
    for (size_t i = 0; i < d.count; i++) {
        reason = reason || d.lines[i]->part == ROUTE_REASON;
        last = i && d.lines[i]->part < d.lines[i - 1]->part;
        if (last)
            fail_msg("lines are out of order at %s", d.lines[i]->zh);
    }
    if (!reason)
        fail_msg("no reason for due %u possible %u", d.due, d.possible);
    /* Outside the measures, or something to be filed, or somebody to be asked: never two ways. */
    if (d.due & ROUTE_NONE)
        assert_int_equal(d.due | d.possible, ROUTE_NONE);
    else
        assert_true((d.due & ROUTE_ASK) || (d.due & kinds));
    /* What is not settled is asked about. */
    if (d.possible)
        assert_true(d.due & ROUTE_ASK);
}

static void every_combination_has_a_route(void **state)
{
    struct route_answers a;
    route_begin(&a);
    size_t n = 0;
    for (;;) {
        check(&a);
        n++;
        enum route_key k = 0; /* the next one, as an odometer, unanswered among the digits */
        while (k <= ROUTE_ADDED && (size_t)(a.chosen[k] + 1) == choices(k))
            a.chosen[k++] = ROUTE_UNANSWERED;
        if (k > ROUTE_ADDED)
            break;
        a.chosen[k]++;
    }
    assert_int_equal(n, 4 * 5 * 4 * 4 * 4 * 4 * 5);
}

/* The rest changes what else is said, never the route. */
static void duties_change_no_route(void **state)
{
    struct route_answers a = caller();
    struct route_advice before, after;
    route_decide(&a, &before);
    for (enum route_key k = ROUTE_MINORS; k < ROUTE_KEYS; k++)
        for (size_t i = 0; i < choices(k); i++) {
            struct route_answers b = a;
            b.chosen[k] = (signed char)i;
            check(&b);
            route_decide(&b, &after);
            assert_int_equal(after.due, before.due);
            assert_int_equal(after.possible, before.possible);
        }
}

/* "", the key and value that differ from the base, and what must come out. */
struct expected {
    bool own; /* from owner(), else caller() */
    const char *key, *value, *key2, *value2;
    unsigned due, possible;
};
#define ASK ROUTE_ASK
#define FIL ROUTE_FILING
#define REG ROUTE_REGISTRATION
#define ALG ROUTE_ALGORITHM
static const struct expected cases[] = {
    {false, NULL, NULL, NULL, NULL, REG | ALG, 0},
    {true, NULL, NULL, NULL, NULL, FIL | ALG, 0},
    {true, "model", "tuned", NULL, NULL, FIL | ALG, 0},
    {false, "public", "no", NULL, NULL, ROUTE_NONE, 0},
    {true, "public", "no", NULL, NULL, ROUTE_NONE, 0},
    {false, "public", "unsure", NULL, NULL, ASK, REG | ALG | ROUTE_NONE},
    {false, "model_filed", "no", NULL, NULL, ASK | ALG, FIL},
    {false, "model_filed", "unsure", NULL, NULL, ASK | ALG, FIL | REG},
    {false, "model", "unsure", NULL, NULL, ASK | ALG, FIL | REG},
    {false, "added", "rag", NULL, NULL, REG | ALG | ASK, FIL},
    {false, "added", "prompts", NULL, NULL, REG | ALG | ASK, FIL},
    {false, "added", "unsure", NULL, NULL, ASK | ALG, FIL | REG},
    {false, "opinion", "no", NULL, NULL, ASK, REG | ALG},
    {false, "opinion", "unsure", NULL, NULL, ASK, REG | ALG},
    {false, "opinion", "no", "added", "rag", ASK, REG | FIL | ALG},
    {false, "synthesis", "no", NULL, NULL, REG | ASK, ALG},
    {true, "small", "yes", NULL, NULL, ASK | ALG, FIL},
    {true, "small", "unsure", NULL, NULL, ASK | ALG, FIL},
    {true, "opinion", "no", NULL, NULL, ASK, FIL | ALG},
    {true, "synthesis", "unsure", NULL, NULL, FIL | ASK, ALG},
    /* A question that is not asked counts for nothing: a filed model's size. */
    {false, "small", "yes", NULL, NULL, REG | ALG, 0},
};

static void named_cases(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct expected *e = &cases[i];
        struct route_answers a = e->own ? owner() : caller();
        struct route_advice d;
        if (e->key)
            set(&a, e->key, e->value);
        if (e->key2)
            set(&a, e->key2, e->value2);
        route_decide(&a, &d);
        if (d.due != e->due || d.possible != e->possible)
            fail_msg("case %zu: due %u possible %u, not %u %u", i, d.due, d.possible, e->due,
                     e->possible);
    }
}

static void what_is_said_fits_the_answers(void **state)
{
    struct route_answers a = caller(), o = owner();
    struct route_advice d;
    route_decide(&a, &d);
    assert_true(says(&d, ROUTE_DOCUMENT, "不涉及"));
    assert_true(says(&d, ROUTE_DOCUMENT, "调用已备案模型情况说明"));
    assert_true(says(&d, ROUTE_DEADLINE, "十个工作日内"));
    assert_true(says(&d, ROUTE_STEP, "没有中央复审"));
    assert_false(says(&d, ROUTE_STEP, "6 中央网信办复审"));
    assert_false(says(&d, ROUTE_STEP, "先就上列事项"));
    assert_false(says(&d, ROUTE_GAP, ""));
    set(&a, "model_number", "");
    set(&a, "online", "yes");
    set(&a, "ready", "one");
    set(&a, "companion", "yes");
    set(&a, "field", "news");
    route_decide(&a, &d);
    assert_true(says(&d, ROUTE_GAP, "备案号"));
    assert_true(says(&d, ROUTE_GAP, "上线日期"));
    assert_true(says(&d, ROUTE_GAP, "不附加审核策略"));
    assert_true(says(&d, ROUTE_DUTY, "拟人化互动："));
    assert_true(says(&d, ROUTE_DUTY, "新闻"));
    assert_true(says(&d, ROUTE_PROVINCE, "能否继续提供"));
    route_decide(&o, &d);
    assert_true(says(&d, ROUTE_STEP, "6 中央网信办复审"));
    assert_true(says(&d, ROUTE_DOCUMENT, "语料来源"));
    assert_false(says(&d, ROUTE_DOCUMENT, "不涉及"));
    set(&o, "public", "no");
    route_decide(&o, &d);
    assert_false(says(&d, ROUTE_DOCUMENT, ""));
    assert_true(says(&d, ROUTE_REASON, "不适用"));
}

static void general_knowledge_is_marked(void **state)
{
    for (size_t i = 0; i < route_line_count; i++) {
        const struct route_line *l = &route_lines[i];
        assert_true(*l->zh && *l->en && *l->source);
        /* Only laws and rules are taken for law. */
        if (l->mark == ROUTE_LAW)
            assert_true(strstr(l->source, "《") != NULL);
    }
    struct route_answers a = caller();
    struct route_advice d;
    struct buf out = BUF_INIT(1u << 20);
    route_decide(&a, &d);
    assert_int_equal(route_text(&a, &d, &out), 0);
    assert_non_null(strstr(buf_cstr(&out), "〔各地口径；待核实〕"));
    assert_non_null(strstr(buf_cstr(&out), "《生成式人工智能服务管理暂行办法》第十五条〕"));
    buf_deinit(&out);
}

/* The articles that somebody read in their text; all others are to be marked. */
static const char *const known[][2] = {
    {"《生成式人工智能服务管理暂行办法》", "第二条 第四条 第九条 第十条 第十一条 第十二条 第十四条 "
                                           "第十五条 第十七条 第十九条 第二十二条 第三款 "},
    {"《互联网信息服务算法推荐管理规定》", "第二十四条 第二十六条 第二十七条 "},
    {"《互联网信息服务深度合成管理规定》", "第十七条 第十九条 "},
};

static const char *known_of(const char *at, size_t len)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (len == strlen(known[i][0]) && memcmp(at, known[i][0], len) == 0)
            return known[i][1];
    return "";
}

static void check_source(const char *source)
{
    static const char marked[] = "（条号待核实）";
    const char *articles = "";
    for (const char *p = source; *p; p++) {
        const char *end = NULL;
        if (strncmp(p, "《", 3) == 0 && (end = strstr(p, "》")))
            articles = known_of(p, (size_t)(end - p) + 3);
        if (strncmp(p, "第", 3) != 0)
            continue;
        const char *article = strstr(p, "条"), *part = strstr(p, "款");
        end = article && (!part || article < part) ? article : part;
        char number[64];
        assert_non_null(end);
        snprintf(number, sizeof(number), "%.*s", (int)(end - p) + 3, p);
        if (!strstr(articles, number) && strncmp(end + 3, marked, strlen(marked)) != 0)
            fail_msg("%s: %s", source, number);
    }
}

static void articles_are_known_or_marked(void **state)
{
    for (size_t i = 0; i < route_line_count; i++)
        if (route_lines[i].mark != ROUTE_VERIFY)
            check_source(route_lines[i].source);
    for (enum route_key k = 0; k < ROUTE_KEYS; k++)
        if (route_question(k)->mark != ROUTE_VERIFY)
            check_source(route_question(k)->source);
    /* What no article says is not told as law. */
    for (size_t i = 0; i < route_line_count; i++)
        if (strstr(route_lines[i].zh, "叠加"))
            assert_int_equal(route_lines[i].mark, ROUTE_SECONDARY);
}

static void nothing_is_said_of_training_that_nobody_knows(void **state)
{
    struct route_answers a = caller();
    struct route_advice d;
    set(&a, "model", "unsure");
    route_decide(&a, &d);
    assert_false(says(&d, ROUTE_DOCUMENT, "不涉及"));
    assert_true(says(&d, ROUTE_DOCUMENT, "附件3 语料标注规则：是否涉及"));
}

static void what_goes_with_yes_goes_with_it(void **state)
{
    struct route_answers a = caller();
    struct buf out = BUF_INIT(1u << 20);
    set(&a, "online", "yes");
    set(&a, "online_since", "2026-01-05");
    assert_string_equal(route_detail(&a, ROUTE_ONLINE), "2026-01-05");
    set(&a, "online", "no");
    assert_string_equal(route_detail(&a, ROUTE_ONLINE), "");
    assert_string_equal(route_detail(&a, ROUTE_PUBLIC), "");
    assert_int_equal(route_write(&a, &out), 0);
    assert_null(strstr(buf_cstr(&out), "online_since"));
    assert_non_null(strstr(buf_cstr(&out), "B-1"));
    buf_deinit(&out);
}

static void a_filled_template_reads_back(void **state)
{
    struct route_answers a = caller(), back;
    struct buf out = BUF_INIT(1u << 20), messages = BUF_INIT(65536);
    set(&a, "model_number", "it's: #1");
    set(&a, "online", "yes");
    set(&a, "online_since", "2024-02-29");
    assert_int_equal(route_template(&a, &out), 0);
    if (route_read(buf_span(&out), SPAN_LIT("t"), &messages, &back) != 0)
        fail_msg("%s", buf_cstr(&messages));
    assert_memory_equal(a.chosen, back.chosen, sizeof(a.chosen));
    assert_string_equal(back.model_number, "it's: #1");
    assert_string_equal(back.online_since, "2024-02-29");
    /* The same by way of JSON. */
    buf_clear(&out);
    assert_int_equal(route_write(&a, &out), 0);
    assert_int_equal(route_read(buf_span(&out), SPAN_LIT("j"), &messages, &back), 0);
    assert_memory_equal(a.chosen, back.chosen, sizeof(a.chosen));
    assert_string_equal(back.model_number, "it's: #1");
    /* An empty one answers nothing. */
    route_begin(&a);
    buf_clear(&out);
    assert_int_equal(route_template(&a, &out), 0);
    assert_int_equal(route_read(buf_span(&out), SPAN_LIT("e"), &messages, &back), 0);
    assert_memory_equal(a.chosen, back.chosen, sizeof(a.chosen));
    assert_false(route_is_complete(&back));
    buf_deinit(&out);
    buf_deinit(&messages);
}

static void bad_answers_are_told_with_their_line(void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"public: yes\nmodle: own\n", "a:2:1: unknown key 'modle'"},
        {"model: mine\n", "a:1:8: 'mine' is no answer to 'model': own, tuned, called, unsure"},
        {"public: yes\n\nonline_since: 2023-02-29\n", "a:3:15: 'online_since' takes a day"},
        {"online: no\nonline_since: 2026-01-05\n",
         "a:2:1: 'online_since' goes with 'online: yes', which is no"},
        {"model: [own]\n", "a:1:8: 'model' is a list, not a text"},
        {"model: own\nmodel: tuned\n", "a:2"},
        {"- public\n", "a:1:1: answers are a map"},
        {"{\"public\":", "a:2:1: did not find"},
        {"nonsense: ~\n", "a:1:1: unknown key"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct buf messages = BUF_INIT(65536);
        struct route_answers a;
        assert_int_equal(route_read(span_str(bad[i].text), SPAN_LIT("a"), &messages, &a), -EINVAL);
        if (!strstr(buf_cstr(&messages), bad[i].message))
            fail_msg("%s: %s", bad[i].text, buf_cstr(&messages));
        buf_deinit(&messages);
    }
    struct route_answers a;
    route_begin(&a);
    assert_int_equal(route_set(&a, SPAN_LIT("model_number"), SPAN_LIT("two\nlines")), -EINVAL);
    assert_int_equal(route_set(&a, SPAN_LIT("model_number"), SPAN_LIT("\xe4\xb8")), -EINVAL);
    assert_int_equal(route_set(&a, SPAN_LIT("x"), SPAN_LIT("yes")), -ENOENT);
}

static void json_has_every_part(void **state)
{
    struct route_answers a = caller();
    struct route_advice d;
    struct buf out = BUF_INIT(1u << 20);
    struct span s;
    route_decide(&a, &d);
    assert_int_equal(route_json(&a, &d, &out), 0);
    struct json_value *v = value_parse(buf_span(&out), NULL);
    const struct json_value *due = value_get(v, SPAN_LIT("due"));
    assert_int_equal(value_count(due), 2);
    assert_true(value_get_string(value_at(due, 0), &s));
    assert_span(s, SPAN_LIT("registration"));
    for (enum route_part p = 0; p < ROUTE_GAP; p++)
        assert_true(value_count(value_get(v, span_str(route_part_name(p)))) > 0);
    assert_true(value_get_string(
        value_get(value_get(v, SPAN_LIT("answers")), SPAN_LIT("model_number")), &s));
    assert_span(s, SPAN_LIT("B-1"));
    value_free(v);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_of_the_table_are_the_choices),
        cmocka_unit_test(every_combination_has_a_route),
        cmocka_unit_test(duties_change_no_route),
        cmocka_unit_test(named_cases),
        cmocka_unit_test(what_is_said_fits_the_answers),
        cmocka_unit_test(general_knowledge_is_marked),
        cmocka_unit_test(articles_are_known_or_marked),
        cmocka_unit_test(nothing_is_said_of_training_that_nobody_knows),
        cmocka_unit_test(what_goes_with_yes_goes_with_it),
        cmocka_unit_test(a_filled_template_reads_back),
        cmocka_unit_test(bad_answers_are_told_with_their_line),
        cmocka_unit_test(json_has_every_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
