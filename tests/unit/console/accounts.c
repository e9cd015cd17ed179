/* The file of accounts: what is kept, what is refused, and what happens when others write it. */
#include "../unit.h"

#include "base/log.h"
#include "console/accounts.h"
#include "console/totp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/juyong-accounts-XXXXXX";

static int set_up(void **state)
{
    log_set_level(LOG_ERROR + 1);
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static int clear(void **state)
{
    unlink("state/accounts.json");
    unlink("state/accounts.lock");
    rmdir("state");
    return 0;
}

static struct account example(const char *name, enum staff role)
{
    struct account a = {.role = role, .created_us = 1795731629978218, .cost = SCRYPT_COST};
    snprintf(a.name, sizeof(a.name), "%s", name);
    memset(a.salt, 7, sizeof(a.salt));
    memset(a.hash, 9, sizeof(a.hash));
    a.epoch = 0x1234567890abcdef;
    return a;
}

static void names_are_plain(void **state)
{
    static const char *const good[] = {"root", "张三", "li.si@example.com", "a-b_c", "7"};
    static const char *const bad[] = {"",    ".",        "..",      "a b",  "a/b",
                                      "a\\", "<script>", "a\"b",    "a\n",  "\xff",
                                      "é",   "a\u202e",  "a\u200b", "=1+1", "%41"};
    char longest[ACCOUNT_NAME_MAX + 2];
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(account_name_is_good(span_str(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (account_name_is_good(span_str(bad[i])))
            fail_msg("%s", bad[i]);
    memset(longest, 'a', sizeof(longest));
    assert_true(account_name_is_good(span_from(longest, ACCOUNT_NAME_MAX)));
    assert_false(account_name_is_good(span_from(longest, ACCOUNT_NAME_MAX + 1)));
}

static void passwords_are_weighed(void **state)
{
    struct span name = SPAN_LIT("zhangsan");
    static const char *const bad[] = {"",
                                      "short",
                                      "123456789",
                                      "九个字的密码太短了",
                                      "zhangsan",
                                      "ZhangSan-2026",
                                      "aaaaaaaaaaaaaaa",
                                      "abc\xff"
                                      "defghijk"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (!account_password_fault(name, span_str(bad[i])))
            fail_msg("%s", bad[i]);
    assert_null(account_password_fault(name, SPAN_LIT("correct horse")));
    assert_null(account_password_fault(name, SPAN_LIT("十个字的密码就够长了")));
    assert_null(account_password_fault(SPAN_LIT("li"), SPAN_LIT("lilies and roses")));
    assert_non_null(
        account_password_fault(name, span_from((char[PASSWORD_MAX + 1]){"b"}, PASSWORD_MAX + 1)));
}

static void a_password_is_known_again(void **state)
{
    struct account a = example("root", STAFF_VIEWER), before = a;
    assert_int_equal(account_set_password(&a, SPAN_LIT("correct horse")), 0);
    assert_true(a.epoch != before.epoch);
    assert_memory_not_equal(a.salt, before.salt, sizeof(a.salt));
    assert_true(account_check_password(&a, SPAN_LIT("correct horse")));
    assert_false(account_check_password(&a, SPAN_LIT("correct horsf")));
    assert_false(account_check_password(&a, SPAN_LIT("")));
    assert_false(account_check_password(NULL, SPAN_LIT("correct horse")));
    /* Not even by somebody whose bytes are all zero. */
    struct account zero = {.cost = SCRYPT_COST};
    assert_false(account_check_password(&zero, SPAN_LIT("")));
}

static void what_is_written_is_read(void **state)
{
    struct account list[3] = {example("root", STAFF_ADMINISTRATOR), example("张三", STAFF_REVIEWER),
                              example("inspector-1", STAFF_INSPECTOR)};
    static struct account got[ACCOUNTS_MAX];
    struct buf text = BUF_INIT(65536), messages = BUF_INIT(1024);
    size_t count;
    list[1].disabled = true;
    list[1].last_login_us = 5;
    list[2].has_totp = true;
    list[2].totp_step = 59857720;
    memset(list[2].totp, 3, sizeof(list[2].totp));
    assert_int_equal(accounts_print(list, 3, &text), 0);
    assert_int_equal(accounts_parse(buf_span(&text), &messages, got, &count), 0);
    assert_int_equal(count, 3);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(got[i].name, list[i].name);
        assert_int_equal(got[i].role, list[i].role);
        assert_int_equal(got[i].disabled, list[i].disabled);
        assert_int_equal(got[i].epoch, list[i].epoch);
        assert_int_equal(got[i].created_us, list[i].created_us);
        assert_int_equal(got[i].last_login_us, list[i].last_login_us);
        assert_memory_equal(got[i].salt, list[i].salt, sizeof(list[i].salt));
        assert_memory_equal(got[i].hash, list[i].hash, sizeof(list[i].hash));
        assert_int_equal(got[i].has_totp, list[i].has_totp);
        assert_memory_equal(got[i].totp, list[i].totp, sizeof(list[i].totp));
        assert_int_equal(got[i].totp_step, list[i].totp_step);
    }
    /* A part of it is none, and nobody is let in by it. */
    for (size_t n = 0; n + 2 < text.len; n++) {
        assert_int_equal(accounts_parse(span_slice(buf_span(&text), 0, n), &messages, got, &count),
                         -EBADMSG);
        assert_int_equal(count, 0);
        buf_clear(&messages);
    }
    buf_deinit(&text);
    buf_deinit(&messages);
}

static void a_doubtful_file_is_refused(void **state)
{
    static struct account got[ACCOUNTS_MAX];
    struct buf text = BUF_INIT(65536), messages = BUF_INIT(1024);
    size_t count;
    struct account twice[2] = {example("a", STAFF_VIEWER), example("a", STAFF_ADMINISTRATOR)};
    accounts_print(twice, 2, &text);
    assert_int_equal(accounts_parse(buf_span(&text), &messages, got, &count), -EBADMSG);
    assert_span(buf_span(&messages), SPAN_LIT("account 2 of the file is damaged, or there twice"));
    /* A cost that would take all memory, or none. */
    twice[0].cost = (struct scrypt_cost){30, 8, 1};
    buf_clear(&text);
    accounts_print(twice, 1, &text);
    assert_int_equal(accounts_parse(buf_span(&text), &messages, got, &count), -EBADMSG);
    twice[0] = example("a", STAFF_NONE);
    buf_clear(&text);
    accounts_print(twice, 1, &text);
    assert_int_equal(accounts_parse(buf_span(&text), &messages, got, &count), -EBADMSG);
    assert_int_equal(
        accounts_parse(SPAN_LIT("{\"version\":2,\"accounts\":[]}"), &messages, got, &count),
        -EBADMSG);
    assert_int_equal(
        accounts_parse(SPAN_LIT("{\"version\":1,\"accounts\":[]}"), &messages, got, &count), 0);
    buf_deinit(&text);
    buf_deinit(&messages);
}

static int add(void *ctx, struct account *list, size_t *count)
{
    list[(*count)++] = *(const struct account *)ctx;
    return 0;
}

static int refuse(void *ctx, struct account *list, size_t *count)
{
    list[0].disabled = true;
    return -EPERM;
}

static void two_processes_share_the_file(void **state)
{
    struct buf messages = BUF_INIT(1024);
    struct accounts *gateway = NULL, *command = NULL;
    struct account a = example("root", STAFF_ADMINISTRATOR), b = example("张三", STAFF_VIEWER), got;
    struct stat st;
    assert_int_equal(accounts_open(SPAN_LIT("state"), &messages, &gateway), 0);
    assert_int_equal(accounts_open(SPAN_LIT("state"), &messages, &command), 0);
    assert_int_equal(accounts_count(gateway), 0);
    assert_int_equal(accounts_edit(command, add, &a), 0);
    assert_int_equal(accounts_count(gateway), 1);
    assert_true(accounts_find(gateway, SPAN_LIT("root"), &got));
    assert_int_equal(accounts_edit(gateway, add, &b), 0);
    assert_true(accounts_find(command, SPAN_LIT("张三"), &got));
    assert_int_equal(got.role, STAFF_VIEWER);
    assert_int_equal(stat("state/accounts.json", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    /* What the change refuses is not written. */
    assert_int_equal(accounts_edit(command, refuse, NULL), -EPERM);
    assert_true(accounts_find(gateway, SPAN_LIT("root"), &got) && !got.disabled);
    accounts_close(gateway);
    accounts_close(command);
    buf_deinit(&messages);
}

static void damage_loses_nothing(void **state)
{
    struct buf messages = BUF_INIT(1024);
    struct accounts *gateway = NULL, *late = NULL;
    struct account a = example("root", STAFF_ADMINISTRATOR), got;
    char text[16] = "";
    assert_int_equal(accounts_open(SPAN_LIT("state"), &messages, &gateway), 0);
    assert_int_equal(accounts_edit(gateway, add, &a), 0);
    FILE *f = fopen("state/accounts.json", "w");
    fputs("{broken", f);
    fclose(f);
    assert_true(accounts_find(gateway, SPAN_LIT("root"), &got)); /* as it was */
    assert_int_equal(accounts_edit(gateway, add, &a), -EBADMSG);
    assert_int_equal(accounts_open(SPAN_LIT("state"), &messages, &late), -EBADMSG);
    assert_span(buf_span(&messages),
                SPAN_LIT("state/accounts.json: no file of accounts, or a damaged one\n"));
    f = fopen("state/accounts.json", "r");
    assert_non_null(fgets(text, sizeof(text), f)); /* for who can mend it */
    fclose(f);
    assert_string_equal(text, "{broken");
    unlink("state/accounts.json");
    assert_int_equal(accounts_count(gateway), 0);
    accounts_close(gateway);
    buf_deinit(&messages);
}

/* RFC 4648's alphabet; the secret of RFC 6238. */
static void a_secret_is_shown_as_apps_read_it(void **state)
{
    unsigned char secret[OTP_SECRET_SIZE];
    char text[TOTP_TEXT_SIZE];
    struct buf uri = BUF_INIT(1024);
    memcpy(secret, "12345678901234567890", sizeof(secret));
    totp_text(secret, text);
    assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_int_equal(totp_uri(&uri, SPAN_LIT("张"), SPAN_LIT("a&b"), secret), 0);
    assert_span(buf_span(&uri),
                SPAN_LIT("otpauth://totp/juyong:%E5%BC%A0?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                         "&issuer=juyong%20a%26b&algorithm=SHA1&digits=6&period=30"));
    buf_deinit(&uri);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_plain),
        cmocka_unit_test(passwords_are_weighed),
        cmocka_unit_test(a_password_is_known_again),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_doubtful_file_is_refused),
        cmocka_unit_test_teardown(two_processes_share_the_file, clear),
        cmocka_unit_test_teardown(damage_loses_nothing, clear),
        cmocka_unit_test(a_secret_is_shown_as_apps_read_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
