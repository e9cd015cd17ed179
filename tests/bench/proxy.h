/* What the stand-in upstream and the load of tests/bench/proxy share. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bytes of one streamed event, `data: ` and the empty line included; and of a whole answer. */
#define PROXY_EVENT  250
#define PROXY_ANSWER 600

/* Monotonic nanoseconds. */
uint64_t proxy_now(void);
/* An open, non-blocking TCP socket on 127.0.0.1, or exits. */
int proxy_connect(unsigned port);
void proxy_die(const char *what) __attribute__((noreturn));

/* proxystub.c: serves until it is terminated or `seconds` have passed. */
int proxy_stub(unsigned seconds);

struct proxy_load {
    const char *mode; /* requests, traced, first, full, slow */
    unsigned port, connections, seconds_tenths, *pids, pid_count;
};
/* proxyload.c: one measurement, printed as one line of key=value. */
int proxy_load_run(const struct proxy_load *o);
