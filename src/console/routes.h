/*
 * From a request line to a function: the tables of the api_*.c files, and what may stand in a path,
 * a query and a cookie. Everything here reads bytes from outside.
 */
#pragma once

#include "base/arena.h"
#include "console/api.h"

enum route_verdict {
    ROUTE_FOUND,
    ROUTE_UNKNOWN,    /* 404 */
    ROUTE_NOT_SO,     /* the path is one, but not for that method: 405 */
    ROUTE_UNREADABLE, /* escapes, UTF-8 or controls: 400 */
};

/*
 * Finds the route of a path as sent (without query). With ROUTE_FOUND parts are the decoded
 * {segments}, in the arena; a literal segment is preferred to a {segment}. Anything that decodes
 * to a slash, a backslash, NUL, "." or ".." is unreadable. O(routes).
 */
enum route_verdict route_find(struct span method, struct span path, struct arena *arena,
                              const struct api_route **ret_route,
                              struct span ret_parts[API_PARTS_MAX]);
/*
 * Cuts a query (without '?') into decoded parameters. -EINVAL on what is unreadable or said twice,
 * -E2BIG on more than API_QUERY_MAX, -ENOMEM.
 */
int route_query(struct span query, struct arena *arena, struct api_param ret[API_QUERY_MAX],
                size_t *ret_count);
/* The value of a cookie in a Cookie header; empty when it is not there, or there twice. */
struct span route_cookie(struct span header, struct span name);
