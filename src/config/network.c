#include "config/network.h"

#include <arpa/inet.h>

bool network_read_address(struct span text, unsigned char ret_address[16])
{
    char name[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof(name) || memchr(text.data, '\0', text.len))
        return false;
    memcpy(name, text.data, text.len);
    name[text.len] = '\0';
    unsigned char v4[4];
    if (inet_pton(AF_INET, name, v4) == 1) {
        memset(ret_address, 0, 10);
        memset(ret_address + 10, 0xff, 2);
        memcpy(ret_address + 12, v4, 4);
        return true;
    }
    return inet_pton(AF_INET6, name, ret_address) == 1;
}

static unsigned bit_mask(unsigned bits)
{
    return (0xff00u >> bits) & 0xff;
}

bool network_read(struct span text, struct network *ret_network)
{
    size_t slash = span_find(text, SPAN_LIT("/"));
    struct span host = span_slice(text, 0, slash);
    struct network n = {.bits = 128};
    if (!network_read_address(host, n.address))
        return false;
    if (slash < text.len) {
        unsigned long long bits;
        bool v4 = span_find(host, SPAN_LIT(":")) == host.len;
        if (!span_to_u64(span_slice(text, slash + 1, text.len), &bits) || bits > (v4 ? 32 : 128))
            return false;
        n.bits = (unsigned)bits + (v4 ? 96 : 0);
    }
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = n.bits >= (i + 1) * 8 ? 8 : n.bits > i * 8 ? n.bits - i * 8 : 0;
        if (n.address[i] & ~bit_mask(kept))
            return false;
    }
    *ret_network = n;
    return true;
}

bool network_contains(const struct network *n, const unsigned char address[16])
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;
    if (memcmp(n->address, address, whole) != 0)
        return false;
    return rest == 0 || ((n->address[whole] ^ address[whole]) & bit_mask(rest)) == 0;
}

bool network_is_public(struct span text)
{
    static const char *const ours[] = {
        "127.0.0.0/8",    "::1",           "10.0.0.0/8",     "172.16.0.0/12",
        "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7",
        "fe80::/10",
    };
    unsigned char address[16];
    if (!network_read_address(text, address))
        return true;
    for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
        struct network n;
        if (network_read(span_str(ours[i]), &n) && network_contains(&n, address))
            return false;
    }
    return true;
}
