/*
 * Any bytes: a header has one end, which neither fewer bytes nor more move, and what is read of it
 * says the same again when it is written anew.
 */
#include "http/proxyhead.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
    if (!condition)
        abort();
}

/* The client as a line of version 1; its length. */
static int rewrite(const struct proxyhead *h, char ret[128])
{
    char name[46];
    if (h->client.ss_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)&h->client;
        inet_ntop(AF_INET, &a->sin_addr, name, sizeof(name));
        return snprintf(ret, 128, "PROXY TCP4 %s 0.0.0.0 %u 0\r\n", name, ntohs(a->sin_port));
    }
    const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)&h->client;
    expect(h->client.ss_family == AF_INET6);
    inet_ntop(AF_INET6, &a->sin6_addr, name, sizeof(name));
    return snprintf(ret, 128, "PROXY TCP6 %s :: %u 0\r\n", name, ntohs(a->sin6_port));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span all = span_from((const char *)data, size);
    struct proxyhead h, again;
    int whole = proxyhead_parse(all, &h);
    expect(whole <= (int)size);
    expect(whole > 0 || size < PROXYHEAD_MAX || whole < 0);
    /* Bytes come one by one: wanting more is the only answer before the last one. */
    bool decided = false;
    for (size_t n = 0; n <= size && !decided; n++) {
        int r = proxyhead_parse(span_slice(all, 0, n), &again);
        decided = r != 0;
        expect(!decided || r == whole || (r < 0 && whole < 0));
        expect(r <= 0 || r == (int)n);
    }
    expect(decided == (whole != 0));
    if (whole > 0 && h.whose == PROXYHEAD_CLIENT) {
        char line[128];
        int n = rewrite(&h, line);
        expect(proxyhead_parse(span_from(line, (size_t)n), &again) == n);
        expect(again.client_len == h.client_len);
        expect(memcmp(&again.client, &h.client, h.client_len) == 0);
    }
    return 0;
}
