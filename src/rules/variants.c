/*
 * variants/: other ways of writing a character, for the layers that a rule may ask for.
 *   split.txt   the character, then after tabs its parts, such as 好<tab>女子
 *   shape.txt   characters that look alike, one group a line
 *   sound.txt   characters that are read alike beside those of one syllable, one group a line
 */
#include "base/utf8.h"
#include "rules/lines.h"

#include <errno.h>

#define GROUP_MAX 256 /* characters */
#define PARTS_MIN 2
#define PARTS_MAX 4

static void note(struct loader *l, struct place at, struct span text, int result)
{
    if (result == -ENOMEM)
        l->reader.memory_out = true;
    else if (result < 0)
        loader_error(l, at, "'%.*s' has characters that no keyword is made of", SPAN_ARG(text));
}

static void read_split(struct line_reader *r, struct span line)
{
    struct loader *l = r->loader;
    struct span character, parts;
    uint32_t cp;
    bool any = false;
    span_split(&line, '\t', &character);
    character = span_trim(character);
    struct place at = lines_place(r, character.data);
    if (utf8_count(character) != 1) {
        loader_error(l, at, "'%.*s' is not one character", SPAN_ARG(character));
        return;
    }
    utf8_decode(character, false, &cp);
    while (span_split(&line, '\t', &parts)) {
        parts = span_trim(parts);
        if (parts.len == 0)
            continue;
        any = true;
        size_t count = utf8_count(parts);
        struct place parts_at = lines_place(r, parts.data);
        if (count < PARTS_MIN || count > PARTS_MAX)
            loader_error(l, parts_at, "a character has %d to %d parts, '%.*s' %s %zu", PARTS_MIN,
                         PARTS_MAX, SPAN_ARG(parts), count == 1 ? "is" : "are", count);
        else
            note(l, parts_at, parts, variants_add_split(l->variants, cp, parts));
    }
    if (!any)
        loader_error(l, at, "'%.*s' has no parts", SPAN_ARG(character));
}

/* False, with a message, when the group is none. */
static bool check_group(struct line_reader *r, struct span group)
{
    struct loader *l = r->loader;
    uint32_t seen[GROUP_MAX];
    size_t count = 0;
    for (size_t i = 0; i < group.len;) {
        uint32_t cp;
        size_t n = (size_t)utf8_decode(span_slice(group, i, group.len), false, &cp);
        struct place at = lines_place(r, group.data + i);
        if (cp <= 0x20) {
            loader_error(l, at, "the characters of a group follow each other without a gap");
            return false;
        }
        for (size_t j = 0; j < count; j++) {
            if (seen[j] != cp)
                continue;
            loader_error(l, at, "'%.*s' is twice in this group",
                         SPAN_ARG(span_slice(group, i, i + n)));
            return false;
        }
        if (count == GROUP_MAX) {
            loader_error(l, at, "more than %d characters in a group", GROUP_MAX);
            return false;
        }
        seen[count++] = cp;
        i += n;
    }
    if (count < 2)
        loader_error(l, lines_place(r, group.data), "a group has two characters or more");
    return count >= 2;
}

typedef int (*group_fn)(struct variants *v, struct span characters);

void variants_read(struct loader *l, struct span text, struct span file, struct span stem)
{
    bool split = span_eq(stem, SPAN_LIT("split"));
    group_fn add = span_eq(stem, SPAN_LIT("shape"))   ? variants_add_shape
                   : span_eq(stem, SPAN_LIT("sound")) ? variants_add_sound
                                                      : NULL;
    struct line_reader r;
    if (!split && !add) {
        loader_error(l, (struct place){.file = file},
                     "no variants are called '%.*s': split, shape or sound", SPAN_ARG(stem));
        return;
    }
    if (!lines_begin(&r, l, text, file))
        return;
    while (lines_next(&r)) {
        struct span line = span_trim(r.line);
        if (line.len == 0 || line.data[0] == '#')
            continue;
        if (split)
            read_split(&r, line);
        else if (check_group(&r, line))
            note(l, lines_place(&r, line.data), line, add(l->variants, line));
    }
}
