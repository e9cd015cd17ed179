#include "audit/offences.h"

#include "audit/files.h"
#include "base/cleanup.h"
#include "base/codec.h"
#include "base/log.h"
#include "crypto/hmac.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_SIZE  32
#define SEAL_SIZE 8
#define MAGIC     SPAN_LIT("juyong.offence1\n")

/* As in the file. All bytes, so that it has no padding and any alignment. */
struct entry_bytes {
    unsigned char code[AUDIT_OFFENCE_SIZE];
    unsigned char told;
    unsigned char zero[3];
    unsigned char seal[SEAL_SIZE]; /* the beginning of the HMAC of what stands before it */
};
_Static_assert(sizeof(struct entry_bytes) == 32, "the file's entries have a fixed size");
_Static_assert(sizeof(struct audit_offence) == AUDIT_OFFENCE_SIZE + 1, "any alignment will do");

#define NONE UINT32_MAX

struct slot {
    unsigned char code[AUDIT_OFFENCE_SIZE];
    bool told;
    uint32_t next; /* of the same bucket, or NONE */
};

struct offences {
    pthread_mutex_t lock; /* of the table, held for a few instructions */
    struct slot *slots;   /* a ring: the oldest is at `first` */
    size_t max, first, count;
    uint32_t *buckets;
    size_t mask;

    /* The writer's. */
    unsigned char key[KEY_SIZE];
    struct hmac *seal;
    int fd, lock_fd;
    char dir[PATH_MAX], path[PATH_MAX];
    size_t written;   /* entries in the file */
    bool stale;       /* the file lacks something that the table has: to be written anew */
    struct buf fresh; /* entries to be appended */
};

/* --- the table --- */

static uint32_t *bucket_of(const struct offences *o, const unsigned char *code)
{
    uint32_t start; /* a keyed code's bits are as good as any hash's */
    memcpy(&start, code, sizeof(start));
    return &o->buckets[start & o->mask];
}

static struct slot *find(const struct offences *o, const unsigned char *code)
{
    for (uint32_t i = *bucket_of(o, code); i != NONE; i = o->slots[i].next)
        if (memcmp(o->slots[i].code, code, AUDIT_OFFENCE_SIZE) == 0)
            return &o->slots[i];
    return NULL;
}

static void drop_oldest(struct offences *o)
{
    uint32_t *link = bucket_of(o, o->slots[o->first].code);
    while (*link != o->first)
        link = &o->slots[*link].next;
    *link = o->slots[o->first].next;
    o->first = (o->first + 1) % o->max;
    o->count--;
}

/* True when the table knows more than before. */
static bool insert(struct offences *o, const unsigned char *code, bool told)
{
    struct slot *known = find(o, code);
    if (known) {
        bool news = told && !known->told;
        known->told = known->told || told;
        return news;
    }
    if (o->count == o->max)
        drop_oldest(o);
    uint32_t at = (uint32_t)((o->first + o->count++) % o->max), *bucket = bucket_of(o, code);
    struct slot *s = &o->slots[at];
    memcpy(s->code, code, AUDIT_OFFENCE_SIZE);
    s->told = told;
    s->next = *bucket;
    *bucket = at;
    return true;
}

static int make_table(struct offences *o, size_t max)
{
    size_t buckets = 16;
    while (buckets < max)
        buckets *= 2;
    o->max = max;
    o->mask = buckets - 1;
    o->slots = calloc(max, sizeof(*o->slots));
    o->buckets = malloc(buckets * sizeof(*o->buckets));
    if (!o->slots || !o->buckets)
        return -ENOMEM;
    memset(o->buckets, 0xff, buckets * sizeof(*o->buckets));
    return 0;
}

enum audit_memory offences_find(struct offences *o, const unsigned char code[AUDIT_OFFENCE_SIZE])
{
    pthread_mutex_lock(&o->lock);
    const struct slot *s = find(o, code);
    enum audit_memory m = !s ? AUDIT_UNKNOWN : s->told ? AUDIT_TOLD : AUDIT_REMEMBERED;
    pthread_mutex_unlock(&o->lock);
    return m;
}

size_t offences_count(const struct offences *o)
{
    return o->count;
}

/* --- codes --- */

static int add_sized(struct hmac *h, struct span s)
{
    unsigned char len[8];
    for (int i = 0; i < 8; i++)
        len[i] = (unsigned char)((uint64_t)s.len >> 8 * i);
    int r = hmac_add(h, span_from((const char *)len, sizeof(len)));
    return r < 0 ? r : hmac_add(h, s);
}

int offences_code(const struct offences *o, const struct audit_offence_key *key,
                  unsigned char ret_code[AUDIT_OFFENCE_SIZE])
{
    unsigned char mac[HMAC_SIZE];
    struct hmac *h = hmac_new(span_from((const char *)o->key, KEY_SIZE));
    if (!h)
        return -ENOMEM;
    int r = hmac_begin(h);
    if (r == 0)
        r = hmac_add(h, SPAN_LIT("juyong.offence.v1\0"));
    const struct span *const parts[] = {&key->app, &key->end_user, &key->role, &key->rule,
                                        &key->text};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && r == 0; i++)
        r = add_sized(h, *parts[i]);
    if (r == 0)
        r = hmac_end(h, mac);
    hmac_free(h);
    if (r == 0)
        memcpy(ret_code, mac, AUDIT_OFFENCE_SIZE);
    return r;
}

static int seal(struct offences *o, struct entry_bytes *e, unsigned char ret_seal[SEAL_SIZE])
{
    unsigned char mac[HMAC_SIZE];
    int r = hmac_begin(o->seal);
    if (r == 0)
        r = hmac_add(o->seal, SPAN_LIT("juyong.offence.entry.v1\0"));
    if (r == 0)
        r = hmac_add(o->seal, span_from((const char *)e, offsetof(struct entry_bytes, seal)));
    if (r == 0)
        r = hmac_end(o->seal, mac);
    memcpy(ret_seal, mac, SEAL_SIZE);
    return r;
}

static int put_entry(struct offences *o, struct buf *out, const unsigned char *code, bool told)
{
    struct entry_bytes e = {.told = told};
    memcpy(e.code, code, AUDIT_OFFENCE_SIZE);
    int r = seal(o, &e, e.seal);
    return r < 0 ? r : buf_append(out, span_from((const char *)&e, sizeof(e)));
}

/* --- the file --- */

/* Entries beyond which it is written anew, so that it stays in proportion to the table. */
static size_t ceiling(const struct offences *o)
{
    return 2 * o->max + 1024;
}

/* What the table holds, as a new file in place of the old one. */
static int write_anew(struct offences *o)
{
    struct buf all = BUF_INIT(MAGIC.len + o->count * sizeof(struct entry_bytes) + 1);
    int r = buf_append(&all, MAGIC);
    for (size_t i = 0; r == 0 && i < o->count; i++) {
        const struct slot *s = &o->slots[(o->first + i) % o->max];
        r = put_entry(o, &all, s->code, s->told);
    }
    if (r == 0)
        r = files_replace(o->path, buf_span(&all), 0600);
    if (r == 0)
        r = files_sync_dir(o->dir);
    buf_deinit(&all);
    int fd = r == 0 ? open(o->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (r == 0 && fd < 0)
        r = -errno;
    if (r < 0)
        return r;
    if (o->fd >= 0)
        close(o->fd);
    o->fd = fd;
    o->written = o->count;
    o->stale = false;
    buf_clear(&o->fresh);
    return 0;
}

static int append(struct offences *o)
{
    int r = files_write(o->fd, buf_span(&o->fresh));
    if (r == 0 && fdatasync(o->fd) < 0)
        r = -errno;
    /* Some of it may be there. A file whose sync failed can't be trusted either. */
    if (r < 0)
        return r;
    o->written += o->fresh.len / sizeof(struct entry_bytes);
    buf_clear(&o->fresh);
    return 0;
}

void offences_add(struct offences *o, struct span list, bool keep)
{
    struct audit_offence f;
    for (; list.len >= sizeof(f); list = span_slice(list, sizeof(f), list.len)) {
        memcpy(&f, list.data, sizeof(f));
        pthread_mutex_lock(&o->lock);
        bool news = insert(o, f.code, f.told);
        pthread_mutex_unlock(&o->lock);
        if (news && (!keep || put_entry(o, &o->fresh, f.code, f.told) < 0))
            o->stale = true;
    }
}

int offences_sync(struct offences *o)
{
    if (!o->stale && o->fresh.len == 0)
        return 0;
    int r = o->stale || o->written > ceiling(o) ? write_anew(o) : append(o);
    if (r == 0)
        return 0;
    if (!o->stale)
        log_warning("audit: %s can't be written: %s; offences are remembered in memory only, one "
                    "that comes back after a restart counts as new",
                    o->path, strerror(-r));
    o->stale = true;
    buf_clear(&o->fresh);
    return r;
}

/* Reads what is whole. *ret_bad: entries that are not; *ret_torn: a part of one at the end. */
static int read_entries(struct offences *o, int fd, size_t *ret_bad, bool *ret_torn)
{
    struct entry_bytes chunk[1024];
    char magic[16];
    ssize_t n = read(fd, magic, sizeof(magic));
    if (n < 0)
        return -errno;
    if (n < (ssize_t)sizeof(magic)) {
        *ret_torn = true; /* made and never begun */
        return 0;
    }
    if (!span_eq(span_from(magic, sizeof(magic)), MAGIC)) {
        ++*ret_bad;
        return 0;
    }
    size_t have = 0;
    while ((n = read(fd, (char *)chunk + have, sizeof(chunk) - have)) > 0) {
        have += (size_t)n;
        size_t whole = have / sizeof(*chunk);
        for (size_t i = 0; i < whole; i++) {
            unsigned char want[SEAL_SIZE];
            int r = seal(o, &chunk[i], want);
            if (r < 0)
                return r;
            o->written++;
            if (memcmp(want, chunk[i].seal, SEAL_SIZE) == 0)
                insert(o, chunk[i].code, chunk[i].told == 1);
            else
                ++*ret_bad;
        }
        have -= whole * sizeof(*chunk);
        memmove(chunk, chunk + whole, have);
    }
    *ret_torn = *ret_torn || have > 0;
    return n < 0 ? -errno : 0;
}

static int load(struct offences *o)
{
    char aside[PATH_MAX];
    size_t bad = 0;
    bool torn = false;
    o->fd = open(o->path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
    if (o->fd < 0)
        return errno == ENOENT ? write_anew(o) : -errno;
    int r = read_entries(o, o->fd, &bad, &torn);
    if (r < 0)
        return r;
    if (bad) {
        if (!files_join(span_str(o->dir), "offences.bad", aside))
            return -ENAMETOOLONG;
        log_warning("audit: %zu entries of %s are damaged or of another key; the file is kept as "
                    "%s; what they stood for counts as new when it comes again",
                    bad, o->path, aside);
        if (rename(o->path, aside) < 0)
            return -errno;
    }
    return bad || torn || o->written > o->max ? write_anew(o) : 0;
}

/* --- the key --- */

static int read_key(struct offences *o, int fd, const char *path)
{
    char text[2 * KEY_SIZE + 2];
    struct stat st;
    ssize_t n = read(fd, text, sizeof(text));
    int r = n < 0 ? -errno : 0;
    if (r == 0 && !codec_unhex(span_trim(span_from(text, (size_t)n)), o->key, KEY_SIZE)) {
        log_error("audit: %s must hold 64 hex digits and nothing else", path);
        r = -EBADMSG;
    }
    secret_cleanse(text, sizeof(text));
    if (r == 0 && fstat(fd, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)))
        log_warning("audit: %s: others can read it; chmod 600 it", path);
    return r;
}

static int create_key(const char *path)
{
    unsigned char key[KEY_SIZE];
    char text[2 * KEY_SIZE + 2];
    int r = secret_random(key, sizeof(key));
    codec_hex(span_from((const char *)key, sizeof(key)), text);
    text[2 * KEY_SIZE] = '\n';
    if (r == 0)
        r = files_replace(path, span_from(text, 2 * KEY_SIZE + 1), 0600);
    secret_cleanse(key, sizeof(key));
    secret_cleanse(text, sizeof(text));
    return r;
}

/* The open key is the lock as well: two processes would write over each other. */
static int open_key(struct offences *o)
{
    char keys[PATH_MAX], path[PATH_MAX];
    if (!files_join(span_str(o->dir), "keys", keys) ||
        !files_join(span_str(o->dir), "keys/offence.key", path))
        return -ENAMETOOLONG;
    if (mkdir(keys, 0700) < 0 && errno != EEXIST)
        return -errno;
    int r = access(path, F_OK) < 0 && errno == ENOENT ? create_key(path) : 0;
    if (r == 0)
        r = files_sync_dir(keys);
    if (r < 0)
        return r;
    o->lock_fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (o->lock_fd < 0)
        return -errno;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(o->lock_fd, F_OFD_SETLK, &lock) < 0)
        return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
    r = read_key(o, o->lock_fd, path);
    if (r < 0)
        return r;
    o->seal = hmac_new(span_from((const char *)o->key, KEY_SIZE));
    return o->seal ? 0 : -ENOMEM;
}

int offences_open(struct span state_dir, size_t max, struct offences **ret_offences)
{
    struct offences *o = calloc(1, sizeof(*o));
    if (!o)
        return -ENOMEM;
    o->fd = o->lock_fd = -1;
    pthread_mutex_init(&o->lock, NULL);
    buf_init(&o->fresh, SIZE_MAX / 4); /* as much as one group of records brings */
    int r = make_table(o, max);
    if (r == 0 &&
        (!files_join(state_dir, "", o->dir) || !files_join(state_dir, "offences.bin", o->path)))
        r = -ENAMETOOLONG;
    if (r == 0)
        r = open_key(o);
    if (r == 0)
        r = load(o);
    if (r < 0) {
        log_error("audit: the offences in %.*s can't be used: %s", SPAN_ARG(state_dir),
                  r == -EBUSY ? "another process uses them" : strerror(-r));
        offences_close(o);
        return r;
    }
    *ret_offences = o;
    return 0;
}

void offences_close(struct offences *o)
{
    if (!o)
        return;
    hmac_free(o->seal);
    secret_cleanse(o->key, sizeof(o->key));
    if (o->fd >= 0)
        close(o->fd);
    if (o->lock_fd >= 0)
        close(o->lock_fd);
    buf_deinit(&o->fresh);
    free(o->slots);
    free(o->buckets);
    pthread_mutex_destroy(&o->lock);
    free(o);
}
