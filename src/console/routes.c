#include "console/routes.h"

#include "base/utf8.h"
#include "console/areas.h"

#include <errno.h>

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Controls would be invisible where they are shown; a text box may hold tabs and lines. */
static bool is_sound(struct span text)
{
    for (size_t at = 0; at < text.len;) {
        uint32_t cp;
        int n = utf8_decode(span_slice(text, at, text.len), false, &cp);
        if (n <= 0 || (cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') || cp == 0x7f)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* Percent escapes, and '+' for a blank in a query. 0, -EINVAL, -ENOMEM. */
static int decode(struct span raw, bool plus, struct arena *arena, struct span *ret)
{
    char *out = arena_alloc(arena, raw.len + 1);
    size_t len = 0;
    if (!out)
        return -ENOMEM;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];
        if (c == '%') {
            int high = raw.len - i > 2 ? nibble(raw.data[i + 1]) : -1;
            int low = high >= 0 ? nibble(raw.data[i + 2]) : -1;
            if (low < 0)
                return -EINVAL;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        out[len++] = c;
    }
    *ret = span_from(out, len);
    return is_sound(*ret) ? 0 : -EINVAL;
}

/* A segment names one thing: it can't lead to another folder. */
static bool is_segment(struct span s)
{
    if (s.len == 0 || span_eq(s, SPAN_LIT(".")) || span_eq(s, SPAN_LIT("..")))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] == '/' || s.data[i] == '\\' || (unsigned char)s.data[i] < 0x20)
            return false;
    return true;
}

/* Does the path fit the pattern? *ret_literal counts its segments that are no {…}. */
static bool fits(struct span pattern, struct span path, struct span raw[API_PARTS_MAX],
                 unsigned *ret_count, unsigned *ret_literal)
{
    struct span want, got;
    *ret_count = *ret_literal = 0;
    for (;;) {
        bool more = span_split(&pattern, '/', &want), given = span_split(&path, '/', &got);
        if (!more || !given)
            return more == given;
        if (want.len && want.data[0] == '{') {
            if (*ret_count == API_PARTS_MAX || got.len == 0)
                return false;
            raw[(*ret_count)++] = got;
        } else if (span_eq(want, got)) {
            (*ret_literal)++;
        } else {
            return false;
        }
    }
}

struct found {
    const struct api_route *route;
    struct span raw[API_PARTS_MAX];
    unsigned count, literal;
    bool path; /* some method would do */
};

static void look_at(struct found *f, const struct api_route *r, struct span method,
                    struct span path)
{
    struct span raw[API_PARTS_MAX];
    unsigned count, literal;
    if (!fits(span_str(r->path), path, raw, &count, &literal))
        return;
    f->path = true;
    if (!span_eq(span_str(r->method), method) || (f->route && f->literal >= literal))
        return;
    f->route = r;
    f->count = count;
    f->literal = literal;
    memcpy(f->raw, raw, sizeof(raw));
}

enum route_verdict route_find(struct span method, struct span path, struct arena *arena,
                              const struct api_route **ret_route,
                              struct span ret_parts[API_PARTS_MAX])
{
    struct found f = {0};
    for (const struct api_route *const *area = areas; *area; area++)
        for (const struct api_route *r = *area; r->method; r++)
            look_at(&f, r, method, path);
    if (!f.route)
        return f.path ? ROUTE_NOT_SO : ROUTE_UNKNOWN;
    for (unsigned i = 0; i < f.count; i++)
        if (decode(f.raw[i], false, arena, &ret_parts[i]) < 0 || !is_segment(ret_parts[i]))
            return ROUTE_UNREADABLE;
    *ret_route = f.route;
    return ROUTE_FOUND;
}

int route_query(struct span query, struct arena *arena, struct api_param ret[API_QUERY_MAX],
                size_t *ret_count)
{
    struct span part;
    size_t count = 0;
    while (span_split(&query, '&', &part)) {
        if (part.len == 0)
            continue;
        if (count == API_QUERY_MAX)
            return -E2BIG;
        size_t equals = span_find(part, SPAN_LIT("="));
        struct api_param *p = &ret[count];
        int r = decode(span_slice(part, 0, equals), true, arena, &p->name);
        p->value = SPAN_LIT("");
        if (r == 0 && equals < part.len)
            r = decode(span_slice(part, equals + 1, part.len), true, arena, &p->value);
        if (r < 0)
            return r;
        for (size_t i = 0; i < count; i++)
            if (span_eq(ret[i].name, p->name))
                return -EINVAL; /* which one holds would be a guess */
        count++;
    }
    *ret_count = count;
    return 0;
}

struct span route_cookie(struct span header, struct span name)
{
    struct span part, found = SPAN_LIT("");
    bool seen = false;
    while (span_split(&header, ';', &part)) {
        part = span_trim(part);
        size_t equals = span_find(part, SPAN_LIT("="));
        if (equals == part.len || !span_eq(span_slice(part, 0, equals), name))
            continue;
        if (seen)
            return SPAN_LIT(""); /* somebody tossed a second one in */
        seen = true;
        found = span_slice(part, equals + 1, part.len);
    }
    return found;
}
