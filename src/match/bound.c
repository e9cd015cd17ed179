#include "match/bound.h"

#include <stdint.h>

/* Above this a length is as good as none: widths are far below. */
#define LENGTH_MAX 100000
/* PCRE2 nests no deeper by default. */
#define DEPTH_MAX 250

/* An open group; the whole regex is the outermost. */
struct level {
    unsigned longest; /* of the alternatives before this one */
    unsigned sum;     /* of this alternative, without the last item */
    unsigned item;    /* of the last item, which a repeat may multiply */
    unsigned reach;   /* how far look-aheads in it see */
    bool ahead, zero; /* looks ahead; takes no characters */
};

struct reader {
    struct span regex;
    size_t at;
    struct level levels[DEPTH_MAX + 1];
    unsigned depth;
    struct bound bound;
};

static bool refuse(struct reader *r, const char *reason, size_t at)
{
    r->bound.reason = reason;
    r->bound.at = at;
    return false;
}

static char peek(const struct reader *r, size_t ahead)
{
    return r->at + ahead < r->regex.len ? r->regex.data[r->at + ahead] : '\0';
}

static unsigned capped(uint64_t n)
{
    return n < LENGTH_MAX ? (unsigned)n : LENGTH_MAX;
}

static bool is_number(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

static bool is_hex(char c)
{
    return is_number(c) || (uint8_t)((c | 0x20) - 'a') < 6;
}

static bool one_of(char c, const char *set)
{
    for (; *set; set++)
        if (*set == c)
            return true;
    return false;
}

/* The last item is as long as it will be. */
static void settle(struct level *l)
{
    l->sum = capped((uint64_t)l->sum + l->item);
    l->item = 0;
}

static void put(struct reader *r, unsigned length)
{
    struct level *l = &r->levels[r->depth];
    settle(l);
    l->item = length;
}

/* Behind the brace that closes what was opened here. */
static void skip_braces(struct reader *r)
{
    while (r->at < r->regex.len && r->regex.data[r->at++] != '}')
        ;
}

/* An escape outside a set. */
static bool read_escape(struct reader *r)
{
    size_t at = r->at;
    char c = peek(r, 1);
    r->at += 2;
    if (one_of(c, "bBAzZG")) {
        put(r, 0);
        return true;
    }
    if (is_number(c) || one_of(c, "gk"))
        return c == '0' ? refuse(r, "octal escapes are not supported; write \\x{...}", at)
                        : refuse(r, "back references and calls are not supported", at);
    if (one_of(c, "KXQECc"))
        return refuse(r, "this escape is not supported", at);
    if (c == 'o')
        return refuse(r, "octal escapes are not supported; write \\x{...}", at);
    bool named = c == 'N' && peek(r, 1) == 'U'; /* else a repeat */
    if ((one_of(c, "pPx") || named) && peek(r, 0) == '{')
        skip_braces(r);
    else if (one_of(c, "pP"))
        r->at++;
    else
        for (int i = 0; i < 2 && c == 'x' && is_hex(peek(r, 0)); i++)
            r->at++;
    put(r, c == 'R' ? 2 : 1);
    return true;
}

/* A set: one character, whatever is in it. */
static void read_set(struct reader *r)
{
    r->at++;
    r->at += peek(r, 0) == '^';
    for (bool first = true; r->at < r->regex.len && (first || peek(r, 0) != ']'); first = false) {
        char c = peek(r, 0), next = peek(r, 1);
        if (c == '\\') {
            r->at += 2;
        } else if (c == '[' && one_of(next, ":.=")) {
            size_t end = r->at + 2;
            while (end + 1 < r->regex.len &&
                   (is_letter(r->regex.data[end]) || r->regex.data[end] == '^'))
                end++;
            /* Only "[:name:]" is more than a bracket. */
            bool named = end + 1 < r->regex.len && r->regex.data[end] == next &&
                         r->regex.data[end + 1] == ']';
            r->at = named ? end + 2 : r->at + 1;
        } else {
            r->at++;
        }
    }
    r->at++;
    put(r, 1);
}

static bool group_open(struct reader *r, bool ahead, bool zero, size_t skip)
{
    if (r->depth == DEPTH_MAX)
        return refuse(r, "groups are nested too deep", r->at);
    put(r, 0);
    r->at += skip;
    r->levels[++r->depth] = (struct level){.ahead = ahead, .zero = zero};
    return true;
}

/* Letters between "(?" and ')' or ':'. */
static bool read_options(struct reader *r)
{
    size_t n = 2;
    while (one_of(peek(r, n), "imsnU-^"))
        n++;
    if (peek(r, n) == ':')
        return group_open(r, false, false, n + 1);
    if (peek(r, n) != ')')
        return refuse(r, "this option or group is not supported", r->at);
    put(r, 0);
    r->at += n + 1;
    return true;
}

static bool read_group(struct reader *r)
{
    char kind = peek(r, 2), next = peek(r, 3);
    if (peek(r, 1) == '*')
        return refuse(r, "verbs are not supported", r->at);
    if (peek(r, 1) != '?')
        return group_open(r, false, false, 1);
    if (one_of(kind, ":>|"))
        return group_open(r, false, false, 3);
    if (one_of(kind, "=!"))
        return group_open(r, true, true, 3);
    if (kind == '<' && one_of(next, "=!"))
        return group_open(r, false, true, 4);
    if (kind == '#') {
        while (r->at < r->regex.len && r->regex.data[r->at++] != ')')
            ;
        return true;
    }
    if (kind == '<' || kind == '\'' || (kind == 'P' && next == '<')) {
        char close = kind == '\'' ? '\'' : '>';
        size_t n = kind == 'P' ? 4 : 3;
        while (r->at + n < r->regex.len && peek(r, n) != close)
            n++;
        return group_open(r, false, false, n + 1);
    }
    if (kind == '(')
        return refuse(r, "conditions are not supported", r->at);
    if (one_of(kind, "R&P+") || is_number(kind) || (kind == '-' && is_number(next)))
        return refuse(r, "recursion is not supported", r->at);
    return read_options(r);
}

static bool level_close(struct reader *r)
{
    struct level l = r->levels[r->depth];
    settle(&l);
    unsigned longest = l.sum > l.longest ? l.sum : l.longest;
    if (r->depth == 0) {
        r->bound.longest = longest;
        r->bound.ahead = l.reach;
        return true;
    }
    struct level *outer = &r->levels[--r->depth];
    unsigned reach = l.ahead ? capped((uint64_t)longest + l.reach) : l.reach;
    outer->reach = reach > outer->reach ? reach : outer->reach;
    outer->item = l.zero ? 0 : longest;
    r->at++;
    return true;
}

/* {n}, {n,} or {n,m}; anything else with a brace is text. Returns its length, 0 for text. */
static size_t read_braces(const struct reader *r, uint64_t *ret_most, bool *ret_endless)
{
    size_t i = 1;
    uint64_t n[2] = {0, 0};
    bool comma = false, any[2] = {false, false};
    for (;; i++) {
        char c = peek(r, i);
        if (is_number(c)) {
            n[comma] = capped(n[comma] * 10 + (uint64_t)(c - '0'));
            any[comma] = true;
        } else if (c == ',' && !comma) {
            comma = true;
        } else if (c == '}') {
            break;
        } else {
            return 0;
        }
    }
    if (!any[0] && !any[1])
        return 0;
    /* Later versions of PCRE2 take "{,m}" for a repeat, earlier ones for text: longer than both. */
    *ret_most = (comma ? n[1] : n[0]) + (any[0] ? 0 : i + 1);
    *ret_endless = comma && !any[1];
    return i + 1;
}

/* The repeat here, if any: 1, 0, or -1 when it has no end. */
static int read_repeat(struct reader *r)
{
    struct level *l = &r->levels[r->depth];
    char c = peek(r, 0);
    uint64_t most = 1;
    bool endless = c == '*' || c == '+';
    size_t len = one_of(c, "?*+") && c ? 1 : 0;
    if (c == '{')
        len = read_braces(r, &most, &endless);
    if (!len)
        return 0;
    if (endless && l->item) {
        refuse(r, "this repeat has no end; write {0,n} or {1,n}", r->at);
        return -1;
    }
    l->item = capped(l->item * most);
    r->at += len;
    r->at += peek(r, 0) == '?' || peek(r, 0) == '+';
    return 1;
}

static bool read_item(struct reader *r)
{
    switch (peek(r, 0)) {
    case '\\':
        return read_escape(r);
    case '[':
        read_set(r);
        return true;
    case '(':
        return read_group(r);
    case ')':
        return r->depth ? level_close(r) : refuse(r, "a parenthesis too many", r->at);
    case '|': {
        struct level *l = &r->levels[r->depth];
        settle(l);
        l->longest = l->sum > l->longest ? l->sum : l->longest;
        l->sum = 0;
        r->at++;
        return true;
    }
    case '^':
    case '$':
        put(r, 0);
        r->at++;
        return true;
    default:
        put(r, 1);
        for (r->at++; r->at < r->regex.len && (r->regex.data[r->at] & 0xC0) == 0x80; r->at++)
            ;
        return true;
    }
}

struct bound bound_of(struct span regex)
{
    struct reader r = {.regex = regex};
    while (r.at < regex.len) {
        int repeat = read_repeat(&r);
        if (repeat < 0 || (repeat == 0 && !read_item(&r)))
            return r.bound;
    }
    level_close(&r);
    if (r.bound.longest == LENGTH_MAX || r.bound.ahead == LENGTH_MAX)
        refuse(&r, "its longest match is longer than any width", 0);
    return r.bound;
}
