/* The PROXY header: what is one, where it ends, whom it names. */
#include "../unit.h"

#include "http/proxyhead.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#define V2  "\r\n\r\n\0\r\nQUIT\n"
#define A4  "\xc0\0\2\7\xc6\x33\x64\1\x12\x67\0\x50" /* 192.0.2.7:4711 → 198.51.100.1:80 */
#define A16 "\x20\1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\7"
#define A6  A16 A16 "\x12\x67\0\x50"

static void name_of(const struct proxyhead *h, char ret[64])
{
    char address[46] = "";
    if (h->whose != PROXYHEAD_CLIENT) {
        snprintf(ret, 64, "%s", h->whose == PROXYHEAD_PROXY ? "proxy" : "unknown");
        return;
    }
    if (h->client.ss_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)&h->client;
        inet_ntop(AF_INET, &a->sin_addr, address, sizeof(address));
        snprintf(ret, 64, "%s %u", address, ntohs(a->sin_port));
        assert_int_equal(h->client_len, sizeof(*a));
    } else {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)&h->client;
        inet_ntop(AF_INET6, &a->sin6_addr, address, sizeof(address));
        snprintf(ret, 64, "%s %u", address, ntohs(a->sin6_port));
        assert_int_equal(h->client_len, sizeof(*a));
    }
}

static const struct good {
    struct span head;
    const char *name;
} good[] = {
    {SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n"), "192.0.2.7 4711"},
    {SPAN_LIT("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
     "255.255.255.255 65535"},
    {SPAN_LIT("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0 0"},
    {SPAN_LIT("PROXY TCP6 2001:db8::7 ::1 1 2\r\n"), "2001:db8::7 1"},
    {SPAN_LIT("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"), "::ffff:192.0.2.7 1"},
    {SPAN_LIT("PROXY UNKNOWN\r\n"), "unknown"},
    {SPAN_LIT("PROXY UNKNOWN TCP4 192.0.2.7 1 2\r\n"), "unknown"},
    {SPAN_LIT(V2 "\x21\x11\0\x0c" A4), "192.0.2.7 4711"},
    {SPAN_LIT(V2 "\x21\x21\0\x24" A6), "2001:db8::7 4711"},
    {SPAN_LIT(V2 "\x21\x11\0\x13" A4 "\4\0\4skip"), "192.0.2.7 4711"}, /* PP2_TYPE_NOOP */
    {SPAN_LIT(V2 "\x21\x11\0\x0f" A4 "\5\0\0"), "192.0.2.7 4711"},
    {SPAN_LIT(V2 "\x20\0\0\0"), "proxy"},
    {SPAN_LIT(V2 "\x20\x11\0\x0c" A4), "proxy"},
    {SPAN_LIT(V2 "\x20\x77\0\3abc"), "proxy"},
    {SPAN_LIT(V2 "\x21\0\0\0"), "unknown"},
    {SPAN_LIT(V2 "\x21\0\0\3abc"), "unknown"},
};

static void good_headers_are_read(void **state)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        const struct span head = good[i].head;
        struct proxyhead h;
        char name[64], more[512];
        assert_true(head.len + 5 < sizeof(more));
        memcpy(more, head.data, head.len);
        memcpy(more + head.len, "POST ", 5);
        for (size_t n = 0; n < head.len; n++)
            if (proxyhead_parse(span_from(more, n), &h) != 0)
                fail_msg("case %zu, first %zu bytes", i, n);
        /* Whatever stands behind it is not its own. */
        for (size_t n = head.len; n <= head.len + 5; n++)
            assert_int_equal(proxyhead_parse(span_from(more, n), &h), (int)head.len);
        name_of(&h, name);
        assert_string_equal(name, good[i].name);
    }
}

static void bad_headers_are_refused(void **state)
{
    static const struct span bad[] = {
        SPAN_LIT("P0"), SPAN_LIT("GET / HTTP/1.1\r\n"),
        SPAN_LIT("proxy TCP4 192.0.2.7 198.51.100.1 1 2\r\n"),
        SPAN_LIT(" PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\n"),
        SPAN_LIT("PROXY  TCP4 192.0.2.7 198.51.100.1 1 2\r\n"),
        SPAN_LIT("PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n"), SPAN_LIT("PROXY TCP4\r\n"),
        SPAN_LIT("PROXY \r\n"), SPAN_LIT("PROXY UNKNOWNS\r\n"),
        SPAN_LIT("PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\0\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7\t198.51.100.1 1 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.07 198.51.100.1 1 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2 198.51.100.1 1 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100 1 2\r\n"),
        SPAN_LIT("PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n"),
        SPAN_LIT("PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n"),
        SPAN_LIT("PROXY TCP6 2001:db8::7%eth0 ::1 1 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 -1 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 +1 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 65536 2\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n"),
        SPAN_LIT("PROXY TCP4 192.0.2.7 198.51.100.1 1 000002\r\n"),
        /* 107 bytes and no end yet */
        SPAN_LIT("PROXY UNKNOWN aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
        SPAN_LIT("\r\n\r\n\0\r\nQUIX\n"), SPAN_LIT("\r\n\r\n\r\n"),
        SPAN_LIT(V2 "\x11\x11\0\x0c" A4), /* version 1 in the form of version 2 */
        SPAN_LIT(V2 "\x31\x11\0\x0c" A4), SPAN_LIT(V2 "\x22\x11\0\x0c" A4), /* an unknown command */
        SPAN_LIT(V2 "\x21\x12\0\x0c" A4),                                   /* datagrams */
        SPAN_LIT(V2 "\x21\x41\0\x0c" A4), SPAN_LIT(V2 "\x21\x13\0\x0c" A4),
        SPAN_LIT(V2 "\x21\x11\0\x0b" A4),      /* shorter than its addresses */
        SPAN_LIT(V2 "\x21\x21\0\x23" A6),      /* likewise */
        SPAN_LIT(V2 "\x21\x11\x07\xf1"),       /* longer than we read */
        SPAN_LIT(V2 "\x21\x11\0\x0e" A4 "ab"), /* an extra without its length */
        SPAN_LIT(V2 "\x21\x11\0\x0f" A4 "\4\0\1"), SPAN_LIT(V2 "\x21\x11\0\x0f" A4 "\3\0\0"),
        SPAN_LIT(V2 "\x21\x11\0\x13" A4 "\3\0\4\0\0\0\0"), /* a wrong checksum */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct proxyhead h;
        if (proxyhead_parse(bad[i], &h) != -EBADMSG)
            fail_msg("case %zu", i);
    }
}

static void a_checksum_is_checked(void **state)
{
    /* CRC-32C of the header with zeros in its own place, by a program of its own. */
    char head[] = V2 "\x21\x11\0\x13" A4 "\3\0\4\x24\x8d\x9b\x28";
    struct span s = span_from(head, sizeof(head) - 1);
    struct proxyhead h;
    assert_int_equal(proxyhead_parse(s, &h), (int)s.len);
    for (size_t i = 16; i < s.len; i++) {
        if (i == 28)
            continue; /* what says that it is a checksum */
        head[i] ^= 1;
        assert_int_equal(proxyhead_parse(s, &h), -EBADMSG);
        head[i] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_headers_are_read),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(a_checksum_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
