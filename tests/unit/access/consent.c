/* Consents: the last word counts, a torn line is no line, and damage labels everyone. */
#include "../unit.h"

#include "access/consent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_NAME  SPAN_LIT("state")
#define FILE_NAME "state/consents.jsonl"

static char folder[] = "/tmp/juyong-consent-XXXXXX";

static int set_up(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 && mkdir("state", 0700) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    unlink(FILE_NAME);
    rmdir("state");
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static char users[600][65];

static struct span user(unsigned n)
{
    snprintf(users[n], sizeof(users[n]), "%064x", n + 1);
    return span_str(users[n]);
}

static void put(unsigned n, const char *app, bool given)
{
    struct consent c = {.given = given,
                        .app = span_str(app),
                        .end_user = user(n),
                        .agreement = given ? SPAN_LIT("协议 \"v2\"") : SPAN_NULL};
    assert_int_equal(consent_append(DIR_NAME, &c), 0);
}

static void append_raw(const char *text)
{
    FILE *f = fopen(FILE_NAME, "a");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int count_lines(void *ctx, const struct consent *c)
{
    ++*(unsigned *)ctx;
    return 0;
}

static void the_last_word_counts(void **state)
{
    struct consents *c = consents_new(DIR_NAME);
    assert_int_equal(consents_refresh(c), 0); /* no file */
    assert_false(consents_has(c, SPAN_LIT("a"), user(0)));
    for (unsigned n = 0; n < 300; n++)
        put(n, "a", true);
    put(7, "b", true);
    put(8, "a", false);
    assert_false(consents_has(c, SPAN_LIT("a"), user(0))); /* not read yet */
    assert_int_equal(consents_refresh(c), 0);
    for (unsigned n = 0; n < 600; n++)
        assert_int_equal(consents_has(c, SPAN_LIT("a"), user(n)), n < 300 && n != 8);
    assert_true(consents_has(c, SPAN_LIT("b"), user(7)));
    assert_false(consents_has(c, SPAN_LIT("b"), user(6)));
    assert_false(consents_has(c, SPAN_LIT("a"), SPAN_LIT("")));
    put(8, "a", true);
    put(9, "a", false);
    assert_int_equal(consents_refresh(c), 0);
    assert_true(consents_has(c, SPAN_LIT("a"), user(8)));
    assert_false(consents_has(c, SPAN_LIT("a"), user(9)));
    unsigned lines = 0;
    size_t line;
    assert_int_equal(consent_each(DIR_NAME, count_lines, &lines, &line), 0);
    assert_int_equal(lines, 304);
    struct stat st;
    assert_int_equal(stat(FILE_NAME, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    unlink(FILE_NAME);
    assert_int_equal(consents_refresh(c), 0);
    assert_false(consents_has(c, SPAN_LIT("a"), user(8)));
    consents_free(c);
}

static void a_torn_line_is_no_line(void **state)
{
    struct consents *c = consents_new(DIR_NAME);
    put(1, "a", true);
    append_raw("{\"time_us\":1,\"act\":\"with");
    assert_int_equal(consents_refresh(c), 0);
    assert_true(consents_has(c, SPAN_LIT("a"), user(1)));
    put(2, "a", true); /* cuts it off */
    assert_int_equal(consents_refresh(c), 0);
    assert_true(consents_has(c, SPAN_LIT("a"), user(1)));
    assert_true(consents_has(c, SPAN_LIT("a"), user(2)));
    unsigned lines = 0;
    size_t line;
    assert_int_equal(consent_each(DIR_NAME, count_lines, &lines, &line), 0);
    assert_int_equal(lines, 2);
    consents_free(c);
    unlink(FILE_NAME);
}

static void damage_labels_everyone(void **state)
{
    static const char *const bad[] = {
        "\n",
        "{}\n",
        "[1]\n",
        "{\"time_us\":1,\"act\":\"agree\",\"app\":\"a\",\"end_user\":\"\",\"agreement\":\"x\","
        "\"author\":\"\"}\n",
        "{\"time_us\":0,\"act\":\"withdraw\",\"app\":\"a\",\"end_user\":"
        "\"0000000000000000000000000000000000000000000000000000000000000001\",\"agreement\":\"\","
        "\"author\":\"\"}\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct consents *c = consents_new(DIR_NAME);
        put(1, "a", true);
        assert_int_equal(consents_refresh(c), 0);
        assert_true(consents_has(c, SPAN_LIT("a"), user(1)));
        append_raw(bad[i]);
        assert_int_equal(consents_refresh(c), -EBADMSG);
        assert_false(consents_has(c, SPAN_LIT("a"), user(1)));
        assert_int_equal(consents_refresh(c), -EBADMSG);
        unsigned lines = 0;
        size_t line;
        assert_int_equal(consent_each(DIR_NAME, count_lines, &lines, &line), -EBADMSG);
        assert_int_equal(line, 2);
        unlink(FILE_NAME); /* mended */
        put(3, "a", true);
        assert_int_equal(consents_refresh(c), 0);
        assert_true(consents_has(c, SPAN_LIT("a"), user(3)));
        consents_free(c);
        unlink(FILE_NAME);
    }
}

static void touch(time_t s)
{
    struct timespec times[2] = {{.tv_sec = s}, {.tv_sec = s}};
    assert_int_equal(utimensat(AT_FDCWD, FILE_NAME, times, 0), 0);
}

/* Large it may be, and everyone reads it. */
static void damage_is_read_once(void **state)
{
    struct consents *c = consents_new(DIR_NAME);
    put(1, "a", true);
    append_raw(".\n");
    touch(1000);
    assert_int_equal(consents_refresh(c), -EBADMSG);
    struct stat st;
    assert_int_equal(stat(FILE_NAME, &st), 0);
    int fd = open(FILE_NAME, O_WRONLY);
    assert_int_equal(pwrite(fd, " ", 1, st.st_size - 2), 1);
    assert_int_equal(pwrite(fd, " ", 1, st.st_size - 1), 1); /* the beginning of a line */
    close(fd);
    touch(1000); /* it looks the same */
    assert_int_equal(consents_refresh(c), -EBADMSG);
    touch(1001);
    assert_int_equal(consents_refresh(c), 0);
    assert_true(consents_has(c, SPAN_LIT("a"), user(1)));
    consents_free(c);
    unlink(FILE_NAME);
}

static void a_file_has_its_size(void **state)
{
    struct consents *c = consents_new(DIR_NAME);
    struct consent given = {.given = true,
                            .app = SPAN_LIT("a"),
                            .end_user = user(1),
                            .agreement = SPAN_LIT("v2")},
                   withdrawn = {.app = SPAN_LIT("a"), .end_user = user(1)};
    put(1, "a", true);
    assert_int_equal(truncate(FILE_NAME, (off_t)200 << 20), 0);
    assert_int_equal(consent_append(DIR_NAME, &given), -EFBIG);
    assert_int_equal(truncate(FILE_NAME, (off_t)257 << 20), 0);
    assert_int_equal(consent_append(DIR_NAME, &withdrawn), -EFBIG);
    assert_int_equal(consents_refresh(c), -EFBIG);
    assert_false(consents_has(c, SPAN_LIT("a"), user(1)));
    consents_free(c);
    unlink(FILE_NAME);
}

static void what_is_no_consent_is_not_written(void **state)
{
    char big[600];
    memset(big, 'x', sizeof(big));
    struct consent good = {.given = true,
                           .app = SPAN_LIT("a"),
                           .end_user = user(0),
                           .agreement = SPAN_LIT("v2")},
                   c;
#define REFUSED(field, value)                                                                      \
    c = good;                                                                                      \
    c.field = value;                                                                               \
    assert_int_equal(consent_append(DIR_NAME, &c), -EINVAL)
    REFUSED(app, SPAN_NULL);
    REFUSED(end_user, SPAN_LIT("alice"));
    REFUSED(agreement, SPAN_NULL);
    REFUSED(agreement, SPAN_LIT("two\nlines"));
    REFUSED(agreement, SPAN_LIT("\xff"));
    REFUSED(agreement, span_from(big, sizeof(big)));
    REFUSED(author, SPAN_LIT("a\x7f"));
    assert_int_equal(access(FILE_NAME, F_OK), -1);
    assert_int_equal(consent_append(SPAN_LIT("absent"), &good), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_word_counts),
        cmocka_unit_test(a_torn_line_is_no_line),
        cmocka_unit_test(damage_labels_everyone),
        cmocka_unit_test(damage_is_read_once),
        cmocka_unit_test(a_file_has_its_size),
        cmocka_unit_test(what_is_no_consent_is_not_written),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
