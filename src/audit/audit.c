#include "audit/audit.h"

#include "audit/backup.h"
#include "audit/holds.h"
#include "audit/writer.h"
#include "base/codec.h"
#include "base/log.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define QUEUE_RECORDS 8192
#define QUEUE_BYTES   (64u << 20)
#define TEXT_MAX      512
#define OFFENCES      65536
#define STRIKES       65536
/* What the queue and one sealed text can take. */
#define ORIGINALS_LIMIT ((size_t)1 << 20)

/* The kernel's name for this boot: monotonic times of two records compare within one boot only. */
static void read_boot_id(char ret_text[40])
{
    ret_text[0] = '\0';
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, ret_text, 36);
    ret_text[n > 0 ? n : 0] = '\0';
    close(fd);
}

static int open_keys(struct audit *a, struct span dir)
{
    int r = textkeys_load(dir, true, &a->keys);
    if (r < 0)
        log_error("audit: %.*s/keys/text.key: %s", SPAN_ARG(dir),
                  r == -EBADMSG ? "must hold 64 hex digits a line and nothing else" : strerror(-r));
    return r;
}

/* A list that can't be read stops who removes texts, not the log. */
static void settle_holds(struct span dir)
{
    int r = holds_settle(dir);
    if (r < 0)
        log_warning("audit: %.*s/holds.tsv: %s; texts are kept until that is mended", SPAN_ARG(dir),
                    r == -EBADMSG ? "is damaged" : strerror(-r));
}

static void free_audit(struct audit *a)
{
    indexer_stop(a->indexer);
    checkpoint_close(a->checkpoint);
    store_close(a->store);
    offences_close(a->offences);
    strikes_close(a->strikes);
    textkeys_forget(&a->keys);
    pthread_mutex_destroy(&a->upkeep);
    free(a);
}

int audit_open(const struct audit_options *o, struct audit **ret_audit)
{
    unsigned char run[RECORD_RUN_SIZE / 2];
    char digits[RECORD_RUN_SIZE + 1], boot[40], detail[128];
    struct audit *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    pthread_mutex_init(&a->upkeep, NULL);
    a->mode = o->mode;
    a->retention = o->retention;
    a->queue_records = o->queue_records ? o->queue_records : QUEUE_RECORDS;
    a->queue_bytes = o->queue_bytes ? o->queue_bytes : QUEUE_BYTES;
    a->text_max = o->text_max ? o->text_max : TEXT_MAX;
    if (a->text_max > 4096)
        a->text_max = 4096;
    a->originals = o->originals < ORIGINALS_LIMIT ? o->originals : ORIGINALS_LIMIT;
    int r = secret_random(run, sizeof(run));
    codec_hex(span_from((const char *)run, sizeof(run)), digits);
    if (r == 0)
        r = store_open(o->dir, span_from(digits, RECORD_RUN_SIZE), o->node, &a->store);
    if (r == 0)
        settle_holds(o->dir);
    if (r == 0)
        r = checkpoint_open(o->dir, &a->checkpoint);
    if (r == 0 && a->originals)
        r = open_keys(a, o->dir);
    if (r == 0 && o->state_dir.len)
        r = offences_open(o->state_dir, o->offences ? o->offences : OFFENCES, &a->offences);
    if (r == 0 && o->state_dir.len)
        r = strikes_open(o->state_dir, o->strikes ? o->strikes : STRIKES, false, &a->strikes);
    if (r == 0) {
        unsigned char hash[RECORD_HASH_SIZE];
        atomic_store(&a->last_seq, store_head(a->store, hash));
        a->checkpoint_seq = atomic_load(&a->last_seq);
        r = writer_start(a);
    }
    if (r < 0) {
        free_audit(a);
        return r;
    }
    read_boot_id(boot);
    int n = snprintf(detail, sizeof(detail), "{\"version\":\"" JUYONG_VERSION "\",\"boot\":\"%s\"}",
                     boot);
    r = writer_note(a, SPAN_LIT("log_open"), span_from(detail, (size_t)n));
    if (r == 0 && o->index)
        r = indexer_start(o->dir, &a->indexer);
    if (r < 0) {
        audit_close(a);
        return r;
    }
    r = backup_note_restored(a, o->dir);
    if (r < 0) {
        log_error("audit: that the log was restored can't be recorded: %s", strerror(-r));
        audit_close(a);
        return r;
    }
    *ret_audit = a;
    return 0;
}

void audit_close(struct audit *a)
{
    if (!a)
        return;
    (void)writer_note(a, SPAN_LIT("log_close"), SPAN_NULL);
    writer_stop(a);
    free_audit(a);
}

int audit_submit(struct audit *a, struct audit_port *port, uint64_t exchange,
                 const struct audit_event *event)
{
    struct item *i;
    int r = item_new(event, exchange, port, writer_limits(a), &i);
    if (r < 0)
        return r == -EMSGSIZE ? -EINVAL : r;
    r = writer_queue(a, i, false);
    if (r < 0)
        item_unref(i);
    return r;
}

bool audit_ready(const struct audit *a)
{
    /* A quarter of the queue is kept for the exchanges that run already. */
    size_t records = atomic_load(&a->records), bytes = atomic_load(&a->bytes);
    bool room = records < a->queue_records - a->queue_records / 4 &&
                bytes < a->queue_bytes - a->queue_bytes / 4;
    return room && (a->mode == AUDIT_DEGRADED || atomic_load(&a->state) == WRITER_READY);
}

void audit_get_health(const struct audit *a, struct audit_health *ret_health)
{
    int state = atomic_load(&a->state);
    *ret_health = (struct audit_health){
        .failed = state == WRITER_FAILED,
        .degraded = state != WRITER_READY,
        .disk_percent = atomic_load(&a->disk_percent),
        .written = atomic_load(&a->written),
        .lost = atomic_load(&a->lost),
        .queued = atomic_load(&a->records),
        .last_seq = atomic_load(&a->last_seq),
    };
}

int audit_offence_code(const struct audit *a, const struct audit_offence_key *key,
                       unsigned char ret_code[AUDIT_OFFENCE_SIZE])
{
    return a->offences ? offences_code(a->offences, key, ret_code) : -ENOENT;
}

enum audit_memory audit_recall(const struct audit *a, const unsigned char code[AUDIT_OFFENCE_SIZE])
{
    return a->offences ? offences_find(a->offences, code) : AUDIT_UNKNOWN;
}

size_t audit_originals(const struct audit *a)
{
    return a->originals;
}

const struct audit_retention *audit_retention(const struct audit *a)
{
    return &a->retention;
}

struct span audit_dir(const struct audit *a)
{
    return store_dir(a->store);
}

struct strikes *audit_strikes(const struct audit *a)
{
    return a->strikes;
}
