#include "access/reviewers.h"

#include "access/reviewerfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHINA_SECONDS (8 * 3600)
#define DAY_SECONDS   86400
/* One account's count of a day: "0000020783 0000000123\n". */
#define SLOT_SIZE 22

struct stamp {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct reviewers {
    pthread_mutex_t lock;
    struct span state_dir;
    char path[PATH_MAX];
    struct stamp stamp;
    struct reviewerfile file;
    bool readable;
    atomic_uint accounts; /* 0: nobody need be looked for */
    int counts_fd;        /* -1: it could not be opened; nobody is served */
    struct {
        int64_t day;
        unsigned used;
    } counts[REVIEWERS_MAX];
};

static struct stamp look(const struct reviewers *r)
{
    struct stat st;
    if (stat(r->path, &st) < 0)
        return (struct stamp){0};
    return (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_ctim};
}

static bool stamp_eq(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

static int load(struct reviewers *r, struct buf *messages)
{
    struct reviewerfile fresh;
    r->stamp = look(r); /* before it is read: never newer than what was read */
    int e = reviewerfile_read(r->state_dir, messages, &fresh);
    if (e < 0) {
        r->readable = false;
        return e;
    }
    reviewerfile_deinit(&r->file);
    r->file = fresh;
    r->readable = true;
    atomic_store(&r->accounts, (unsigned)r->file.count);
    return 0;
}

static void open_counts(struct reviewers *r)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%.*s/reviewers.day", SPAN_ARG(r->state_dir));
    r->counts_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    for (size_t i = 0; r->counts_fd >= 0 && i < REVIEWERS_MAX; i++) {
        char slot[SLOT_SIZE + 1] = "";
        long long day;
        unsigned used;
        if (pread(r->counts_fd, slot, SLOT_SIZE, (off_t)(i * SLOT_SIZE)) == SLOT_SIZE &&
            sscanf(slot, "%lld %u", &day, &used) == 2) {
            r->counts[i].day = day;
            r->counts[i].used = used;
        }
    }
}

int reviewers_open(struct span state_dir, struct buf *messages, struct reviewers **ret_reviewers)
{
    struct reviewers *r = calloc(1, sizeof(*r));
    char *dir = r ? malloc(state_dir.len + 1) : NULL;
    if (!dir) {
        free(r);
        return -ENOMEM;
    }
    memcpy(dir, state_dir.data, state_dir.len);
    dir[state_dir.len] = '\0';
    r->state_dir = span_from(dir, state_dir.len);
    snprintf(r->path, sizeof(r->path), "%s/reviewers.jsonl", dir);
    pthread_mutex_init(&r->lock, NULL);
    arena_init(&r->file.arena, 4096);
    r->counts_fd = -1;
    int e = load(r, messages);
    if (e < 0) {
        reviewers_close(r);
        return e;
    }
    open_counts(r);
    *ret_reviewers = r;
    return 0;
}

void reviewers_close(struct reviewers *r)
{
    if (!r)
        return;
    reviewerfile_deinit(&r->file);
    if (r->counts_fd >= 0)
        close(r->counts_fd);
    pthread_mutex_destroy(&r->lock);
    free((char *)(uintptr_t)r->state_dir.data);
    free(r);
}

/* Under the lock. */
static int refresh(struct reviewers *r)
{
    struct stamp now = look(r);
    if (stamp_eq(&now, &r->stamp))
        return r->readable ? 0 : -EBADMSG;
    struct buf unheard = BUF_INIT(4096);
    int e = load(r, &unheard);
    buf_deinit(&unheard);
    return e < 0 ? e : 1;
}

int reviewers_refresh(struct reviewers *r)
{
    pthread_mutex_lock(&r->lock);
    int e = refresh(r);
    pthread_mutex_unlock(&r->lock);
    return e;
}

int reviewers_each(struct reviewers *r, int (*fn)(void *ctx, const struct reviewer *account),
                   void *ctx)
{
    int e = 0;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->file.count && e == 0; i++)
        e = fn(ctx, &r->file.list[i]);
    pthread_mutex_unlock(&r->lock);
    return e;
}

void reviewers_summary(struct reviewers *r, int64_t now, struct reviewers_summary *ret_summary)
{
    struct reviewers_summary s = {0};
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->file.count; i++) {
        if (!r->readable || reviewer_state_at(&r->file.list[i], now) != REVIEWER_IN_FORCE)
            continue;
        s.enforce += r->file.list[i].purpose == REVIEWER_ENFORCE;
        s.observe += r->file.list[i].purpose == REVIEWER_OBSERVE;
    }
    s.lines = r->file.lines;
    memcpy(s.head, r->file.head, sizeof(s.head));
    pthread_mutex_unlock(&r->lock);
    *ret_summary = s;
}

static bool is_bearer(const struct reviewer *a, struct span key, struct span end_user)
{
    return (key.len && span_eq(a->key, key)) || (end_user.len && span_eq(a->end_user, end_user));
}

bool reviewers_any(const struct reviewers *r)
{
    return atomic_load_explicit(&r->accounts, memory_order_relaxed) > 0;
}

bool reviewers_bound(struct reviewers *r, struct span key, struct span end_user, int64_t now)
{
    if (!reviewers_any(r))
        return false;
    bool bound = false;
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->file.count && !bound; i++) {
        const struct reviewer *a = &r->file.list[i];
        /* What was proposed alone takes nobody's key away. */
        if (a->approver.len == 0 || !is_bearer(a, key, end_user))
            continue;
        bound = a->key.len > 0 || reviewer_state_at(a, now) == REVIEWER_IN_FORCE;
    }
    pthread_mutex_unlock(&r->lock);
    return bound;
}

/* Counts before the request is served: an account whose count can't be kept is not. */
static bool count(struct reviewers *r, size_t i, int64_t now)
{
    int64_t day = (now + CHINA_SECONDS) / DAY_SECONDS;
    unsigned used = r->counts[i].day == day ? r->counts[i].used : 0;
    char slot[64];
    if (used >= r->file.list[i].daily)
        return false;
    snprintf(slot, sizeof(slot), "%010lld %010u\n", (long long)day % 10000000000, used + 1);
    if (pwrite(r->counts_fd, slot, SLOT_SIZE, (off_t)(i * SLOT_SIZE)) != SLOT_SIZE)
        return false;
    r->counts[i].day = day;
    r->counts[i].used = used + 1;
    return true;
}

enum reviewer_verdict reviewers_admit(struct reviewers *r, struct span key, struct span end_user,
                                      bool free_of_charge, int64_t now,
                                      struct reviewer_grant *ret_grant)
{
    enum reviewer_verdict verdict = REVIEWER_UNKNOWN;
    pthread_mutex_lock(&r->lock);
    /* Seldom asked: so what was revoked a moment ago is gone. */
    refresh(r);
    for (size_t i = 0; r->readable && i < r->file.count && verdict == REVIEWER_UNKNOWN; i++) {
        const struct reviewer *a = &r->file.list[i];
        if (reviewer_state_at(a, now) != REVIEWER_IN_FORCE || !is_bearer(a, key, end_user))
            continue;
        verdict = free_of_charge || count(r, i, now) ? REVIEWER_SERVED : REVIEWER_SPENT;
        ret_grant->purpose = a->purpose;
        memcpy(ret_grant->id, a->id, sizeof(a->id));
    }
    pthread_mutex_unlock(&r->lock);
    return verdict;
}
