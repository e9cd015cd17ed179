/* One line a call, whatever the text says. */
#include "../unit.h"

#include "base/log.h"

#include <stdio.h>
#include <unistd.h>

static char output[8192];

#define CAPTURE(statement)                                                                         \
    do {                                                                                           \
        int fds_[2], old_ = dup(STDERR_FILENO);                                                    \
        assert_int_equal(pipe(fds_), 0);                                                           \
        dup2(fds_[1], STDERR_FILENO);                                                              \
        statement;                                                                                 \
        dup2(old_, STDERR_FILENO);                                                                 \
        close(old_);                                                                               \
        close(fds_[1]);                                                                            \
        ssize_t n_ = read(fds_[0], output, sizeof(output) - 1);                                    \
        close(fds_[0]);                                                                            \
        assert_true(n_ >= 0);                                                                      \
        output[n_] = '\0';                                                                         \
    } while (0)

static void lines_have_their_form(void **state)
{
    CAPTURE(log_warning("disk %d %%", 90));
    assert_int_equal(strlen(output), 24 + 1 + 7 + 1 + 9 + 1);
    assert_int_equal(output[10], 'T');
    assert_int_equal(output[23], 'Z');
    assert_string_equal(output + 24, " warning disk 90 %\n");
}

static void levels_are_kept(void **state)
{
    assert_int_equal(log_get_level(), LOG_INFO);
    CAPTURE(log_debug("unseen"));
    assert_string_equal(output, "");
    log_set_level(LOG_ERROR);
    CAPTURE(log_warning("unseen"));
    assert_string_equal(output, "");
    CAPTURE(log_error("seen"));
    assert_non_null(strstr(output, "error   seen\n"));
    log_set_level(LOG_INFO);
}

static void no_text_forges_a_line(void **state)
{
    CAPTURE(log_info("%s", "a\nb\rc\033[2Jd\177e\tf"));
    assert_non_null(strstr(output, "info    a?b?c?[2Jd?e?f\n"));
    /* C1 controls, which some terminals obey, as UTF-8; other characters stay. */
    CAPTURE(log_info("%s", "x\xC2\x85y\xC2\x9Bz 居庸 é \xC2\xA0"));
    assert_non_null(strstr(output, "info    x??y??z 居庸 é \xC2\xA0\n"));
    char text[5000];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    CAPTURE(log_info("%s", text));
    assert_true(strlen(output) > 1000 && strlen(output) < 1200);
    assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
}

static void keys_are_starred_out(void **state)
{
    CAPTURE(log_info("%s", "Authorization: Bearer abcdefgh.ijk_L-m and sk-0123456789ab, "
                           "https://x.example/robot/send?access_token=0123456789abcdef&a=b"));
    assert_non_null(strstr(output, "Bearer **************** and sk-************, "
                                   "https://x.example/robot/send?access_token="
                                   "****************&a=b\n"));
    CAPTURE(log_info("%s", "the key=A1-h/0 of task-1, sk-1"));
    assert_non_null(strstr(output, "the key=A1-h/0 of task-1, sk-1\n"));
}

static void lines_may_be_json(void **state)
{
    log_set_form(LOG_JSON);
    CAPTURE(log_warning("a \"b\" \\ c\nd\033 \xff 居庸"));
    assert_int_equal(memcmp(output, "{\"time\":\"20", 11), 0);
    assert_string_equal(output + 9 + 25, ",\"level\":\"warning\",\"message\":\"a \\\"b\\\" "
                                         "\\\\ c?d? \xef\xbf\xbd 居庸\"}\n");
    log_set_request(SPAN_LIT("r-1"));
    CAPTURE(log_error("x"));
    log_set_request(SPAN_NULL);
    assert_non_null(
        strstr(output, ",\"level\":\"error\",\"request_id\":\"r-1\",\"message\":\"x\"}\n"));
    /* As long as a line can be, of what grows most. */
    char text[3000];
    memset(text, '"', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    CAPTURE(log_info("%s", text));
    assert_string_equal(output + strlen(output) - 3, "\"}\n");
    assert_int_equal(strlen(output),
                     strlen("{\"time\":\"2026-11-24T10:03:00.123Z\",\"level\":\"info\","
                            "\"message\":\"\"}\n") +
                         2 * 1023);
    memset(text, 0xff, sizeof(text) - 1);
    CAPTURE(log_info("%s", text));
    assert_string_equal(output + strlen(output) - 6, "\xef\xbf\xbd\"}\n");
    log_set_form(LOG_TEXT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_have_their_form), cmocka_unit_test(levels_are_kept),
        cmocka_unit_test(no_text_forges_a_line), cmocka_unit_test(keys_are_starred_out),
        cmocka_unit_test(lines_may_be_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
