#include "match/pattern.h"

#include "base/utf8.h"
#include "match/bound.h"
#include "match/gates.h"

#include <errno.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* What one attempt may cost; an attempt has at most a few hundred characters. */
#define MATCH_LIMIT    20000
#define DEPTH_LIMIT    100
#define HEAP_LIMIT_KIB 1024
#define WORKSPACE      4096

struct pattern_scratch {
    pcre2_match_context *context;
    pcre2_match_data *data;
};

static int refuse(const char **ret_reason, const char *reason)
{
    *ret_reason = reason;
    return MATCH_BAD_PATTERN;
}

static int refuse_at(struct buf *reason_buf, const char **ret_reason, const char *reason, size_t at)
{
    buf_clear(reason_buf);
    if (buf_printf(reason_buf, "%s (character %zu of the regex)", reason, at + 1) < 0)
        return -ENOMEM;
    const char *text = buf_cstr(reason_buf);
    return text ? refuse(ret_reason, text) : -ENOMEM;
}

static int refuse_longer(struct buf *reason_buf, const char **ret_reason, const char *what,
                         unsigned length, unsigned most)
{
    buf_clear(reason_buf);
    if (buf_printf(reason_buf, "%s %u characters, more than %u", what, length, most) < 0)
        return -ENOMEM;
    const char *text = buf_cstr(reason_buf);
    return text ? refuse(ret_reason, text) : -ENOMEM;
}

/* What is wrong beside the regex. */
static const char *pattern_unfit(const struct match_pattern *p)
{
    if (p->width < 1 || p->width > MATCH_PATTERN_WIDTH_MAX)
        return "the width is not within 1..512";
    if (p->gate >= GATE_COUNT || (p->gate == GATE_LITERAL && p->literal.len == 0))
        return "no gate";
    if (p->literal.len && utf8_check(p->literal) != p->literal.len)
        return "the literal is not UTF-8";
    if (p->literal.len && utf8_count(p->literal) > p->width)
        return "the literal is longer than the width";
    return NULL;
}

/* What the DFA matcher can't do and would find out only when it gets there; what has no bound. */
static int code_check(const pcre2_code *code, const struct match_pattern *p, struct buf *reason_buf,
                      const char **ret_reason)
{
    uint32_t empty = 0, references = 0, behind = 0;
    pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &empty);
    pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &references);
    pcre2_pattern_info(code, PCRE2_INFO_MAXLOOKBEHIND, &behind);
    if (references)
        return refuse(ret_reason, "back references are not supported");
    if (behind > PATTERN_CONTEXT_MAX)
        return refuse(ret_reason, "looks behind further than 16 characters");
    struct bound bound = bound_of(p->regex);
    if (bound.reason)
        return refuse_at(reason_buf, ret_reason, bound.reason, bound.at);
    if (empty)
        return refuse(ret_reason, "can match the empty text");
    if (bound.longest > p->width)
        return refuse_longer(reason_buf, ret_reason, "its width is too small: a match may have",
                             bound.longest, p->width);
    if (bound.ahead > PATTERN_AHEAD_MAX)
        return refuse_longer(reason_buf, ret_reason, "looks ahead", bound.ahead, PATTERN_AHEAD_MAX);
    return 0;
}

static int code_new(const struct match_pattern *p, struct buf *reason_buf, const char **ret_reason,
                    pcre2_code **ret_code)
{
    int err;
    PCRE2_SIZE at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)p->regex.data, p->regex.len,
                                     PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE |
                                         PCRE2_NO_AUTO_POSSESS,
                                     &err, &at, NULL);
    if (!code) {
        PCRE2_UCHAR message[128];
        pcre2_get_error_message(err, message, sizeof(message));
        return refuse_at(reason_buf, ret_reason, (const char *)message, at);
    }
    int r = code_check(code, p, reason_buf, ret_reason);
    if (r)
        pcre2_code_free(code);
    else
        *ret_code = code;
    return r;
}

int patterns_add(struct patterns *ps, const struct match_pattern *p, uint32_t rule,
                 enum direction direction, struct buf *reason_buf, const char **ret_reason)
{
    const char *unfit = pattern_unfit(p);
    if (unfit)
        return refuse(ret_reason, unfit);
    pcre2_code *code;
    int r = code_new(p, reason_buf, ret_reason, &code);
    if (r)
        return r;
    struct pattern *list = realloc(ps->list, (ps->count + 1) * sizeof(*list));
    if (list)
        ps->list = list;
    struct buf literal = BUF_INIT(MATCH_PATTERN_WIDTH_MAX * 4);
    struct shape *shape = NULL;
    if (!list || buf_append(&literal, p->literal) < 0 || shape_new(p->regex, &shape) < 0) {
        buf_deinit(&literal);
        pcre2_code_free(code);
        return -ENOMEM;
    }
    size_t size = 0;
    uint32_t least = 0;
    pcre2_pattern_info(code, PCRE2_INFO_MINLENGTH, &least);
    pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size);
    ps->bytes += size + sizeof(*list) + (shape ? shape_bytes(shape) : 0);
    ps->list[ps->count++] = (struct pattern){.code = code,
                                             .shape = shape,
                                             .literal = literal,
                                             .validator = p->validator,
                                             .gate = p->gate,
                                             .width = p->width,
                                             .least = least,
                                             .rule = rule,
                                             .direction = (uint8_t)direction};
    return 0;
}

int patterns_ready(struct patterns *ps)
{
    for (int d = DIRECTION_PROMPT; d <= DIRECTION_BOTH; d++) {
        if (!patterns_count(ps, (enum direction)d))
            continue;
        ps->gates[d] = gates_new(ps->list, ps->count, (enum direction)d);
        if (!ps->gates[d])
            return -ENOMEM;
        ps->bytes += gates_bytes(ps->gates[d]);
    }
    return 0;
}

size_t patterns_count(const struct patterns *ps, enum direction direction)
{
    size_t n = 0;
    for (size_t i = 0; i < ps->count; i++)
        n += !!(ps->list[i].direction & direction);
    return n;
}

void patterns_deinit(struct patterns *ps)
{
    for (size_t i = 0; i < ps->count; i++) {
        pcre2_code_free(ps->list[i].code);
        shape_free(ps->list[i].shape);
        buf_deinit(&ps->list[i].literal);
    }
    free(ps->list);
    for (int d = 0; d <= DIRECTION_BOTH; d++)
        gates_free(ps->gates[d]);
    *ps = (struct patterns){0};
}

struct pattern_scratch *pattern_scratch_new(void)
{
    struct pattern_scratch *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->context = pcre2_match_context_create(NULL);
    s->data = pcre2_match_data_create(PATTERN_ENDS_MAX, NULL);
    if (!s->context || !s->data) {
        pattern_scratch_free(s);
        return NULL;
    }
    pcre2_set_match_limit(s->context, MATCH_LIMIT);
    pcre2_set_depth_limit(s->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(s->context, HEAP_LIMIT_KIB);
    return s;
}

void pattern_scratch_free(struct pattern_scratch *s)
{
    if (!s)
        return;
    pcre2_match_context_free(s->context);
    pcre2_match_data_free(s->data);
    free(s);
}

int pattern_try(const struct pattern *p, struct pattern_scratch *s, struct span subject, size_t at,
                bool open, struct pattern_ends *ret_ends)
{
    uint32_t options = PCRE2_ANCHORED | PCRE2_NOTEMPTY | PCRE2_NO_UTF_CHECK |
                       (open ? PCRE2_PARTIAL_HARD | PCRE2_NOTEOL : 0);
    int workspace[WORKSPACE] UNINITIALIZED;
    int n = pcre2_dfa_match(p->code, (PCRE2_SPTR)subject.data, subject.len, at, options, s->data,
                            s->context, workspace, WORKSPACE);
    if (n == PCRE2_ERROR_NOMATCH)
        return 0;
    if (n == PCRE2_ERROR_PARTIAL)
        return 2;
    if (n < 0)
        return -EOVERFLOW;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(s->data);
    ret_ends->count = n ? (unsigned)n : PATTERN_ENDS_MAX; /* 0: there were more */
    for (unsigned i = 0; i < ret_ends->count; i++)
        ret_ends->at[i] = ends[2 * i + 1];
    return 1;
}
