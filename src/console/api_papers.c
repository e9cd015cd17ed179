/*
 * The papers of a filing as files. Each is made of what is in force at that moment, on the clerk's
 * thread, into a file that has no name; that it left is on record first.
 */
#include "console/areas.h"
#include "console/rulework.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "casebook/export.h"
#include "filing/disclosure.h"
#include "filing/filed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define TEXT_MAX     ((size_t)4 << 20)
#define AT_ONCE      2
#define DISK_PERCENT 95 /* the log is on that disk, too */

#define WORKBOOK "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

/* What a paper is made of. Reasons of a failure go to `error`. */
struct making {
    const struct api *api;
    const struct api_request *q;
    struct span path; /* of those that are written to a file */
    struct buf *out;  /* of those that are not */
    struct buf *error;
};

/* 0 or negative. */
typedef int (*make_fn)(struct making *m);

static int make_keywords(struct making *m)
{
    const struct api *api = m->api;
    const struct config_app *app = &api->config->apps[0];
    int64_t now = clock_wall_s();
    struct library l;
    struct filed filed;
    int r = library_read(api->rules, app, now, &l);
    if (r < 0)
        return r;
    r = filed_read(api->state_dir, &l, app, now, m->error, &filed);
    if (r == 0) {
        struct keywordlist k = {
            .library = &l,
            .version = ruleset_version(api->rules),
            .digest = ruleset_digest(api->rules),
            .filed = &filed.list,
            .provider = api->config->service.provider,
            .now = now,
        };
        r = keywordlist_write(&k, KEYWORDLIST_XLSX, m->path, m->error);
        filed_free(&filed);
    }
    library_free(&l);
    return r;
}

static int make_disclosure_html(struct making *m)
{
    return disclosure_html(&(struct disclosure){.config = m->api->config}, m->out);
}

static int make_disclosure_json(struct making *m)
{
    return disclosure_json(&(struct disclosure){.config = m->api->config}, m->out);
}

/* All that can be had, in the order in which it is shown. */
static const struct paper {
    const char *name; /* of the file, and in the address */
    const char *type;
    make_fn make;
    bool path; /* it writes to a path */
} papers[] = {
    {"annex4.xlsx", WORKBOOK, make_keywords, true},
    {"disclosure.html", "text/html; charset=utf-8", make_disclosure_html, false},
    {"disclosure.json", "application/json", make_disclosure_json, false},
};
#define PAPERS (sizeof(papers) / sizeof(*papers))

static const struct paper *find_paper(struct span name)
{
    for (size_t i = 0; i < PAPERS; i++)
        if (span_eq(name, span_str(papers[i].name)))
            return &papers[i];
    return NULL;
}

/* Room for it: a full disk would end the log. 0 or -errno. */
static int check_room(const struct api *api)
{
    char dir[PATH_MAX];
    if (snprintf(dir, sizeof(dir), "%.*s", SPAN_ARG(api->state_dir)) >= (int)sizeof(dir))
        return -ENAMETOOLONG;
    cleanup(cleanup_close) int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : file_room(fd, DISK_PERCENT);
}

/* Written under a name that is given away once it is open. Its descriptor or negative. */
static int write_path(const struct paper *p, struct making *m)
{
    char path[PATH_MAX];
    if (!export_place(m->api->state_dir, m->q, path))
        return -ENAMETOOLONG;
    m->path = span_str(path);
    int r = p->make(m);
    int fd = r < 0 ? r : open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (r >= 0 && fd < 0)
        fd = -errno;
    unlink(path);
    return fd;
}

static int write_text(const struct paper *p, struct making *m)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    m->out = &text;
    int r = p->make(m);
    int fd = r < 0 ? r : api_temporary(m->api);
    if (fd >= 0 && (r = file_write(fd, buf_span(&text))) < 0) {
        close(fd);
        fd = r;
    }
    buf_deinit(&text);
    return fd;
}

static int give(const struct paper *p, const struct api *api, const struct api_request *q,
                struct api_answer *a)
{
    struct buf what = BUF_INIT(256), error = BUF_INIT(65536);
    struct making m = {.api = api, .q = q, .error = &error};
    api_member(&what, "what", span_str(p->name));
    int r = api_record(api, q, SPAN_LIT("filing_file"), buf_span(&what));
    int fd = -1;
    if (r < 0) {
        r = api_error(a, 503, "not_recorded", "It can't be recorded, so it is not done.");
    } else if ((r = check_room(api)) == 0) {
        fd = p->path ? write_path(p, &m) : write_text(p, &m);
        r = fd < 0 ? fd : 0;
    }
    if (fd >= 0) {
        a->file = fd;
        a->type = span_str(p->type);
        snprintf(a->file_name, sizeof(a->file_name), "%s", p->name);
    } else if (r == -ENOSPC) {
        r = api_error(a, 503, "disk_full", "The gateway's disk has too little room.");
    } else if (r < 0 && error.len) {
        r = rulework_refuse(a, 422, "not_made", buf_span(&error));
    }
    buf_deinit(&what);
    buf_deinit(&error);
    return r;
}

static int get_file(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static atomic_uint running;
    const struct paper *p = find_paper(q->parts[0]);
    if (!p)
        return api_error(a, 404, "not_found", "There is no such paper.");
    if (!rulework_there(api, a))
        return 0;
    int r;
    if (atomic_fetch_add(&running, 1) < AT_ONCE) {
        r = give(p, api, q, a);
    } else {
        a->retry_after_s = 30;
        r = api_error(a, 503, "busy", "Other papers are being written. Try again later.");
    }
    atomic_fetch_sub(&running, 1);
    return r;
}

static int get_files(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    buf_append(&a->body, SPAN_LIT("{\"rows\":["));
    for (size_t i = 0; i < PAPERS; i++) {
        buf_append(&a->body, i ? SPAN_LIT(",{") : SPAN_LIT("{"));
        api_member(&a->body, "name", span_str(papers[i].name));
        buf_append_char(&a->body, '}');
    }
    return buf_append(&a->body, SPAN_LIT("]}"));
}

/* Who keeps rules, who runs the gateway, who inspects it. */
#define MAY_TAKE (MAY_PUBLISH | MAY_APPS | MAY_EXPORT)

const struct api_route api_papers_routes[] = {
    {"GET", "/api/filing/files", MAY_SEE, get_files},
    {"GET", "/api/filing/files/{name}", MAY_TAKE, get_file},
    {NULL},
};
