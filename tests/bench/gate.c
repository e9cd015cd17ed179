/*
 * The gateway without its log, as one thread: the bare path of tests/bench/proxy.sh. The program
 * itself can't be told to go without a log.
 *
 *   bench-gate CONFIG        prints its port, then serves until it is terminated
 */
#include "gate/gate.h"
#include "base/log.h"
#include "http/client.h"

#include <signal.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_WARNING);
    http_client_setup();
    struct buf messages = BUF_INIT(1u << 20);
    struct snapshot *snapshot = NULL;
    static struct metrics metrics;
    int r = snapshot_load(span_str(argv[1]), &messages, &snapshot);
    if (messages.len)
        fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&messages)));
    buf_deinit(&messages);
    if (r < 0)
        return 1;
    struct gate *gate;
    struct gate_options o = {.loop = loop_new(), .metrics = &metrics, .snapshot = snapshot};
    if (!o.loop || gate_new(&o, &gate) < 0)
        return 1;
    printf("%u\n", gate_port(gate));
    fflush(stdout);
    return loop_run(o.loop) < 0;
}
