#include "cli/reload.h"

#include "base/clock.h"
#include "cli/notify.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define MESSAGES_MAX (4u << 20)
/* Compiling takes what is left over: requests are answered meanwhile. */
#define NICENESS 10
/* Beside the parts of a snapshot: all of it, from the configuration on. */
#define EVERYTHING 0x100u

struct reload {
    struct reload_options options;
    struct loop_hook hook;
    bool running, stopped;
    unsigned again; /* what else was asked for meanwhile: parts, or EVERYTHING */
    pthread_t thread;
    /* The helper thread's until `loaded` is set. */
    struct buf messages;
    struct snapshot *base; /* parts alone: for this configuration; NULL: all */
    unsigned parts;
    struct snapshot *next;
    int result;
    atomic_bool loaded;
};

static void *load(void *arg)
{
    struct reload *r = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the main thread's */
    setpriority(PRIO_PROCESS, 0, NICENESS); /* on Linux: of this thread alone */
    r->result = r->base ? r->options.renew(r->base, r->parts, &r->messages, &r->next)
                        : r->options.load(r->options.file, &r->messages, &r->next);
    atomic_store(&r->loaded, true);
    loop_wake(r->options.loop);
    return NULL;
}

static void tell_reloading(void)
{
    char state[64];
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu",
             (unsigned long long)clock_mono_us());
    notify_send(state);
}

static void begin(struct reload *r, unsigned what)
{
    tell_reloading();
    buf_init(&r->messages, MESSAGES_MAX);
    r->parts = what;
    r->base = what & EVERYTHING ? NULL : snapshot_ref(r->options.in_force(r->options.ctx));
    r->next = NULL;
    atomic_store(&r->loaded, false);
    int e = pthread_create(&r->thread, NULL, load, r);
    if (e == 0) {
        r->running = true;
        return;
    }
    r->base = snapshot_unref(r->base);
    r->options.done(r->options.ctx, -e, NULL, &r->messages);
    notify_send("READY=1");
}

static void end(struct reload *r)
{
    pthread_join(r->thread, NULL);
    r->running = false;
    r->base = snapshot_unref(r->base);
    if (r->stopped)
        snapshot_unref(r->result == 0 ? r->next : NULL);
    else
        r->options.done(r->options.ctx, r->result, r->result == 0 ? r->next : NULL, &r->messages);
    buf_deinit(&r->messages);
}

static void check_loaded(struct loop_hook *h)
{
    struct reload *r = list_entry(h, struct reload, hook);
    if (!r->running || !atomic_load(&r->loaded))
        return;
    end(r);
    if (r->stopped)
        return;
    notify_send("READY=1");
    if (r->again) {
        unsigned what = r->again;
        r->again = 0;
        begin(r, what);
    }
}

struct reload *reload_new(const struct reload_options *o)
{
    struct reload *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->options = *o;
    loop_hook_add(o->loop, &r->hook, check_loaded);
    return r;
}

static void ask(struct reload *r, unsigned what)
{
    if (r->stopped)
        return;
    if (r->running)
        r->again |= what;
    else
        begin(r, what);
}

void reload_ask(struct reload *r)
{
    ask(r, EVERYTHING);
}

void reload_ask_parts(struct reload *r, unsigned parts)
{
    ask(r, parts);
}

void reload_stop(struct reload *r)
{
    r->stopped = true;
}

void reload_free(struct reload *r)
{
    if (!r)
        return;
    r->stopped = true;
    if (r->running)
        end(r);
    loop_hook_remove(&r->hook);
    free(r);
}
