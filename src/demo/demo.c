#include "demo/demo.h"

#include "base/log.h"
#include "config/value.h"
#include "demo/model.h"
#include "demo/script.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct demo {
    struct loop *loop;
    struct loop_watch signals;
    struct model_options options;
    bool list;
};

static const struct argp_option options[] = {
    {"listen", 'l', "HOST:PORT", 0, "where to listen (default 127.0.0.1:9090)", 0},
    {"chunk", 'c', "N", 0, "code points in a stream event (default 3; 0: all)", 0},
    {"delay", 'd', "MS", 0, "milliseconds between stream events (default 30)", 0},
    {"list", 'L', NULL, 0, "list the built-in scripts and leave", 0},
    {0},
};

static unsigned read_number(const char *arg, unsigned max, struct argp_state *state)
{
    unsigned long long n;
    if (!span_to_u64(span_str(arg), &n) || n > max)
        argp_error(state, "%s: not a number of 0 to %u", arg, max);
    return (unsigned)n;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct demo *d = state->input;
    switch (key) {
    case 'l':
        if (!value_read_address(span_str(arg), &d->options.host, &d->options.port))
            argp_error(state, "%s: not an address such as 127.0.0.1:9090", arg);
        return 0;
    case 'c':
        d->options.pace.chunk = read_number(arg, 1000000, state);
        return 0;
    case 'd':
        d->options.pace.delay_ms = read_number(arg, 600000, state);
        return 0;
    case 'L':
        d->list = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_error(state, "unexpected argument %s", arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void stop(struct loop_watch *w, uint32_t events)
{
    loop_stop(list_entry(w, struct demo, signals)->loop);
}

static int watch_signals(struct demo *d)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    d->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (d->signals.fd < 0)
        return -errno;
    d->signals.fn = stop;
    return loop_watch_add(d->loop, &d->signals, EPOLLIN);
}

static int run(struct demo *d)
{
    struct model *m = NULL;
    int rc = watch_signals(d);
    if (rc == 0)
        rc = model_new(d->loop, &d->options, &m);
    if (rc < 0) {
        log_error("demo: can't listen on %.*s port %u: %s", SPAN_ARG(d->options.host),
                  d->options.port, strerror(-rc));
        return rc;
    }
    /* Not before: who waits for this line may ask at once. */
    bool v6 = memchr(d->options.host.data, ':', d->options.host.len) != NULL;
    printf("juyong demo: http://%s%.*s%s:%u/v1\n", v6 ? "[" : "", SPAN_ARG(d->options.host),
           v6 ? "]" : "", model_port(m));
    fflush(stdout);
    rc = loop_run(d->loop);
    model_free(m);
    return rc;
}

int cli_demo(int argc, char **argv)
{
    static const struct argp argp = {
        options,
        parse,
        NULL,
        "A stand-in model server that speaks OpenAI's Chat Completions and Completions, for trying "
        "Juyong out and for tests.\v"
        "Say demo:NAME in a message to get a script's answer; see src/demo/README.md.",
        NULL,
        NULL,
        NULL};
    struct demo d = {
        .signals.fd = -1,
        .options = {.host = SPAN_LIT("127.0.0.1"), .port = 9090, .pace = {3, 30}},
    };
    if (argp_parse(&argp, argc, argv, 0, NULL, &d) != 0)
        return 2;
    if (d.list) {
        for (const struct script_builtin *b = script_builtins; b->name.data; b++)
            printf("demo:%-8.*s %.*s\n", SPAN_ARG(b->name), SPAN_ARG(b->purpose));
        return 0;
    }
    d.loop = loop_new();
    int rc = d.loop ? run(&d) : -ENOMEM;
    if (d.signals.fd >= 0) {
        if (d.loop)
            loop_watch_remove(d.loop, &d.signals);
        close(d.signals.fd);
    }
    loop_free(d.loop);
    return rc < 0 ? 1 : 0;
}
