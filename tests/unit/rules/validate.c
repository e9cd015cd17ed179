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

static void test_luhn(void **state)
{
    static const struct test_case cases[] = {
        {"4111111111111111", true},      {"1234567812345670", true}, /* any issuer */
        {"490154203237518", true},                                   /* an IMEI */
        {"4111111111111112", false},     {"79927398713", false},     /* too short */
        {"79927398713a", false},         {"", false},
        {"00000000000000000000", false},
    };
    EXPECT(validate_luhn, cases);
}

static void test_iban(void **state)
{
    /* Examples of the ISO 13616 registry. */
    static const struct test_case cases[] = {
        {"GB29NWBK60161331926819", true},
        {"DE89370400440532013000", true},
        {"DE89 3704 0044 0532 0130 00", true},
        {"FR1420041010050500013M02606", true},
        {"NO9386011117947", true},
        {"MT84MALT011000012345MTLCAST001S", true},
        {"CH9300762011623852957", true},
        {"SA0380000000608010167519", true},
        {"de89370400440532013000", true},
        {"DE88370400440532013000", false}, /* check digits */
        {"DE8937040044053201300", false},  /* length */
        {"XX89370400440532013000", false}, /* country */
        {"DE89-3704-0044-0532-0130-00", false},
        {"DEAA370400440532013000", false},
        {"", false},
    };
    EXPECT(validate_iban, cases);
}

static void test_uscc(void **state)
{
    static const struct test_case cases[] = {
        {"91350100M000100Y43", true}, /* the example that GB 32100 gives */
        {"91350100m000100y43", true},  {"91350100M000100Y44", false},  {"91350100M000100Y4", false},
        {"91350100I000100Y43", false}, {"91350100M000100Y43X", false}, {"", false},
    };
    EXPECT(validate_uscc, cases);
}

static void test_addresses(void **state)
{
    static const struct test_case four[] = {
        {"192.0.2.1", true},   {"255.255.255.255", true},
        {"0.0.0.0", true},     {"192.0.2.1.", true},
        {"256.0.0.1", false},  {"1.2.3", false},
        {"1.2.3.4.5", false},  {"01.2.3.4", false},
        {"1..3.4", false},     {"1.2.3.4..", false},
        {"1.2.3.a", false},    {".1.2.3.4", false},
        {"1.2.3.1111", false}, {"", false},
        {".", false},
    };
    EXPECT(validate_ipv4, four);
    /* The first ones are the examples of RFC 4291. */
    static const struct test_case six[] = {
        {"2001:DB8:0:0:8:800:200C:417A", true},
        {"2001:DB8::8:800:200C:417A", true},
        {"FF01::101", true},
        {"::1", true},
        {"0:0:0:0:0:0:13.1.68.3", true},
        {"::FFFF:129.144.52.38", true},
        {"2001:db8::", true},
        {"::", false}, /* no digit */
        {"bad::cafe", false},
        {"1:2:3:4:5:6:7", false},
        {"1:2:3:4:5:6:7:8:9", false},
        {"1:2:3:4:5:6:7::8", false}, /* nothing left to leave out */
        {"1::2::3", false},
        {"1:::2", false},
        {"12345::", false},
        {"12:30:45", false},
        {"00:1a:2b:3c:4d:5e", false}, /* a MAC address */
        {"1:2:3:4:5:6:7:1.2.3.4", false},
        {"::1.2.3", false},
        {"1.2.3.4::", false},
        {":1", false},
        {"1:", false},
        {"fe80::1%eth0", false},
        {"", false},
    };
    EXPECT(validate_ipv6, six);
}

static void test_token(void **state)
{
    static const struct test_case cases[] = {
        {"sk-9fK2mQ7xLp4Rt8Vw1Zb6", true},
        {"ghp_16C7e42F292c6912E7710c838347Ae178B4a", true},
        {"AKIAIOSFODNN7EXAMPLE", false}, /* the one of the vendor's documents */
        {"sk-your-api-key-here-123", false},
        {"sk-xxxxxxxxxxxxxxxxxxxx1", false},
        {"sk-aaaaaaaa1bcdefgh", false},
        {"sk-1234567890abcdefghij", false},
        {"sk-abababababab1212", false},
        {"sk-qwrtzplkjhgfdsyxcvb", false}, /* no digit */
        {"", false},
    };
    EXPECT(validate_token, cases);
}

static void test_names(void **state)
{
    /* The list in messages is the table's. */
    assert_true(span_starts(SPAN_LIT(VALIDATOR_NAMES), SPAN_LIT("idcard, phone, ")));
    assert_ptr_equal(validate_find(SPAN_LIT("token")), validate_token);
    assert_ptr_equal(validate_find(SPAN_LIT("idcard")), validate_idcard);
    assert_ptr_equal(validate_find(SPAN_LIT("email")), validate_email);
    assert_null(validate_find(SPAN_LIT("passport")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idcard),   cmocka_unit_test(test_phone),
        cmocka_unit_test(test_bankcard), cmocka_unit_test(test_email),
        cmocka_unit_test(test_luhn),     cmocka_unit_test(test_iban),
        cmocka_unit_test(test_uscc),     cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_token),    cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
