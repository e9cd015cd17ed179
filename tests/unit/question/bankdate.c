/* Since when a bank asks what it asks: by the files at first, then by what was noted. */
#include "bankfixture.h"

#include "question/bankdate.h"

#include <fcntl.h>

#define THEN 1700000000
#define NOW  1800000000

static const char one[] =
    "{\"id\":\"1\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"一\"}\n";

static void touch(const char *path, int64_t at)
{
    struct timespec times[2] = {{.tv_sec = at}, {.tv_sec = at}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static int64_t date_of(const char *text, int64_t now)
{
    struct bank *b = read_text(text, strlen(text), "");
    int64_t at = bankdate_read(SPAN_LIT("state"), SPAN_LIT("r"), b, now);
    bank_free(b);
    return at;
}

static void test_dates(void **state)
{
    mkdir("state", 0700);
    write_text("r/questions/a.jsonl", one);
    write_text("r/questions/README.md", "newer, and no bank\n");
    touch("r/questions/a.jsonl", THEN);
    assert_int_equal(date_of("", NOW), 0);
    assert_int_equal(date_of(one, NOW), THEN);
    /* A file that is written anew with the same questions brings nothing up to date, nor do a
     * judging note, another name, or what is derived. */
    touch("r/questions/a.jsonl", THEN + 5000);
    assert_int_equal(date_of(one, NOW), THEN);
    assert_int_equal(date_of("{\"id\":\"2\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":"
                             "\"一\",\"note\":\"n\"}\n"
                             "{\"id\":\"3\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":"
                             "\"二\",\"seed\":\"2\"}\n",
                             NOW),
                     THEN);
    /* Another question does. */
    static const char two[] =
        "{\"id\":\"2\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"二\"}\n";
    assert_int_equal(date_of(two, NOW), THEN + 5000);
    /* What is later than now is no time to believe, noted or of a file. */
    assert_int_equal(date_of(two, THEN), THEN);
    /* A torn note is none. */
    write_text("state/filing/bank.json", "{\"questions\":");
    assert_int_equal(date_of(two, NOW), THEN + 5000);
}

static void test_without_a_state(void **state)
{
    struct bank *b = read_good(one);
    touch("r/questions/a.jsonl", THEN);
    assert_int_equal(bankdate_read(SPAN_LIT("nowhere"), SPAN_LIT("r"), b, NOW), THEN);
    assert_int_equal(bankdate_read(SPAN_LIT("nowhere"), SPAN_LIT("nor here"), b, NOW), NOW);
    bank_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_without_a_state),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
