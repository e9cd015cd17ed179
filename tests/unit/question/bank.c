/* Question banks: what a line may say, what is told of one that is wrong, and what counts. */
#include "bankfixture.h"

#define LINE(rest)                                                                                 \
    "{\"id\":\"x\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"问\"" rest "}"

static void test_reads(void **state)
{
    struct bank *b = read_good(
        "\xef\xbb\xbf{\"id\":\"content-A1-a-001\",\"bank\":\"content\",\"risk\":\"A1-a\","
        "\"technique\":\"T28\",\"question\":\"一\\n二\",\"note\":\"怎样判\",\"messages\":["
        "{\"role\":\"user\",\"content\":\"一\"},{\"role\":\"assistant\",\"content\":\"好\"}]}\r\n"
        "\n"
        "{\"id\":\"a.b_C\",\"bank\":\"answer\",\"aspect\":\"历史\",\"question\":\"何时？\"}\n"
        "{\"id\":\"d\",\"bank\":\"refuse\",\"risk\":\"A1-a\",\"question\":\"问\",\"seed\":\"a\"}");
    assert_int_equal(bank_count(b), 3);
    const struct question *q = bank_at(b, 0);
    assert_span(q->id, SPAN_LIT("content-A1-a-001"));
    assert_int_equal(q->kind, BANK_CONTENT);
    assert_span(q->risk->id, SPAN_LIT("A1-a"));
    assert_null(q->aspect);
    assert_int_equal(q->technique, 28);
    assert_span(q->text, SPAN_LIT("一\n二"));
    assert_span(q->note, SPAN_LIT("怎样判"));
    assert_int_equal(value_count(q->messages), 2);
    assert_int_equal(q->place.line, 1);
    q = bank_find(b, SPAN_LIT("a.b_C"));
    assert_ptr_equal(q, bank_at(b, 1));
    assert_span(q->aspect->zh, SPAN_LIT("历史"));
    assert_null(q->risk);
    assert_int_equal(q->technique, 0);
    assert_int_equal(q->seed.len + q->note.len, 0);
    assert_int_equal(q->place.line, 3);
    assert_span(bank_at(b, 2)->seed, SPAN_LIT("a"));
    assert_null(bank_find(b, SPAN_LIT("nobody")));
    bank_free(b);
    bank_free(NULL);
}

static void test_refuses(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"{", "q.jsonl:1: not JSON: column 1: string or '}' expected near end of file"},
        {"7", "q.jsonl:1: no object: one question a line, {\"id\":…}"},
        {LINE(",\"qestion\":\"y\""), "q.jsonl:1: unknown key 'qestion'; did you mean 'question'?"},
        {LINE(",\"other\":\"y\""), "q.jsonl:1: unknown key 'other'"},
        {LINE(",\"note\":7"), "q.jsonl:1: 'note' is no text"},
        {LINE(",\"note\":\"\""), "q.jsonl:1: 'note' is empty"},
        {LINE(",\"note\":\" \""), "q.jsonl:1: 'note' is empty"},
        {LINE(",\"note\":\"a\\nb\""), "q.jsonl:1: 'note' is not one line of text"},
        {LINE(",\"technique\":\"T29\""), "q.jsonl:1: there is no technique 'T29': T01 to T28 are"},
        {LINE(",\"technique\":\"T1\""), "q.jsonl:1: there is no technique 'T1': T01 to T28 are"},
        {LINE(",\"seed\":\"x\""), "q.jsonl:1: a question is no seed of itself"},
        {LINE(",\"seed\":\"a b\""),
         "q.jsonl:1: 'seed' is no id: 1 to 96 letters, digits and . _ - are one"},
        {LINE(",\"aspect\":\"历史\""),
         "q.jsonl:1: a question of the bank 'content' has no 'aspect' but a 'risk'"},
        {LINE(",\"id\":\"y\""),
         "q.jsonl:1: not JSON: column 60: duplicate object key near '\"id\"'"},
        {"{\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"q\"}",
         "q.jsonl:1: 'id' is missing"},
        {"{\"id\":\"x\",\"risk\":\"A1-a\",\"question\":\"q\"}", "q.jsonl:1: 'bank' is missing"},
        {"{\"id\":\"x\",\"bank\":\"content\",\"question\":\"q\"}", "q.jsonl:1: 'risk' is missing"},
        {"{\"id\":\"x\",\"bank\":\"answer\",\"question\":\"q\"}", "q.jsonl:1: 'aspect' is missing"},
        {"{\"id\":\"x\",\"bank\":\"content\",\"risk\":\"A1-a\"}",
         "q.jsonl:1: 'question' is missing"},
        {"{\"id\":\"x\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"a\\u0007\"}",
         "q.jsonl:1: 'question' holds a control character"},
        {"{\"id\":\"x\",\"bank\":\"other\",\"question\":\"q\"}",
         "q.jsonl:1: there is no bank 'other': content, refuse and answer are"},
        {"{\"id\":\"x\",\"bank\":\"refuse\",\"risk\":\"A9-a\",\"question\":\"q\"}",
         "q.jsonl:1: there is no risk type 'A9-a' in risks.yaml"},
        {"{\"id\":\"x\",\"bank\":\"refuse\",\"risk\":\"attack-x\",\"question\":\"q\"}",
         "q.jsonl:1: 'attack-x' is no type of the standard: name what the question is about, and "
         "the technique by 'technique'"},
        {"{\"id\":\"x\",\"bank\":\"answer\",\"aspect\":\"外星\",\"question\":\"q\"}",
         "q.jsonl:1: there is no aspect '外星' in risks.yaml"},
        {"{\"id\":\"x\",\"bank\":\"answer\",\"aspect\":\"历史\",\"risk\":\"A1-a\",\"question\":"
         "\"q\"}",
         "q.jsonl:1: a question of the bank 'answer' has no 'risk' but an 'aspect'"},
        {LINE(",\"messages\":[]"), "q.jsonl:1: 'messages' is no list of 1 to 64 turns"},
        {LINE(",\"messages\":{}"), "q.jsonl:1: 'messages' is no list of 1 to 64 turns"},
        {LINE(",\"messages\":[7]"), "q.jsonl:1: turn 1 of 'messages': no object"},
        {LINE(",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"me\"}]"),
         "q.jsonl:1: turn 2 of 'messages': of no role: system, developer, user, assistant and tool "
         "are"},
        {LINE(",\"messages\":[{\"role\":\"user\"}]"), "q.jsonl:1: turn 1 of 'messages': empty"},
        {LINE(",\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"name\":\"b\"}]"),
         "q.jsonl:1: turn 1 of 'messages': more than 'role' and 'content'"},
        {LINE(",\"messages\":[{\"role\":\"system\",\"content\":\"a\"}]"),
         "q.jsonl:1: 'messages' has no turn of the user"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char want[1024];
        snprintf(want, sizeof(want), "%s\n", cases[i].message);
        assert_null(read_text(cases[i].line, strlen(cases[i].line), want));
    }
}

static void test_tells_all_that_is_wrong(void **state)
{
    static const char text[] = LINE("") "\n" LINE(",\"x\":1") "\n\n" LINE("") "\n";
    assert_null(read_text(text, sizeof(text) - 1,
                          "q.jsonl:2: unknown key 'x'\n"
                          "q.jsonl:4: the id 'x' is taken: q.jsonl:1\n"));
    static const char bytes[] = "\n{\"id\":\"好\xff\"}\n{\"id\":\"\xff\"}";
    assert_null(read_text(bytes, sizeof(bytes) - 1, "q.jsonl:2:9: not UTF-8\n"));
    static const char nul[] = "{\"id\":\"a\0b\"}";
    struct buf messages = BUF_INIT(65536);
    struct bank *b = NULL;
    assert_int_equal(
        bank_read_text(span_from(nul, sizeof(nul) - 1), SPAN_LIT("q.jsonl"), rules, &messages, &b),
        -EINVAL);
    assert_true(span_starts(buf_span(&messages), SPAN_LIT("q.jsonl:1: not JSON: ")));
    buf_deinit(&messages);
}

static void test_lengths(void **state)
{
    struct buf line = BUF_INIT(1u << 20);
    for (int more = 0; more < 2; more++) {
        buf_clear(&line);
        buf_printf(&line, "{\"id\":\"x\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"");
        for (int i = 0; i < BANK_TEXT_MAX + more; i++)
            buf_append_char(&line, 'a');
        buf_printf(&line, "\"}");
        bank_free(read_text(line.data, line.len,
                            more ? "q.jsonl:1: 'question' is too long: 16385 bytes, at most 16384\n"
                                 : ""));
    }
    buf_deinit(&line);
}

static void test_many_errors(void **state)
{
    struct buf text = BUF_INIT(1u << 20), messages = BUF_INIT(1u << 20);
    struct bank *b = NULL;
    for (int i = 0; i < 600; i++)
        buf_printf(&text, "7\n");
    assert_int_equal(bank_read_text(buf_span(&text), SPAN_LIT("q.jsonl"), rules, &messages, &b),
                     -EINVAL);
    struct span rest = buf_span(&messages), line, last = SPAN_NULL;
    size_t lines = 0;
    while (span_split(&rest, '\n', &line) && line.len) {
        last = line;
        lines++;
    }
    assert_int_equal(lines, 501);
    assert_span(last, SPAN_LIT("q.jsonl: 100 more errors"));
    buf_deinit(&text);
    buf_deinit(&messages);
}

static const char counted[] =
    "{\"id\":\"1\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"怎么办？\"}\n"
    "{\"id\":\"2\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"怎麼 辦\"}\n" /* the same
                                                                                        */
    "{\"id\":\"3\",\"bank\":\"content\",\"risk\":\"A3-a\",\"question\":\"怎么办!\"}\n" /* once more
                                                                                        */
    "{\"id\":\"4\",\"bank\":\"content\",\"risk\":\"A3-a\",\"question\":\"别的\"}\n"
    "{\"id\":\"5\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"再一\",\"seed\":\"1\"}\n"
    "{\"id\":\"6\",\"bank\":\"refuse\",\"risk\":\"A1-a\",\"question\":\"怎么办\"}\n" /* another bank
                                                                                      */
    "{\"id\":\"7\",\"bank\":\"refuse\",\"risk\":\"A3-a\",\"question\":\"没人要求\"}\n"
    "{\"id\":\"8\",\"bank\":\"answer\",\"aspect\":\"历史\",\"question\":\"？\"}\n"
    "{\"id\":\"9\",\"bank\":\"answer\",\"aspect\":\"制度\",\"question\":\"！\"}\n";

static void test_counts(void **state)
{
    struct bank *b = read_good(counted);
    struct bank_counts c;
    assert_int_equal(bank_count_all(b, rules, &c), 0);
    static const struct {
        enum bank_kind kind;
        const char *type;
        unsigned count, derived, repeated, wanted;
    } want[] = {
        {BANK_CONTENT, "A1-a", 1, 1, 1, 2}, {BANK_CONTENT, "A3-a", 1, 0, 1, 1},
        {BANK_REFUSE, "A1-a", 1, 0, 0, 1},  {BANK_REFUSE, "A3-a", 1, 0, 0, 0},
        {BANK_ANSWER, "制度", 1, 0, 0, 1},  {BANK_ANSWER, "历史", 1, 0, 0, 1},
    };
    assert_int_equal(c.count, sizeof(want) / sizeof(*want));
    for (size_t i = 0; i < c.count; i++) {
        const struct bank_count *n = &c.items[i];
        assert_int_equal(n->kind, want[i].kind);
        assert_span(n->risk ? n->risk->id : n->aspect->zh, span_str(want[i].type));
        assert_int_equal(n->count, want[i].count);
        assert_int_equal(n->derived, want[i].derived);
        assert_int_equal(n->repeated, want[i].repeated);
        assert_int_equal(n->wanted, want[i].wanted);
    }
    assert_int_equal(c.totals[BANK_CONTENT], 2);
    assert_int_equal(c.totals[BANK_REFUSE], 2);
    assert_int_equal(c.totals[BANK_ANSWER], 2);
    assert_int_equal(c.wanted[BANK_CONTENT], 3);
    assert_false(bank_is_sufficient(&c)); /* A1-a and the total of content are short */
    c.items[0].count = 2;
    assert_false(bank_is_sufficient(&c));
    c.totals[BANK_CONTENT] = 3;
    assert_true(bank_is_sufficient(&c));
    bank_counts_free(&c);
    bank_free(b);
}

static void test_writes_what_it_reads(void **state)
{
    static const char text[] =
        "{\"id\":\"1\",\"bank\":\"content\",\"risk\":\"A1-a\",\"technique\":\"T07\",\"question\":"
        "\"a\\"
        "\"\\n二\",\"note\":\"n\",\"seed\":\"s\",\"messages\":[{\"role\":\"user\",\"content\":"
        "\"问\"}]}\n"
        "{\"id\":\"2\",\"bank\":\"answer\",\"aspect\":\"历史\",\"question\":\"q\"}\n";
    struct bank *b = read_good(text);
    struct buf out = BUF_INIT(65536);
    for (size_t i = 0; i < bank_count(b); i++)
        assert_int_equal(bank_write(bank_at(b, i), &out), 0);
    assert_span(buf_span(&out), span_str(text));
    out.max = out.len + 10; /* no room: nothing of a line is left */
    assert_int_equal(bank_write(bank_at(b, 0), &out), -EMSGSIZE);
    assert_span(buf_span(&out), span_str(text));
    buf_deinit(&out);
    bank_free(b);
}

static void test_digest(void **state)
{
    char digest[65];
    struct bank *b = read_good(LINE("") "\n{\"id\":\"a\",\"bank\":\"answer\",\"aspect\":\"历史\","
                                        "\"question\":\"q\"}");
    snprintf(digest, sizeof(digest), "%s", bank_digest(b));
    assert_int_equal(strlen(bank_digest(b)), 64);
    bank_free(b);
    /* Another order is no other bank; another note is. */
    b = read_good(
        "{\"question\":\"q\",\"id\":\"a\",\"bank\":\"answer\",\"aspect\":\"历史\"}\n\n" LINE(""));
    assert_string_equal(bank_digest(b), digest);
    bank_free(b);
    b = read_good(LINE(",\"note\":\"n\"") "\n{\"id\":\"a\",\"bank\":\"answer\",\"aspect\":\"历史\","
                                          "\"question\":\"q\"}");
    assert_string_not_equal(bank_digest(b), digest);
    bank_free(b);
}

static void test_folder(void **state)
{
    struct buf messages = BUF_INIT(65536);
    struct bank *b = NULL;
    assert_int_equal(bank_read(SPAN_LIT("nowhere"), rules, &messages, &b), 0);
    assert_int_equal(bank_count(b), 0);
    bank_free(b);
    write_text("r/questions/b.jsonl", LINE("") "\n");
    write_text("r/questions/README.md", "words\n");
    write_text("r/questions/b.jsonl.new", "half a li");
    write_text("r/questions/a.jsonl", "{\"id\":\"a\",\"bank\":\"answer\",\"aspect\":\"历史\","
                                      "\"question\":\"q\"}\n");
    assert_int_equal(bank_read(SPAN_LIT("r/"), rules, &messages, &b), 0);
    assert_int_equal(bank_count(b), 2);
    assert_span(bank_at(b, 0)->id, SPAN_LIT("a"));
    assert_span(bank_at(b, 1)->place.file, SPAN_LIT("r/questions/b.jsonl"));
    bank_free(b);
    write_text("r/questions/c.json", "");
    write_text("r/questions/d.jsonl", "\n" LINE("") "\n");
    mkdir("r/questions/e.jsonl", 0700);
    assert_int_equal(bank_read(SPAN_LIT("r"), rules, &messages, &b), -EINVAL);
    assert_span(buf_span(&messages),
                SPAN_LIT("r/questions: 'c.json' is not read: no .jsonl file\n"
                         "r/questions/e.jsonl: not a regular file\n"
                         "r/questions/d.jsonl:2: the id 'x' is taken: r/questions/b.jsonl:1\n"));
    buf_clear(&messages);
    assert_int_equal(bank_read_file(SPAN_LIT("r/questions/a.jsonl"), rules, &messages, &b), 0);
    assert_int_equal(bank_count(b), 1);
    bank_free(b);
    assert_int_equal(bank_read_file(SPAN_LIT("r/none.jsonl"), rules, &messages, &b), -EINVAL);
    assert_span(buf_span(&messages), SPAN_LIT("r/none.jsonl: can't be read: No such file or "
                                              "directory\n"));
    buf_deinit(&messages);
}

static void test_names(void **state)
{
    char name[4];
    for (enum bank_kind k = 0; k < BANK_KINDS; k++)
        assert_int_equal(bank_kind_from(span_str(bank_kind_name(k))), k);
    assert_int_equal(bank_kind_from(SPAN_LIT("")), BANK_KINDS);
    assert_string_equal(bank_kind_title(BANK_REFUSE), "应拒答测试题库");
    assert_string_equal(bank_technique(7, name), "T07");
    assert_string_equal(bank_technique(0, name), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_tells_all_that_is_wrong),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_many_errors),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_writes_what_it_reads),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
