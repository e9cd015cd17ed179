/*
 * The tool behind tests/bench/proxy.sh: a stand-in upstream and a load generator. Loopback only,
 * bounded in time and number.
 *
 *   bench-proxy stub SECONDS                                  prints its port, then serves
 *   bench-proxy load MODE PORT CONNECTIONS TENTHS PID...      one measurement; the processor time
 *                                                             and memory are those of the PIDs
 *   bench-proxy port                                          a port that is free now
 */
#include "proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t proxy_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void proxy_die(const char *what)
{
    fprintf(stderr, "bench-proxy: %s: %s\n", what, strerror(errno));
    exit(1);
}

int proxy_connect(unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
        proxy_die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        proxy_die("port");
    printf("%u\n", ntohs(a.sin_port));
    close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "stub") == 0)
        return proxy_stub((unsigned)atoi(argv[2]));
    if (argc == 2 && strcmp(argv[1], "port") == 0)
        return free_port();
    if (argc < 7 || strcmp(argv[1], "load") != 0) {
        fputs("usage: bench-proxy stub SECONDS | port | load MODE PORT CONNECTIONS TENTHS PID...\n",
              stderr);
        return 2;
    }
    unsigned pids[16];
    struct proxy_load o = {.mode = argv[2],
                           .port = (unsigned)atoi(argv[3]),
                           .connections = (unsigned)atoi(argv[4]),
                           .seconds_tenths = (unsigned)atoi(argv[5]),
                           .pids = pids};
    for (int i = 6; i < argc && o.pid_count < 16; i++)
        pids[o.pid_count++] = (unsigned)atoi(argv[i]);
    alarm(120); /* whatever happens, it ends */
    return proxy_load_run(&o);
}
