#include "../unit.h"

#include "config/network.h"
#include "config/value.h"

static void test_units(void **state)
{
    uint64_t v = 1;
    assert_true(value_read_size(SPAN_LIT("0"), &v));
    assert_int_equal(v, 0);
    assert_true(value_read_size(SPAN_LIT("17B"), &v));
    assert_int_equal(v, 17);
    assert_true(value_read_size(SPAN_LIT("3 KiB"), &v));
    assert_int_equal(v, 3072);
    assert_true(value_read_duration(SPAN_LIT("15min"), &v));
    assert_int_equal(v, 900000);
    static const char *const bad[] = {"",
                                      "5",
                                      "KiB",
                                      "-1KiB",
                                      "1.5MiB",
                                      "1kib",
                                      "1KB",
                                      "1 m",
                                      "1x",
                                      "99999999999GiB",
                                      "99999999999999999999B"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(value_read_size(span_str(bad[i]), &v));
    assert_false(value_read_duration(SPAN_LIT("10"), &v));
    assert_false(value_read_duration(SPAN_LIT("10sec"), &v));
}

static void test_print(void **state)
{
    struct buf out = BUF_INIT(256);
    value_print_size(&out, 2 << 20);
    buf_append_char(&out, ' ');
    value_print_size(&out, 1025);
    buf_append_char(&out, ' ');
    value_print_duration(&out, 90000);
    buf_append_char(&out, ' ');
    value_print_duration(&out, 7200000);
    buf_append_char(&out, ' ');
    value_print_duration(&out, 0);
    assert_span(buf_span(&out), SPAN_LIT("2MiB 1025B 90s 2h 0"));
    buf_deinit(&out);
}

static void test_networks(void **state)
{
    static const struct {
        const char *network, *address;
        bool inside;
    } cases[] = {
        {"10.0.0.0/8", "10.255.1.2", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"::ffff:10.0.0.0/104", "10.9.9.9", true},
        {"192.168.4.0/22", "192.168.7.255", true},
        {"192.168.4.0/22", "192.168.8.0", false},
        {"1.2.3.4", "1.2.3.4", true},
        {"1.2.3.4", "1.2.3.5", false},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "8.8.8.8", true},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::1", "::1", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct network n;
        unsigned char address[16];
        assert_true(network_read(span_str(cases[i].network), &n));
        assert_true(network_read_address(span_str(cases[i].address), address));
        if (network_contains(&n, address) != cases[i].inside)
            fail_msg("%s in %s", cases[i].address, cases[i].network);
    }
    static const char *const bad[] = {"",
                                      "x",
                                      "10.0.0.1/8",
                                      "10.0.0.0/33",
                                      "::/129",
                                      "1.2.3.4/",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "fe80::1%lo",
                                      "10.0.0.0/-1",
                                      "::ffff:10.0.0.1/104"};
    struct network n;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(network_read(span_str(bad[i]), &n));
    unsigned char address[16];
    assert_false(network_read_address(SPAN_LIT("1.2.3.4\0x"), address));
}

static void test_addresses(void **state)
{
    struct span host;
    uint16_t port;
    assert_true(value_read_address(SPAN_LIT("[2001:db8::1]:443"), &host, &port));
    assert_span(host, SPAN_LIT("2001:db8::1"));
    assert_int_equal(port, 443);
    static const char *const bad[] = {"1.2.3.4", ":80",       "[1.2.3.4]:80",  "::1:80",   "[::1]",
                                      "a:80",    "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:", ""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(value_read_address(span_str(bad[i]), &host, &port));
    assert_true(value_is_loopback(SPAN_LIT("127.8.8.8")));
    assert_true(value_is_loopback(SPAN_LIT("::1")));
    assert_true(value_is_loopback(SPAN_LIT("::ffff:127.0.0.1")));
    assert_false(value_is_loopback(SPAN_LIT("128.0.0.1")));
    assert_false(value_is_loopback(SPAN_LIT("::")));
}

static void test_public(void **state)
{
    static const char *const strangers[] = {"0.0.0.0",    "::",          "8.8.8.8",
                                            "172.32.0.1", "2001:db8::1", "::ffff:1.2.3.4",
                                            "",           "localhost"},
                             *const ours[] = {"127.0.0.1",      "127.9.9.9",  "::1",
                                              "10.1.2.3",       "172.16.0.1", "192.168.1.1",
                                              "100.64.0.1",     "fd00::1",    "fe80::1",
                                              "::ffff:10.0.0.1"};
    for (size_t i = 0; i < sizeof(strangers) / sizeof(*strangers); i++)
        if (!network_is_public(span_str(strangers[i])))
            fail_msg("strangers reach %s", strangers[i]);
    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
        if (network_is_public(span_str(ours[i])))
            fail_msg("strangers don't reach %s", ours[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),     cmocka_unit_test(test_print),
        cmocka_unit_test(test_networks),  cmocka_unit_test(test_public),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
