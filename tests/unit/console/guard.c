/* Which names and origins are ours. */
#include "../unit.h"

#include "console/guard.h"

static struct span names[] = {SPAN_LIT("console.example.com"), SPAN_LIT("other.example:8443"),
                              SPAN_LIT("[2001:db8::5]")};

static void loopback_is_reached_by_loopback_names(void **state)
{
    struct config_console c = {.host = SPAN_LIT("127.0.0.1"), .port = 8081};
    static const char *const good[] = {"127.0.0.1:8081", "localhost:8081", "LOCALHOST:9000",
                                       "localhost",      "[::1]:8081",     "127.0.0.1"};
    static const char *const bad[] = {"",
                                      "evil.com",
                                      "evil.com:8081",
                                      "localhost.evil.com",
                                      "127.0.0.1.evil.com:8081",
                                      "10.0.0.1:8081",
                                      "[::2]:8081",
                                      "[::1",
                                      "[::1].evil",
                                      "[::1]evil.com:8081",
                                      "127.0.0.1:.evil",
                                      "localhost:8081.evil.com",
                                      ":8081",
                                      "evil.com#127.0.0.1",
                                      "127.0.0.1@evil.com",
                                      "127.1",
                                      "2130706433"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (!guard_is_host(&c, span_str(good[i])))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (guard_is_host(&c, span_str(bad[i])))
            fail_msg("%s", bad[i]);
}

static void others_are_reached_by_what_is_configured(void **state)
{
    struct config_console c = {
        .host = SPAN_LIT("10.0.0.5"), .port = 443, .hosts = names, .host_count = 3};
    static const char *const good[] = {"console.example.com", "Console.Example.com:443",
                                       "other.example:8443",  "10.0.0.5",
                                       "10.0.0.5:443",        "[2001:db8::5]:443"};
    static const char *const bad[] = {"localhost",
                                      "127.0.0.1",
                                      "other.example",
                                      "other.example:1",
                                      "xconsole.example.com",
                                      "10.0.0.6",
                                      "console.example.com.evil.com"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (!guard_is_host(&c, span_str(good[i])))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (guard_is_host(&c, span_str(bad[i])))
            fail_msg("%s", bad[i]);
    c.host = SPAN_LIT("0.0.0.0");
    assert_true(guard_is_host(&c, SPAN_LIT("192.168.1.1:443")));
    assert_false(guard_is_host(&c, SPAN_LIT("evil.com")));
}

static void only_our_own_page_is_an_origin(void **state)
{
    struct config_console c = {
        .host = SPAN_LIT("127.0.0.1"), .port = 8081, .hosts = names, .host_count = 3};
    struct span host = SPAN_LIT("localhost:8081");
    assert_true(guard_is_origin(&c, host, SPAN_LIT("http://localhost:8081")));
    assert_true(guard_is_origin(&c, host, SPAN_LIT("https://localhost:8081")));
    assert_true(guard_is_origin(&c, host, SPAN_LIT("https://console.example.com")));
    static const char *const bad[] = {"null",
                                      "http://evil.com",
                                      "http://localhost:8082",
                                      "http://localhost",
                                      "ftp://localhost:8081",
                                      "localhost:8081",
                                      "http://localhost:8081.evil.com",
                                      "http://localhost:8081/"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (guard_is_origin(&c, host, span_str(bad[i])))
            fail_msg("%s", bad[i]);
    assert_span(guard_cookie_name(&c), SPAN_LIT("juyong"));
    c.behind_tls = true;
    assert_span(guard_cookie_name(&c), SPAN_LIT("__Host-juyong"));
    assert_false(guard_is_origin(&c, host, SPAN_LIT("http://localhost:8081")));
    assert_true(guard_is_origin(&c, host, SPAN_LIT("https://localhost:8081")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_is_reached_by_loopback_names),
        cmocka_unit_test(others_are_reached_by_what_is_configured),
        cmocka_unit_test(only_our_own_page_is_an_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
