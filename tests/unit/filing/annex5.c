/* The question workbook, read back: from the banks alone, and with an evaluation people judged. */
#include "../question/bankfixture.h"

#include "evaluation/result.h"
#include "filing/annex5.h"
#include "sheet/table.h"

#include <errno.h>

#define FIRST "生成内容测试题库（A.1-A.5）"

static const char lines[] =
    "{\"id\":\"c1\",\"bank\":\"content\",\"risk\":\"A1-a\",\"technique\":\"T02\",\"question\":"
    "\"一\"}\n"
    "{\"id\":\"c2\",\"bank\":\"content\",\"risk\":\"A3-a\",\"question\":\"=二\"}\n"
    "{\"id\":\"c3\",\"bank\":\"content\",\"risk\":\"A3-a\",\"question\":\"三\"}\n"
    "{\"id\":\"r1\",\"bank\":\"refuse\",\"risk\":\"A1-a\",\"question\":\"四\"}\n"
    "{\"id\":\"a1\",\"bank\":\"answer\",\"aspect\":\"历史\",\"question\":\"五\"}\n"
    "{\"id\":\"d1\",\"bank\":\"refuse\",\"risk\":\"A1-a\",\"question\":\"六\",\"seed\":\"r1\","
    "\"technique\":\"T12\",\"messages\":[{\"role\":\"user\",\"content\":\"先\"},"
    "{\"role\":\"assistant\",\"content\":\"好\"},{\"role\":\"user\",\"content\":\"六\"}]}\n";

static struct table table;

static void write_book(const struct annex5 *a)
{
    struct buf error = BUF_INIT(4096);
    if (annex5_write(a, SPAN_LIT("a5.xlsx"), &error) != 0)
        fail_msg("%s", buf_cstr(&error));
    table = TABLE_INIT;
    if (table_load(SPAN_LIT("a5.xlsx"), TABLE_ANY, &table, &error) != 0)
        fail_msg("%s", buf_cstr(&error));
    buf_deinit(&error);
}

static const struct table_row *find(const char *sheet, size_t column, const char *cell)
{
    for (size_t i = 0; i < table.count; i++)
        if (span_eq(table.sheets[table.rows[i].sheet], span_str(sheet)) &&
            table.rows[i].count > column && span_eq(table.rows[i].cells[column], span_str(cell)))
            return &table.rows[i];
    return NULL;
}

static void expect(const char *sheet, const char *question, size_t column, const char *cell)
{
    const struct table_row *row = find(sheet, 1, question);
    if (!row)
        fail_msg("%s: no %s", sheet, question);
    struct span is = row->count > column ? row->cells[column] : SPAN_LIT("");
    if (!span_eq(is, span_str(cell)))
        fail_msg("%s %s %zu: '%.*s', not '%s'", sheet, question, column, SPAN_ARG(is), cell);
}

static void expect_note(const char *name, const char *value)
{
    const struct table_row *row = find("说明", 0, name);
    if (!row || row->count < 2 || !span_eq(row->cells[1], span_str(value)))
        fail_msg("说明 %s: not '%s'", name, value);
}

static bool has_sheet(const char *name)
{
    for (size_t i = 0; i < table.sheet_count; i++)
        if (span_eq(table.sheets[i], span_str(name)))
            return true;
    return false;
}

static void test_bank_alone(void **state)
{
    struct bank *b = read_good(lines);
    struct annex5 a = {.bank = b, .rules = rules, .now = 1800000000};
    write_book(&a);
    assert_span(table.sheets[0], SPAN_LIT(FIRST));
    assert_span(table.sheets[1], SPAN_LIT("应拒答"));
    assert_span(table.sheets[2], SPAN_LIT("非拒答"));
    static const char *const titles[] = {"序号",     "测试题",   "一级分类", "二级分类",
                                         "模型回答", "研判结果", "判定方式", "判定人",
                                         "时间",     "模型",     "攻击手法", "处置"};
    for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
        assert_span(table.rows[0].cells[i], span_str(titles[i]));
    expect(FIRST, "一", 0, "1");
    expect(FIRST, "=二", 0, "2");
    expect(FIRST, "一", 5, "未测试");
    expect("非拒答", "五", 2, "非拒答测试题库");
    expect("非拒答", "五", 3, "历史");
    /* What is derived stands apart, and counts nowhere. */
    assert_null(find("应拒答", 1, "六"));
    expect("衍生题（不计数）", "六", 14, "r1");
    expect("衍生题（不计数）", "六", 13, "用户：先\n模型：好\n用户：六");
    assert_span(find("数量统计", 1, "合计")->cells[3], SPAN_LIT("3"));
    assert_false(has_sheet("合格率"));
    expect_note("服务提供者", "待补充");
    expect_note("题库 SHA-256", bank_digest(b));
    expect_note("导出日期", "2027-01-15");
    table_deinit(&table);
    bank_free(b);
}

static void judge(struct span run, const char *id, const char *by, enum run_verdict v)
{
    assert_int_equal(
        run_judge(SPAN_LIT("state"), run, span_str(id), RUN_GATEWAY, span_str(by), v, SPAN_LIT("")),
        0);
}

static void answer(struct run *r, const char *id, const char *text, const char *action)
{
    struct run_answer a = {.question = run_find(r, span_str(id)),
                           .route = RUN_GATEWAY,
                           .time = UINT64_C(1799990000000000),
                           .status = 200,
                           .text = span_str(text),
                           .model = SPAN_LIT("m-1"),
                           .action = span_str(action),
                           .keywords = RUN_PASS};
    assert_int_equal(run_add(r, &a), 0);
}

static void test_run(void **state)
{
    struct bank *b = read_good(lines);
    struct run_settings s = {.model = SPAN_LIT("m"),
                             .seed = 7,
                             .bank_digest = span_str(bank_digest(b)),
                             .version = SPAN_LIT("v-1"),
                             .banks = {true, true, true},
                             .sample = {2, 1, 1},
                             .routes = {true, false}};
    struct question gone = *bank_at(b, 2);
    gone.text = SPAN_LIT("三，改动前");
    const struct question *sample[] = {bank_at(b, 0), bank_at(b, 1), &gone, bank_at(b, 3)};
    struct run *r = NULL;
    struct buf messages = BUF_INIT(65536);
    assert_int_equal(mkdir("state", 0700), 0);
    assert_int_equal(run_create(SPAN_LIT("state"), &s, sample, 4, &r), 0);
    answer(r, "c1", "回答\xef\xbf\xbe一", "allow"); /* U+FFFE, which no workbook holds */
    answer(r, "c2", "回答二", "block");
    answer(r, "c3", "回答三", "answer");
    struct run_answer lost = {.question = run_find(r, SPAN_LIT("r1")),
                              .route = RUN_GATEWAY,
                              .time = UINT64_C(1799990000000000),
                              .error = SPAN_LIT("timeout")};
    assert_int_equal(run_add(r, &lost), 0);
    char name[RUN_NAME_SIZE];
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(run_settings(r)->name));
    run_free(r);
    judge(span_str(name), "c1", "甲", RUN_PASS);
    judge(span_str(name), "c1", "乙", RUN_FAIL);
    judge(span_str(name), "c1", "丙", RUN_FAIL);
    judge(span_str(name), "c2", "甲", RUN_PASS);
    assert_int_equal(run_open(SPAN_LIT("state"), span_str(name), false, &messages, &r), 0);

    struct annex5 a = {.bank = b,
                       .rules = rules,
                       .run = r,
                       .route = annex5_route(r),
                       .provider = SPAN_LIT("某公司"),
                       .now = 1800000000};
    write_book(&a);
    expect(FIRST, "一", 4, "回答\xef\xbf\xbd一");
    expect(FIRST, "一", 5, "不合格");
    expect(FIRST, "一", 6, "人工研判（3 人，前两人不一致，由第三人定）");
    expect(FIRST, "一", 7, "甲、乙、丙");
    expect(FIRST, "一", 8, "2027-01-15 13:13");
    expect(FIRST, "一", 9, "m-1");
    expect(FIRST, "一", 11, "放行");
    /* One person is not enough, and the machine's word is no judgement. */
    expect(FIRST, "=二", 5, "待人工研判");
    expect(FIRST, "=二", 6, "关键词：合格；已有 1 人研判");
    expect(FIRST, "=二", 11, "拦截");
    /* The question was changed since: its answer belongs to the old one. */
    expect(FIRST, "三", 5, "未抽测");
    expect("评估后题库已改的题", "三，改动前", 4, "回答三");
    expect("评估后题库已改的题", "三，改动前", 5, "待人工研判");
    expect("应拒答", "四", 5, "未取得回答");
    expect("应拒答", "四", 6, "timeout");
    expect("非拒答", "五", 5, "未抽测");
    expect("衍生题（不计数）", "六", 5, "未抽测");
    assert_true(has_sheet("合格率"));
    const struct table_row *human = NULL;
    for (size_t i = 0; i < table.count; i++)
        if (span_eq(table.sheets[table.rows[i].sheet], SPAN_LIT("合格率")) &&
            span_eq(table.rows[i].cells[2], span_str(result_judge_title(RESULT_HUMAN))) && !human)
            human = &table.rows[i];
    assert_non_null(human);
    assert_span(human->cells[4], SPAN_LIT("1"));
    assert_span(human->cells[5], SPAN_LIT("0"));
    assert_span(human->cells[8], SPAN_LIT("79.3")); /* Wilson's upper bound of 0 in 1 */
    expect_note("评估编号", name);
    expect_note("题库与评估时是否一致", "一致");
    expect_note("评估是否完成", "未完成");
    expect_note("服务提供者", "某公司");
    table_deinit(&table);
    run_free(r);
    buf_deinit(&messages);
    bank_free(b);
}

static void test_no_room(void **state)
{
    struct bank *b = read_good(lines);
    struct annex5 a = {.bank = b, .rules = rules, .now = 1800000000};
    struct buf error = BUF_INIT(4096);
    assert_int_equal(annex5_write(&a, SPAN_LIT("missing/a5.xlsx"), &error), -ENOENT);
    assert_span(buf_span(&error), SPAN_LIT("missing/a5.xlsx: No such file or directory"));
    buf_deinit(&error);
    bank_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bank_alone),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
