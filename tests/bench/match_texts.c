#include "match_data.h"

#include "base/utf8.h"
#include "text/fold.h"

#include <stdio.h>

void text_repeat(struct buf *out, struct span text, size_t size)
{
    while (text.len && out->len < size) {
        size_t n = size - out->len < text.len ? utf8_floor(text, size - out->len) : text.len;
        if (n == 0)
            return;
        put(out, span_slice(text, 0, n));
    }
}

/* The next code point, cut off *rest; the text is valid. */
static struct span take_point(struct span *rest, uint32_t *ret_cp)
{
    size_t n = (size_t)utf8_decode(*rest, true, ret_cp);
    struct span point = span_slice(*rest, 0, n);
    *rest = span_slice(*rest, n, rest->len);
    return point;
}

void text_plain(struct buf *out, struct span text, size_t size)
{
    struct span rest = SPAN_NULL;
    while (out->len < size) {
        uint32_t cp;
        if (!rest.len)
            rest = text;
        struct span point = take_point(&rest, &cp);
        if (fold_entry_class(fold_entry(cp)) == FOLD_HAN || (cp >= 0x3001 && cp <= 0x3011) ||
            cp == 0xFF0C || cp == 0xFF1F || cp == 0xFF01)
            put(out, point);
    }
}

/* A traditional or variant form that folds to cp, or 0. */
static uint32_t traditional(uint32_t cp)
{
    static uint32_t forms[0x5200];
    static bool made;
    if (!made)
        for (uint32_t form = 0x4E00; form < 0xA000; form++) {
            uint32_t entry = fold_entry(form), to = entry & FOLD_TARGET;
            if ((fold_entry_layers(entry) & LAYER_TRADITIONAL) && !(entry & FOLD_EXPANDS) &&
                to >= 0x4E00 && to < 0xA000 && !forms[to - 0x4E00])
                forms[to - 0x4E00] = form;
        }
    made = true;
    return cp >= 0x4E00 && cp < 0xA000 ? forms[cp - 0x4E00] : 0;
}

static void put_disguised(struct buf *out, struct span word, struct rng *rng)
{
    static const char *const separators[] = {"*", "。", "-", "、", " ", "#"};
    struct span separator = span_str(separators[rng_below(rng, 6)]);
    unsigned way = (unsigned)rng_below(rng, 3);
    enum fold_class before = FOLD_INVISIBLE;
    while (word.len) {
        uint32_t cp;
        struct span point = take_point(&word, &cp);
        enum fold_class class = fold_entry_class(fold_entry(cp));
        bool between = before == FOLD_HAN && class == FOLD_HAN;
        if (between && way == 0)
            put_point(out, 0x200B);
        else if (between && way == 1)
            put(out, separator);
        if (cp > ' ' && cp < 0x7F)
            put_point(out, cp + 0xFEE0);
        else if (way == 2 && traditional(cp))
            put_point(out, traditional(cp));
        else
            put(out, point);
        before = class;
    }
}

void text_dirty(struct buf *out, struct span text, const struct words *words, size_t size)
{
    struct rng rng = {7};
    struct span rest = SPAN_NULL;
    while (out->len < size) {
        for (size_t n = 8 + rng_below(&rng, 33); n; n--) {
            uint32_t cp;
            if (!rest.len)
                rest = text;
            put(out, take_point(&rest, &cp));
        }
        struct span word = words->list[rng_below(&rng, words->count)];
        if (rng_below(&rng, 4) == 0)
            put_disguised(out, word, &rng);
        else
            put(out, word);
    }
}

static struct span next_line(struct span *rest, struct span whole)
{
    struct span line;
    do {
        if (!span_split(rest, '\n', &line)) {
            *rest = whole;
            line = SPAN_NULL;
        }
    } while (!line.len);
    return line;
}

void text_mixed(struct buf *out, struct span zh, struct span en, size_t size)
{
    static const char *const code[] = {
        "    for (size_t i = 0; i < count; i++) { total += items[i].price * items[i].amount; }",
        "def load(path, *, encoding=\"utf-8\"):\n    with open(path, encoding=encoding) as f:",
        "SELECT id, name, created_at FROM users WHERE state = 'active' ORDER BY id LIMIT 50;",
        "const reply = await fetch(`${base}/v1/chat/completions`, { method: \"POST\", body });",
        "{\"model\": \"demo\", \"messages\": [{\"role\": \"user\"}], \"top_p\": 0.9}",
        "if [ -z \"${HOME-}\" ]; then echo \"no home\" >&2; exit 64; fi  # 2024-03-01 12:30:45",
    };
    struct rng rng = {11};
    struct span zh_rest = zh, en_rest = en;
    while (out->len < size) {
        put(out, next_line(&zh_rest, zh));
        put(out, SPAN_LIT("\n"));
        put(out, next_line(&en_rest, en));
        put(out, SPAN_LIT("\n"));
        for (size_t i = 0; i < 2; i++) {
            put(out, span_str(code[rng_below(&rng, sizeof(code) / sizeof(code[0]))]));
            put(out, SPAN_LIT("\n"));
        }
    }
}
