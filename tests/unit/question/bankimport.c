/* Others' question banks: titles, sheets, classes in all their spellings, and no row unaccounted.
 */
#include "bankfixture.h"

#include "question/bankcolumn.h"
#include "question/bankimport.h"
#include "sheet/writer.h"

static struct bank_scratch scratch;
static struct ruleset *shipped; /* with the standard's types and names */

static int set_up_all(void **state)
{
    struct rule_report report = RULE_REPORT_INIT;
    int r = set_up(state);
    if (r < 0 || bank_scratch_init(&scratch) < 0)
        return -1;
    mkdir("s", 0700);
    mkdir("s/keywords", 0700);
    write_text("s/keywords/A1-d.txt", "坏词语\n");
    write_text(
        "s/risks.yaml",
        "standard: {name: S, zh: 标准, content_min: 3}\n"
        "aspects: [{zh: 制度, en: a, answer_min: 1}, {zh: 历史, en: b, answer_min: 1}]\n"
        "groups: [{id: A1, zh: 包含违反社会主义核心价值观的内容, en: g},\n"
        "         {id: A2, zh: 包含歧视性内容, en: g}, {id: attack, zh: g, en: g}]\n"
        "risks: [{id: A1-d, group: A1, zh: '宣扬恐怖主义、极端主义', en: d, content_min: 2},\n"
        "        {id: A1-e, group: A1, zh: 宣扬民族仇恨, en: e, content_min: 1},\n"
        "        {id: A2-a, group: A2, zh: 民族歧视内容, en: a, content_min: 1},\n"
        "        {id: A2-e, group: A2, zh: 性别歧视内容, en: e, content_min: 1},\n"
        "        {id: attack-x, group: attack, zh: 拆分拼接, en: c}]\n");
    r = ruleset_load(SPAN_LIT("s"), &report, &shipped);
    buf_deinit(&report.text);
    return r;
}

static int tear_down_all(void **state)
{
    bank_scratch_free(&scratch);
    ruleset_unref(shipped);
    return tear_down(state);
}

static void test_titles(void **state)
{
    static const struct {
        const char *title;
        enum bank_column column;
    } cases[] = {
        {"题目", BANK_COLUMN_QUESTION},
        {"测试题", BANK_COLUMN_QUESTION},
        {" 问题 ", BANK_COLUMN_QUESTION},
        {"Question", BANK_COLUMN_QUESTION},
        {"测试題（必填）", BANK_COLUMN_QUESTION},
        {"序号", BANK_COLUMN_IGNORED},
        {"题目编号", BANK_COLUMN_IGNORED},
        {"回答", BANK_COLUMN_IGNORED},
        {"模型返回/模型回答", BANK_COLUMN_IGNORED},
        {"研判结果/是否合格", BANK_COLUMN_IGNORED},
        {"问题回答", BANK_COLUMN_IGNORED},
        {"一级分类", BANK_COLUMN_FIRST},
        {"风险二级分类", BANK_COLUMN_SECOND},
        {"风险类型", BANK_COLUMN_TYPE},
        {"问题类型", BANK_COLUMN_TYPE},
        {"所属方面", BANK_COLUMN_TYPE},
        {"攻击手法", BANK_COLUMN_TECHNIQUE},
        {"研判标准", BANK_COLUMN_NOTE},
        {"bank", BANK_COLUMN_BANK},
        {"天气", BANK_COLUMN_UNKNOWN},
        {"", BANK_COLUMN_UNKNOWN},
        {"请你告诉我这个问题到底应该怎样回答才算好呢请说清楚", BANK_COLUMN_UNKNOWN},
    };
    bool sure;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (bank_column_of(&scratch, span_str(cases[i].title), &sure) != cases[i].column)
            fail_msg("%s", cases[i].title);
    bank_column_of(&scratch, SPAN_LIT("题目"), &sure);
    assert_true(sure);
    bank_column_of(&scratch, SPAN_LIT("附件5 评估测试题集"), &sure);
    assert_false(sure);
}

static void test_sheets(void **state)
{
    static const struct {
        const char *name;
        enum bank_kind kind;
    } cases[] = {
        {"生成内容测试题库（A.1-A.5）", BANK_CONTENT},
        {"应拒答", BANK_REFUSE},
        {"应拒答测试题库", BANK_REFUSE},
        {"拒答题", BANK_REFUSE},
        {"非拒答", BANK_ANSWER},
        {"不应拒答", BANK_ANSWER},
        {"refuse", BANK_REFUSE},
        {"Sheet1", BANK_KINDS},
        {"", BANK_KINDS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (bank_kind_of(&scratch, span_str(cases[i].name)) != cases[i].kind)
            fail_msg("%s", cases[i].name);
}

static void test_classes(void **state)
{
    static const struct {
        const char *first, *second, *id, *why;
    } cases[] = {
        {"A.1 包含违反社会主义核心价值观的内容", "d) 宣扬恐怖主义、极端主义", "A1-d", NULL},
        {"A1", "d)", "A1-d", NULL},
        {"", "A1-d", "A1-d", NULL},
        {"", "A.1-d 恐怖主义", "A1-d", NULL},
        {"", "Ａ．１ｄ", "A1-d", NULL},
        {"A.2 包含歧视性内容", "(e) 性别歧视內容", "A2-e", NULL},
        {"", "宣扬民族仇恨", "A1-e", NULL},
        {"A.2 包含歧视性内容", "性别歧视", "A2-e", NULL},
        {"", "A.2 包含歧视性内容 a) 民族歧视内容", "A2-a", NULL},
        {"", "民族", NULL, "its class is no type of the standard"},     /* too little to tell by */
        {"", "歧视内容", NULL, "its class is no type of the standard"}, /* of two */
        {"", "拆分拼接", NULL, "its class is no type of the standard"}, /* an axis of our own */
        {"A.2", "d) 地域", NULL, "its class is no type of the standard"},
        {"", "d) 别的", NULL, "its class is a letter without a group"},
        {"A.2", "a) 性别歧视内容", NULL, "its class says one type by letter and another by name"},
        {"A.1", "", NULL, "its class is no type of the standard"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *why;
        const struct risk *r = bank_risk_of(&scratch, shipped, span_str(cases[i].first),
                                            span_str(cases[i].second), &why);
        if (cases[i].id ? !r || !span_eq(r->id, span_str(cases[i].id))
                        : r || !why || strcmp(why, cases[i].why) != 0)
            fail_msg("%s + %s: %.*s %s", cases[i].first, cases[i].second,
                     SPAN_ARG(r ? r->id : SPAN_LIT("none")), why ? why : "");
    }
    const char *why;
    assert_span(bank_aspect_of(shipped, SPAN_LIT("我国制度"), &why)->zh, SPAN_LIT("制度"));
    assert_null(bank_aspect_of(shipped, SPAN_LIT("制度、历史"), &why));
    assert_string_equal(why, "it names more than one aspect");
    assert_null(bank_aspect_of(shipped, SPAN_LIT("天气"), &why));
    assert_string_equal(why, "it names no aspect that risks.yaml has");
}

/* ---- files ---- */

static struct bankimport *open_file(const char *path, enum bank_kind kind, const char *sheet,
                                    const struct bank *known)
{
    struct buf messages = BUF_INIT(65536);
    struct bank *none = known ? NULL : read_good("");
    struct bankimport *im = NULL;
    struct bankimport_request q = {.path = span_str(path),
                                   .sheet = span_str(sheet),
                                   .kind = kind,
                                   .rules = shipped,
                                   .bank = known ? known : none};
    if (bankimport_open(&q, &messages, &im) != 0)
        fail_msg("%.*s", SPAN_ARG(buf_span(&messages)));
    bank_free(none);
    buf_deinit(&messages);
    return im;
}

static void must_fail(const char *path, enum bank_kind kind, const char *sheet, const char *want)
{
    struct buf messages = BUF_INIT(65536);
    struct bank *none = read_good("");
    struct bankimport *im = NULL;
    struct bankimport_request q = {.path = span_str(path),
                                   .sheet = span_str(sheet),
                                   .kind = kind,
                                   .rules = shipped,
                                   .bank = none};
    assert_int_equal(bankimport_open(&q, &messages, &im), -EINVAL);
    assert_span(buf_span(&messages), span_str(want));
    bank_free(none);
    buf_deinit(&messages);
}

/* Rows that weren't taken, a line each. */
static void must_tell(const struct bankimport *im, const char *want)
{
    struct buf out = BUF_INIT(65536);
    for (size_t i = 0; i < bankimport_row_count(im); i++) {
        const struct bankimport_row *n = bankimport_row_at(im, i);
        if (n->fate == BANKIMPORT_TAKEN)
            continue;
        table_place(bankimport_table(im), n->row, &out);
        buf_printf(&out, " %s: %.*s\n", bankimport_fate_name(n->fate), SPAN_ARG(n->why));
    }
    assert_span(buf_span(&out), span_str(want));
    buf_deinit(&out);
}

static const char layout[] = "附件5 评估测试题集,,,,\n"
                             "序号,测试题,一级分类,二级分类,模型返回,研判标准,手法\n"
                             "1,\"第一行\r\n第二行\",A.1 包含违反社会主义核心价值观的内容,\"d) "
                             "宣扬恐怖主义、极端主义\",抱歉,\"怎样\n判\",T02\n"
                             "2,合并单元格下的题,,,抱歉,,T99\n"
                             ",,,,,,\n"
                             "3,,A.1,d),x,,\n"
                             "4,没有这一类,A.9,z),x,,\n"
                             "5,合併單元格下的題！,A.2,a) 民族歧视内容,x,,\n"
                             "6,库里已有的题,A.2,a) 民族歧视内容,x,,\n";

static void test_csv(void **state)
{
    write_text("in.csv", layout);
    struct bank *known = read_good("{\"id\":\"old\",\"bank\":\"content\",\"risk\":\"A1-a\","
                                   "\"question\":\"库里已有的题？\"}\n");
    struct bankimport *im = open_file("in.csv", BANK_CONTENT, NULL, known);
    const struct bankimport_sheet *s = bankimport_sheet_at(im, 0);
    assert_int_equal(s->header, 2);
    assert_int_equal(s->before, 1);
    assert_int_equal(s->rows, 6); /* the blank one is none */
    assert_int_equal(s->inherited, 1);
    assert_int_equal(bankimport_row_count(im), s->rows); /* each has its fate */
    assert_int_equal(bankimport_count(im, BANKIMPORT_TAKEN), 2);
    assert_int_equal(bankimport_count(im, BANKIMPORT_REPEATED), 2);
    assert_int_equal(bankimport_count(im, BANKIMPORT_REFUSED), 2);
    must_tell(im, "in.csv:8 refused: it has no question\n"
                  "in.csv:9 refused: its class is no type of the standard\n"
                  "in.csv:10 repeated: it is there already: in.csv:6\n"
                  "in.csv:11 repeated: it is there already: old (q.jsonl:1)\n");
    const struct question *q = &bankimport_row_at(im, 0)->is;
    assert_span(q->text, SPAN_LIT("第一行\n第二行"));
    assert_span(q->note, SPAN_LIT("怎样 判"));
    assert_int_equal(q->technique, 2);
    assert_int_equal(bankimport_row_at(im, 1)->is.technique, 0);
    /* What is written is a bank; its ids say what they are of. */
    struct buf out = BUF_INIT(65536);
    struct buf messages = BUF_INIT(65536);
    struct bank *b = NULL;
    assert_int_equal(bankimport_write(im, &out), 0);
    assert_int_equal(bank_read_text(buf_span(&out), SPAN_LIT("x"), shipped, &messages, &b), 0);
    assert_int_equal(bank_count(b), 2);
    assert_true(span_starts(bank_at(b, 0)->id, SPAN_LIT("content-A1-d-")));
    /* Once more, nothing is new. */
    struct bankimport *again = open_file("in.csv", BANK_CONTENT, NULL, b);
    assert_int_equal(bankimport_count(again, BANKIMPORT_TAKEN), 1); /* of `old` nobody knows now */
    bankimport_free(again);
    /* The other bank is another matter. */
    again = open_file("in.csv", BANK_REFUSE, NULL, b);
    assert_int_equal(bankimport_count(again, BANKIMPORT_TAKEN), 3);
    bankimport_free(again);
    bank_free(b);
    buf_deinit(&out);
    buf_deinit(&messages);
    bankimport_free(im);
    bank_free(known);
}

/* What replaces a file says again what stood in it: nothing of it is lost, and ids stay. */
static void test_replaced(void **state)
{
    struct buf messages = BUF_INIT(65536);
    struct bankimport *im = NULL;
    struct bank *b = read_good(
        "{\"id\":\"content-A1-d-7\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"甲\"}\n");
    write_text("in.csv", "题目,类别,题号\n甲,A1-d,content-A1-d-7\n乙,A1-d,\n");
    struct bankimport_request q = {.path = SPAN_LIT("in.csv"),
                                   .kind = BANK_CONTENT,
                                   .rules = shipped,
                                   .bank = b,
                                   .replaced = SPAN_LIT("q.jsonl")};
    assert_int_equal(bankimport_open(&q, &messages, &im), 0);
    assert_int_equal(bankimport_count(im, BANKIMPORT_TAKEN), 2);
    assert_span(bankimport_row_at(im, 0)->is.id, SPAN_LIT("content-A1-d-7"));
    bankimport_free(im);
    q.replaced = SPAN_LIT("other.jsonl");
    assert_int_equal(bankimport_open(&q, &messages, &im), 0);
    assert_int_equal(bankimport_count(im, BANKIMPORT_TAKEN), 1);
    bankimport_free(im);
    bank_free(b);
    buf_deinit(&messages);
}

/* The first eight digits of these two are the same: one gets more of them. */
static void test_like_ids(void **state)
{
    write_text("in.csv", "题目,类别\n甲乙丙第43109号问,A1-d\n甲乙丙第92617号问,A1-d\n");
    struct bankimport *im = open_file("in.csv", BANK_CONTENT, NULL, NULL);
    assert_span(bankimport_row_at(im, 0)->is.id, SPAN_LIT("content-A1-d-81892e51"));
    struct span second = bankimport_row_at(im, 1)->is.id;
    assert_true(span_starts(second, SPAN_LIT("content-A1-d-81892e51")));
    assert_int_equal(second.len, strlen("content-A1-d-") + 16);
    bankimport_free(im);
}

/* Titles in two rows, as merged cells make them; a first question is none of them. */
static void test_two_rows_of_titles(void **state)
{
    write_text("in.csv", "序号,题目,分类,,回答\n,,一级分类,二级分类,\n"
                         "1,甲,A.1,d) 宣扬恐怖主义、极端主义,x\n2,乙,,e) 宣扬民族仇恨,x\n");
    struct bankimport *im = open_file("in.csv", BANK_CONTENT, NULL, NULL);
    must_tell(im, "");
    assert_int_equal(bankimport_row_count(im), 2);
    assert_span(bankimport_row_at(im, 1)->is.risk->id, SPAN_LIT("A1-e"));
    bankimport_free(im);
    write_text("in.csv", "题目,分类\n分类是什么,A1-d\n,分类\n");
    im = open_file("in.csv", BANK_CONTENT, NULL, NULL);
    assert_int_equal(bankimport_row_count(im), 2);
    assert_int_equal(bankimport_count(im, BANKIMPORT_TAKEN), 1);
    bankimport_free(im);
}

/* Merged cells go on below a row whose bank nobody knows. */
static void test_class_of_refused(void **state)
{
    write_text("in.csv", "题目,bank,类别\n甲,content,A1-d\n乙,别的,A2-a\n丙,content,\n");
    struct bankimport *im = open_file("in.csv", BANK_KINDS, NULL, NULL);
    must_tell(im, "in.csv:3 refused: its bank is none of content, refuse, answer\n");
    assert_span(bankimport_row_at(im, 2)->is.risk->id, SPAN_LIT("A2-a"));
    bankimport_free(im);
}

static void add_sheet(struct sheet_writer *w, const char *name, const char *const *titles,
                      const char *const *cells, size_t columns, size_t rows)
{
    struct sheet_column column[8];
    struct sheet_cell cell[8];
    for (size_t i = 0; i < columns; i++)
        column[i] = (struct sheet_column){.title = span_str(titles[i])};
    assert_int_equal(sheet_writer_add(w, span_str(name), column, columns), 0);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < columns; i++)
            cell[i] = SHEET_TEXT(span_str(cells[r * columns + i]));
        assert_int_equal(sheet_writer_row(w, cell, columns), 0);
    }
}

static void write_book(void)
{
    static const char *const titles[] = {"序号", "题目", "一级分类", "二级分类", "回答"};
    static const char *const content[] = {
        "1", "甲题", "A.1 包含…", "d) 宣扬恐怖主义、极端主义", "答",
        "2", "乙题", "A.2 包含…", "e) 性别歧视内容",           "答"};
    static const char *const refuse[] = {"1", "丙题", "A.1", "e) 宣扬民族仇恨", "抱歉"};
    static const char *const aspects[] = {"题目", "方面"};
    static const char *const answer[] = {"丁题", "历史", "戊题", "天气"};
    static const char *const words[] = {"说明"};
    static const char *const explained[] = {"本表由某单位编制"};
    struct sheet_writer *w;
    assert_int_equal(sheet_writer_new(SPAN_LIT("book.xlsx"), 1, &w), 0);
    add_sheet(w, "说明", words, explained, 1, 1);
    add_sheet(w, "生成内容测试题库（A.1-A.5）", titles, content, 5, 2);
    add_sheet(w, "应拒答", titles, refuse, 5, 1);
    add_sheet(w, "非拒答", aspects, answer, 2, 2);
    assert_int_equal(sheet_writer_finish(w, NULL), 0);
    sheet_writer_free(w);
}

static void test_book(void **state)
{
    static const enum bank_kind kinds[] = {BANK_CONTENT, BANK_CONTENT, BANK_REFUSE, BANK_ANSWER};
    write_book();
    struct bankimport *im = open_file("book.xlsx", BANK_KINDS, NULL, NULL);
    assert_int_equal(bankimport_sheet_count(im), 4);
    assert_span(
        bankimport_sheet_at(im, 0)->why,
        SPAN_LIT("no row among its first 20 has a title such as 题目, 测试题, 问题 or question"));
    assert_int_equal(bankimport_sheet_at(im, 0)->rows, 2); /* told, not lost */
    assert_int_equal(bankimport_count(im, BANKIMPORT_TAKEN), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(bankimport_row_at(im, i)->is.kind, kinds[i]);
    assert_span(bankimport_row_at(im, 1)->is.risk->id, SPAN_LIT("A2-e"));
    assert_span(bankimport_row_at(im, 3)->is.aspect->zh, SPAN_LIT("历史"));
    must_tell(im,
              "book.xlsx: sheet 非拒答, row 3 refused: it names no aspect that risks.yaml has\n");
    bankimport_free(im);
    /* One sheet; a bank that its name doesn't say is not taken for it unless it is named. */
    im = open_file("book.xlsx", BANK_KINDS, "应拒答", NULL);
    assert_int_equal(bankimport_count(im, BANKIMPORT_TAKEN), 1);
    bankimport_free(im);
    im = open_file("book.xlsx", BANK_REFUSE, NULL, NULL);
    assert_int_equal(bankimport_count(im, BANKIMPORT_TAKEN), 1);
    assert_span(bankimport_sheet_at(im, 1)->why,
                SPAN_LIT("its name says another bank: name it by --sheet to read it all the same"));
    bankimport_free(im);
    im = open_file("book.xlsx", BANK_REFUSE, "生成内容测试题库（A.1-A.5）", NULL);
    assert_int_equal(bankimport_count(im, BANKIMPORT_TAKEN), 2);
    bankimport_free(im);
    must_fail("book.xlsx", BANK_KINDS, "别的", "book.xlsx: there is no sheet '别的'\n");
}

static void test_no_bank(void **state)
{
    write_text("in.csv", "题目,类别\n甲,A1-d\n");
    must_fail("in.csv", BANK_KINDS, NULL,
              "in.csv: neither its name nor a column says which bank: name it by --bank\n");
    write_text("in.csv", "天气,类别\n甲,A1-d\n");
    must_fail(
        "in.csv", BANK_CONTENT, NULL,
        "in.csv: no row among its first 20 has a title such as 题目, 测试题, 问题 or question\n");
    /* What is derived stays so, and ids of our own are kept, once. */
    write_text("in.csv",
               "题目,类别,题号,由哪一题衍生,手法\n"
               "甲,A1-d,content-A1-d-001,,\n"
               "乙,A1-d,content-A1-d-001-T02,content-A1-d-001,T02 角色扮演\n"
               "丙,A1-d,content-A1-d-001,,\n丁,A1-d,refuse-1,,\n戊,A1-d,content-x,a b,\n");
    struct bankimport *own = open_file("in.csv", BANK_CONTENT, NULL, NULL);
    assert_span(bankimport_row_at(own, 0)->is.id, SPAN_LIT("content-A1-d-001"));
    assert_span(bankimport_row_at(own, 1)->is.id, SPAN_LIT("content-A1-d-001-T02"));
    assert_span(bankimport_row_at(own, 1)->is.seed, SPAN_LIT("content-A1-d-001"));
    assert_int_equal(bankimport_row_at(own, 1)->is.technique, 2);
    for (size_t i = 2; i < 4; i++) {
        struct span id = bankimport_row_at(own, i)->is.id;
        assert_int_equal(id.len, strlen("content-A1-d-") + 8); /* taken, or of another bank */
        assert_int_equal(bankimport_row_at(own, i)->is.seed.len, 0);
    }
    must_tell(own, "in.csv:6 refused: what it is derived of is no id\n");
    bankimport_free(own);
    /* A file of our own. */
    write_text("in.jsonl",
               "{\"bank\":\"content\",\"risk\":\"A1-d\",\"question\":\"甲\"}\n"
               "{\"bank\":\"answer\",\"risk\":\"历史\",\"question\":\"乙\"}\n"
               "{\"bank\":\"what\",\"risk\":\"历史\",\"question\":\"丙\"}\n"
               "{\"bank\":\"answer\",\"risk\":\"历史\",\"question\":\"它呢\",\"messages\":"
               "[{\"role\":\"user\",\"content\":\"丁\"}]}\n");
    struct bankimport *im = open_file("in.jsonl", BANK_KINDS, NULL, NULL);
    assert_int_equal(bankimport_count(im, BANKIMPORT_TAKEN), 2);
    assert_int_equal(bankimport_row_at(im, 1)->is.kind, BANK_ANSWER);
    must_tell(im, "in.jsonl:3 refused: its bank is none of content, refuse, answer\n"
                  "in.jsonl:4 refused: it is a conversation: its line belongs into a file of the "
                  "banks as it is\n");
    bankimport_free(im);
}

static void test_names(void **state)
{
    static const char *const cases[][2] = {
        {"/a/b.c/Bank-2026.xlsx", "imported-Bank-2026"},
        {"题库v2.csv", "imported-v2"},
        {"../../x y.csv", "imported-xy"},
        {"-_.csv", "imported-"}, /* and eight digits of its digest */
        {"题库.xlsx", "imported-"},
    };
    char name[80], other[80];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        bankimport_name(span_str(cases[i][0]), name);
        if (i < 3)
            assert_string_equal(name, cases[i][1]);
        else
            assert_int_equal(strlen(name), strlen("imported-") + 8);
    }
    bankimport_name(SPAN_LIT("别的.xlsx"), other);
    assert_string_not_equal(name, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_titles),
        cmocka_unit_test(test_sheets),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_like_ids),
        cmocka_unit_test(test_two_rows_of_titles),
        cmocka_unit_test(test_class_of_refused),
        cmocka_unit_test(test_book),
        cmocka_unit_test(test_no_bank),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
