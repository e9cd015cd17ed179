#include "question/derivetable.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "text/fold.h"
#include "text/pinyin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#define FILE_MAX  (16u << 20)
#define HAN_FIRST 0x3400
#define HAN_LAST  0x9FFF
#define GROUP_MAX 256

static int add_pair(struct pair **list, size_t *count, size_t *cap, uint32_t from, uint32_t to)
{
    if (*count == *cap) {
        size_t more = *cap ? 2 * *cap : 1024;
        struct pair *moved = reallocarray(*list, more, sizeof(*moved));
        if (!moved)
            return -ENOMEM;
        *list = moved;
        *cap = more;
    }
    (*list)[(*count)++] = (struct pair){from, to};
    return 0;
}

static int compare_pairs(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int c = (x->from > y->from) - (x->from < y->from);
    return c ? c : (x->to > y->to) - (x->to < y->to);
}

static void sort_pairs(struct pair *list, size_t *count)
{
    size_t kept = 0;
    if (*count)
        qsort(list, *count, sizeof(*list), compare_pairs);
    for (size_t i = 0; i < *count; i++)
        if (i == 0 || compare_pairs(&list[i], &list[i - 1]) != 0)
            list[kept++] = list[i];
    *count = kept;
}

/* The table that folding reads, the other way round. */
static int read_old(struct derive_table *t)
{
    int r = 0;
    for (uint32_t cp = HAN_FIRST; cp <= HAN_LAST && r == 0; cp++) {
        uint32_t cps[FOLD_EXPANSION_MAX];
        if (fold_entry_layers(fold_entry(cp)) & LAYER_TRADITIONAL &&
            fold_code_point(cp, cps) == 1 && cps[0] != cp)
            r = add_pair(&t->old, &t->old_count, &t->old_cap, cps[0], cp);
    }
    sort_pairs(t->old, &t->old_count);
    return r;
}

/* ---- files ---- */

typedef int (*line_fn)(struct derive_table *t, struct span line);

static int read_lines(struct derive_table *t, struct span dir, const char *name, line_fn fn)
{
    char path[PATH_MAX];
    struct buf text = BUF_INIT(FILE_MAX);
    if (snprintf(path, sizeof(path), "%.*s/variants/%s", SPAN_ARG(dir), name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    int r = file_read(fd, 0, &text);
    struct span rest = buf_span(&text), line;
    /* The library's reader has checked it; what isn't text is passed over. */
    while (r == 0 && span_split(&rest, '\n', &line)) {
        line = span_trim(line);
        if (line.len && line.data[0] != '#' && utf8_check(line) == line.len)
            r = fn(t, line);
    }
    buf_deinit(&text);
    return r;
}

/* Each of a group may stand for each other. */
static int shape_line(struct derive_table *t, struct span line)
{
    uint32_t group[GROUP_MAX];
    size_t count = 0;
    int r = 0;
    while (line.len && count < GROUP_MAX) {
        int n = utf8_decode(line, false, &group[count++]);
        line = span_slice(line, (size_t)n, line.len);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count && r == 0; j++)
            if (i != j)
                r = add_pair(&t->shape, &t->shape_count, &t->shape_cap, group[i], group[j]);
    return r;
}

static int split_line(struct derive_table *t, struct span line)
{
    struct span character, parts;
    struct split_pair s;
    span_split(&line, '\t', &character);
    if (!span_split(&line, '\t', &parts) || utf8_decode(character, false, &s.from) <= 0)
        return 0;
    s.parts = arena_copy(&t->arena, span_trim(parts)); /* the likeliest way stands first */
    if (!s.parts.data)
        return -ENOMEM;
    if (t->split_count == t->split_cap) {
        size_t more = t->split_cap ? 2 * t->split_cap : 1024;
        struct split_pair *moved = reallocarray(t->split, more, sizeof(*moved));
        if (!moved)
            return -ENOMEM;
        t->split = moved;
        t->split_cap = more;
    }
    t->split[t->split_count++] = s;
    return 0;
}

static int compare_splits(const void *a, const void *b)
{
    const struct split_pair *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

/* ---- characters that are read alike ---- */

/* A rare character gives a disguise away: only those that ordinary texts use stand for others. */
static int add_common(struct derive_table *t, struct span text)
{
    int r = 0;
    while (text.len && r == 0) {
        uint32_t cp;
        int n = utf8_decode(text, false, &cp);
        if (n <= 0)
            break;
        text = span_slice(text, (size_t)n, text.len);
        unsigned syllable = pinyin_main(cp);
        if (cp >= 0x4E00 && cp <= HAN_LAST && syllable != PINYIN_NONE)
            r = add_pair(&t->sound, &t->sound_count, &t->sound_cap, syllable, cp);
        if (t->sound_count > 1u << 20) /* mostly repeats */
            sort_pairs(t->sound, &t->sound_count);
    }
    return r;
}

static int read_sound(struct derive_table *t, const struct ruleset *rules, const struct bank *bank)
{
    struct place at;
    int r = 0;
    for (size_t i = 0; i < ruleset_benign_count(rules) && r == 0; i++)
        r = add_common(t, ruleset_benign(rules, i, &at));
    for (size_t i = 0; i < bank_count(bank) && r == 0; i++)
        if (bank_at(bank, i)->seed.len == 0)
            r = add_common(t, bank_at(bank, i)->text);
    sort_pairs(t->sound, &t->sound_count);
    return r;
}

/* ---- all of it ---- */

int derive_table_read(struct span rules_dir, const struct ruleset *rules, const struct bank *bank,
                      struct derive_table *ret)
{
    *ret = (struct derive_table){0};
    arena_init(&ret->arena, 4 * FILE_MAX);
    int r = read_old(ret);
    if (r == 0)
        r = read_lines(ret, rules_dir, "shape.txt", shape_line);
    if (r == 0)
        r = read_lines(ret, rules_dir, "split.txt", split_line);
    if (r == 0)
        r = read_sound(ret, rules, bank);
    sort_pairs(ret->shape, &ret->shape_count);
    if (ret->split_count)
        qsort(ret->split, ret->split_count, sizeof(*ret->split), compare_splits);
    return r;
}

void derive_table_free(struct derive_table *t)
{
    free(t->old);
    free(t->shape);
    free(t->sound);
    free(t->split);
    arena_deinit(&t->arena);
}

const struct pair *derive_table_find(const struct pair *pairs, size_t count, uint32_t from,
                                     size_t *ret_count)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pairs[middle].from < from)
            low = middle + 1;
        else
            high = middle;
    }
    size_t n = 0;
    while (low + n < count && pairs[low + n].from == from)
        n++;
    *ret_count = n;
    return pairs + low;
}

struct span derive_table_split(const struct derive_table *t, uint32_t from)
{
    struct split_pair wanted = {.from = from};
    const struct split_pair *s = t->split_count ? bsearch(&wanted, t->split, t->split_count,
                                                          sizeof(*t->split), compare_splits)
                                                : NULL;
    return s ? s->parts : SPAN_NULL;
}
