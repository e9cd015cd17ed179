#include "console/accounts.h"

#include "access/keyfile.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>

#define FILE_MAX ((size_t)256 << 10) /* 256 accounts with long names take half of it */

struct accounts {
    pthread_mutex_t lock;
    char dir[PATH_MAX], path[PATH_MAX];
    struct stat seen; /* what the list was read from; all zeros: no file */
    size_t count;
    struct account list[ACCOUNTS_MAX];
};

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The file's accounts into `list`. 0, -EBADMSG, -errno. No file: nobody, and *ret_stat zeros. */
static int read_list(const struct accounts *a, struct buf *messages, struct account *list,
                     size_t *ret_count, struct stat *ret_stat)
{
    cleanup(cleanup_close) int fd = open(a->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    *ret_count = 0;
    memset(ret_stat, 0, sizeof(*ret_stat));
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fstat(fd, ret_stat) < 0)
        return -errno;
    if (!S_ISREG(ret_stat->st_mode) || ret_stat->st_size > (off_t)FILE_MAX) {
        buf_printf(messages, "no file of accounts, or a damaged one");
        return -EBADMSG;
    }
    char *text = malloc(FILE_MAX);
    if (!text)
        return -ENOMEM;
    size_t len = 0;
    ssize_t n = 1;
    while (n > 0 && len < FILE_MAX) {
        n = read(fd, text + len, FILE_MAX - len);
        len += n > 0 ? (size_t)n : 0;
    }
    int r = n < 0 ? -errno : accounts_parse(span_from(text, len), messages, list, ret_count);
    secret_cleanse(text, len);
    free(text);
    return r;
}

/* Under the lock: what somebody else has written since. */
static void refresh(struct accounts *a)
{
    struct stat now = {0};
    if (stat(a->path, &now) < 0)
        memset(&now, 0, sizeof(now));
    if (same_file(&now, &a->seen))
        return;
    struct buf messages = BUF_INIT(1024);
    struct account *list = malloc(sizeof(a->list));
    size_t count;
    int r = list ? read_list(a, &messages, list, &count, &now) : -ENOMEM;
    if (r == 0) {
        memcpy(a->list, list, count * sizeof(*list));
        a->count = count;
        a->seen = now;
    } else if (r != -ENOMEM) {
        log_error("%s: %.*s: the accounts stay as they were", a->path,
                  messages.len ? (int)messages.len : (int)strlen(strerror(-r)),
                  messages.len ? messages.data : strerror(-r));
        a->seen = now; /* told once */
    }
    if (list)
        secret_cleanse(list, sizeof(a->list));
    free(list);
    buf_deinit(&messages);
}

int accounts_open(struct span state_dir, struct buf *messages, struct accounts **ret_accounts)
{
    struct accounts *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    int n = snprintf(a->dir, sizeof(a->dir), "%.*s", SPAN_ARG(state_dir));
    int m = snprintf(a->path, sizeof(a->path), "%.*s/accounts.json", SPAN_ARG(state_dir));
    struct buf why = BUF_INIT(1024);
    int r = n < 0 || m < 0 || m >= PATH_MAX ? -ENAMETOOLONG
                                            : read_list(a, &why, a->list, &a->count, &a->seen);
    if (r < 0) {
        if (why.len)
            buf_printf(messages, "%s: %.*s\n", a->path, SPAN_ARG(buf_span(&why)));
        else
            buf_printf(messages, "%s: can't be read: %s\n", a->path, strerror(-r));
        secret_cleanse(a, sizeof(*a));
        free(a);
    } else {
        pthread_mutex_init(&a->lock, NULL);
        *ret_accounts = a;
    }
    buf_deinit(&why);
    return r;
}

void accounts_close(struct accounts *a)
{
    if (!a)
        return;
    pthread_mutex_destroy(&a->lock);
    secret_cleanse(a, sizeof(*a));
    free(a);
}

size_t accounts_count(struct accounts *a)
{
    pthread_mutex_lock(&a->lock);
    refresh(a);
    size_t count = a->count;
    pthread_mutex_unlock(&a->lock);
    return count;
}

bool accounts_find(struct accounts *a, struct span name, struct account *ret_account)
{
    bool found = false;
    pthread_mutex_lock(&a->lock);
    refresh(a);
    for (size_t i = 0; i < a->count && !found; i++)
        if (span_eq(span_str(a->list[i].name), name)) {
            *ret_account = a->list[i];
            found = true;
        }
    pthread_mutex_unlock(&a->lock);
    return found;
}

size_t accounts_list(struct accounts *a, struct account ret[ACCOUNTS_MAX])
{
    pthread_mutex_lock(&a->lock);
    refresh(a);
    size_t count = a->count;
    memcpy(ret, a->list, count * sizeof(*ret));
    pthread_mutex_unlock(&a->lock);
    return count;
}

static int lock_file(const struct accounts *a)
{
    char path[PATH_MAX];
    int r = file_make_dir(a->dir, 0700);
    if (r < 0)
        return r;
    if (snprintf(path, sizeof(path), "%s/accounts.lock", a->dir) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    while (flock(fd, LOCK_EX) < 0) {
        if (errno != EINTR) {
            r = -errno;
            close(fd);
            return r;
        }
    }
    return fd;
}

static int write_list(const struct accounts *a, const struct account *list, size_t count)
{
    struct buf out = BUF_INIT(FILE_MAX);
    int r = accounts_print(list, count, &out);
    if (r == 0)
        r = keyfile_replace(span_str(a->dir), "accounts.json", buf_span(&out));
    if (out.data)
        secret_cleanse(out.data, out.cap);
    buf_deinit(&out);
    return r;
}

int accounts_edit(struct accounts *a, int (*fn)(void *ctx, struct account *list, size_t *count),
                  void *ctx)
{
    cleanup(cleanup_close) int file = lock_file(a);
    if (file < 0)
        return file;
    struct buf messages = BUF_INIT(1024);
    struct account *list = malloc(sizeof(a->list));
    struct stat st;
    size_t count;
    /* What is damaged is not written over: it might be mended. */
    int r = list ? read_list(a, &messages, list, &count, &st) : -ENOMEM;
    if (r == 0)
        r = fn(ctx, list, &count);
    if (r == 0)
        r = write_list(a, list, count);
    if (list)
        secret_cleanse(list, sizeof(a->list));
    free(list);
    buf_deinit(&messages);
    pthread_mutex_lock(&a->lock);
    refresh(a);
    pthread_mutex_unlock(&a->lock);
    return r;
}
