#include "console/answer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADERS_MAX 24

struct headers {
    struct http_header list[HEADERS_MAX];
    size_t count;
};

static void add(struct headers *h, struct span name, struct span value)
{
    if (value.len && h->count < HEADERS_MAX)
        h->list[h->count++] = (struct http_header){name, value};
}

/* No Strict-Transport-Security: it would hold for all ports of the host, and the apps' is plain. */
const struct http_header *answer_security(size_t *ret_count)
{
#define HEADER(name, value)                                                                        \
    {                                                                                              \
        {name, sizeof(name) - 1},                                                                  \
        {                                                                                          \
            value, sizeof(value) - 1                                                               \
        }                                                                                          \
    }
    static const struct http_header list[] = {
        HEADER("Content-Security-Policy",
               "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
               "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"),
        HEADER("X-Content-Type-Options", "nosniff"),
        HEADER("X-Frame-Options", "DENY"),
        HEADER("Referrer-Policy", "no-referrer"),
        HEADER("Cross-Origin-Opener-Policy", "same-origin"),
        HEADER("Cross-Origin-Resource-Policy", "same-origin"),
        HEADER("Cross-Origin-Embedder-Policy", "require-corp"),
        HEADER("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"),
    };
    *ret_count = sizeof(list) / sizeof(*list);
    return list;
}

int answer_send(struct http_request *r, const struct answer *a)
{
    struct headers h = {.count = 0};
    char saving[192] = "", later[16] = "";
    struct stat st;
    size_t security;
    const struct http_header *list = answer_security(&security);
    for (size_t i = 0; i < security; i++)
        add(&h, list[i].name, list[i].value);
    add(&h, SPAN_LIT("Content-Type"), a->type.len ? a->type : SPAN_LIT("application/json"));
    add(&h, SPAN_LIT("Cache-Control"),
        a->immutable ? SPAN_LIT("public, max-age=31536000, immutable")
        : a->tag     ? SPAN_LIT("no-cache")
                     : SPAN_LIT("no-store"));
    add(&h, SPAN_LIT("ETag"), span_str(a->tag));
    add(&h, SPAN_LIT("Set-Cookie"), span_str(a->cookie));
    add(&h, SPAN_LIT("Allow"), span_str(a->allow));
    if (a->file_name)
        snprintf(saving, sizeof(saving), "attachment; filename=\"%s\"", a->file_name);
    add(&h, SPAN_LIT("Content-Disposition"), span_str(saving));
    if (a->retry_after_s)
        snprintf(later, sizeof(later), "%u", a->retry_after_s);
    add(&h, SPAN_LIT("Retry-After"), span_str(later));
    if (a->file == 0)
        return http_request_reply(r, a->status, h.list, h.count, a->body, a->close);
    if (fstat(a->file, &st) < 0) {
        int e = -errno;
        close(a->file);
        return e;
    }
    return http_request_reply_file(r, a->status, h.list, h.count, a->file, (uint64_t)st.st_size);
}

int answer_error(struct http_request *r, int status, const char *code, const char *message)
{
    char body[512];
    int n = snprintf(body, sizeof(body), "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code,
                     message);
    struct answer a = {.status = status,
                       .body = span_from(body, (size_t)n),
                       .allow = status == 405 ? "GET, POST" : NULL,
                       .close = true};
    return answer_send(r, &a);
}
