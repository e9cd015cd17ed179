#include "http/proxyhead.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>

#define V1_MAX    107 /* with its CRLF */
#define V1_BEGIN  SPAN_LIT("PROXY ")
#define V2_BEGIN  SPAN_LIT("\r\n\r\n\0\r\nQUIT\n")
#define V2_FIXED  16
#define V2_CRC32C 0x03

/* Is it the beginning of that text, as far as either goes? */
static bool agrees(struct span bytes, struct span with)
{
    size_t n = bytes.len < with.len ? bytes.len : with.len;
    return memcmp(bytes.data, with.data, n) == 0;
}

static void put_v4(struct proxyhead *h, const void *address, uint16_t port_be)
{
    struct sockaddr_in *a = (struct sockaddr_in *)&h->client;
    *a = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port_be};
    memcpy(&a->sin_addr, address, sizeof(a->sin_addr));
    h->client_len = sizeof(*a);
}

static void put_v6(struct proxyhead *h, const void *address, uint16_t port_be)
{
    struct sockaddr_in6 *a = (struct sockaddr_in6 *)&h->client;
    *a = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port_be};
    memcpy(&a->sin6_addr, address, sizeof(a->sin6_addr));
    h->client_len = sizeof(*a);
}

/* --- version 1: one line --- */

/* Decimal, as it is written once: no sign, no leading zero. */
static bool read_port(struct span text, uint16_t *ret_port)
{
    unsigned long long value;
    if (text.len == 0 || text.len > 5 || (text.data[0] == '0' && text.len > 1) ||
        !span_to_u64(text, &value) || value > 65535)
        return false;
    *ret_port = (uint16_t)value;
    return true;
}

static bool read_address(struct span text, int family, unsigned char ret_bytes[16])
{
    char copy[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.data, 0, text.len))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return inet_pton(family, copy, ret_bytes) == 1;
}

/* "TCP4 192.0.2.1 192.0.2.2 4711 80", with single spaces. */
static int read_line(struct span line, struct proxyhead *h)
{
    struct span words[5];
    unsigned char from[16], to[16];
    uint16_t from_port, to_port;
    size_t count = 0;
    if (span_eq(line, SPAN_LIT("UNKNOWN")) || span_starts(line, SPAN_LIT("UNKNOWN "))) {
        h->whose = PROXYHEAD_UNKNOWN; /* what follows must be ignored */
        return 0;
    }
    while (count < 5) {
        size_t end = span_find(line, SPAN_LIT(" "));
        words[count++] = span_slice(line, 0, end);
        if (end == line.len) {
            line = SPAN_NULL;
            break;
        }
        line = span_slice(line, end + 1, line.len);
        if (count == 5)
            return -EBADMSG;
    }
    bool v4 = count == 5 && span_eq(words[0], SPAN_LIT("TCP4"));
    bool v6 = count == 5 && span_eq(words[0], SPAN_LIT("TCP6"));
    int family = v4 ? AF_INET : AF_INET6;
    if ((!v4 && !v6) || !read_address(words[1], family, from) ||
        !read_address(words[2], family, to) || !read_port(words[3], &from_port) ||
        !read_port(words[4], &to_port))
        return -EBADMSG;
    h->whose = PROXYHEAD_CLIENT;
    if (v4)
        put_v4(h, from, htons(from_port));
    else
        put_v6(h, from, htons(from_port));
    return 0;
}

static int parse_v1(struct span bytes, struct proxyhead *h)
{
    struct span window = span_slice(bytes, 0, bytes.len < V1_MAX ? bytes.len : V1_MAX);
    for (size_t i = 0; i < window.len; i++) {
        char c = window.data[i];
        if (c == '\r' && i + 1 == window.len && window.len < V1_MAX)
            return 0;
        if (c == '\r' && i + 1 < window.len && window.data[i + 1] == '\n') {
            int r = read_line(span_slice(window, V1_BEGIN.len, i), h);
            return r < 0 ? r : (int)i + 2;
        }
        if (c < 0x20 || c > 0x7e)
            return -EBADMSG;
    }
    return window.len < V1_MAX ? 0 : -EBADMSG;
}

/* --- version 2: binary --- */

static unsigned number(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

/* CRC-32C (Castagnoli), with four bytes read as zero: the checksum's own. */
static uint32_t checksum(struct span s, size_t hole)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < s.len; i++) {
        crc ^= i >= hole && i < hole + 4 ? 0 : (unsigned char)s.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

/* What stands behind the addresses: type, length, value. Only the checksum is of use here. */
static bool extras_are_sound(struct span head, size_t at)
{
    const unsigned char *b = (const unsigned char *)head.data;
    while (at < head.len) {
        if (head.len - at < 3 || head.len - at - 3 < number(b + at + 1))
            return false;
        size_t len = number(b + at + 1), value = at + 3;
        if (b[at] == V2_CRC32C) {
            if (len != 4)
                return false;
            uint32_t told = (uint32_t)number(b + value) << 16 | number(b + value + 2);
            if (told != checksum(head, value))
                return false;
        }
        at = value + len;
    }
    return true;
}

static int parse_v2(struct span bytes, struct proxyhead *h)
{
    const unsigned char *b = (const unsigned char *)bytes.data;
    if ((bytes.len > 12 && b[12] != 0x20 && b[12] != 0x21) ||
        (bytes.len >= V2_FIXED && V2_FIXED + number(b + 14) > PROXYHEAD_MAX))
        return -EBADMSG;
    if (bytes.len < V2_FIXED || bytes.len < V2_FIXED + number(b + 14))
        return 0;
    struct span head = span_slice(bytes, 0, V2_FIXED + number(b + 14));
    const unsigned char *body = b + V2_FIXED;
    uint16_t port;
    size_t addresses;
    bool local = b[12] == 0x20;
    switch (b[13]) {
    case 0x00: /* unspecified */
        addresses = 0;
        break;
    case 0x11: /* TCP over IPv4 */
        addresses = 12;
        break;
    case 0x21: /* TCP over IPv6 */
        addresses = 36;
        break;
    case 0x31: /* a local stream: nobody's address */
        addresses = 216;
        break;
    default: /* datagrams don't come by TCP, other values are not given out */
        if (!local)
            return -EBADMSG;
        addresses = 0;
    }
    if (local) { /* a health check: the rest must be ignored */
        h->whose = PROXYHEAD_PROXY;
        return (int)head.len;
    }
    /* Without addresses the rest is of no known form. */
    if (head.len < V2_FIXED + addresses ||
        (addresses && !extras_are_sound(head, V2_FIXED + addresses)))
        return -EBADMSG;
    h->whose = addresses == 12 || addresses == 36 ? PROXYHEAD_CLIENT : PROXYHEAD_UNKNOWN;
    if (addresses == 12) {
        memcpy(&port, body + 8, 2);
        put_v4(h, body, port);
    } else if (addresses == 36) {
        memcpy(&port, body + 32, 2);
        put_v6(h, body, port);
    }
    return (int)head.len;
}

int proxyhead_parse(struct span bytes, struct proxyhead *ret)
{
    *ret = (struct proxyhead){.whose = PROXYHEAD_UNKNOWN};
    if (bytes.len == 0)
        return 0;
    int r = -EBADMSG;
    if (agrees(bytes, V2_BEGIN))
        r = bytes.len < V2_BEGIN.len ? 0 : parse_v2(bytes, ret);
    else if (agrees(bytes, V1_BEGIN))
        r = bytes.len < V1_BEGIN.len ? 0 : parse_v1(bytes, ret);
    return r;
}
