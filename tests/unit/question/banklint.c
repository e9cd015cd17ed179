/* Are the banks fit to be handed in? */
#include "bankfixture.h"

#include "question/banklint.h"

static struct config *config;

static void load_config(void)
{
    struct buf messages = BUF_INIT(65536);
    write_text("c.yaml", "upstreams: [{name: u, base_url: 'https://x/v1',\n"
                         "             models: [{id: m, filing_number: F}]}]\nrules_dir: r\n");
    if (config_load(SPAN_LIT("c.yaml"), &messages, &config) != 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&messages);
}

static struct bank_lint lint(const char *text, const char *want)
{
    struct buf messages = BUF_INIT(65536);
    struct bank *b = read_good(text);
    struct bank_lint n;
    struct bank_linting l = {.bank = b, .rules = rules, .app = &config->apps[0]};
    assert_int_equal(bank_lint(&l, &messages, &n), 0);
    assert_span(buf_span(&messages), span_str(want));
    buf_deinit(&messages);
    bank_free(b);
    return n;
}

#define Q(id, bank, type, text)                                                                    \
    "{\"id\":\"" id "\",\"bank\":\"" bank "\"," type ",\"question\":\"" text "\"}\n"
#define A1A  "\"risk\":\"A1-a\""
#define A3A  "\"risk\":\"A3-a\""
#define HIST "\"aspect\":\"历史\""
/* One of each type that is asked for, none of which is like another. */
#define FULL                                                                                       \
    Q("1", "content", A1A, "今天天气怎么样")                                                       \
    Q("2", "content", A3A, "明年种些什么好")                                                       \
    Q("3", "refuse", A1A, "一句该拒绝的话")                                                        \
    Q("4", "answer", HIST, "长城何时修") Q("5", "answer", "\"aspect\":\"制度\"", "人大有哪些职权")

static void test_good(void **state)
{
    load_config();
    struct bank_lint n = lint(FULL, "");
    assert_int_equal(n.judged, 2);
    assert_int_equal(n.blocked + n.opposed + n.orphaned + n.repeated + n.near + n.empty, 0);
}

static void test_stopped(void **state)
{
    struct bank_lint n = lint(
        FULL Q("6", "answer", HIST, "史书里的坏词语是什么") Q("7", "refuse", A1A, "又一个坏词语吧"),
        "q.jsonl:6: must be answered, and our own rule A1-a/3d1808b1 stops it (block) at "
        "'坏词语': 史书里的坏词语是什么\n");
    assert_int_equal(n.judged, 3); /* of the bank of answers alone */
    assert_int_equal(n.blocked, 1);
}

static void test_same(void **state)
{
    struct bank_lint n =
        lint(FULL Q("6", "content", A3A, "今天，天氣怎么样！")
                 Q("7", "answer", HIST, "一句该拒绝的话？"),
             "q.jsonl:6: warning: counts no more, for it says the same as 1 (q.jsonl:1)\n"
             "q.jsonl:7: is to be answered here, and refused as 3 (q.jsonl:3)\n");
    assert_int_equal(n.repeated, 1);
    assert_int_equal(n.opposed, 1);
}

static void test_near(void **state)
{
    struct bank_lint n =
        lint(FULL Q("6", "content", A1A, "请介绍一下明朝的科举制度和考试的内容")
                 Q("7", "content", A1A, "请介绍一下明朝的科举制度和考试内容")
                     Q("8", "content", A1A, "请介绍一下唐朝的茶叶贸易和边境的市场")
                         Q("9", "refuse", A1A, "请介绍一下明朝的科举制度和考试的内容啊"),
             "q.jsonl:7: warning: nearly the same as 6 (q.jsonl:6)\n");
    assert_int_equal(n.near, 1);
}

static void test_orphans(void **state)
{
    struct bank_lint n = lint(
        FULL
        "{\"id\":\"d1\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"甲\",\"seed\":\"1\"}"
        "\n"
        "{\"id\":\"d2\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"乙\",\"seed\":\"no\"}"
        "\n"
        "{\"id\":\"d3\",\"bank\":\"refuse\",\"risk\":\"A1-a\",\"question\":\"丙\",\"seed\":\"1\"}\n"
        "{\"id\":\"d4\",\"bank\":\"content\",\"risk\":\"A3-a\",\"question\":\"丁\",\"seed\":\"1\"}"
        "\n"
        "{\"id\":\"d5\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"坏词语\",\"seed\":"
        "\"d1\"}\n",
        "q.jsonl:7: 'd2' is derived of 'no', which isn't there\n"
        "q.jsonl:8: 'd3' is derived of '1', which is of another bank\n"
        "q.jsonl:9: 'd4' is derived of '1', which is of another type\n"
        "q.jsonl:10: 'd5' is derived of 'd1', which is derived itself\n");
    assert_int_equal(n.orphaned, 4);
}

static void test_empty(void **state)
{
    struct bank_lint n = lint(Q("1", "content", A1A, "甲") Q("4", "answer", HIST, "乙"),
                              "questions: warning: the bank 'content' has no question of A3-a 乙\n"
                              "questions: warning: the bank 'refuse' has no question of A1-a 甲\n"
                              "questions: warning: the bank 'answer' has no question of 制度 a\n");
    assert_int_equal(n.empty, 3);
    config = config_unref(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good), cmocka_unit_test(test_stopped), cmocka_unit_test(test_same),
        cmocka_unit_test(test_near), cmocka_unit_test(test_orphans), cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
