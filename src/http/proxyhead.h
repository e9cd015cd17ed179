/*
 * The PROXY protocol's header (versions 1 and 2, as HAProxy's doc/proxy-protocol.txt has them):
 * what a proxy that passes bytes on, and no requests, puts in front of a connection to say whose it
 * is. Private to the room.
 */
#pragma once

#include "base/span.h"

#include <sys/socket.h>

/* Longer headers are refused: addresses take 232 bytes, what stands behind them is optional. */
#define PROXYHEAD_MAX 2048

enum proxyhead_whose {
    PROXYHEAD_CLIENT,  /* the address is told */
    PROXYHEAD_PROXY,   /* the proxy's own: a health check */
    PROXYHEAD_UNKNOWN, /* somebody's that the proxy can't name */
};

struct proxyhead {
    enum proxyhead_whose whose;
    struct sockaddr_storage client; /* PROXYHEAD_CLIENT: an IPv4 or IPv6 address with its port */
    socklen_t client_len;
};

/*
 * Reads the header at the beginning of `bytes`. Its length; 0: more bytes are needed; -EBADMSG: it
 * is none, or not a sound one. Touches nothing behind the header. O(length).
 */
int proxyhead_parse(struct span bytes, struct proxyhead *ret);
