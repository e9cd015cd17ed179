/* The operator's listener as it is configured. */
#pragma once

#include "config/network.h"

#include <stdint.h>

struct config_console {
    struct span host;
    uint16_t port;                /* 0: no console */
    struct span certificate, key; /* PEM, the content of files; empty: no TLS. Never printed */
    struct span *hosts;           /* by which browsers reach it, with or without a port */
    size_t host_count;
    bool behind_tls;           /* a front on this machine speaks TLS with browsers */
    bool guarded_metrics;      /* /metrics needs a session */
    unsigned idle_ms, life_ms; /* of a session */
    struct network *fronts;    /* whose `user_header` is believed */
    size_t front_count;
    struct span user_header;
};
