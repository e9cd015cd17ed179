#include "audit/writer.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define TICK_US            1000000u
#define BUSY_RETRY_US      50000u
#define BUSY_LOG_US        10000000u
#define CHECKPOINT_RECORDS 1000u
#define CHECKPOINT_US      60000000u
#define CLOCK_STEP_US      5000000
#define STOP_BUSY_US       5000000u
#define PROBE_BYTES        (1 << 20)
#define SIGNALS_MAX        (sizeof(((struct audit *)0)->signals) / sizeof(struct audit_port *))

/* Errors that pass: nothing that was committed is in doubt, and a later try may succeed. */
static bool is_passing(int r)
{
    return r == -ENOSPC || r == -EDQUOT || r == -EFBIG || r == -ENOMEM;
}

static void note_loss(struct writer_loss *l, uint64_t count, uint64_t wall_us, int why)
{
    if (l->count == 0) {
        l->from_us = wall_us;
        l->why = why;
    }
    l->count += count;
    l->until_us = wall_us;
}

int writer_queue(struct audit *a, struct item *i, bool own)
{
    size_t size = i->size;
    if (atomic_load(&a->state) == WRITER_FAILED && a->mode == AUDIT_REQUIRED)
        return -EIO;
    pthread_mutex_lock(&a->lock);
    bool full = atomic_load(&a->records) >= a->queue_records ||
                atomic_load(&a->bytes) + size > a->queue_bytes;
    if (a->stopping || (full && !own)) {
        note_loss(&a->loss, 1, i->wall_us, EAGAIN);
        pthread_mutex_unlock(&a->lock);
        atomic_fetch_add(&a->lost, 1);
        return -EAGAIN;
    }
    /* Not after the unlock: the writer may be done with the item before we could count it. */
    atomic_fetch_add(&a->records, 1);
    atomic_fetch_add(&a->bytes, size);
    i->next = NULL;
    *a->last = i;
    a->last = &i->next;
    bool wake = a->sleeping;
    a->sleeping = false;
    pthread_mutex_unlock(&a->lock);
    if (wake)
        pthread_cond_signal(&a->wake);
    return 0;
}

int writer_note(struct audit *a, struct span reason, struct span detail)
{
    struct audit_event e = {.kind = AUDIT_ADMIN, .reason = reason, .detail = detail};
    struct item *i;
    int r = item_new(&e, 0, NULL, writer_limits(a), &i);
    if (r == 0) {
        r = writer_queue(a, i, true);
        if (r < 0)
            item_unref(i);
    }
    return r;
}

static void send_signals(struct audit *a)
{
    for (size_t n = 0; n < a->signal_count; n++) {
        port_signal(a->signals[n]);
        port_unref(a->signals[n]);
    }
    a->signal_count = 0;
}

/* Gives the worker its completion, once. */
static void tell(struct audit *a, struct item *i, int status, uint64_t seq)
{
    if (i->told)
        return;
    i->told = true;
    i->done.status = status;
    i->done.seq = seq;
    if (!i->port)
        return;
    struct audit_port *port = port_ref(i->port);
    atomic_fetch_add(&i->refs, 1);
    if (!port_push(port, i)) {
        port_unref(port);
        return;
    }
    if (a->signal_count == SIGNALS_MAX)
        send_signals(a);
    a->signals[a->signal_count++] = port;
}

static void drop_first(struct audit *a)
{
    struct item *i = a->pending;
    a->pending = i->next;
    if (!a->pending)
        a->pending_last = &a->pending;
    atomic_fetch_sub(&a->records, 1);
    atomic_fetch_sub(&a->bytes, i->size);
    item_unref(i);
}

static void take_queue(struct audit *a)
{
    if (!a->first)
        return;
    *a->pending_last = a->first;
    a->pending_last = a->last;
    a->first = NULL;
    a->last = &a->first;
}

static struct writer_loss take_loss(struct audit *a)
{
    pthread_mutex_lock(&a->lock);
    struct writer_loss loss = a->loss;
    a->loss = (struct writer_loss){0};
    pthread_mutex_unlock(&a->lock);
    return loss;
}

/* The gap is still to be told; losses since then come behind it. */
static void put_back_loss(struct audit *a, struct writer_loss loss)
{
    if (loss.count == 0)
        return;
    pthread_mutex_lock(&a->lock);
    if (a->loss.count) {
        loss.count += a->loss.count;
        loss.until_us = a->loss.until_us;
    }
    a->loss = loss;
    pthread_mutex_unlock(&a->lock);
}

static struct span loss_reason(const struct writer_loss *l)
{
    switch (l->why) {
    case EAGAIN:
        return SPAN_LIT("queue_full");
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return SPAN_LIT("no_space");
    case ENOMEM:
        return SPAN_LIT("no_memory");
    default:
        return SPAN_LIT("io_error");
    }
}

/* Writes the losses and all pending items as one group. */
static int write_group(struct audit *a, const struct writer_loss *loss)
{
    uint64_t wall = clock_wall_us();
    int r = store_begin(a->store, wall);
    if (r == 0 && loss->count)
        r = store_put_gap(a->store, loss->count, loss->from_us, loss->until_us, loss_reason(loss),
                          wall, clock_mono_us());
    for (struct item *i = a->pending; r == 0 && i; i = i->next) {
        uint64_t seq = 0;
        r = store_put(a->store, i, &seq);
        if (r == 0 && !i->told)
            i->done.seq = seq;
    }
    if (r == 0)
        r = store_commit(a->store);
    if (r < 0)
        store_rollback(a->store);
    return r;
}

static struct span strike_of(const struct item *i)
{
    return item_span(i, i->strike, i->strike_len);
}

static void give_up_pending(struct audit *a, int why)
{
    uint64_t count = 0;
    pthread_mutex_lock(&a->lock);
    for (struct item *i = a->pending; i; i = i->next, count++)
        note_loss(&a->loss, 1, i->wall_us, why);
    pthread_mutex_unlock(&a->lock);
    atomic_fetch_add(&a->lost, count);
    while (a->pending) {
        if (a->strikes && a->pending->strike_len)
            strikes_revert(a->strikes, strike_of(a->pending));
        tell(a, a->pending, -why, 0);
        drop_first(a);
    }
}

static struct span offences_of(const struct item *i)
{
    return item_span(i, i->offences, (uint32_t)(i->offence_count * sizeof(struct audit_offence)));
}

/*
 * Behind the commit: a crash in between leaves an offence on record that counts as new when it
 * comes again, which refuses once more; never one that nobody was told of. Nor does a failure here
 * hold a refusal back, for the same reason.
 */
static void save_offences(struct audit *a)
{
    bool any = false;
    for (struct item *i = a->pending; a->offences && i; i = i->next)
        if (i->offence_count) {
            offences_add(a->offences, offences_of(i), true);
            any = true;
        }
    if (any)
        offences_sync(a->offences);
}

/*
 * Behind the commit as well, and not waited for when it fails: between the two a crash forgets a
 * strike that nobody was told of.
 */
static void save_strikes(struct audit *a)
{
    for (struct item *i = a->pending; a->strikes && i; i = i->next)
        if (i->strike_len)
            strikes_save(a->strikes, strike_of(i));
    if (a->strikes)
        strikes_sync(a->strikes);
}

/* The log can't take the pending items now: in degraded mode they stay, in required they fail. */
static void set_aside(struct audit *a, int why)
{
    if (a->mode == AUDIT_REQUIRED) {
        give_up_pending(a, why);
        return;
    }
    for (struct item *i = a->pending; i; i = i->next) {
        if (a->offences && !i->told) /* in memory, as the record is */
            offences_add(a->offences, offences_of(i), false);
        tell(a, i, 0, 0);
    }
}

static void enter(struct audit *a, enum writer_state state, int r)
{
    /* A stalled log that tries in vain has said so already. */
    if (atomic_exchange(&a->state, state) == (int)state)
        return;
    const char *then = a->mode == AUDIT_REQUIRED
                           ? "new requests are refused"
                           : "records are kept in memory until the queue is full";
    struct span message = store_message(a->store);
    if (state == WRITER_STALLED)
        log_error("audit: can't write: %s (%.*s); %s; trying again every second", strerror(-r),
                  SPAN_ARG(message), then);
    else
        log_error("audit: the log has failed: %s (%.*s); %s; nothing more is written until "
                  "restart, which checks the files",
                  strerror(-r), SPAN_ARG(message), then);
}

static void write_checkpoint(struct audit *a)
{
    struct checkpoint_line line = {.time_us = clock_wall_us()};
    line.size = store_head(a->store, line.head);
    if (!a->checkpoint || line.size == a->checkpoint_seq)
        return;
    int r = checkpoint_write(a->checkpoint, &line);
    a->checkpoint_us = clock_mono_us();
    a->checkpoint_seq = line.size;
    if (r == 0)
        return;
    log_error("audit: checkpoint at record %" PRIu64 " failed: %s%s", line.size, strerror(-r),
              is_passing(r) ? "" : "; no more are written until restart");
    if (!is_passing(r)) {
        checkpoint_close(a->checkpoint);
        a->checkpoint = NULL;
    }
}

/* Everything that has to follow a commit, after the workers were told. */
static void after_commit(struct audit *a)
{
    int r = store_tidy(a->store);
    /* A failed sync here concerns records that were acknowledged: they are safe in the write-ahead
     * log, but the file can't be trusted to take them. No room is no harm. */
    if (r < 0 && r != -EBUSY && !is_passing(r))
        enter(a, WRITER_FAILED, r);
    uint64_t since = store_head(a->store, (unsigned char[RECORD_HASH_SIZE]){0}) - a->checkpoint_seq;
    if (since >= CHECKPOINT_RECORDS)
        write_checkpoint(a);
}

static void leave_stall(struct audit *a)
{
    int stalled = WRITER_STALLED;
    if (atomic_compare_exchange_strong(&a->state, &stalled, WRITER_READY))
        log_info("audit: the log is written again");
}

static void note_busy(struct audit *a, uint64_t now)
{
    if (a->busy_us == 0 || now - a->busy_us >= BUSY_LOG_US) {
        log_warning("audit: the files are locked by another program; %zu records wait",
                    atomic_load(&a->records));
        a->busy_us = now;
    }
}

/* Tries to write what is pending. True when something is left to be tried again soon. */
static bool write_pending(struct audit *a)
{
    struct writer_loss loss = take_loss(a);
    if (!a->pending && loss.count == 0) {
        leave_stall(a);
        return false;
    }
    int r = write_group(a, &loss);
    if (r == 0) {
        uint64_t written = loss.count ? 1 : 0;
        save_offences(a);
        save_strikes(a);
        /* Before anybody is told: who then asks for the newest record gets his own. */
        atomic_store(&a->last_seq, store_head(a->store, (unsigned char[RECORD_HASH_SIZE]){0}));
        while (a->pending) {
            tell(a, a->pending, 0, a->pending->done.seq);
            drop_first(a);
            written++;
        }
        send_signals(a);
        a->busy_us = 0;
        leave_stall(a);
        atomic_fetch_add(&a->written, written);
        after_commit(a);
        return false;
    }
    put_back_loss(a, loss);
    if (r == -EBUSY) {
        note_busy(a, clock_mono_us());
        return true;
    }
    enter(a, is_passing(r) ? WRITER_STALLED : WRITER_FAILED, r);
    set_aside(a, -r);
    return false;
}

/*
 * Is there room again? Asked of the file system for more than one group needs, so that the log
 * does not come back for a single record only to fail with the next.
 */
static bool has_room(struct audit *a)
{
    char path[PATH_MAX];
    if (!files_join(store_dir(a->store), ".room", path))
        return false;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    int r = posix_fallocate(fd, 0, PROBE_BYTES);
    close(fd);
    unlink(path);
    return r == 0;
}

static void try_again(struct audit *a)
{
    if (!has_room(a))
        return;
    write_pending(a);
}

static void check_disk(struct audit *a)
{
    char path[PATH_MAX];
    struct statvfs v;
    if (!files_join(store_dir(a->store), "", path) || statvfs(path, &v) < 0 || v.f_blocks == 0)
        return;
    /* As df counts: what root alone may use is neither used nor free. */
    uint64_t used = v.f_blocks - v.f_bfree, all = used + v.f_bavail;
    unsigned percent = all ? (unsigned)((used * 100 + all - 1) / all) : 100;
    atomic_store(&a->disk_percent, percent);
    unsigned alarm = percent >= 90 ? 90 : percent >= 80 ? 80 : 0;
    if (alarm > a->disk_alarm) {
        if (alarm == 90)
            log_error("audit: the disk of %.*s is %u %% full", SPAN_ARG(store_dir(a->store)),
                      percent);
        else
            log_warning("audit: the disk of %.*s is %u %% full", SPAN_ARG(store_dir(a->store)),
                        percent);
        a->disk_alarm = alarm;
    } else if (alarm < a->disk_alarm && percent + 2 <= a->disk_alarm) {
        log_info("audit: the disk of %.*s is %u %% full, below the alarm at %u %%",
                 SPAN_ARG(store_dir(a->store)), percent, a->disk_alarm);
        a->disk_alarm = alarm;
    }
}

/* A wall clock that was set is told in the log: order is by number, times may repeat or jump. */
static void check_clock(struct audit *a)
{
    int64_t offset = (int64_t)clock_wall_us() - (int64_t)clock_mono_us();
    int64_t step = offset - a->clock_offset_us;
    a->clock_offset_us = offset;
    if (step > -CLOCK_STEP_US && step < CLOCK_STEP_US)
        return;
    char detail[64];
    int n = snprintf(detail, sizeof(detail), "{\"step_us\":%" PRId64 "}", step);
    log_warning("audit: the clock was set by %" PRId64 " ms", step / 1000);
    (void)writer_note(a, SPAN_LIT("clock_step"), span_from(detail, (size_t)n));
}

static void tick(struct audit *a, uint64_t now)
{
    if (now - a->tick_us < TICK_US)
        return;
    a->tick_us = now;
    check_disk(a);
    check_clock(a);
    if (atomic_load(&a->state) == WRITER_STALLED)
        try_again(a);
    if (atomic_load(&a->state) == WRITER_READY && store_check_place(a->store) < 0) {
        enter(a, WRITER_FAILED, -ESTALE);
        log_error("audit: a file of the log in %.*s was deleted or replaced while in use",
                  SPAN_ARG(store_dir(a->store)));
    }
    if (atomic_load(&a->state) == WRITER_READY && now - a->checkpoint_us >= CHECKPOINT_US)
        write_checkpoint(a);
}

static void sleep_until(struct audit *a, uint64_t mono_us)
{
    struct timespec t = {
        .tv_sec = (time_t)(mono_us / 1000000u),
        .tv_nsec = (long)(mono_us % 1000000u) * 1000,
    };
    pthread_cond_timedwait(&a->wake, &a->lock, &t);
}

static void *run(void *arg)
{
    struct audit *a = arg;
    bool again = false, stopping = false;
    uint64_t stop_us = 0;
    for (;;) {
        uint64_t until = clock_mono_us() + (again ? BUSY_RETRY_US : TICK_US);
        pthread_mutex_lock(&a->lock);
        if (!a->first && !a->stopping) {
            a->sleeping = true;
            sleep_until(a, until);
            a->sleeping = false;
        } else if (again) {
            /* Locked files: more items or the end are no reason to try faster. */
            pthread_mutex_unlock(&a->lock);
            usleep(BUSY_RETRY_US);
            pthread_mutex_lock(&a->lock);
        }
        take_queue(a);
        stopping = a->stopping;
        pthread_mutex_unlock(&a->lock);

        uint64_t now = clock_mono_us();
        if (stopping && stop_us == 0)
            stop_us = now;
        tick(a, now);
        int state = atomic_load(&a->state);
        if (state == WRITER_STALLED && stopping) {
            try_again(a);
            state = atomic_load(&a->state);
        }
        again = false;
        if (state == WRITER_READY)
            again = write_pending(a);
        else
            set_aside(a, state == WRITER_FAILED ? EIO : ENOSPC);
        send_signals(a);
        if (stopping && (!again || now - stop_us >= STOP_BUSY_US))
            break;
    }
    if (a->pending)
        give_up_pending(a, EIO);
    send_signals(a);
    if (atomic_load(&a->state) == WRITER_READY)
        write_checkpoint(a);
    return NULL;
}

int writer_start(struct audit *a)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->wake, &attr);
    pthread_condattr_destroy(&attr);
    a->last = &a->first;
    a->pending_last = &a->pending;
    a->clock_offset_us = (int64_t)clock_wall_us() - (int64_t)clock_mono_us();
    a->checkpoint_us = clock_mono_us();
    check_disk(a);
    int r = -pthread_create(&a->thread, NULL, run, a);
    if (r < 0) {
        pthread_cond_destroy(&a->wake);
        pthread_mutex_destroy(&a->lock);
    }
    return r;
}

void writer_stop(struct audit *a)
{
    pthread_mutex_lock(&a->lock);
    a->stopping = true;
    pthread_mutex_unlock(&a->lock);
    pthread_cond_signal(&a->wake);
    pthread_join(a->thread, NULL);
    if (a->loss.count)
        log_error("audit: %" PRIu64 " records were lost and no gap record could be written",
                  a->loss.count);
    pthread_cond_destroy(&a->wake);
    pthread_mutex_destroy(&a->lock);
}
