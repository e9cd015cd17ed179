#include "../unit.h"

#include "rules/validate.h"

struct test_case {
    const char *text;
    bool good;
};

static void expect(match_validator fn, const struct test_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fn(span_str(cases[i].text)) != cases[i].good)
            fail_msg("'%s' should be %s", cases[i].text, cases[i].good ? "good" : "bad");
}
#define EXPECT(fn, cases) expect(fn, cases, sizeof(cases) / sizeof(*(cases)))

static void test_idcard(void **state)
{
    static const struct test_case cases[] = {
        {"11010519491231002X", true}, /* the example that GB 11643 gives */
        {"11010519491231002x", true},  {"440524188001010014", false}, /* born 1880 */
        {"440308199901010012", true},  {"440308199901010013", false},
        {"110105194913310021", false}, /* month 13 */
        {"110105199902290016", false}, /* no leap year */
        {"999999194912310025", false}, /* no province */
        {"1101051949123100", false},   {"11010519491231002XX", false},
        {"11010519491231002a", false}, {"", false},
    };
    EXPECT(validate_idcard, cases);
    /* Any one changed digit is found: what the check character is for. */
    char text[] = "440308199901010012";
    for (size_t i = 0; i < 18; i++) {
        for (char d = '0'; d <= '9'; d++) {
            char old = text[i];
            text[i] = d;
            assert_int_equal(validate_idcard(span_str(text)), d == old);
            text[i] = old;
        }
    }
}

static void test_phone(void **state)
{
    static const struct test_case cases[] = {
        {"13800138000", true},  {"+8613912345678", true},
        {"19912345678", true},  {"17012345678", true},
        {"16612345678", true},  {"14712345678", true},
        {"12345678901", false}, {"15412345678", false},
        {"17912345678", false}, {"14212345678", false},
        {"16012345678", false}, {"1380013800", false},
        {"1380013800a", false}, {"", false},
    };
    EXPECT(validate_phone, cases);
}

static void test_bankcard(void **state)
{
    static const struct test_case cases[] = {
        {"4111111111111111", true},    {"4111111111111112", false},
        {"5500000000000004", true},    {"340000000000009", true},
        {"30000000000004", true},      {"6011000000000004", true},
        {"6222021234567890128", true}, {"6222021234567890129", false},
        {"2221000000000009", true},    {"3530111333300000", true},
        {"1234567812345670", false}, /* Luhn, but no scheme */
        {"41111111111111", false},   /* no length of that scheme */
        {"411111111111", false},       {"62220212345678901280", false},
        {"411111111111111x", false},   {"", false},
    };
    EXPECT(validate_bankcard, cases);
}

static void test_email(void **state)
{
    static const struct test_case cases[] = {
        {"a@b.cn", true},   {"zhang.san@mail.example.com", true},
        {"a@b", false},     {"a@b.c", false},
        {"@b.cn", false},   {"a@.cn", false},
        {"a@b..cn", false}, {".a@b.cn", false},
        {"a.@b.cn", false}, {"a..b@c.cn", false},
        {"a@-b.cn", false}, {"a@b-.cn", false},
        {"a@b.c0m", false}, {"a@b.cn.", false},
        {"a@", false},      {"", false},
    };
    EXPECT(validate_email, cases);
    char longer[100];
    memset(longer, 'a', sizeof(longer));
    memcpy(longer + 65, "@b.cn", 6);
    assert_false(validate_email(span_str(longer)));
    assert_true(validate_email(span_str(longer + 1)));
}

static void test_names(void **state)
{
    assert_ptr_equal(validate_find(SPAN_LIT("idcard")), validate_idcard);
    assert_ptr_equal(validate_find(SPAN_LIT("email")), validate_email);
    assert_null(validate_find(SPAN_LIT("passport")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idcard),   cmocka_unit_test(test_phone),
        cmocka_unit_test(test_bankcard), cmocka_unit_test(test_email),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
