#include "console/verifier.h"

#include "audit/audit.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "base/log.h"
#include "json/text.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define NICENESS 19

struct verifier {
    struct audit *audit;
    pthread_mutex_t lock;
    pthread_t thread;
    bool started; /* the thread is to be joined */
    bool running; /* and has not ended */
    struct verifier_report report;
    atomic_bool over;
    atomic_uint_fast64_t looked_at;
    char dir[PATH_MAX];
};

const char *verifier_state_name(enum verifier_state s)
{
    static const char *const names[] = {"never", "running", "ok", "bad", "failed"};
    return names[s];
}

static bool is_over(void *ctx, uint64_t records)
{
    struct verifier *v = ctx;
    atomic_store(&v->looked_at, records);
    return atomic_load(&v->over);
}

static void describe(const struct verify_report *found, int r, struct verifier_report *report)
{
    report->state = r == 0 ? VERIFIER_OK : r == 1 ? VERIFIER_BAD : VERIFIER_FAILED;
    report->records = found->records;
    report->at_us = clock_wall_us();
    report->finding[0] = '\0';
    if (r == 1 && found->seq)
        snprintf(report->finding, sizeof(report->finding), "%s, record %llu: %s", found->file,
                 (unsigned long long)found->seq, found->what);
    else if (r == 1)
        snprintf(report->finding, sizeof(report->finding), "%s: %s", found->file, found->what);
    else if (r < 0)
        snprintf(report->finding, sizeof(report->finding), "%s", strerror(-r));
}

/* A log that was altered still takes records; that it was found so must not be lost again. */
static void record(struct verifier *v, const struct verifier_report *report)
{
    struct buf detail = BUF_INIT(4096);
    buf_printf(&detail, "{\"result\":\"%s\",\"records\":%llu,\"finding\":\"",
               verifier_state_name(report->state), (unsigned long long)report->records);
    json_escape(&detail, span_str(report->finding));
    struct audit_event e = {.kind = AUDIT_ADMIN, .reason = SPAN_LIT("verified")};
    int r = buf_append(&detail, SPAN_LIT("\"}"));
    e.detail = buf_span(&detail);
    if (r == 0 && v->audit)
        r = audit_submit(v->audit, NULL, 0, &e);
    if (r < 0)
        log_warning("what the log's verification found can't be recorded: %s", strerror(-r));
    buf_deinit(&detail);
}

static void *work(void *arg)
{
    struct verifier *v = arg;
    struct verify_options o = {.dir = span_str(v->dir), .is_over = is_over, .ctx = v};
    struct verify_report found;
    struct verifier_report report;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL); /* signals are the main thread's */
    setpriority(PRIO_PROCESS, 0, NICENESS); /* on Linux: of this thread alone */
    int r = verify_run(&o, &found);
    if (r != -ECANCELED) {
        describe(&found, r, &report);
        record(v, &report);
        if (r)
            log_error("ALARM: the decision log does not verify: %s", report.finding);
    }
    pthread_mutex_lock(&v->lock);
    if (r != -ECANCELED)
        v->report = report;
    v->running = false;
    pthread_mutex_unlock(&v->lock);
    return NULL;
}

struct verifier *verifier_new(struct audit *audit)
{
    struct verifier *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->audit = audit;
    pthread_mutex_init(&v->lock, NULL);
    return v;
}

int verifier_begin(struct verifier *v, struct span log_dir)
{
    int r = 0;
    if (log_dir.len >= sizeof(v->dir))
        return -ENAMETOOLONG;
    pthread_mutex_lock(&v->lock);
    if (v->running)
        r = 1;
    if (r == 0 && v->started)
        pthread_join(v->thread, NULL); /* it has let go of the lock for the last time */
    if (r == 0) {
        v->started = false;
        snprintf(v->dir, sizeof(v->dir), "%.*s", SPAN_ARG(log_dir));
        atomic_store(&v->looked_at, 0);
        r = -pthread_create(&v->thread, NULL, work, v);
    }
    if (r == 0) {
        v->started = v->running = true;
        v->report = (struct verifier_report){.state = VERIFIER_RUNNING, .at_us = clock_wall_us()};
    }
    pthread_mutex_unlock(&v->lock);
    return r;
}

void verifier_get(struct verifier *v, struct verifier_report *ret_report)
{
    pthread_mutex_lock(&v->lock);
    *ret_report = v->report;
    if (v->running)
        ret_report->records = atomic_load(&v->looked_at);
    pthread_mutex_unlock(&v->lock);
}

void verifier_free(struct verifier *v)
{
    if (!v)
        return;
    atomic_store(&v->over, true);
    if (v->started)
        pthread_join(v->thread, NULL);
    pthread_mutex_destroy(&v->lock);
    free(v);
}
