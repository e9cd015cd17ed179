#include "console/api.h"

#include "base/clock.h"
#include "json/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define RECORD_MS  10000
#define DETAIL_MAX 8192

struct span api_query(const struct api_request *q, const char *name)
{
    for (size_t i = 0; i < q->query_count; i++)
        if (span_eq(q->query[i].name, span_str(name)))
            return q->query[i].value;
    return SPAN_NULL;
}

bool api_has(const struct api_request *q, const char *name)
{
    return api_query(q, name).data != NULL;
}

bool api_query_u64(const struct api_request *q, const char *name, uint64_t min, uint64_t max,
                   uint64_t *ret_value, struct api_answer *a)
{
    struct span text = api_query(q, name);
    unsigned long long value;
    if (text.len == 0)
        return true;
    if (span_to_u64(text, &value) && value >= min && value <= max) {
        *ret_value = value;
        return true;
    }
    api_error(a, 400, "bad_parameter", "'%s' is a number from %llu to %llu", name,
              (unsigned long long)min, (unsigned long long)max);
    return false;
}

bool api_body_text(const struct api_request *q, const char *name, size_t min, size_t max,
                   struct span *ret_text, struct api_answer *a)
{
    const struct json_value *v = value_get(q->body, span_str(name));
    *ret_text = SPAN_LIT("");
    bool good = !v || value_is_null(v) || value_get_string(v, ret_text);
    if (good && ret_text->len >= min && ret_text->len <= max)
        return true;
    api_error(a, 400, "bad_parameter", "'%s' is a text of %zu to %zu bytes", name, min, max);
    return false;
}

int api_error(struct api_answer *a, int status, const char *code, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    a->status = status;
    a->type = SPAN_NULL;
    a->file_name[0] = '\0';
    buf_clear(&a->body);
    int r = buf_append(&a->body, SPAN_LIT("{\"error\":{"));
    api_member(&a->body, "code", span_str(code));
    api_member(&a->body, "message", span_str(text));
    return r < 0 ? r : buf_append(&a->body, SPAN_LIT("}}"));
}

int api_json(struct api_answer *a, struct json_value *value)
{
    int r = value ? value_dump(value, &a->body) : -ENOMEM;
    value_free(value);
    return r;
}

void api_member(struct buf *out, const char *key, struct span text)
{
    json_member(out, key, text);
}

int api_temporary(const struct api *api)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%.*s", SPAN_ARG(api->state_dir)) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int fd = open(path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd < 0 ? -errno : fd;
    /* A file system without unnamed files: give the name away at once. */
    snprintf(path, sizeof(path), "%.*s/export.XXXXXX", SPAN_ARG(api->state_dir));
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    unlink(path);
    return fd;
}

/* Until the event is on record. An earlier one's late completion says nothing about it. */
static int await(struct audit_port *port, uint64_t number)
{
    struct pollfd p = {.fd = audit_port_fd(port), .events = POLLIN};
    uint64_t end = clock_mono_ms() + RECORD_MS;
    struct audit_done done;
    for (;;) {
        if (audit_port_collect(port, &done, 1) > 0) {
            if (done.exchange == number)
                return done.status;
            continue;
        }
        uint64_t now = clock_mono_ms();
        if (now >= end)
            return -ETIMEDOUT;
        if (poll(&p, 1, (int)(end - now)) < 0 && errno != EINTR)
            return -errno;
    }
}

int api_record_of(const struct api *api, const struct api_request *q, struct span reason,
                  struct span app, struct span end_user, struct span more)
{
    if (!api->audit || !api->port)
        return -EIO;
    struct buf detail = BUF_INIT(DETAIL_MAX);
    buf_append_char(&detail, '{');
    api_member(&detail, "by", q->user.len ? q->user : SPAN_LIT("nobody"));
    api_member(&detail, "role", staff_name(q->role));
    api_member(&detail, "ip", q->client_ip);
    if (more.len) {
        buf_append_char(&detail, ',');
        buf_append(&detail, more);
    }
    int r = buf_append_char(&detail, '}');
    struct audit_subject subject = {
        .app = app, .end_user = end_user, .client_ip = q->client_ip, .client_port = q->client_port};
    struct audit_event e = {
        .kind = AUDIT_ADMIN, .subject = &subject, .reason = reason, .detail = buf_span(&detail)};
    uint64_t number = clock_mono_us(); /* a clerk queues one after the other */
    if (r == 0)
        r = audit_submit(api->audit, api->port, number, &e);
    if (r == 0)
        r = await(api->port, number);
    buf_deinit(&detail);
    return r;
}

int api_record(const struct api *api, const struct api_request *q, struct span reason,
               struct span more)
{
    return api_record_of(api, q, reason, SPAN_LIT(""), SPAN_LIT(""), more);
}
