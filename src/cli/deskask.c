/* The command's side of the desk. */
#include "cli/desk.h"

#include "audit/query.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLL_US   20000
#define FINISH_MS 600000 /* for what was taken: a deletion reads the whole log */

struct errand {
    const struct config *config;
    char ask[48], done[48], tmp[48]; /* in the folder */
    int folder;                      /* -1 until something was laid down */
    unsigned wait_ms;                /* for a running gateway to take it */
    struct stat home;                /* of the state's folder */
};

static int prepare(struct errand *e)
{
    uint32_t random;
    char name[32], state[PATH_MAX];
    int r = secret_random(&random, sizeof(random));
    if (r < 0)
        return r;
    snprintf(name, sizeof(name), "%016llx%08x", (unsigned long long)clock_wall_us(), random);
    snprintf(e->ask, sizeof(e->ask), "%s.ask", name);
    snprintf(e->done, sizeof(e->done), "%s.done", name);
    snprintf(e->tmp, sizeof(e->tmp), "%s.tmp", name);
    if (e->config->state_dir.len >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(state, e->config->state_dir.data, e->config->state_dir.len);
    state[e->config->state_dir.len] = '\0';
    if (stat(state, &e->home) < 0)
        return -errno;
    return 0;
}

/*
 * Root may run the command of a gateway that is not root. The name lies in what is the gateway's,
 * who could have put a link there: nothing is made or given away but in the folder that was opened.
 */
static int open_folder(struct errand *e)
{
    char path[PATH_MAX];
    struct stat st;
    if (e->folder >= 0)
        return 0;
    if (!desk_folder(e->config->state_dir, "", path))
        return -ENAMETOOLONG;
    bool made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST)
        return -errno;
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (st.st_uid != geteuid() && st.st_uid != e->home.st_uid)
        return -EACCES;
    if (made && geteuid() != e->home.st_uid && fchown(fd, e->home.st_uid, e->home.st_gid) < 0)
        return -errno;
    e->folder = fd;
    fd = -1;
    return 0;
}

static int lay_down(struct errand *e, const struct desk_act *act)
{
    struct buf text = BUF_INIT(DESK_ACT_MAX);
    bool other = geteuid() != e->home.st_uid;
    int r = open_folder(e);
    if (r == 0)
        r = desk_write_act(act, &text);
    int fd = -1;
    if (r == 0)
        fd = openat(e->folder, e->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r == 0 && fd < 0)
        r = -errno;
    if (r == 0 && (write(fd, text.data, text.len) != (ssize_t)text.len ||
                   (other && fchown(fd, e->home.st_uid, e->home.st_gid) < 0) || fsync(fd) < 0))
        r = errno ? -errno : -EIO;
    if (fd >= 0)
        close(fd);
    if (r == 0 && renameat(e->folder, e->tmp, e->folder, e->ask) < 0)
        r = -errno;
    if (r < 0 && fd >= 0)
        unlinkat(e->folder, e->tmp, 0);
    buf_deinit(&text);
    return r;
}

static int fetch(const struct errand *e, struct desk_answer *ret)
{
    char text[4096];
    int fd = openat(e->folder, e->done, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof(text));
    close(fd);
    unlinkat(e->folder, e->done, 0);
    return n < 0 ? -EIO : desk_read_answer(span_from(text, (size_t)n), ret);
}

/* -EAGAIN: nobody holds the log any more, and nothing was done. */
static int by_gateway(struct errand *e, const struct desk_act *act, struct desk_answer *ret)
{
    int r = lay_down(e, act);
    uint64_t begin = clock_mono_ms();
    bool taken = false;
    while (r == 0) {
        r = fetch(e, ret);
        if (r != -ENOENT)
            return r;
        r = 0;
        taken = taken || faccessat(e->folder, e->ask, F_OK, 0) < 0;
        uint64_t waited = clock_mono_ms() - begin;
        bool held = query_is_written(e->config->audit.dir);
        if (!taken && (!held || waited > e->wait_ms)) {
            /* Who takes it back first has it: the gateway renames it before it begins. */
            if (unlinkat(e->folder, e->ask, 0) == 0)
                return held ? -ETIMEDOUT : -EAGAIN;
            taken = true;
        } else if (taken && (!held || waited > FINISH_MS)) {
            r = fetch(e, ret);
            return r == -ENOENT ? -EINPROGRESS : r;
        }
        usleep(POLL_US);
    }
    return r;
}

static int by_ourselves(const struct errand *e, const struct desk_act *act, struct desk_answer *ret)
{
    const struct config *c = e->config;
    struct audit *a = NULL;
    struct audit_options o = {
        .dir = c->audit.dir,
        .node = c->node,
        .mode = AUDIT_REQUIRED,
        .state_dir = c->state_dir,
        .offences = c->audit.offences,
        .strikes = c->strikes.users,
        .text_max = c->audit.text_max,
        .originals = c->audit.originals,
        .retention = {.records = c->audit.retention.records,
                      .texts = c->audit.retention.texts,
                      .originals = c->audit.retention.originals,
                      .samples = c->audit.samples.days},
    };
    /* The files that it makes would be lost to the gateway. */
    if (geteuid() != e->home.st_uid)
        return -EACCES;
    int r = audit_open(&o, &a);
    if (r < 0)
        return r;
    struct desk_hands hands = {.audit = a, .log_dir = c->audit.dir};
    if (act->verb == DESK_CASEBOOK)
        desk_casebook(c, a, &hands.casebook); /* says itself why not */
    desk_carry_out(&hands, act, ret);
    casebook_close(hands.casebook);
    audit_close(a);
    return 0;
}

int desk_ask(const struct config *c, const struct desk_act *act, unsigned wait_ms,
             struct desk_answer *ret_answer)
{
    struct errand e = {.config = c, .wait_ms = wait_ms, .folder = -1};
    int r = prepare(&e);
    bool again = r == 0;
    /* A gateway may start or end while we look; the second time it has had its time. */
    for (int i = 0; again && i < 3; i++) {
        r = query_is_written(c->audit.dir) ? by_gateway(&e, act, ret_answer)
                                           : by_ourselves(&e, act, ret_answer);
        again = r == -EAGAIN || r == -EBUSY;
    }
    if (e.folder >= 0)
        close(e.folder);
    return again ? -EBUSY : r;
}
