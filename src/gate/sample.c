#include "gate/sample.h"

#include "base/utf8.h"
#include "crypto/secret.h"
#include "gate/exchange.h"
#include "gate/shadow.h"

#include <stdlib.h>

void sample_begin(struct exchange *x)
{
    uint32_t random;
    unsigned percent = exchange_config(x)->audit.samples.percent;
    if (percent == 0 || x->purpose.review != REVIEWER_NONE || exchange_shadows(x) ||
        !x->gate->audit || secret_random(&random, sizeof(random)) < 0 || random % 100 >= percent)
        return;
    x->sample = calloc(1, sizeof(*x->sample));
    if (!x->sample)
        return; /* a sample less tells nothing false */
    buf_init(&x->sample->prompt, SAMPLE_MAX);
    buf_init(&x->sample->answer, SAMPLE_MAX);
}

size_t sample_bytes(const struct exchange *x)
{
    return x->sample ? SAMPLE_MAX : 0;
}

void sample_free(struct sample *s)
{
    if (!s)
        return;
    buf_deinit(&s->prompt);
    buf_deinit(&s->answer);
    free(s);
}

/* The texts of all channels, each on lines of its own, without personal data. */
static void take_texts(struct judge *j, struct buf *out)
{
    for (struct channel *c = scanner_channels(j->scanner); c; c = channel_next(c)) {
        struct span text = channel_text(c, c->base, c->fed);
        bool plain = c->field == FIELD_OTHER || c->field == FIELD_LOGPROBS;
        size_t room = out->max - out->len;
        if (plain || text.len == 0 || room < 2)
            continue;
        if (out->len && buf_append_char(out, '\n') == 0)
            room--;
        if (text.len > room)
            text = span_slice(text, text.len - room, text.len);
        while (text.len && ((unsigned char)text.data[0] & 0xC0) == 0x80)
            text = span_slice(text, 1, text.len);
        /* A mask is never longer than what it stands for. */
        (void)buf_append(out, judge_clean(j, text));
    }
}

void sample_prompt(struct exchange *x)
{
    if (x->sample && x->prompt && x->prompt->scanner && record_action(x) == ACTION_ALLOW)
        take_texts(x->prompt, &x->sample->prompt);
}

static struct audit_hit kept_text(enum direction direction, const struct buf *text)
{
    return (struct audit_hit){.direction = direction,
                              .role = direction == DIRECTION_PROMPT ? ROLE_USER : ROLE_ASSISTANT,
                              .action = ACTION_ALLOW,
                              .text = buf_span(text),
                              .kept = true};
}

void sample_close(struct exchange *x, bool complete)
{
    struct audit_hit hits[2];
    size_t count = 0;
    struct sample *s = x->sample;
    bool allowed = complete && record_action(x) == ACTION_ALLOW && x->completion &&
                   x->completion->scanner && x->completion->finding_count == 0;
    if (s && allowed) {
        take_texts(x->completion, &s->answer);
        if (s->prompt.len)
            hits[count++] = kept_text(DIRECTION_PROMPT, &s->prompt);
        if (s->answer.len)
            hits[count++] = kept_text(DIRECTION_COMPLETION, &s->answer);
    }
    if (count)
        record_sample(x, hits, count);
    sample_free(s);
    x->sample = NULL;
}
