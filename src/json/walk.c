#include "json/walk.h"

#include "base/utf8.h"
#include "json/keys.h"
#include "json/text.h"

#include <errno.h>
#include <stdlib.h>

#define NUMBER_MAX   100 /* bytes; DBL_MIN's shortest form takes 24, a 64-bit integer 20 */
#define EXPONENT_MAX 308 /* of a double: beyond it some parsers say infinity, others refuse */
#define PATH_MAX_LEN 256
#define KEY_SHOWN    64    /* bytes of one key in a path */
#define KEEP_SCRATCH 65536 /* a larger decoding buffer is given back at the next text */

/* What may come next. */
enum expect {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* behind '[' */
    EXPECT_KEY_OR_END,   /* behind '{' */
    EXPECT_MORE_OR_END,  /* behind a value within a container */
    EXPECT_NOTHING,      /* behind the outermost value */
};

/* An open container. */
struct frame {
    bool object;
    size_t index;    /* array: of the last element */
    struct span key; /* object: raw, the last key */
    struct json_keyset keys;
};

struct json_walk {
    struct json_limits limits;
    struct span body;
    size_t at;    /* the next byte to read */
    size_t place; /* of the last item or error */
    size_t nodes;
    enum json_error error;
    enum expect expect;
    enum json_token token; /* of the last item */
    unsigned depth;        /* open containers */
    unsigned item_depth;
    unsigned opaque; /* no twins within this many containers and more; 0: everywhere */
    struct frame frames[JSON_DEPTH_MAX];
    struct json_keys keys;
    struct json_known known;
    char *scratch; /* decoded text of the last item */
    size_t scratch_cap;
    char path[PATH_MAX_LEN];
};

const char *json_error_code(enum json_error e)
{
    static const char *const codes[] = {
        [JSON_OK] = "ok",
        [JSON_SYNTAX] = "invalid_json",
        [JSON_TRAILING_DATA] = "trailing_data",
        [JSON_DUPLICATE_KEY] = "duplicate_key",
        [JSON_SUSPICIOUS_KEY] = "suspicious_key",
        [JSON_INVALID_UTF8] = "invalid_utf8",
        [JSON_LONE_SURROGATE] = "lone_surrogate",
        [JSON_NUL] = "nul_character",
        [JSON_BOM] = "byte_order_mark",
        [JSON_TOO_DEEP] = "too_deep",
        [JSON_TOO_MANY_NODES] = "too_many_nodes",
        [JSON_NUMBER_RANGE] = "number_range",
        [JSON_MEMORY] = "out_of_memory",
    };
    return codes[e];
}

struct json_walk *json_walk_new(const struct json_limits *limits, const char *const *known_keys)
{
    struct json_walk *w = calloc(1, sizeof(*w));
    if (!w)
        return NULL;
    w->limits = limits ? *limits : JSON_LIMITS_DEFAULT;
    if (json_keys_init(&w->keys) < 0 || json_known_set(&w->known, known_keys) < 0) {
        free(w);
        return NULL;
    }
    return w;
}

static void frames_close(struct json_walk *w)
{
    while (w->depth > 0) {
        struct frame *f = &w->frames[--w->depth];
        if (f->object)
            json_keyset_close(&w->keys, &f->keys);
    }
}

void json_walk_free(struct json_walk *w)
{
    if (!w)
        return;
    frames_close(w);
    json_keys_deinit(&w->keys);
    json_known_deinit(&w->known);
    free(w->scratch);
    free(w);
}

void json_walk_reset(struct json_walk *w, struct span body)
{
    frames_close(w);
    if (w->scratch_cap > KEEP_SCRATCH) {
        free(w->scratch);
        w->scratch = NULL;
        w->scratch_cap = 0;
    }
    w->body = body;
    w->at = w->place = w->nodes = 0;
    w->item_depth = w->opaque = 0;
    w->error = JSON_OK;
    w->expect = EXPECT_VALUE;
    w->token = JSON_END;
}

int json_walk_tune(struct json_walk *w, const char *const *known_keys, bool lone_surrogates)
{
    w->limits.lone_surrogates = lone_surrogates;
    return json_known_set(&w->known, known_keys);
}

static int walk_fail(struct json_walk *w, enum json_error error, size_t place)
{
    w->error = error;
    w->place = place;
    return error;
}

/* A byte that can't stand here: tells the faults that have names of their own from the rest. */
static int walk_fail_byte(struct json_walk *w)
{
    struct span rest = span_slice(w->body, w->at, w->body.len);
    enum json_error error = JSON_SYNTAX;
    uint32_t cp;
    if (rest.len > 0 && rest.data[0] == '\0')
        error = JSON_NUL;
    else if (span_starts(rest, SPAN_LIT("\xEF\xBB\xBF")))
        error = JSON_BOM;
    else if (rest.len > 0 && utf8_decode(rest, false, &cp) <= 0)
        error = JSON_INVALID_UTF8;
    return walk_fail(w, error, w->at);
}

static inline void skip_blanks(struct json_walk *w)
{
    const char *p = w->body.data;
    size_t at = w->at, len = w->body.len;
    while (at < len && (p[at] == ' ' || p[at] == '\n' || p[at] == '\t' || p[at] == '\r'))
        at++;
    w->at = at;
}

/* Decodes into the walker's own memory, which grows to the longest text that holds escapes. */
static int scratch_decode(struct json_walk *w, struct span raw, struct span *ret_text)
{
    if (w->scratch_cap < raw.len) {
        size_t cap = w->scratch_cap ? w->scratch_cap : 256;
        while (cap < raw.len)
            cap *= 2;
        char *scratch = realloc(w->scratch, cap);
        if (!scratch)
            return -ENOMEM;
        w->scratch = scratch;
        w->scratch_cap = cap;
    }
    *ret_text = span_from(w->scratch, json_text_decode(raw, w->scratch));
    return 0;
}

/* Reads the string whose opening quote is at w->at. */
static int read_string(struct json_walk *w, struct json_item *item)
{
    size_t from = w->at + 1, end;
    bool escaped;
    enum json_error error =
        json_text_scan(w->body, from, w->limits.lone_surrogates, &end, &escaped);
    if (error)
        return walk_fail(w, error, end);
    item->raw = item->text = span_slice(w->body, from, end);
    if (escaped && scratch_decode(w, item->raw, &item->text) < 0)
        return walk_fail(w, JSON_MEMORY, from);
    w->at = end + 1;
    return 0;
}

static int read_key(struct json_walk *w, struct json_item *item)
{
    if (w->at == w->body.len || w->body.data[w->at] != '"')
        return walk_fail_byte(w);
    size_t place = w->at;
    int error = read_string(w, item);
    if (error)
        return error;
    struct frame *f = &w->frames[w->depth - 1];
    int rc = json_keyset_add(&w->keys, &f->keys, item->text, item->text.data != item->raw.data);
    if (rc < 0)
        return walk_fail(w, rc == -EEXIST ? JSON_DUPLICATE_KEY : JSON_MEMORY, place);
    if ((w->opaque == 0 || w->depth < w->opaque) && json_known_twin(&w->known, item->text)) {
        f->key = item->raw;
        return walk_fail(w, JSON_SUSPICIOUS_KEY, place);
    }
    skip_blanks(w);
    if (w->at == w->body.len || w->body.data[w->at] != ':')
        return walk_fail_byte(w);
    w->at++;
    f->key = item->raw;
    item->token = JSON_KEY;
    w->expect = EXPECT_VALUE;
    return 0;
}

static size_t digits(struct span s, size_t at)
{
    size_t n = 0;
    while (at + n < s.len && s.data[at + n] >= '0' && s.data[at + n] <= '9')
        n++;
    return n;
}

static int read_number(struct json_walk *w, struct json_item *item)
{
    struct span s = w->body;
    size_t at = w->at;
    if (s.data[at] == '-')
        at++;
    size_t whole = digits(s, at);
    if (whole == 0 || (whole > 1 && s.data[at] == '0')) {
        w->at = at + (whole > 0);
        return walk_fail_byte(w);
    }
    bool zero = s.data[at] == '0';
    at += whole;
    if (at < s.len && s.data[at] == '.') {
        size_t n = digits(s, ++at);
        if (n == 0) {
            w->at = at;
            return walk_fail_byte(w);
        }
        at += n;
    }
    long exponent = 0;
    if (at < s.len && (s.data[at] == 'e' || s.data[at] == 'E')) {
        at++;
        bool negative = at < s.len && s.data[at] == '-';
        if (at < s.len && (s.data[at] == '-' || s.data[at] == '+'))
            at++;
        size_t n = digits(s, at);
        if (n == 0) {
            w->at = at;
            return walk_fail_byte(w);
        }
        for (size_t i = 0; i < n; i++)
            if (exponent < 100000)
                exponent = exponent * 10 + (s.data[at + i] - '0');
        if (negative)
            exponent = -exponent;
        at += n;
    }
    if (at - w->at > NUMBER_MAX || exponent < -9999 ||
        exponent + (zero ? 0 : (long)whole - 1) > EXPONENT_MAX)
        return walk_fail(w, JSON_NUMBER_RANGE, w->at);
    item->token = JSON_NUMBER;
    item->raw = span_slice(s, w->at, at);
    w->at = at;
    return 0;
}

static int read_word(struct json_walk *w, struct json_item *item, struct span word,
                     enum json_token token)
{
    for (size_t i = 0; i < word.len; i++, w->at++)
        if (w->at == w->body.len || w->body.data[w->at] != word.data[i])
            return walk_fail_byte(w);
    item->token = token;
    item->raw = span_slice(w->body, w->at - word.len, w->at);
    return 0;
}

static int container_open(struct json_walk *w, struct json_item *item, bool object)
{
    if (w->depth == JSON_DEPTH_MAX)
        return walk_fail(w, JSON_TOO_DEEP, w->at);
    struct frame *f = &w->frames[w->depth++];
    f->object = object;
    f->index = SIZE_MAX; /* the first element makes it 0 */
    f->key = SPAN_NULL;
    if (object)
        json_keyset_open(&w->keys, &f->keys);
    item->token = object ? JSON_OBJECT : JSON_ARRAY;
    item->raw = span_slice(w->body, w->at, w->at + 1);
    w->at++;
    w->expect = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return 0;
}

static void value_done(struct json_walk *w)
{
    w->expect = w->depth > 0 ? EXPECT_MORE_OR_END : EXPECT_NOTHING;
}

static int container_close(struct json_walk *w, struct json_item *item)
{
    struct frame *f = &w->frames[--w->depth];
    if (f->object)
        json_keyset_close(&w->keys, &f->keys);
    if (w->opaque > w->depth)
        w->opaque = 0;
    item->token = f->object ? JSON_OBJECT_END : JSON_ARRAY_END;
    item->depth = w->depth;
    item->raw = span_slice(w->body, w->at, w->at + 1);
    w->at++;
    value_done(w);
    return 0;
}

static int read_value(struct json_walk *w, struct json_item *item)
{
    if (w->at == w->body.len)
        return walk_fail_byte(w);
    if (w->depth > 0 && !w->frames[w->depth - 1].object)
        w->frames[w->depth - 1].index++;
    int error;
    switch (w->body.data[w->at]) {
    case '{':
        return container_open(w, item, true);
    case '[':
        return container_open(w, item, false);
    case '"':
        item->token = JSON_STRING;
        error = read_string(w, item);
        break;
    case 't':
        error = read_word(w, item, SPAN_LIT("true"), JSON_TRUE);
        break;
    case 'f':
        error = read_word(w, item, SPAN_LIT("false"), JSON_FALSE);
        break;
    case 'n':
        error = read_word(w, item, SPAN_LIT("null"), JSON_NULL);
        break;
    case '-':
    case '0' ... '9':
        error = read_number(w, item);
        break;
    default:
        error = walk_fail_byte(w);
    }
    if (!error)
        value_done(w);
    return error;
}

/* At a key or value, or at the end of the innermost container. */
static int read_item(struct json_walk *w, struct json_item *item)
{
    bool inside = w->expect != EXPECT_VALUE;
    char close = w->depth > 0 && w->frames[w->depth - 1].object ? '}' : ']';
    if (inside && w->at < w->body.len && w->body.data[w->at] == close)
        return container_close(w, item);
    bool key = w->expect == EXPECT_KEY_OR_END;
    if (w->expect == EXPECT_MORE_OR_END) {
        if (w->at == w->body.len || w->body.data[w->at] != ',')
            return walk_fail_byte(w);
        w->at++;
        skip_blanks(w);
        w->place = w->at;
        key = w->frames[w->depth - 1].object;
    }
    if (++w->nodes > w->limits.nodes)
        return walk_fail(w, JSON_TOO_MANY_NODES, w->at);
    return key ? read_key(w, item) : read_value(w, item);
}

int json_walk_next(struct json_walk *w, struct json_item *ret_item)
{
    if (w->error)
        return (int)w->error;
    skip_blanks(w);
    w->place = w->at;
    /* Written in place: a copy of fields just written stalls on most processors. */
    *ret_item = (struct json_item){.token = JSON_END, .depth = w->depth};
    w->item_depth = w->depth;
    if (w->expect == EXPECT_NOTHING) {
        if (w->at < w->body.len) {
            int error = walk_fail_byte(w);
            if (error == JSON_SYNTAX)
                w->error = JSON_TRAILING_DATA;
            return (int)w->error;
        }
    } else {
        int error = read_item(w, ret_item);
        if (error)
            return error;
    }
    w->item_depth = ret_item->depth;
    w->token = ret_item->token;
    return 0;
}

int json_walk_skip(struct json_walk *w)
{
    struct json_item item;
    if (!w->error && w->token == JSON_KEY) {
        int error = json_walk_next(w, &item);
        if (error)
            return error;
    }
    if (w->error || (w->token != JSON_OBJECT && w->token != JSON_ARRAY))
        return (int)w->error;
    unsigned depth = w->depth;
    while (w->depth >= depth) {
        int error = json_walk_next(w, &item);
        if (error)
            return error;
    }
    return 0;
}

void json_walk_opaque(struct json_walk *w)
{
    if (w->opaque == 0 && (w->token == JSON_OBJECT || w->token == JSON_ARRAY))
        w->opaque = w->depth;
}

size_t json_walk_offset(const struct json_walk *w)
{
    return w->place;
}

/* Behind the string whose opening quote is at `at`, unchecked. */
static size_t string_leap(struct span s, size_t at)
{
    for (at++; at < s.len; at++) {
        const char *quote = memchr(s.data + at, '"', s.len - at);
        if (!quote)
            return s.len;
        size_t end = (size_t)(quote - s.data), slashes = 0;
        while (end - slashes > at && s.data[end - slashes - 1] == '\\')
            slashes++;
        at = end;
        if (slashes % 2 == 0)
            return end + 1;
    }
    return s.len;
}

/* Whether an unchecked string, with its quotes, spells the key. */
static bool key_spells(struct span quoted, struct span key)
{
    if (quoted.len < 2)
        return false;
    struct span raw = span_slice(quoted, 1, quoted.len - 1);
    if (!memchr(raw.data, '\\', raw.len))
        return span_eq(raw, key);
    char room[384];
    return key.len > 0 && span_eq(json_unquote(quoted, room, sizeof(room)), key);
}

struct span json_walk_peek(const struct json_walk *w, struct span key)
{
    struct span s = w->body;
    if (w->error || w->token != JSON_OBJECT)
        return SPAN_NULL;
    size_t at = w->at, depth = 0;
    bool wanted = false; /* the last string of this object was the key, and its value follows */
    bool value = false;  /* behind a colon */
    while (at < s.len) {
        char c = s.data[at];
        size_t from = at;
        if (c == '"') {
            at = string_leap(s, at);
            if (depth == 0 && wanted && value)
                return span_slice(s, from, at);
            if (depth == 0 && !value)
                wanted = key_spells(span_slice(s, from, at), key);
            continue;
        }
        at++;
        if (c == '{' || c == '[') {
            if (depth == 0 && wanted && value)
                return SPAN_NULL;
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return SPAN_NULL;
            depth--;
        } else if (depth > 0) {
            continue;
        } else if (c == ':') {
            value = true;
        } else if (c == ',') {
            value = wanted = false;
        } else if (wanted && value && c != ' ' && c != '\n' && c != '\t' && c != '\r') {
            while (at < s.len && !strchr(",}] \n\t\r", s.data[at]))
                at++;
            return span_slice(s, from, at);
        }
    }
    return SPAN_NULL;
}

/* A path under construction in a fixed room: what doesn't fit ends it with three dots. */
struct path {
    char *text;
    size_t len;
    bool full;
};

static void path_add(struct path *p, struct span s)
{
    if (p->full)
        return;
    if (p->len + s.len > PATH_MAX_LEN - 3) {
        memcpy(p->text + p->len, "...", 3);
        p->len += 3;
        p->full = true;
        return;
    }
    memcpy(p->text + p->len, s.data, s.len);
    p->len += s.len;
}

static void path_add_unit(struct path *p, unsigned unit)
{
    static const char hex[] = "0123456789abcdef";
    const char text[6] = {
        '\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};
    path_add(p, span_from(text, sizeof(text)));
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '$';
}

/* A checked raw key: its own escapes stay, everything unusual becomes one. */
static void path_add_key(struct path *p, struct span raw)
{
    size_t begin = p->len;
    for (size_t at = 0; at < raw.len;) {
        size_t run = 0;
        while (at + run < raw.len && is_word(raw.data[at + run]))
            run++;
        if (p->len - begin + run > KEY_SHOWN)
            run = KEY_SHOWN - (p->len - begin < KEY_SHOWN ? p->len - begin : KEY_SHOWN);
        path_add(p, span_slice(raw, at, at + run));
        at += run;
        if (at == raw.len)
            break;
        if (p->len - begin >= KEY_SHOWN) {
            path_add(p, SPAN_LIT("..."));
            break;
        }
        uint32_t cp;
        if (raw.data[at] == '\\') {
            size_t n = raw.data[at + 1] == 'u' ? 6 : 2;
            path_add(p, span_slice(raw, at, at + n));
            at += n;
            continue;
        }
        int n = utf8_decode(span_slice(raw, at, raw.len), true, &cp);
        if (n <= 0)
            break;
        at += (size_t)n;
        if (cp > 0xFFFF) {
            path_add_unit(p, 0xD800 + ((cp - 0x10000) >> 10));
            cp = 0xDC00 + ((cp - 0x10000) & 0x3FF);
        }
        path_add_unit(p, cp);
    }
}

static void path_add_index(struct path *p, size_t index)
{
    char text[24];
    size_t at = sizeof(text);
    text[--at] = ']';
    do
        text[--at] = (char)('0' + index % 10);
    while ((index /= 10) > 0);
    text[--at] = '[';
    path_add(p, span_from(text + at, sizeof(text) - at));
}

static struct span path_write(const struct json_walk *w, char *text)
{
    struct path p = {.text = text};
    for (unsigned i = 0; i < w->item_depth; i++) {
        const struct frame *f = &w->frames[i];
        if (!f->object) {
            if (f->index != SIZE_MAX)
                path_add_index(&p, f->index);
        } else if (f->key.data) {
            if (p.len > 0)
                path_add(&p, SPAN_LIT("."));
            path_add_key(&p, f->key);
        }
    }
    return span_from(text, p.len);
}

struct span json_walk_where(struct json_walk *w)
{
    return path_write(w, w->path);
}

int json_walk_path(const struct json_walk *w, struct buf *out)
{
    char text[PATH_MAX_LEN];
    return buf_append(out, path_write(w, text));
}
