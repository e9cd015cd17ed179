#include "match/shape.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Regex to a list of instructions (K. Thompson, "Regular expression search algorithm", CACM 11(6),
 * 1968), then to a table by the subset construction. A repeated part is read again for each copy.
 */
#define CODE_MAX   2048
#define SETS_MAX   48
#define STATES_MAX 4096
#define DEPTH_MAX  8
#define NOWHERE    UINT16_MAX

enum op { OP_SET, OP_SPLIT, OP_END };

struct instruction {
    uint8_t op, set;
    uint16_t to, other; /* OP_SPLIT */
};

struct maker {
    struct instruction code[CODE_MAX];
    unsigned length, sets;
    uint64_t set[SETS_MAX][2];
    bool choice; /* alternatives outside any group */
    /* While making the table: for each state its instructions, OP_SET and OP_END alone, rising. */
    uint64_t members[STATES_MAX][CODE_MAX / 64];
    uint16_t next[STATES_MAX * (SETS_MAX + 1)];
    uint8_t flags[STATES_MAX];
    unsigned states, classes;
    uint8_t class_of[128];
    uint16_t stack[2 * CODE_MAX];
};

static bool is_number(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

static void set_add(uint64_t set[2], unsigned from, unsigned to)
{
    for (unsigned c = from; c <= to; c++)
        set[c / 64] |= UINT64_C(1) << c % 64;
}

/* One character that stands for itself, within a set or not; its length in the regex or 0. */
static size_t read_plain(struct span r, size_t at, bool in_set, char *ret)
{
    char c = r.data[at];
    if (c == '\\') {
        if (at + 1 == r.len)
            return 0;
        *ret = r.data[at + 1];
        return *ret > ' ' && *ret < 127 && !is_number(*ret) && !is_letter(*ret) ? 2 : 0;
    }
    *ret = c;
    if ((uint8_t)c < ' ' || (uint8_t)c > 126)
        return 0;
    return strchr(in_set ? "[]^" : "^$.[]|()?*+{}", c) ? 0 : 1;
}

/* A set or single character at `at`; its length or 0. */
static size_t read_set(struct span r, size_t at, uint64_t set[2])
{
    char c, to;
    set[0] = set[1] = 0;
    if (at == r.len)
        return 0;
    if (r.data[at] == '\\' && at + 1 < r.len && r.data[at + 1] == 'd') {
        set_add(set, '0', '9');
        return 2;
    }
    if (r.data[at] != '[') {
        size_t n = read_plain(r, at, false, &c);
        if (n)
            set_add(set, (uint8_t)c, (uint8_t)c);
        return n;
    }
    size_t i = at + 1;
    for (size_t n; i < r.len && r.data[i] != ']'; i += n) {
        n = read_plain(r, i, true, &c);
        if (!n)
            return 0;
        to = c;
        if (i + n + 1 < r.len && r.data[i + n] == '-' && r.data[i + n + 1] != ']') {
            size_t more = read_plain(r, i + n + 1, true, &to);
            if (!more || to < c)
                return 0;
            n += 1 + more;
        }
        set_add(set, (uint8_t)c, (uint8_t)to);
    }
    return i < r.len && i > at + 1 ? i + 1 - at : 0;
}

/* Length of the part that a repeat at its end would count; 0 when unknown. */
static size_t part_length(struct span r, size_t at)
{
    uint64_t set[2];
    if (r.data[at] != '(')
        return read_set(r, at, set);
    unsigned depth = 0;
    for (size_t i = at; i < r.len; i++) {
        if (r.data[i] == '[' || r.data[i] == '\\') {
            size_t n = read_set(r, i, set);
            if (!n)
                return 0;
            i += n - 1;
        } else if (r.data[i] == '(') {
            depth++;
        } else if (r.data[i] == ')' && --depth == 0) {
            return i + 1 - at;
        }
    }
    return 0;
}

/* Reads digits; false when there are none or too many. */
static bool read_number(struct span r, size_t *at, unsigned *ret)
{
    size_t from = *at;
    for (*ret = 0; *at < r.len && is_number(r.data[*at]) && *ret < CODE_MAX; (*at)++)
        *ret = *ret * 10 + (unsigned)(r.data[*at] - '0');
    return *at > from && *ret < CODE_MAX;
}

/*
 * The repeat at `at`, if any. Returns its length, -1 when it is not plain; one without end is not.
 */
static int read_repeat(struct span r, size_t at, unsigned *least, unsigned *most)
{
    size_t i = at;
    *least = *most = 1;
    if (i == r.len || !strchr("?*+{", r.data[i]))
        return 0;
    char c = r.data[i++];
    if (c == '*' || c == '+')
        return -1;
    if (c == '?') {
        *least = 0;
    } else {
        if (!read_number(r, &i, least) || i == r.len)
            return -1;
        *most = *least;
        if (r.data[i] == ',') {
            i++;
            if (!read_number(r, &i, most))
                return -1;
        }
        if (i == r.len || r.data[i++] != '}' || *most == 0 || *most < *least)
            return -1;
    }
    if (i < r.len && strchr("?*+{", r.data[i]))
        return -1;
    return (int)(i - at);
}

static bool emit(struct maker *m, struct instruction i)
{
    if (m->length == CODE_MAX)
        return false;
    m->code[m->length++] = i;
    return true;
}

static bool emit_choice(struct maker *m, struct span r, unsigned depth);

static bool emit_part(struct maker *m, struct span r, unsigned depth)
{
    if (r.data[0] == '(') {
        struct span inner = span_slice(r, 1, r.len - 1);
        if (inner.len && (inner.data[0] == '?' || inner.data[0] == '*')) {
            if (inner.len < 2 || memcmp(inner.data, "?:", 2) != 0)
                return false;
            inner = span_slice(inner, 2, inner.len);
        }
        return depth < DEPTH_MAX && emit_choice(m, inner, depth + 1);
    }
    uint64_t set[2];
    read_set(r, 0, set);
    unsigned i = 0;
    while (i < m->sets && memcmp(m->set[i], set, sizeof(set)) != 0)
        i++;
    if (i == SETS_MAX)
        return false;
    memcpy(m->set[i], set, sizeof(set));
    m->sets = i == m->sets ? i + 1 : m->sets;
    return emit(m, (struct instruction){.op = OP_SET, .set = (uint8_t)i});
}

static bool emit_repeat(struct maker *m, struct span part, unsigned least, unsigned most,
                        unsigned depth)
{
    for (unsigned i = 0; i < most; i++) {
        unsigned split = m->length;
        bool optional = i >= least;
        if (optional && !emit(m, (struct instruction){.op = OP_SPLIT, .to = (uint16_t)(split + 1)}))
            return false;
        if (!emit_part(m, part, depth))
            return false;
        if (optional)
            m->code[split].other = (uint16_t)m->length;
    }
    return true;
}

/* Alternatives, each a sequence of parts with repeats. Nested at most DEPTH_MAX deep. */
static bool emit_choice(struct maker *m, struct span r, unsigned depth)
{
    unsigned ends[16], n = 0, split = m->length;
    if (!emit(m,
              (struct instruction){.op = OP_SPLIT, .to = (uint16_t)(split + 1), .other = NOWHERE}))
        return false;
    for (size_t at = 0; at < r.len;) {
        if (r.data[at] == '|') {
            m->choice |= depth == 0;
            if (n == 16)
                return false;
            ends[n++] = m->length;
            if (!emit(m, (struct instruction){.op = OP_SPLIT, .other = NOWHERE}))
                return false;
            m->code[split].other = (uint16_t)m->length;
            split = m->length;
            if (!emit(m, (struct instruction){
                             .op = OP_SPLIT, .to = (uint16_t)(split + 1), .other = NOWHERE}))
                return false;
            at++;
            continue;
        }
        size_t len = part_length(r, at);
        unsigned least, most;
        int repeat = len ? read_repeat(r, at + len, &least, &most) : -1;
        if (repeat < 0 || !emit_repeat(m, span_slice(r, at, at + len), least, most, depth))
            return false;
        at += len + (size_t)repeat;
    }
    for (unsigned i = 0; i < n; i++)
        m->code[ends[i]].to = (uint16_t)m->length;
    return true;
}

/* Adds an instruction, or those that it leads to without a character, to a state's members. */
static void members_add(struct maker *m, uint64_t *seen, uint64_t *members, unsigned at)
{
    unsigned n = 0;
    m->stack[n++] = (uint16_t)at;
    while (n) {
        unsigned i = m->stack[--n];
        if (i == NOWHERE || seen[i / 64] >> i % 64 & 1)
            continue;
        seen[i / 64] |= UINT64_C(1) << i % 64;
        if (m->code[i].op == OP_SPLIT) {
            m->stack[n++] = m->code[i].to;
            m->stack[n++] = m->code[i].other;
        } else {
            members[i / 64] |= UINT64_C(1) << i % 64;
        }
    }
}

/* The state of the members just written behind the last one, NOWHERE when there are too many. */
static uint16_t state_of(struct maker *m)
{
    const uint64_t *members = m->members[m->states];
    for (unsigned i = 0; i < m->states; i++)
        if (memcmp(m->members[i], members, sizeof(m->members[i])) == 0)
            return (uint16_t)i;
    return m->states + 1 < STATES_MAX ? (uint16_t)m->states++ : NOWHERE;
}

static void make_classes(struct maker *m, unsigned char representative[SETS_MAX + 1])
{
    m->classes = 1;
    for (unsigned c = 0; c < 128; c++) {
        bool any = false;
        for (unsigned s = 0; s < m->sets; s++)
            any |= shape_has(m->set[s], c);
        unsigned k = any ? 1 : 0;
        for (; k && k < m->classes; k++) {
            bool same = true;
            for (unsigned s = 0; s < m->sets; s++)
                same &= shape_has(m->set[s], c) == shape_has(m->set[s], representative[k]);
            if (same)
                break;
        }
        if (k > SETS_MAX) {
            m->classes = k + 1;
            return;
        }
        if (k == m->classes)
            representative[m->classes++] = (unsigned char)c;
        m->class_of[c] = (uint8_t)k;
    }
}

static bool make_table(struct maker *m)
{
    unsigned char representative[SETS_MAX + 1] = {0};
    make_classes(m, representative);
    if (m->classes > SETS_MAX + 1)
        return false;
    uint64_t seen[CODE_MAX / 64] = {0};
    m->states = 1; /* the dead state has no members */
    members_add(m, seen, m->members[1], 0);
    m->states = 2;
    for (unsigned s = 1; s < m->states; s++) {
        for (unsigned i = 0; i < m->length; i++)
            if (m->members[s][i / 64] >> i % 64 & 1)
                m->flags[s] |= m->code[i].op == OP_END ? SHAPE_ACCEPTS : SHAPE_GOES_ON;
        for (unsigned k = 1; k < m->classes; k++) {
            uint64_t *to = m->members[m->states];
            memset(to, 0, sizeof(m->members[0]));
            memset(seen, 0, sizeof(seen));
            for (unsigned i = 0; i < m->length; i++)
                if ((m->members[s][i / 64] >> i % 64 & 1) && m->code[i].op == OP_SET &&
                    shape_has(m->set[m->code[i].set], representative[k]))
                    members_add(m, seen, to, i + 1);
            uint16_t state = state_of(m);
            if (state == NOWHERE)
                return false;
            m->next[s * m->classes + k] = state;
        }
    }
    return true;
}

/* Takes "(?<!set)" from the beginning and "(?!set)" from the end. */
static struct span take_surroundings(struct span r, struct shape *s)
{
    if (r.len > 4 && memcmp(r.data, "(?<!", 4) == 0) {
        size_t n = read_set(r, 4, s->before);
        if (n && 4 + n < r.len && r.data[4 + n] == ')')
            r = span_slice(r, 5 + n, r.len);
    }
    for (size_t i = r.len > 4 ? r.len - 4 : 0; i > 0; i--) {
        if (memcmp(r.data + i, "(?!", 3) != 0)
            continue;
        size_t n = read_set(r, i + 3, s->after);
        if (n && i + 4 + n == r.len && r.data[r.len - 1] == ')' && r.data[i - 1] != '\\') {
            s->follows = true;
            r = span_slice(r, 0, i);
        }
        break;
    }
    return r;
}

static int shape_fill(struct shape *s, struct maker *m, struct span regex)
{
    struct span body = take_surroundings(regex, s);
    if (!emit_choice(m, body, 0) || !emit(m, (struct instruction){.op = OP_END}) ||
        (m->choice && body.len != regex.len) || !make_table(m))
        return 0;
    size_t cells = (size_t)m->states * m->classes;
    s->next = malloc(cells * sizeof(*s->next));
    s->flags = malloc(m->states);
    if (!s->next || !s->flags)
        return -ENOMEM;
    memcpy(s->next, m->next, cells * sizeof(*s->next));
    memcpy(s->flags, m->flags, m->states);
    memcpy(s->class_of, m->class_of, sizeof(s->class_of));
    s->states = (uint16_t)m->states;
    s->classes = (uint16_t)m->classes;
    return 1;
}

int shape_new(struct span regex, struct shape **ret)
{
    struct shape *s = calloc(1, sizeof(*s));
    struct maker *m = calloc(1, sizeof(*m));
    int r = s && m ? shape_fill(s, m, regex) : -ENOMEM;
    free(m);
    if (r == 1)
        *ret = s;
    else
        shape_free(s);
    return r;
}

void shape_free(struct shape *s)
{
    if (!s)
        return;
    free(s->next);
    free(s->flags);
    free(s);
}

size_t shape_bytes(const struct shape *s)
{
    return sizeof(*s) + s->states * (s->classes * sizeof(*s->next) + sizeof(*s->flags));
}
