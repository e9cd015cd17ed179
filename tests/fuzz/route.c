/*
 * "METHOD PATH?QUERY\nCOOKIES\nHOST\nORIGIN", from any bytes: what comes of it names one thing, and
 * no foreign host or origin passes for ours.
 */
#include "console/guard.h"
#include "console/routes.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct span s, bool segment)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '\0' || s.data[i] == '\x7f' || s.data[i] == '\x1b' ||
            (segment && (s.data[i] == '/' || s.data[i] == '\\')))
            abort();
    if (segment && (s.len == 0 || span_eq(s, SPAN_LIT(".")) || span_eq(s, SPAN_LIT(".."))))
        abort();
}

static bool ends_nocase(struct span s, struct span end)
{
    return s.len >= end.len && span_eq_nocase(span_slice(s, s.len - end.len, s.len), end);
}

static void check_names(struct span host, struct span origin)
{
    struct span names[] = {SPAN_LIT("console.example")};
    struct config_console c = {
        .host = SPAN_LIT("127.0.0.1"), .port = 8081, .hosts = names, .host_count = 1};
    if (guard_is_host(&c, host) && ends_nocase(host, SPAN_LIT(".evil")))
        abort();
    if (guard_is_origin(&c, SPAN_LIT("localhost:8081"), origin) &&
        !ends_nocase(origin, SPAN_LIT("//localhost:8081")) &&
        span_find(origin, SPAN_LIT("//")) == origin.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_from((const char *)data, size), line = SPAN_LIT(""), method, path;
    struct span cookies = SPAN_LIT(""), host = SPAN_LIT(""), parts[API_PARTS_MAX] = {{0}};
    struct api_param query[API_QUERY_MAX];
    const struct api_route *route = NULL;
    struct arena arena;
    size_t count;
    arena_init(&arena, 1u << 20);
    span_split(&rest, '\n', &line);
    span_split(&rest, '\n', &cookies);
    span_split(&rest, '\n', &host);
    size_t blank = span_find(line, SPAN_LIT(" ")), mark = span_find(line, SPAN_LIT("?"));
    if (blank < mark && mark < line.len) {
        method = span_slice(line, 0, blank);
        path = span_slice(line, blank + 1, mark);
        if (route_find(method, path, &arena, &route, parts) == ROUTE_FOUND)
            for (size_t i = 0; i < API_PARTS_MAX && parts[i].data; i++)
                check_text(parts[i], true);
        if (route_query(span_slice(line, mark + 1, line.len), &arena, query, &count) == 0)
            for (size_t i = 0; i < count; i++) {
                check_text(query[i].name, false);
                check_text(query[i].value, false);
            }
    }
    struct span cookie = route_cookie(cookies, SPAN_LIT("juyong"));
    if (span_find(cookie, SPAN_LIT(";")) < cookie.len)
        abort();
    check_names(host, rest);
    arena_deinit(&arena);
    return 0;
}
