/* The command's side of the desk. */
#include "cli/desk.h"

#include "audit/query.h"
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
    char name[40], ask[PATH_MAX], done[PATH_MAX], tmp[PATH_MAX];
    unsigned wait_ms; /* for a running gateway to take it */
    struct stat home; /* of the state's folder */
};

static bool make_path(const struct errand *e, const char *ending, char ret[PATH_MAX])
{
    char name[64];
    snprintf(name, sizeof(name), "%s%s", e->name, ending);
    return desk_folder(e->config->state_dir, name, ret);
}

static int prepare(struct errand *e)
{
    uint32_t random;
    char state[PATH_MAX], folder[PATH_MAX];
    int r = secret_random(&random, sizeof(random));
    if (r < 0)
        return r;
    snprintf(e->name, sizeof(e->name), "%016llx%08x", (unsigned long long)clock_wall_us(), random);
    if (!make_path(e, ".ask", e->ask) || !make_path(e, ".done", e->done) ||
        !make_path(e, ".tmp", e->tmp) || !desk_folder(e->config->state_dir, "", folder) ||
        e->config->state_dir.len >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(state, e->config->state_dir.data, e->config->state_dir.len);
    state[e->config->state_dir.len] = '\0';
    if (stat(state, &e->home) < 0)
        return -errno;
    return 0;
}

/* Root may run the command of a gateway that is not root: what it lays down must be readable. */
static int lay_down(const struct errand *e, const struct desk_act *act)
{
    char folder[PATH_MAX];
    struct buf text = BUF_INIT(16384);
    desk_folder(e->config->state_dir, "", folder);
    bool other = geteuid() != e->home.st_uid;
    int r = mkdir(folder, 0700) < 0 && errno != EEXIST ? -errno : 0;
    if (r == 0 && other && chown(folder, e->home.st_uid, e->home.st_gid) < 0)
        r = -errno;
    if (r == 0)
        r = desk_write_act(act, &text);
    int fd = r == 0 ? open(e->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (r == 0 && fd < 0)
        r = -errno;
    if (r == 0 && (write(fd, text.data, text.len) != (ssize_t)text.len ||
                   (other && fchown(fd, e->home.st_uid, e->home.st_gid) < 0) || fsync(fd) < 0))
        r = errno ? -errno : -EIO;
    if (fd >= 0)
        close(fd);
    if (r == 0 && rename(e->tmp, e->ask) < 0)
        r = -errno;
    if (r < 0 && fd >= 0)
        unlink(e->tmp);
    buf_deinit(&text);
    return r;
}

static int fetch(const struct errand *e, struct desk_answer *ret)
{
    char text[4096];
    int fd = open(e->done, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof(text));
    close(fd);
    unlink(e->done);
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
        taken = taken || access(e->ask, F_OK) < 0;
        uint64_t waited = clock_mono_ms() - begin;
        bool held = query_is_written(e->config->audit.dir);
        if (!taken && (!held || waited > e->wait_ms)) {
            /* Who takes it back first has it: the gateway renames it before it begins. */
            if (unlink(e->ask) == 0)
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
    };
    /* The files that it makes would be lost to the gateway. */
    if (geteuid() != e->home.st_uid)
        return -EACCES;
    int r = audit_open(&o, &a);
    if (r < 0)
        return r;
    desk_carry_out(a, c->audit.dir, act, ret);
    audit_close(a);
    return 0;
}

int desk_ask(const struct config *c, const struct desk_act *act, unsigned wait_ms,
             struct desk_answer *ret_answer)
{
    struct errand e = {.config = c, .wait_ms = wait_ms};
    int r = prepare(&e);
    /* A gateway may start or end while we look; the second time it has had its time. */
    for (int i = 0; r == 0 && i < 3; i++) {
        r = query_is_written(c->audit.dir) ? by_gateway(&e, act, ret_answer)
                                           : by_ourselves(&e, act, ret_answer);
        if (r != -EAGAIN && r != -EBUSY)
            return r;
        r = i < 2 ? 0 : -EBUSY;
    }
    return r;
}
