#include "http/tracecontext.h"

#include "base/codec.h"

#define MEMBERS_MAX 32  /* of a tracestate */
#define KEY_MAX     256 /* bytes of one's key, and of its value */
#define TENANT_MAX  241
#define SYSTEM_MAX  14

/* Lower case alone: the specification's digits. */
static bool is_hex(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.data[i] >= '0' && s.data[i] <= '9') || (s.data[i] >= 'a' && s.data[i] <= 'f')))
            return false;
    return true;
}

static bool is_zero(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] != '0')
            return false;
    return true;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_lower(s.data[i]) && !is_digit(s.data[i]) && s.data[i] != '_' && s.data[i] != '-' &&
            s.data[i] != '*' && s.data[i] != '/')
            return false;
    return s.len > 0;
}

/* simple-key, or tenant@system. */
static bool is_key(struct span s)
{
    size_t at = span_find(s, SPAN_LIT("@"));
    if (at == s.len)
        return s.len <= KEY_MAX && is_name(s) && is_lower(s.data[0]);
    struct span tenant = span_slice(s, 0, at), system = span_slice(s, at + 1, s.len);
    return tenant.len <= TENANT_MAX && system.len <= SYSTEM_MAX && is_name(tenant) &&
           is_name(system) && (is_lower(tenant.data[0]) || is_digit(tenant.data[0])) &&
           is_lower(system.data[0]);
}

/* Printable ASCII but ',' and '=', not ending in a blank. */
static bool is_value(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < 0x20 || s.data[i] > 0x7e || s.data[i] == ',' || s.data[i] == '=')
            return false;
    return s.len > 0 && s.len <= KEY_MAX && s.data[s.len - 1] != ' ';
}

static bool is_state(struct span state)
{
    struct span keys[MEMBERS_MAX], rest = state, member;
    size_t count = 0;
    if (state.len > TRACECONTEXT_STATE_MAX)
        return false;
    while (span_split(&rest, ',', &member)) {
        while (member.len && (member.data[0] == ' ' || member.data[0] == '\t'))
            member = span_slice(member, 1, member.len);
        while (member.len &&
               (member.data[member.len - 1] == ' ' || member.data[member.len - 1] == '\t'))
            member.len--;
        if (member.len == 0) /* allowed, for lists that were joined */
            continue;
        size_t equals = span_find(member, SPAN_LIT("="));
        if (count == MEMBERS_MAX || equals == member.len)
            return false;
        keys[count] = span_slice(member, 0, equals);
        if (!is_key(keys[count]) || !is_value(span_slice(member, equals + 1, member.len)))
            return false;
        for (size_t i = 0; i < count; i++)
            if (span_eq(keys[i], keys[count]))
                return false;
        count++;
    }
    return count > 0;
}

bool tracecontext_read(struct span parent, struct span state, struct tracecontext *ret)
{
    *ret = (struct tracecontext){.state = SPAN_LIT("")};
    if (parent.len < TRACECONTEXT_SIZE)
        return false;
    struct span version = span_slice(parent, 0, 2), trace = span_slice(parent, 3, 35),
                span = span_slice(parent, 36, 52), flags = span_slice(parent, 53, 55);
    bool known = span_eq(version, SPAN_LIT("00"));
    if (!is_hex(version) || !is_hex(trace) || !is_hex(span) || !is_hex(flags) || is_zero(trace) ||
        is_zero(span) || span_eq(version, SPAN_LIT("ff")) || parent.data[2] != '-' ||
        parent.data[35] != '-' || parent.data[52] != '-')
        return false;
    /* What a later version says more stands behind another dash. */
    if (parent.len > TRACECONTEXT_SIZE && (known || parent.data[TRACECONTEXT_SIZE] != '-'))
        return false;
    memcpy(ret->parent, parent.data, TRACECONTEXT_SIZE);
    if (!known) {
        unsigned char bits = 0;
        codec_unhex(flags, &bits, 1);
        memcpy(ret->parent, "00", 2);
        memcpy(ret->parent + 53, bits & 1 ? "01" : "00", 2);
    }
    if (is_state(state))
        ret->state = state;
    return true;
}

void tracecontext_begin(const unsigned char random[24], struct tracecontext *ret)
{
    char digits[49];
    codec_hex(span_from((const char *)random, 24), digits);
    *ret = (struct tracecontext){.parent = "00-", .state = SPAN_LIT("")};
    memcpy(ret->parent + 3, digits, 32);
    ret->parent[35] = '-';
    memcpy(ret->parent + 36, digits + 32, 16);
    memcpy(ret->parent + 52, "-01", 3);
    /* All zeros names nothing. */
    if (is_zero(tracecontext_id(ret)))
        ret->parent[3] = '1';
    if (is_zero(span_from(ret->parent + 36, 16)))
        ret->parent[36] = '1';
}
