#include "console/paperwork.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "casebook/export.h"
#include "console/rulework.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT_ONCE      2    /* of all clerks: others have something to do as well */
#define DISK_PERCENT 95   /* the log is on that disk, too */
#define VERIFY_MS    5000 /* a clerk waits that long */
#define PERIOD_US    (30ull * 86400 * 1000000)

int paperwork_gather(const struct api *api, bool verify, struct dossier *ret, struct buf *error)
{
    uint64_t now = clock_wall_us();
    struct dossier_options options = {
        .config = api->config,
        .rules = api->rules,
        .app = config_filing_app(api->config),
        .now = (int64_t)(now / 1000000),
        .since_us = now - PERIOD_US,
        .until_us = now,
        .software = SPAN_LIT(JUYONG_VERSION),
        .verify_ms = verify ? VERIFY_MS : 0,
    };
    int r = dossier_read(&options, ret);
    if (r < 0 && r != -ENOMEM)
        buf_append(error, buf_span(&ret->messages));
    return r;
}

static int check_room(const struct api *api)
{
    char dir[PATH_MAX];
    if (snprintf(dir, sizeof(dir), "%.*s", SPAN_ARG(api->state_dir)) >= (int)sizeof(dir))
        return -ENAMETOOLONG;
    cleanup(cleanup_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : file_room(fd, DISK_PERCENT);
}

/* Its descriptor or negative. */
static int make_file(const struct api *api, const struct api_request *q, paperwork_fn make,
                     void *ctx, struct buf *error)
{
    char path[PATH_MAX];
    int r = check_room(api);
    if (r < 0)
        return r;
    if (!export_place(api->state_dir, q, path))
        return -ENAMETOOLONG;
    r = make(ctx, span_str(path), error);
    int fd = r < 0 ? r : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (r >= 0 && fd < 0)
        fd = -errno;
    unlink(path);
    return fd;
}

static int give(const struct api *api, const struct api_request *q, paperwork_fn make, void *ctx,
                const char *type, const char *name, struct api_answer *a)
{
    struct buf error = BUF_INIT(65536);
    int fd = make_file(api, q, make, ctx, &error), r = 0;
    if (fd >= 0) {
        a->file = fd;
        a->type = span_str(type);
        snprintf(a->file_name, sizeof(a->file_name), "%s", name);
    } else if (fd == -ENOSPC) {
        r = api_error(a, 503, "disk_full", "The gateway's disk has too little room.");
    } else {
        r = error.len && fd != -ENOMEM ? rulework_refuse(a, 422, "not_made", buf_span(&error)) : fd;
    }
    buf_deinit(&error);
    return r;
}

int paperwork_give(const struct api *api, const struct api_request *q, paperwork_fn make, void *ctx,
                   const char *type, const char *name, struct api_answer *a)
{
    static atomic_uint running; /* in this process: they share its disk */
    int r;
    if (atomic_fetch_add(&running, 1) < AT_ONCE) {
        r = give(api, q, make, ctx, type, name, a);
    } else {
        a->retry_after_s = 30;
        r = api_error(a, 503, "busy", "Other papers are being written. Try again later.");
    }
    atomic_fetch_sub(&running, 1);
    return r;
}
