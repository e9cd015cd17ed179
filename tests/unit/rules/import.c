/* Lists of other people: what is read of them, what of it counts, and that nothing is half done. */
#include "folder.h"

#include "rules/import.h"
#include "sheet/writer.h"

static struct buf messages;

static struct import_request request(const char *file)
{
    return (struct import_request){.dir = SPAN_LIT("r"),
                                   .list = SPAN_LIT("list"),
                                   .file = span_str(file),
                                   .day = SPAN_LIT("2026-12-31")};
}

/* All of an import; *ret_import may be NULL. */
static int run(const struct import_request *q, const char *sample, struct import **ret_import)
{
    struct import *im = NULL;
    buf_deinit(&messages);
    messages = BUF_INIT(1u << 20);
    int r = import_open(q, &im, &messages);
    if (r == 0 && sample)
        r = import_add_sample(im, span_str(sample), &messages);
    if (r == 0)
        r = import_judge(im, &messages);
    if (r == 0)
        r = import_write(im, false, &messages);
    if (ret_import && r == 0)
        *ret_import = im;
    else
        import_free(im);
    return r;
}

static struct buf read_back(const char *name)
{
    struct buf b = BUF_INIT(1u << 20);
    FILE *f = fopen(name, "r");
    char piece[4096];
    if (!f)
        fail_msg("%s is not there: %s", name, buf_cstr(&messages));
    for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
        buf_append(&b, span_from(piece, n));
    fclose(f);
    return b;
}

#define HEAD(file)                                                                                 \
    "#!source=imported: " file ", 2026-12-31\n#!why=On the imported list " file "\n"               \
    "# Written by 'juyong rules import'; to change it, import again.\n"

static void expect_list(const char *want)
{
    struct buf got = read_back("r/keywords/list.txt");
    assert_span(buf_span(&got), span_str(want));
    buf_deinit(&got);
    ruleset_unref(expect_load(""));
}

/* Imports a text with one risk for all. */
static void expect_words(const char *text, const char *want)
{
    write_file("words.txt", text);
    struct import_request q = request("words.txt");
    q.risk = SPAN_LIT("A1-a");
    if (run(&q, NULL, NULL) != 0)
        fail_msg("%s", buf_cstr(&messages));
    expect_list(want);
}

static void expect_failure(const struct import_request *q, const char *want)
{
    struct import *im = NULL;
    assert_int_equal(run(q, NULL, &im), -EINVAL);
    assert_span(buf_span(&messages), span_str(want));
    assert_int_equal(access("r/keywords/list.txt", F_OK), -1);
}

static const struct import_word *find(const struct import *im, const char *word)
{
    for (size_t i = 0; i < import_count(im); i++)
        if (span_eq(import_get(im, i)->word, span_str(word)))
            return import_get(im, i);
    fail_msg("%s is not there", word);
    return NULL;
}

static void writes_words_as_the_library_reads_them(void **state)
{
    expect_words("# a comment\n龘龘词\n\"龘\t\t齉词\"\n",
                 HEAD("words.txt") "龘龘词\trisk=A1-a\n\"龘  齉词\"\trisk=A1-a\n");
    unlink("r/keywords/list.txt");
    write_file("words.csv", "词\n# #龘靐词\n\"龘\n齉词\"\n");
    struct import_request q = request("words.csv");
    q.risk = SPAN_LIT("A1-a");
    assert_int_equal(run(&q, NULL, NULL), 0);
    expect_list(HEAD("words.csv") "龘靐词\trisk=A1-a\n龘 齉词\trisk=A1-a\n");
    struct ruleset *s = expect_load("");
    assert_true(judge(s, "说龘靐词吧", DIRECTION_PROMPT) != UINT32_MAX);
    const struct rule *r = ruleset_rule(s, judge(s, "说龘靐词吧", DIRECTION_PROMPT));
    assert_int_equal(r->origin, RULE_IMPORTED);
    assert_span(r->from, SPAN_LIT("imported: words.csv, 2026-12-31"));
    ruleset_unref(s);
}

static void leaves_out_what_adds_nothing(void **state)
{
    write_file("r/keywords/A1-a.txt", "龘靐词\n");
    write_file("r/keywords/A1-b.txt", "龘龖词\n");
    struct buf text = BUF_INIT(4096);
    buf_append(&text, SPAN_LIT("龘齉词\n龘 齉 词\n龘靐词\n龘龖词\n\n……\n"));
    for (int i = 0; i < 70; i++)
        buf_append(&text, i % 2 ? SPAN_LIT("龘") : SPAN_LIT("齉"));
    write_bytes("words.txt", buf_span(&text));
    buf_deinit(&text);
    struct import_request q = request("words.txt");
    q.risk = SPAN_LIT("A1-a");
    struct import *im = NULL;
    assert_int_equal(run(&q, NULL, &im), 0);
    const struct import_counts *n = import_get_counts(im);
    assert_int_equal(n->rows, 7);
    assert_int_equal(n->fates[IMPORT_KEPT], 2); /* the last is of another risk there */
    assert_int_equal(n->fates[IMPORT_REPEATED], 1);
    assert_int_equal(n->fates[IMPORT_KNOWN], 1);
    assert_int_equal(n->fates[IMPORT_EMPTY], 2);
    assert_int_equal(n->fates[IMPORT_TOO_LONG], 1);
    assert_int_equal(find(im, "龘靐词")->fate, IMPORT_KNOWN);
    import_free(im);
    expect_list(HEAD("words.txt") "龘齉词\trisk=A1-a\n龘龖词\trisk=A1-a\n");
}

static void quarantines_everyday_words(void **state)
{
    static const struct {
        const char *word;
        enum import_fate fate;
        enum import_reason reason;
    } cases[] = {
        {"一个", IMPORT_QUARANTINED, IMPORT_COMMON},
        {"信息", IMPORT_QUARANTINED, IMPORT_COMMON},
        {"是中国", IMPORT_QUARANTINED, IMPORT_COMMON},
        {"Government", IMPORT_QUARANTINED, IMPORT_COMMON},
        {"党", IMPORT_QUARANTINED, IMPORT_SINGLE},
        {"QQ", IMPORT_QUARANTINED, IMPORT_SHORT},
        {"20年", IMPORT_QUARANTINED, IMPORT_SHORT},
        {"海洛因", IMPORT_KEPT, IMPORT_NO_REASON},
        {"冰毒", IMPORT_KEPT, IMPORT_NO_REASON},
        {"炸药", IMPORT_KEPT, IMPORT_NO_REASON},
        {"龘齉词", IMPORT_KEPT, IMPORT_NO_REASON},
        {"qwzx", IMPORT_KEPT, IMPORT_NO_REASON},
    };
    struct buf text = BUF_INIT(4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        buf_printf(&text, "%s\n", cases[i].word);
    write_bytes("words.txt", buf_span(&text));
    buf_deinit(&text);
    struct import_request q = request("words.txt");
    q.risk = SPAN_LIT("A1-a");
    struct import *im = NULL;
    assert_int_equal(run(&q, NULL, &im), 0);
    struct ruleset *s = expect_load("");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct import_word *w = find(im, cases[i].word);
        if (w->fate != cases[i].fate || w->reason != cases[i].reason)
            fail_msg("%s: %s %s", cases[i].word, import_fate_name(w->fate),
                     import_reason_name(w->reason));
        assert_int_equal(w->why.len > 0, w->fate == IMPORT_QUARANTINED);
        char sentence[64];
        snprintf(sentence, sizeof(sentence), "……%s……", cases[i].word);
        assert_int_equal(judge(s, sentence, DIRECTION_BOTH) != UINT32_MAX, w->fate == IMPORT_KEPT);
    }
    assert_int_equal(ruleset_count(s), sizeof(cases) / sizeof(*cases));
    ruleset_unref(s);
    import_free(im);
}

static void quarantines_what_ordinary_texts_hold(void **state)
{
    mkdir("r/benign", 0700);
    write_file("r/benign/own.txt", "# 龖龖词\n龘 靐词也平常\n海洛因的危害\n");
    write_file("r/allow/a.txt", "齉龘词典\n");
    write_file("sample.csv", "编号,提问\n龖龖词,请解释龘齉词\n2,龘齉词与齉龘词典\n");
    write_file("words.txt", "龘靐词\n龘齉词\n龖龖词\n齉龘词\n龗龗词\n海洛因\n");
    struct import_request q = request("words.txt");
    q.risk = SPAN_LIT("A1-a");
    struct import *im = NULL;
    assert_int_equal(run(&q, "sample.csv", &im), 0);
    assert_int_equal(import_get_counts(im)->samples, 4);
    expect_list(HEAD(
        "words.txt") "龘靐词\trisk=A1-a\tquarantine=hits the ordinary text at r/benign/own.txt:2\n"
                     "龘齉词\trisk=A1-a\tquarantine=hits 2 ordinary texts, the first at "
                     "sample.csv:2\n"
                     "龖龖词\trisk=A1-a\n" /* only in a column that is no text */
                     "齉龘词\trisk=A1-a\n" /* saved by an allow phrase */
                     "龗龗词\trisk=A1-a\n"
                     "海洛因\trisk=A1-a\n"); /* one text of prevention is not enough */
    import_free(im);
    /* The operator's own texts are. */
    write_file("sample.txt", "海洛因的危害\n");
    assert_int_equal(run(&q, "sample.txt", &im), 0);
    assert_int_equal(find(im, "海洛因")->reason, IMPORT_SAMPLE);
    import_free(im);
    assert_int_equal(run(&q, "none.txt", &im), -EINVAL);
    assert_span(buf_span(&messages),
                SPAN_LIT("none.txt: can't be read: No such file or directory\n"));
}

static void quarantines_what_traffic_holds_often(void **state)
{
    write_file("words.txt", "龘靐词\n龘齉词\n");
    struct import_request q = request("words.txt");
    q.risk = SPAN_LIT("A1-a");
    struct import *im = NULL;
    buf_deinit(&messages);
    assert_int_equal(import_open(&q, &im, &messages), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(import_add_traffic(im, SPAN_LIT("请说明龘靐词，龘靐词")), 0);
    assert_int_equal(import_add_traffic(im, SPAN_LIT("龘齉词")), 0);
    assert_int_equal(import_add_traffic(im, SPAN_LIT("龘齉词龘齉词")), 0);
    assert_int_equal(import_judge(im, &messages), 0);
    assert_span(find(im, "龘靐词")->why, SPAN_LIT("hits 3 logged texts that were let through"));
    assert_int_equal(find(im, "龘齉词")->fate, IMPORT_KEPT);
    /* Not written when it is dry. */
    assert_int_equal(import_write(im, true, &messages), 0);
    assert_int_equal(access("r/keywords/list.txt", F_OK), -1);
    import_free(im);
}

static void tells_words_within_which_others_hit(void **state)
{
    write_file("r/keywords/A1-a.txt", "龖龖词\n龗龗词\taction=flag\n");
    write_file("words.csv", "词,分类\n龘靐词语,A1-a\n龘靐词,A1-a\n大龘靐词,A1-b\n这龖龖词,A1-a\n"
                            "这龗龗词,A1-a\n");
    struct import_request q = request("words.csv");
    struct import *im = NULL;
    assert_int_equal(run(&q, NULL, &im), 0);
    assert_span(find(im, "龘靐词语")->shadow, SPAN_LIT("龘靐词"));
    assert_span(find(im, "这龖龖词")->shadow, SPAN_LIT("龖龖词"));
    assert_int_equal(find(im, "龘靐词")->shadow.len, 0);
    assert_int_equal(find(im, "大龘靐词")->shadow.len, 0); /* another risk */
    assert_int_equal(find(im, "这龗龗词")->shadow.len, 0); /* which is only flagged */
    assert_int_equal(import_get_counts(im)->shadowed, 2);
    assert_int_equal(import_get_counts(im)->fates[IMPORT_KEPT], 5);
    import_free(im);
}

/* ---- forcing ---- */

static void keeps_forced_words_forced(void **state)
{
    static const struct span forced[] = {SPAN_LIT("信 息"), SPAN_LIT("龘靐词")};
    write_file("words.txt", "信息\n龘靐词\n一个\n");
    struct import_request q = request("words.txt");
    q.risk = SPAN_LIT("A1-a");
    q.forced = forced;
    q.forced_count = 2;
    struct import *im = NULL;
    assert_int_equal(run(&q, NULL, &im), 0);
    assert_int_equal(import_get_counts(im)->fates[IMPORT_FORCED], 2);
    assert_int_equal(find(im, "信息")->reason, IMPORT_COMMON);
    import_free(im);
    q.forced_count = 0;
    q.day = SPAN_LIT("2027-01-31");
    assert_int_equal(run(&q, NULL, NULL), 0);
    struct buf got = read_back("r/keywords/list.txt");
    struct span want = SPAN_LIT("信息\trisk=A1-a\tforced=by hand, 2026-12-31\n"
                                "龘靐词\trisk=A1-a\tforced=by hand, 2026-12-31\n"
                                "一个\trisk=A1-a\tquarantine=");
    assert_true(span_find(buf_span(&got), want) < got.len);
    buf_deinit(&got);
    struct ruleset *s = expect_load("");
    assert_true(judge(s, "看信息", DIRECTION_PROMPT) != UINT32_MAX);
    ruleset_unref(s);
}

static void forces_only_what_is_there(void **state)
{
    static const struct span absent[] = {SPAN_LIT("不在")}, single[] = {SPAN_LIT("党")};
    write_file("words.txt", "龘靐词\n党\n");
    struct import_request q = request("words.txt");
    q.risk = SPAN_LIT("A1-a");
    q.forced_count = 1;
    q.forced = absent;
    expect_failure(&q, "words.txt: '不在' is to be forced, and is not in it\n");
    q.forced = single;
    expect_failure(&q, "words.txt:2: '党' can't be forced: it is one character\n");
}

static void takes_words_out_of_quarantine_later(void **state)
{
    static const struct span words[] = {SPAN_LIT("信息"), SPAN_LIT("一个")};
    write_file("words.txt", "信息\n一个\n龘靐词\n");
    struct import_request q = request("words.txt");
    q.risk = SPAN_LIT("A1-a");
    assert_int_equal(run(&q, NULL, NULL), 0);
    buf_clear(&messages);
    assert_int_equal(
        import_force(SPAN_LIT("r"), SPAN_LIT("list"), words, 1, SPAN_LIT("our\ttrade"), &messages),
        0);
    struct buf got = read_back("r/keywords/list.txt");
    assert_true(span_find(buf_span(&got), SPAN_LIT("\n信息\trisk=A1-a\tforced=our trade\n一个\t")) <
                got.len);
    buf_deinit(&got);
    assert_int_equal(
        import_force(SPAN_LIT("r"), SPAN_LIT("list"), words, 2, SPAN_LIT("x"), &messages), -EINVAL);
    assert_span(buf_span(&messages),
                SPAN_LIT("r/keywords/list.txt: '信息' is not quarantined there\n"));
    struct buf after = read_back("r/keywords/list.txt"); /* the other stays as it was */
    assert_true(span_find(buf_span(&after), SPAN_LIT("一个\trisk=A1-a\tquarantine=")) < after.len);
    buf_deinit(&after);
    buf_clear(&messages);
    assert_int_equal(
        import_force(SPAN_LIT("r"), SPAN_LIT("none"), words, 1, SPAN_LIT("x"), &messages), -EINVAL);
    assert_span(buf_span(&messages),
                SPAN_LIT("r/keywords/none.txt: can't be read: No such file or directory\n"));
}

/* ---- layouts ---- */

static void expect_layout(const char *name, const char *text, const char *want)
{
    write_file(name, text);
    struct import_request q = request(name);
    if (run(&q, NULL, NULL) != 0)
        fail_msg("%s", buf_cstr(&messages));
    struct buf got = read_back("r/keywords/list.txt");
    size_t head = span_find(buf_span(&got), SPAN_LIT("again.\n")) + 7;
    assert_span(span_slice(buf_span(&got), head, got.len), span_str(want));
    buf_deinit(&got);
}

static void reads_the_layouts_of_the_filing(void **state)
{
    expect_layout("a.csv",
                  "附件4 拦截关键词列表\n序号,关键词,一级分类,二级分类,更新日期\n"
                  "1,龘靐词,A.1 一,a) 甲,2026\n2,龘齉词,A.1 一,（b）乙,2026\n",
                  "龘靐词\trisk=A1-a\n龘齉词\trisk=A1-b\n");
    expect_layout("a.csv", "分类,关键词,处置,备注\n甲,龘靐词,拦截,\nA1-b,龘齉词,打码,姓名\n",
                  "龘靐词\trisk=A1-a\n龘齉词\trisk=A1-b\taction=mask\twhy=姓名\n");
    expect_layout("a.tsv", "敏感词\t一级分类\t二级分类\n龘靐词\tA1\tb)\n龘齉词\t一\ta\n",
                  "龘靐词\trisk=A1-b\n龘齉词\trisk=A1-a\n");
    expect_layout("a.csv", "level,词条\nA.1.a,龘靐词\na1b,龘齉词\nPII-phone,龖龖词\n",
                  "龘靐词\trisk=A1-a\n龘齉词\trisk=A1-b\n龖龖词\trisk=pii-phone\n");
    expect_layout("a.jsonl",
                  "{\"label\":\"x\",\"category\":\"甲\",\"word\":\"龘靐词\"}\n"
                  "{\"Type\":\"b\",\"word\":\"龘齉词\",\"category\":\"乙\"}\n",
                  "龘靐词\trisk=A1-a\n龘齉词\trisk=A1-b\n");
}

static void reads_columns_that_are_named(void **state)
{
    write_file("a.csv", "x,y,z\n1,甲,龘靐词\n");
    struct import_request q = request("a.csv");
    expect_failure(&q, "a.csv:1: which column holds the words? None is called 关键词, 敏感词, "
                       "word or the like: name it with --column word=NAME or --column "
                       "word=NUMBER\n");
    q.columns[IMPORT_WORD] = SPAN_LIT("zz");
    expect_failure(&q, "a.csv:1: no column is called 'zz' (--column word=...)\n");
    q.columns[IMPORT_WORD] = SPAN_LIT("z");
    q.columns[IMPORT_CATEGORY] = SPAN_LIT("Y");
    assert_int_equal(run(&q, NULL, NULL), 0);
    expect_list(HEAD("a.csv") "龘靐词\trisk=A1-a\n");
    write_file("a.csv", "1,甲,龘靐词\n2,乙,龘齉词\n");
    q.columns[IMPORT_WORD] = SPAN_LIT("3");
    q.columns[IMPORT_CATEGORY] = SPAN_LIT("2");
    assert_int_equal(run(&q, NULL, NULL), 0);
    expect_list(HEAD("a.csv") "龘靐词\trisk=A1-a\n龘齉词\trisk=A1-b\n");
}

/* A cover, two sheets with a category each, and a summary. */
static void reads_the_sheets_of_a_workbook(void **state)
{
    static const struct sheet_column words[] = {{SPAN_LIT("序号"), 8}, {SPAN_LIT("关键词"), 20}};
    static const struct sheet_column cover[] = {{SPAN_LIT("附件4"), 0}};
    static const struct span names[] = {SPAN_LIT("封面"), SPAN_LIT("甲"), SPAN_LIT("b) 乙")};
    static const struct span texts[] = {SPAN_LIT("某公司"), SPAN_LIT("龘靐词"), SPAN_LIT("龘齉词")};
    struct sheet_writer *w = NULL;
    assert_int_equal(sheet_writer_new(SPAN_LIT("a.xlsx"), 0, &w), 0);
    for (size_t i = 0; i < 3; i++) {
        struct sheet_cell cells[] = {SHEET_NUMBER(1), SHEET_TEXT(texts[i])};
        assert_int_equal(sheet_writer_add(w, names[i], i ? words : cover, i ? 2 : 1), 0);
        assert_int_equal(sheet_writer_row(w, i ? cells : cells + 1, i ? 2 : 1), 0);
    }
    assert_int_equal(sheet_writer_finish(w, NULL), 0);
    sheet_writer_free(w);
    struct import_request q = request("a.xlsx");
    struct import *im = NULL;
    assert_int_equal(run(&q, NULL, &im), 0);
    assert_int_equal(import_get_counts(im)->rows, 2);
    assert_int_equal(import_get_counts(im)->skipped, 4);
    import_free(im);
    expect_list(HEAD("a.xlsx") "龘靐词\trisk=A1-a\n龘齉词\trisk=A1-b\n");
    q.sheet = SPAN_LIT("b) 乙");
    assert_int_equal(run(&q, NULL, NULL), 0);
    expect_list(HEAD("a.xlsx") "龘齉词\trisk=A1-b\n");
    q.sheet = SPAN_LIT("丙");
    assert_int_equal(run(&q, NULL, NULL), -EINVAL);
    assert_span(buf_span(&messages),
                SPAN_LIT("a.xlsx: no sheet is called '丙'; there are: 封面, 甲, b) 乙\n"));
}

static void tells_what_it_can_not_read(void **state)
{
    struct import_request q = request("a.csv");
    write_file("a.csv", "词,分类\n龘靐词,甲\n龘齉词,丙\n龖龖词,丙\n龗龗词,\n");
    expect_failure(&q, "a.csv:3: no risk is known for the category '丙' (2 rows)\n"
                       "a.csv:5: 1 rows have no category\n"
                       "give all words one risk with --risk ID, or write a file for --map: "
                       "'categories: {...: A1-f}', and 'default: A1-h' for the others\n");
    write_file("a.csv", "词,分类,处置\n龘靐词,甲,放行\n");
    expect_failure(&q, "a.csv:2: '放行' is no way to deal with a word (处置): 拦截, 打码, 代答, "
                       "标记; --column action=none leaves it to the policy\n");
    q.columns[IMPORT_ACTION] = SPAN_LIT("none");
    assert_int_equal(run(&q, NULL, NULL), 0);
    unlink("r/keywords/list.txt");
    q.columns[IMPORT_ACTION] = SPAN_NULL;
    q.sheet = SPAN_LIT("x");
    expect_failure(&q, "a.csv: no sheet is called 'x'; there are: \n");
    q.sheet = SPAN_NULL;
    write_file("a.csv", "词,分类\n");
    expect_failure(&q, "a.csv: there is no word in it\n");
    write_file("a.csv", "词,分类\n\"龘靐词,甲\n");
    expect_failure(&q, "a.csv:2: a quotation mark opens a cell that never ends\n");
    q.risk = SPAN_LIT("A9");
    expect_failure(&q, "no risk is called 'A9'\n");
    q.list = SPAN_LIT("A1-a");
    expect_failure(&q, "'A1-a' is the name of a risk, whose file is your own: give the list "
                       "another name\n");
    q.list = SPAN_LIT("../a");
    expect_failure(&q, "'../a' is no name of a list: 1 to 64 letters, digits, '-' and '_'\n");
    q.list = SPAN_LIT("urgent");
    expect_failure(&q, "keywords/urgent.txt is the file of `juyong rules urgent`: give the list "
                       "another name\n");
}

static void reads_the_map(void **state)
{
    struct import_request q = request("a.csv");
    write_file("a.csv", "词,分类\n龘靐词,色情\n龘齉词,暴恐\n龖龖词,甲\n");
    write_file("m.yaml", "categories: {色情: A1-b}\ndefault: pii-phone\n");
    q.map = SPAN_LIT("m.yaml");
    assert_int_equal(run(&q, NULL, NULL), 0);
    expect_list(HEAD("a.csv") "龘靐词\trisk=A1-b\n龘齉词\trisk=pii-phone\n龖龖词\trisk=A1-a\n");
    unlink("r/keywords/list.txt");
    write_file("m.yaml", "categories: {色情: A9, 暴恐: [A1-a]}\ndefault: x\nother: 1\n");
    expect_failure(&q, "m.yaml:2:10: no risk is called 'x'\n"
                       "m.yaml:3:1: unknown key 'other': there are 'categories' and 'default'\n"
                       "m.yaml:1:18: no risk is called 'A9'\n"
                       "m.yaml:1:26: no risk is called ''\n");
    write_file("m.yaml", "[a]\n");
    expect_failure(&q, "m.yaml:1:1: expected a map with 'categories' and 'default'\n");
    write_file("m.yaml", "categories: [a]\n");
    expect_failure(&q, "m.yaml:1:13: expected a map of categories, each with a risk\n");
}

/* ---- all or nothing ---- */

static void leaves_the_list_before_when_it_fails(void **state)
{
    expect_words("龘靐词\n", HEAD("words.txt") "龘靐词\trisk=A1-a\n");
    struct import_request q = request("words.txt");
    q.risk = SPAN_LIT("A1-a");
    write_file("words.txt", "龘齉词\n\xff\n");
    assert_int_equal(run(&q, NULL, NULL), -EINVAL);
    expect_list(HEAD("words.txt") "龘靐词\trisk=A1-a\n");
    /* A library that is broken elsewhere. */
    write_file("words.txt", "龘齉词\n");
    write_file("r/keywords/A1-b.txt", "词语\tactoin=flag\n");
    assert_int_equal(run(&q, NULL, NULL), -EINVAL);
    assert_span(buf_span(&messages),
                SPAN_LIT("r/keywords/A1-b.txt:1:4: unknown key 'actoin'; did you mean "
                         "'action'?\n"));
    unlink("r/keywords/A1-b.txt");
    expect_list(HEAD("words.txt") "龘靐词\trisk=A1-a\n");
    /* The list of before is replaced, not added to. */
    assert_int_equal(run(&q, NULL, NULL), 0);
    expect_list(HEAD("words.txt") "龘齉词\trisk=A1-a\n");
}

static void replaces_no_file_of_the_operators(void **state)
{
    write_file("r/keywords/list.txt", "龖龖词\trisk=A1-a\n");
    write_file("words.txt", "龘靐词\n");
    struct import_request q = request("words.txt");
    q.risk = SPAN_LIT("A1-a");
    assert_int_equal(run(&q, NULL, NULL), -EINVAL);
    assert_span(buf_span(&messages), SPAN_LIT("r/keywords/list.txt: is there, and was not "
                                              "imported: give the list another name\n"));
    expect_list("龖龖词\trisk=A1-a\n");
}

static void makes_the_folder_of_the_first_list(void **state)
{
    rmdir("r/keywords");
    expect_words("龘靐词\n", HEAD("words.txt") "龘靐词\trisk=A1-a\n");
}

static int clean(void **state)
{
    buf_deinit(&messages);
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(writes_words_as_the_library_reads_them),
        EACH(leaves_out_what_adds_nothing),
        EACH(quarantines_everyday_words),
        EACH(quarantines_what_ordinary_texts_hold),
        EACH(quarantines_what_traffic_holds_often),
        EACH(tells_words_within_which_others_hit),
        EACH(keeps_forced_words_forced),
        EACH(forces_only_what_is_there),
        EACH(takes_words_out_of_quarantine_later),
        EACH(reads_the_layouts_of_the_filing),
        EACH(reads_columns_that_are_named),
        EACH(reads_the_sheets_of_a_workbook),
        EACH(tells_what_it_can_not_read),
        EACH(reads_the_map),
        EACH(leaves_the_list_before_when_it_fails),
        EACH(replaces_no_file_of_the_operators),
        EACH(makes_the_folder_of_the_first_list),
    };
    return cmocka_run_group_tests(tests, set_up, clean);
}
