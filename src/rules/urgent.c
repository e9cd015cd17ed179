#include "rules/urgent.h"

#include "base/day.h"
#include "rules/draft.h"

#include <errno.h>
#include <stdlib.h>

bool urgent_is_word(struct span word)
{
    return draft_is_text(word, URGENT_WORD_MAX);
}

int64_t urgent_end(int64_t now, int64_t seconds)
{
    return (now + seconds + 59) / 60 * 60; /* lines of files have whole minutes */
}

const char *urgent_state_name(enum urgent_state s)
{
    static const char *const names[] = {"awaiting approval", "approved", "withdrawn", "replaced",
                                        "expired"};
    return names[s];
}

static struct urgent_word *find_given(struct urgent_word *words, size_t count, unsigned number)
{
    for (size_t i = 0; i < count; i++)
        if (words[i].given->number == number)
            return &words[i];
    return NULL;
}

static void give(struct urgent_word *words, size_t *count, const struct journal_entry *e)
{
    for (size_t i = 0; i < *count; i++) {
        struct urgent_word *w = &words[i];
        if (w->ended || !span_eq(w->given->word, e->word) || !span_eq(w->given->risk, e->risk))
            continue;
        w->ended = e;
        w->state = URGENT_REPLACED;
    }
    words[(*count)++] = (struct urgent_word){.given = e};
}

static void follow(struct urgent_word *w, const struct journal_entry *e)
{
    if (!w || w->ended)
        return;
    if (e->act == JOURNAL_CONFIRM) {
        w->confirmed = e;
        w->state = URGENT_APPROVED;
    } else {
        w->ended = e;
        w->state = URGENT_WITHDRAWN;
    }
}

int urgent_list(const struct journal *j, int64_t now, struct urgent_word **ret_words,
                size_t *ret_count)
{
    struct urgent_word *words = calloc(j->count + 1, sizeof(*words));
    size_t count = 0;
    if (!words)
        return -ENOMEM;
    for (size_t i = 0; i < j->count; i++) {
        const struct journal_entry *e = &j->entries[i];
        if (e->interrupted)
            continue;
        if (e->act == JOURNAL_URGENT)
            give(words, &count, e);
        else if (e->act == JOURNAL_CONFIRM || e->act == JOURNAL_WITHDRAW)
            follow(find_given(words, count, e->of), e);
    }
    for (size_t i = 0; i < count; i++)
        if (urgent_is_live(words[i].state) && words[i].given->expires <= now)
            words[i].state = URGENT_EXPIRED;
    *ret_words = words;
    *ret_count = count;
    return 0;
}

int urgent_find(const struct urgent_word *words, size_t count, struct span word, struct span risk,
                const struct urgent_word **ret_word)
{
    const struct urgent_word *found = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct urgent_word *w = &words[i];
        if (!urgent_is_live(w->state) || !span_eq(w->given->word, word) ||
            (risk.len && !span_eq(w->given->risk, risk)))
            continue;
        if (found)
            return -ENOTUNIQ;
        found = w;
    }
    *ret_word = found;
    return found ? 0 : -ENOENT;
}

/* What a line can't hold is a blank there. */
static int append_plain(struct buf *out, struct span text)
{
    int r = 0;
    for (size_t i = 0; i < text.len && r == 0; i++) {
        unsigned char c = (unsigned char)text.data[i];
        r = buf_append_char(out, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
    return r;
}

int urgent_write(struct buf *file, const struct journal_entry *given)
{
    char end[DAY_TEXT_SIZE];
    int r = 0;
    if (file->len == 0)
        r = buf_append(file, SPAN_LIT("# Written by `juyong rules urgent`.\n"));
    day_format_minute(given->expires, end);
    if (r == 0)
        r = append_plain(file, given->word);
    if (r == 0)
        r = buf_printf(file, "\trisk=%.*s\texpires=%s\tsource=own: urgent, by ",
                       SPAN_ARG(given->risk), end);
    if (r == 0)
        r = append_plain(file, given->author);
    if (r == 0)
        r = buf_append(file, SPAN_LIT("\twhy="));
    if (r == 0)
        r = append_plain(file, given->reason);
    return r < 0 ? r : buf_append_char(file, '\n');
}

bool urgent_is_rule(const struct rule *rule)
{
    struct span file = rule->file, tail = SPAN_LIT("/" URGENT_FILE);
    return file.len >= tail.len && span_eq(span_slice(file, file.len - tail.len, file.len), tail);
}
