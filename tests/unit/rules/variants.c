/* variants/: what is read and what is refused. */
#include "folder.h"

#include "base/utf8.h"

static void test_read(void **state)
{
    write_file("r/keywords/A1-a.txt", "词语\n");
    struct ruleset *without = expect_load("");
    write_file("r/variants/split.txt",
               "\xef\xbb\xbf# parts\r\n好\t女子\r\n\r\n  炸 \t火乍\t火乍 \n");
    write_file("r/variants/shape.txt", "# alike\n己已巳\n未末\n");
    write_file("r/variants/sound.txt", "# read alike\n的地得\n");
    struct ruleset *with = expect_load("");
    assert_false(span_eq(ruleset_version(without), ruleset_version(with)));
    write_file("r/variants/sound.txt", "# read alike\n的地\n");
    struct ruleset *other = expect_load("");
    assert_false(span_eq(ruleset_version(other), ruleset_version(with)));
    assert_int_equal(ruleset_count(with), 1);
    ruleset_unref(without);
    ruleset_unref(with);
    ruleset_unref(other);
}

static void test_errors(void **state)
{
    static const struct {
        const char *file, *text, *message;
    } cases[] = {
        {"split", "好了\t女子\n", ":1:1: '好了' is not one character\n"},
        {"split", "\t女子\n", ":1:2: '女子' is not one character\n"},
        {"split", "好\n", ":1:1: '好' has no parts\n"},
        {"split", "# x\n 好\t女\n", ":2:4: a character has 2 to 4 parts, '女' is 1\n"},
        {"split", "好\t女子\t一二三四五\n",
         ":1:6: a character has 2 to 4 parts, '一二三四五' are 5\n"},
        {"split", "好\t女\xff\n", ":1:4: not UTF-8\n"},
        {"shape", "己已巳\n未末未\n", ":2:3: '未' is twice in this group\n"},
        {"shape", "己\n", ":1:1: a group has two characters or more\n"},
        {"sound", " 的 地\n", ":1:3: the characters of a group follow each other without a gap\n"},
        {"sound", "的\t地\n", ":1:2: the characters of a group follow each other without a gap\n"},
        {"shapes", "己已\n", ": no variants are called 'shapes': split, shape or sound\n"},
    };
    write_file("r/keywords/A1-a.txt", "词语\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char name[64], message[256];
        snprintf(name, sizeof(name), "r/variants/%s.txt", cases[i].file);
        snprintf(message, sizeof(message), "%s%s", name, cases[i].message);
        write_file(name, cases[i].text);
        expect_refused(message);
        unlink(name);
    }
    struct buf text = BUF_INIT(4096);
    for (unsigned i = 0; i < 257; i++) {
        char bytes[4];
        buf_append(&text, span_from(bytes, utf8_encode(0x4e00 + i, bytes)));
    }
    write_bytes("r/variants/shape.txt", buf_span(&text));
    expect_refused("r/variants/shape.txt:1:257: more than 256 characters in a group\n");
    buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {EACH(test_read), EACH(test_errors)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
