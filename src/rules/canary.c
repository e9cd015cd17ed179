/*
 * The canary's rule: a phrase that nobody can have written, drawn anew at each load, so that the
 * rules in force can be seen to intercept it without a word of the library being sent.
 */
#include "rules/loader.h"

#include "base/utf8.h"
#include "crypto/secret.h"

#include <errno.h>

#define CANARY_CHARACTERS 12 /* of 20,480 Han characters: 171 bits */
#define CANARY_FIRST      0x4E00
#define CANARY_COUNT      0x5000

/* Of the first group, so that whoever lets that group pass lets the canary pass, and is told. */
static const struct risk canary_risk = {
    .id = SPAN_LIT("A1-canary"),
    .group = SPAN_LIT("A1"),
    .name_zh = SPAN_LIT("自检"),
    .name_en = SPAN_LIT("Canary"),
    .group_zh = SPAN_LIT(""),
    .group_en = SPAN_LIT(""),
};

static int draw(char ret_text[CANARY_CHARACTERS * 4], size_t *ret_length)
{
    uint16_t random[CANARY_CHARACTERS];
    int r = secret_random(random, sizeof(random));
    *ret_length = 0;
    for (size_t i = 0; r == 0 && i < CANARY_CHARACTERS; i++)
        *ret_length += utf8_encode(CANARY_FIRST + random[i] % CANARY_COUNT, ret_text + *ret_length);
    return r;
}

int canary_add(struct loader *l)
{
    struct ruleset *s = l->set;
    char text[CANARY_CHARACTERS * 4];
    size_t length;
    if (draw(text, &length) < 0)
        return -EIO;
    struct rule rule = {.id = SPAN_LIT(CANARY_ID),
                        .risk = &canary_risk,
                        .source = arena_copy(&s->arena, span_from(text, length)),
                        .why = SPAN_LIT("the canary's phrase, made up at each load"),
                        .from = SPAN_LIT(""),
                        .file = SPAN_LIT("built in"),
                        .direction = DIRECTION_BOTH,
                        .action = ACTION_DEFAULT,
                        .kind = RULE_CANARY};
    uint32_t index = rule.source.data ? loader_add_rule(l, &rule) : UINT32_MAX;
    if (index == UINT32_MAX)
        return -ENOMEM;
    s->canary = index;
    s->has_canary = true;
    /* Twelve characters that fold to one (repeats are folded): as likely as never. */
    return matchset_add_keyword(l->builder, rule.source, index, DIRECTION_BOTH, 0) == 0 ? 0
                                                                                        : -ENOMEM;
}

const struct rule *ruleset_canary(const struct ruleset *s, uint32_t *ret_index)
{
    if (!s->has_canary)
        return NULL;
    *ret_index = s->canary;
    return &s->rules[s->canary];
}

int ruleset_is_excepted(const struct ruleset *s, struct span word)
{
    struct buf folded = BUF_INIT(4096), phrase = BUF_INIT(65536);
    int r = match_fold(word, &folded);
    for (size_t i = 0; i < s->allow_count && r == 0; i++) {
        buf_clear(&phrase);
        if (match_fold(s->allows[i].phrase, &phrase) == 0 &&
            span_eq(buf_span(&folded), buf_span(&phrase)))
            r = 1;
    }
    buf_deinit(&folded);
    buf_deinit(&phrase);
    return r;
}
