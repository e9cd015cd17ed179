#include "match/pattern.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* What one attempt may cost; an attempt has at most a few hundred characters. */
#define MATCH_LIMIT    20000
#define DEPTH_LIMIT    100
#define HEAP_LIMIT_KIB 1024
#define LENGTHS_MAX    64 /* match lengths that the matcher lists, longest first */
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

/* What the DFA matcher can't do; it would find out only when it gets there. */
static const char *code_unfit(const pcre2_code *code, struct span regex, unsigned width)
{
    uint32_t empty = 0, references = 0, behind = 0, least = 0;
    pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &empty);
    pcre2_pattern_info(code, PCRE2_INFO_BACKREFMAX, &references);
    pcre2_pattern_info(code, PCRE2_INFO_MAXLOOKBEHIND, &behind);
    pcre2_pattern_info(code, PCRE2_INFO_MINLENGTH, &least);
    if (empty)
        return "can match the empty text";
    if (references)
        return "back references are not supported";
    if (behind > PATTERN_CONTEXT_MAX)
        return "looks behind further than 16 characters";
    if (least > width)
        return "its shortest match is longer than its width";
    for (size_t i = 0; i + 1 < regex.len; i++) {
        if (regex.data[i] == '\\' && regex.data[i + 1] == 'K')
            return "\\K is not supported";
        if (regex.data[i] == '(' && regex.data[i + 1] == '*')
            return "verbs are not supported";
        if (regex.data[i] == '\\')
            i++;
    }
    return NULL;
}

int patterns_add(struct patterns *ps, const struct match_pattern *p, uint32_t rule,
                 enum direction direction, struct buf *reason_buf, const char **ret_reason)
{
    if (p->width < 1 || p->width > MATCH_PATTERN_WIDTH_MAX)
        return refuse(ret_reason, "the width is not within 1..512");
    if ((p->gate != GATE_DIGITS && p->gate != GATE_AT && p->gate != GATE_LITERAL) ||
        (p->gate == GATE_LITERAL && p->literal.len == 0))
        return refuse(ret_reason, "no gate");
    if (p->literal.len > p->width || utf8_check(p->literal) != p->literal.len)
        return refuse(ret_reason, "the literal is too long or not UTF-8");
    int err;
    PCRE2_SIZE at;
    /* A repeat made possessive would list its longest end only, which may be behind the width. */
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)p->regex.data, p->regex.len,
                                     PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE |
                                         PCRE2_NO_AUTO_POSSESS,
                                     &err, &at, NULL);
    if (!code) {
        PCRE2_UCHAR message[128];
        pcre2_get_error_message(err, message, sizeof(message));
        buf_clear(reason_buf);
        if (buf_printf(reason_buf, "%s at offset %zu", (const char *)message, at) < 0)
            return -ENOMEM;
        const char *reason = buf_cstr(reason_buf);
        return reason ? refuse(ret_reason, reason) : -ENOMEM;
    }
    const char *unfit = code_unfit(code, p->regex, p->width);
    if (unfit) {
        pcre2_code_free(code);
        return refuse(ret_reason, unfit);
    }
    struct pattern *list = realloc(ps->list, (ps->count + 1) * sizeof(*list));
    if (list)
        ps->list = list;
    uint32_t first = 0;
    if (p->literal.len)
        utf8_decode(p->literal, false, &first);
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
                                             .first = pattern_lower(first),
                                             .validator = p->validator,
                                             .gate = p->gate,
                                             .width = p->width,
                                             .least = least,
                                             .rule = rule,
                                             .direction = (uint8_t)direction};
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
    *ps = (struct patterns){0};
}

struct pattern_scratch *pattern_scratch_new(void)
{
    struct pattern_scratch *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->context = pcre2_match_context_create(NULL);
    s->data = pcre2_match_data_create(LENGTHS_MAX, NULL);
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
                size_t limit, bool open, size_t *ret_end)
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
    for (int i = 0; i < (n ? n : LENGTHS_MAX); i++) {
        if (ends[2 * i + 1] > limit)
            continue;
        *ret_end = ends[2 * i + 1];
        return 1;
    }
    return 0;
}
