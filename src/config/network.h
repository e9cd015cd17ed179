/*
 * Addresses and networks (CIDR). IPv4 is kept in its IPv6-mapped form (RFC 4291, 2.5.5.2), so that
 * 10.1.2.3 and ::ffff:10.1.2.3 are one address.
 */
#pragma once

#include "base/span.h"

struct network {
    unsigned char address[16];
    unsigned bits; /* 0..128, of the mapped form: 10.0.0.0/8 has 104 */
};

/* Numeric text without brackets, zone or port. */
bool network_read_address(struct span text, unsigned char ret_address[16]);
/* An address, alone or with a prefix length; false on host bits behind the prefix too. */
bool network_read(struct span text, struct network *ret_network);
/*
 * May strangers reach what listens there? True of every address that is neither this machine's own
 * (loopback) nor one of private networks and links (RFC 1918, 6598, 4193, 3927, 4291), of the
 * wildcards 0.0.0.0 and :: too, and of what is no address.
 */
bool network_is_public(struct span text);
bool network_contains(const struct network *n, const unsigned char address[16]);
