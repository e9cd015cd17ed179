/* The gateway's side of the desk: takes what lies there, one after the other. */
#include "cli/desk.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS  1000
#define NAMES    64 /* acts taken at one look */
#define NAME_LEN 64
#define STALE_S  3600 /* answers that nobody fetched */

struct desk {
    struct desk_hands hands;
    pthread_t thread;
    int stop, notify; /* eventfd; inotify or -1 */
    char state_dir[PATH_MAX], log_dir[PATH_MAX], dir[PATH_MAX];
};

static bool ends(const char *name, const char *with)
{
    size_t n = strlen(name), m = strlen(with);
    return n > m && n < NAME_LEN && strcmp(name + n - m, with) == 0;
}

/* "<dir>/<name without its ending><ending>" */
static bool path_of(const struct desk *d, const char *name, const char *ending, char ret[PATH_MAX])
{
    const char *dot = strrchr(name, '.');
    int stem = dot ? (int)(dot - name) : (int)strlen(name);
    int n = snprintf(ret, PATH_MAX, "%s/%.*s%s", d->dir, stem, name, ending);
    return n > 0 && n < PATH_MAX;
}

static int read_file(const char *path, struct buf *ret)
{
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char piece[4096];
    ssize_t n = -1;
    int r = fd < 0 ? -errno : 0;
    while (r == 0 && (n = read(fd, piece, sizeof(piece))) > 0)
        r = buf_append(ret, span_from(piece, (size_t)n));
    return r == 0 && n < 0 ? -errno : r;
}

/* Whole or not at all, for the command that waits; a crash in between asks for it again. */
static int write_answer(const struct desk *d, const char *name, const struct desk_answer *answer)
{
    char path[PATH_MAX], part[PATH_MAX];
    struct buf text = BUF_INIT(4096);
    if (!path_of(d, name, ".done", path) || !path_of(d, name, ".part", part))
        return -ENAMETOOLONG;
    int r = desk_write_answer(answer, &text);
    int fd = r == 0 ? open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (r == 0 && (fd < 0 || write(fd, text.data, text.len) != (ssize_t)text.len))
        r = -EIO;
    if (fd >= 0)
        close(fd);
    if (r == 0 && rename(part, path) < 0)
        r = -errno;
    buf_deinit(&text);
    return r;
}

static void serve_one(struct desk *d, const char *name)
{
    char ask[PATH_MAX], doing[PATH_MAX];
    if (!path_of(d, name, ".ask", ask) || !path_of(d, name, ".doing", doing) ||
        rename(ask, doing) < 0)
        return; /* taken back meanwhile */
    struct buf text = BUF_INIT(DESK_ACT_MAX);
    struct arena arena;
    struct desk_act act;
    struct desk_answer answer = {0};
    arena_init(&arena, 4 * DESK_ACT_MAX);
    int r = read_file(doing, &text);
    if (r == 0)
        r = desk_read_act(buf_span(&text), &arena, &act);
    if (r == 0)
        desk_carry_out(&d->hands, &act, &answer);
    else
        snprintf(answer.error, sizeof(answer.error), "the gateway can't read what is asked: %s",
                 strerror(-r));
    if (answer.error[0])
        log_error("desk: %s: %s", name, answer.error);
    r = write_answer(d, name, &answer);
    if (r < 0)
        log_error("desk: %s can't be answered: %s", name, strerror(-r));
    unlink(doing);
    arena_deinit(&arena);
    buf_deinit(&text);
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* Names begin with the time, so that acts are carried out in their order. */
static size_t list(const struct desk *d, const char *ending, char names[NAMES][NAME_LEN])
{
    DIR *dir = opendir(d->dir);
    size_t count = 0;
    struct dirent *e;
    while (dir && count < NAMES && (e = readdir(dir)))
        if (ends(e->d_name, ending))
            snprintf(names[count++], NAME_LEN, "%s", e->d_name);
    if (dir)
        closedir(dir);
    qsort(names, count, NAME_LEN, compare);
    return count;
}

static void look(struct desk *d)
{
    char names[NAMES][NAME_LEN];
    size_t count = list(d, ".ask", names);
    for (size_t i = 0; i < count; i++)
        serve_one(d, names[i]);
}

/* What an earlier life left: acts to be done once more, answers that nobody waits for. */
static void tidy(const struct desk *d)
{
    static const char *const old[] = {".done", ".part", ".tmp"};
    char names[NAMES][NAME_LEN], path[PATH_MAX], ask[PATH_MAX];
    size_t count = list(d, ".doing", names);
    for (size_t i = 0; i < count; i++)
        if (path_of(d, names[i], ".doing", path) && path_of(d, names[i], ".ask", ask))
            rename(path, ask);
    for (size_t k = 0; k < sizeof(old) / sizeof(*old); k++) {
        count = list(d, old[k], names);
        for (size_t i = 0; i < count; i++) {
            struct stat st;
            if (path_of(d, names[i], old[k], path) && stat(path, &st) == 0 &&
                st.st_mtime + STALE_S < clock_wall_s())
                unlink(path);
        }
    }
}

static void *run(void *arg)
{
    struct desk *d = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    tidy(d);
    struct pollfd p[2] = {{.fd = d->stop, .events = POLLIN}, {.fd = d->notify, .events = POLLIN}};
    while (!(p[0].revents & POLLIN)) {
        char piece[4096] __attribute__((aligned(8)));
        while (d->notify >= 0 && read(d->notify, piece, sizeof(piece)) > 0)
            ; /* whatever it was: the folder tells */
        look(d);
        /* A watch may be refused, lost or blind: it is looked besides. */
        poll(p, 2, LOOK_MS);
    }
    return NULL;
}

int desk_open(struct audit *a, struct casebook *casebook, const struct config *c,
              struct desk **ret_desk)
{
    struct desk *d = calloc(1, sizeof(*d));
    if (!d)
        return -ENOMEM;
    d->hands = (struct desk_hands){.audit = a, .casebook = casebook};
    d->notify = -1;
    d->stop = eventfd(0, EFD_CLOEXEC);
    int r = d->stop < 0 ? -errno : 0;
    if (r == 0 && (!desk_folder(c->state_dir, "", d->dir) || c->audit.dir.len >= PATH_MAX))
        r = -ENAMETOOLONG;
    if (r == 0) {
        memcpy(d->log_dir, c->audit.dir.data, c->audit.dir.len);
        d->hands.log_dir = span_str(d->log_dir);
        if (mkdir(d->dir, 0700) < 0 && errno != EEXIST)
            r = -errno;
    }
    if (r == 0) {
        d->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (d->notify >= 0)
            inotify_add_watch(d->notify, d->dir, IN_MOVED_TO);
        r = -pthread_create(&d->thread, NULL, run, d);
    }
    if (r < 0) {
        log_error("%s: the acts of `juyong user` can't be taken: %s", d->dir, strerror(-r));
        if (d->stop >= 0)
            close(d->stop);
        if (d->notify >= 0)
            close(d->notify);
        free(d);
        return r;
    }
    *ret_desk = d;
    return 0;
}

void desk_close(struct desk *d)
{
    if (!d)
        return;
    uint64_t one = 1;
    ssize_t n = write(d->stop, &one, sizeof(one));
    (void)n;
    pthread_join(d->thread, NULL);
    close(d->stop);
    if (d->notify >= 0)
        close(d->notify);
    free(d);
}
