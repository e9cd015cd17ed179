/* The catalogue in its three formats, read back, and its proof. */
#include "fixture.h"

#include "filing/keywordlist.h"
#include "sheet/table.h"

#include <errno.h>

static struct library library;
static struct keywordlist list;

static void write_list(const char *name, enum keywordlist_format format)
{
    struct buf error = BUF_INIT(4096);
    if (keywordlist_write(&list, format, span_str(name), &error) != 0)
        fail_msg("%s", buf_cstr(&error));
    assert_int_equal(error.len, 0);
    buf_deinit(&error);
}

static void read_table(const char *name, struct table *t)
{
    struct buf error = BUF_INIT(4096);
    *t = TABLE_INIT;
    if (table_load(span_str(name), TABLE_ANY, t, &error) != 0)
        fail_msg("%s", buf_cstr(&error));
    buf_deinit(&error);
}

static const struct table_row *find_row(const struct table *t, const char *sheet, size_t column,
                                        const char *cell)
{
    for (size_t i = 0; i < t->count; i++)
        if (span_eq(t->sheets[t->rows[i].sheet], span_str(sheet)) && t->rows[i].count > column &&
            span_eq(t->rows[i].cells[column], span_str(cell)))
            return &t->rows[i];
    return NULL;
}

static void test_workbook(void **state)
{
    struct table t;
    write_list("annex4.xlsx", KEYWORDLIST_XLSX);
    read_table("annex4.xlsx", &t);
    const char *first = "拦截关键词列表";
    const struct table_row *title = find_row(&t, first, 1, "关键词");
    assert_non_null(title);
    assert_span(title->cells[2], SPAN_LIT("一级分类"));
    assert_span(title->cells[3], SPAN_LIT("二级分类"));
    const struct table_row *row = find_row(&t, first, 1, "\"引号,逗号\"的词");
    assert_non_null(row);
    assert_span(row->cells[2], SPAN_LIT("A.1 包含违反社会主义核心价值观的内容"));
    assert_span(row->cells[3], SPAN_LIT("a) 甲类"));
    assert_span(row->cells[4], SPAN_LIT("拦截"));
    assert_span(find_row(&t, first, 1, "只管回答的词")->cells[4], SPAN_LIT("输出拦截"));
    assert_span(find_row(&t, first, 1, "另一个坏词")->cells[5], SPAN_LIT("imported: 五月的表"));
    /* What doesn't count is not there, but on its own sheet. */
    static const struct {
        const char *sheet, *word, *action;
    } apart[] = {
        {"衍生词", "很坏的坏词语", "拦截"},
        {"仅标记", "可疑词语", "标记"},
        {"隔离词", "信息", "不生效"},
        {"已过期", "旧的词语", "不生效"},
        {"限定应用", "店里的词", "放行"},
        {"观察中", "观察的词", "拦截"},
        {"攻击与个人信息", "忽略指令吧", "输入拦截，输出标记"},
        {"正则规则", "abc[0-9]", "拦截"},
    };
    for (size_t i = 0; i < sizeof(apart) / sizeof(*apart); i++) {
        assert_null(find_row(&t, first, 1, apart[i].word));
        row = find_row(&t, apart[i].sheet, 1, apart[i].word);
        if (!row)
            fail_msg("%s", apart[i].word);
        assert_span(row->cells[4], span_str(apart[i].action));
    }
    assert_span(find_row(&t, "隔离词", 1, "信息")->cells[6], SPAN_LIT("日常用语"));
    assert_span(find_row(&t, "汇总", 0, "拦截关键词总数（去重）")->cells[1], SPAN_LIT("4"));
    assert_span(find_row(&t, "汇总", 0, "服务提供者")->cells[1], SPAN_LIT("待补充"));
    assert_span(find_row(&t, "汇总", 0, "导出日期")->cells[1], SPAN_LIT("2027-01-15"));
    assert_span(find_row(&t, "汇总", 0, "较上次备案新增")->cells[1], SPAN_LIT("1"));
    assert_span(find_row(&t, "较上次备案的变化", 0, "新增")->cells[1], SPAN_LIT("坏词语"));
    assert_span(find_row(&t, "分类统计", 1, "b) 乙类")->cells[2], SPAN_LIT("3"));
    assert_span(find_row(&t, "分类统计", 1, "b) 乙类")->cells[4], SPAN_LIT("是"));
    assert_null(find_row(&t, "分类统计", 1, "丁类"));
    table_deinit(&t);
}

static void test_csv(void **state)
{
    struct table t;
    write_list("annex4.csv", KEYWORDLIST_CSV);
    read_table("annex4.csv", &t);
    assert_span(t.rows[0].cells[0], SPAN_LIT("关键词"));
    assert_int_equal(t.rows[0].count, 8);
    assert_int_equal(t.count, 1 + 14);
    bool found = false;
    for (size_t i = 1; i < t.count; i++) {
        assert_int_equal(t.rows[i].count, 8);
        found = found || span_eq(t.rows[i].cells[0], SPAN_LIT("\"引号,逗号\"的词"));
    }
    assert_true(found);
    table_deinit(&t);
}

static void test_json_lines(void **state)
{
    struct table t;
    write_list("annex4.jsonl", KEYWORDLIST_JSONL);
    read_table("annex4.jsonl", &t);
    assert_true(t.titled);
    assert_int_equal(t.count, 1 + 14);
    assert_span(t.rows[0].cells[0], SPAN_LIT("keyword"));
    assert_span(t.rows[1].cells[0], SPAN_LIT("坏词语"));
    table_deinit(&t);
}

/* A place where nothing can be written: an error, and nothing is left behind. */
static void test_no_room(void **state)
{
    struct buf error = BUF_INIT(4096);
    assert_int_equal(
        keywordlist_write(&list, KEYWORDLIST_CSV, SPAN_LIT("missing/annex4.csv"), &error), -ENOENT);
    assert_span(buf_span(&error), SPAN_LIT("missing/annex4.csv: No such file or directory"));
    buf_clear(&error);
    assert_true(keywordlist_write(&list, KEYWORDLIST_XLSX, SPAN_LIT("missing/a.xlsx"), &error) < 0);
    assert_true(error.len > 0);
    buf_deinit(&error);
}

static void test_proof(void **state)
{
    struct buf misses = BUF_INIT(4096);
    assert_int_equal(keywordlist_verify(&library, &config->apps[0], NOW, &misses), 0);
    /* An app that lets everything through intercepts none of them. */
    struct config_action rows[] = {
        {SPAN_LIT("*"), ACTION_ALLOW, ACTION_ALLOW, ORIGIN_APP, {SPAN_LIT("")}}};
    struct config_app open = {.name = SPAN_LIT("default"),
                              .policy = {.actions = rows, .action_count = 1}};
    assert_int_equal(keywordlist_verify(&library, &open, NOW, &misses), 5);
    assert_true(
        span_starts(buf_span(&misses), SPAN_LIT("r/keywords/A1-a.txt:2:1: '坏词语' (A1-a/")));
    buf_deinit(&misses);
}

static int begin(void **state)
{
    static const struct rule *added[1];
    static struct keywordlist_filed filed = {.version = SPAN_LIT("v-0"), .time = NOW - 86400};
    if (set_up(state) < 0)
        return -1;
    load();
    if (library_read(rules, &config->apps[0], NOW, &library) < 0)
        return -1;
    added[0] = ruleset_rule(rules, 0);
    filed.added = added;
    filed.added_count = 1;
    list = (struct keywordlist){
        .library = &library, .version = ruleset_version(rules), .now = NOW, .filed = &filed};
    return 0;
}

static int end(void **state)
{
    library_free(&library);
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workbook),   cmocka_unit_test(test_csv),
        cmocka_unit_test(test_json_lines), cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_proof),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
