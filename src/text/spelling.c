#include "text/spelling.h"

#include <errno.h>
#include <stdlib.h>

/* Longest text of all spellings of one keyword: each glyph at most 24 bytes, and a blank. */
#define TEXT_MAX ((size_t)(5 * SPELLING_LAYER_MAX + 2) * SPELLING_GLYPHS_MAX * 25)

static const char *const numerals[][10] = {
    {"零", "一", "二", "三", "四", "五", "六", "七", "八", "九"},
    {"〇", "一", "二", "三", "四", "五", "六", "七", "八", "九"},
    {"零", "壹", "贰", "叁", "肆", "伍", "陆", "柒", "捌", "玖"},
    {"零", "幺", "二", "三", "四", "五", "六", "七", "八", "九"},
};

static int glyph_push(struct spellings *s, const struct variants *v, uint32_t cp)
{
    if (s->count == SPELLING_GLYPHS_MAX)
        return -EMSGSIZE;
    struct glyph *g = &s->glyphs[s->count];
    *g = (struct glyph){.cp = cp, .class = fold_entry_class(fold_entry(cp))};
    if (g->class == FOLD_HAN) {
        g->readings = pinyin_read(cp, g->syllables);
        if (v)
            g->split_count = splits_find(&v->splits, cp, &g->splits);
    }
    if (g->readings)
        s->han[s->han_count++] = (uint8_t)s->count;
    s->count++;
    return 0;
}

int spellings_read(struct spellings *s, const struct variants *v, struct span word)
{
    unsigned run = 0;
    bool blank = true;
    while (word.len) {
        uint32_t cp, cps[FOLD_EXPANSION_MAX];
        int len = utf8_decode(word, false, &cp), r = 0;
        if (len <= 0)
            return -EILSEQ;
        word = span_slice(word, (size_t)len, word.len);
        unsigned n = fold_code_point(cp, cps);
        for (unsigned i = 0; i < n && r == 0; i++) {
            enum fold_class class = fold_entry_class(fold_entry(cps[i]));
            if (class == FOLD_INVISIBLE || class == FOLD_MARK)
                continue;
            if (class == FOLD_SEPARATOR || class == FOLD_BLANK) {
                blank = (run == 0 || blank) && class == FOLD_BLANK;
                run++;
                continue;
            }
            enum fold_class before = s->count ? s->glyphs[s->count - 1].class : FOLD_BLANK;
            if (run && before == FOLD_WORD && class == FOLD_WORD)
                r = glyph_push(s, v, ' ');
            else if (run && s->count && before != class && !blank)
                r = glyph_push(s, v, '-');
            if (r == 0)
                r = glyph_push(s, v, cps[i]);
            run = 0;
        }
        if (r < 0)
            return r;
    }
    s->text = BUF_INIT(TEXT_MAX);
    for (unsigned i = 0; i < s->count; i++) {
        char bytes[4];
        int r = buf_append(&s->text, span_from(bytes, utf8_encode(s->glyphs[i].cp, bytes)));
        if (r < 0)
            return r;
    }
    s->self.len = s->text.len;
    return 0;
}

void spellings_layer(struct spellings *s, uint32_t layer)
{
    s->layer = layer;
    s->layer_count = 0;
}

static int code_point_write(struct buf *out, uint32_t cp)
{
    char bytes[4];
    return buf_append(out, span_from(bytes, utf8_encode(cp, bytes)));
}

static int glyph_write(const struct glyph *g, struct how how, char dotted, struct buf *out)
{
    const char *s = "";
    size_t len;
    int r = 0;
    switch (how.kind) {
    case HOW_PINYIN:
        s = pinyin_syllables[g->syllables[how.which]];
        for (; *s && r == 0; s++)
            r = buf_append_char(out, *s == 'v' ? dotted : *s);
        return r;
    case HOW_INITIAL:
    case HOW_ONSET:
        s = pinyin_syllables[g->syllables[how.which]];
        len = how.kind == HOW_ONSET && s[1] == 'h' ? 2 : 1;
        return buf_append(out, span_from(s, len));
    case HOW_SPLIT:
        for (unsigned i = 0; i < g->splits[how.which].count && r == 0; i++)
            r = code_point_write(out, g->splits[how.which].parts[i]);
        return r;
    case HOW_NUMERAL:
        return buf_append(out, span_str(numerals[how.which][g->cp - '0']));
    default:
        return code_point_write(out, g->cp);
    }
}

static bool is_latin(enum how_kind kind)
{
    return kind == HOW_PINYIN || kind == HOW_INITIAL || kind == HOW_ONSET;
}

/* Where letters meet, at least one side of which was a Han character. */
static bool seam_between(const struct spellings *s, const struct how *how, unsigned i)
{
    bool left = is_latin(how[i - 1].kind), right = is_latin(how[i].kind);
    return (left && right) || (left && s->glyphs[i].class == FOLD_WORD) ||
           (right && s->glyphs[i - 1].class == FOLD_WORD);
}

/* Puts what was written from `at` on into the list, or takes it back. */
static void spellings_keep(struct spellings *s, size_t at, unsigned cost)
{
    struct span all = buf_span(&s->text), text = span_slice(all, at, all.len);
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 16777619u;
    bool known = span_eq(text, span_slice(all, 0, s->self.len)) ||
                 (s->layer & (LAYER_PINYIN | LAYER_INITIALS) && spelling_reads_otherwise(text));
    unsigned slot = hash % SPELLING_SLOTS;
    for (; !known && s->slots[slot]; slot = (slot + 1) % SPELLING_SLOTS) {
        const struct spelling *other = &s->list[s->slots[slot] - 1];
        known = span_eq(text, span_slice(all, other->at, other->at + other->len));
    }
    if (known) {
        s->text.len = at;
        return;
    }
    s->list[s->list_count++] =
        (struct spelling){.at = at, .len = text.len, .layer = s->layer, .cost = cost};
    s->slots[slot] = (uint16_t)s->list_count;
    s->layer_count++;
}

int spellings_add(struct spellings *s, const struct how *how, uint64_t spaced, unsigned cost)
{
    static const char dots[] = {'v', 'u'};
    bool dotted = false;
    for (unsigned i = 0; i < s->count; i++)
        dotted |= how[i].kind == HOW_PINYIN &&
                  strchr(pinyin_syllables[s->glyphs[i].syllables[how[i].which]], 'v') != NULL;
    for (unsigned form = 0; form < (dotted ? 2u : 1u); form++) {
        if (s->layer_count == SPELLING_LAYER_MAX)
            return 0;
        size_t at = s->text.len;
        for (unsigned i = 0; i < s->count; i++) {
            int r = 0;
            if (i && (spaced >> i & 1) && seam_between(s, how, i))
                r = buf_append_char(&s->text, ' ');
            if (r == 0)
                r = glyph_write(&s->glyphs[i], how[i], dots[form], &s->text);
            if (r < 0)
                return r;
        }
        spellings_keep(s, at, cost);
    }
    return 0;
}

int spellings_reversed(struct spellings *s)
{
    unsigned letters = 0;
    bool han = false;
    for (unsigned i = 0; i < s->count; i++) {
        han |= s->glyphs[i].class == FOLD_HAN;
        letters += s->glyphs[i].class == FOLD_WORD && (s->glyphs[i].cp - '0' > 9);
    }
    /* Numbers backwards are other numbers, and so are letters in twos. */
    if (!han && letters < 3)
        return 0;
    size_t at = s->text.len;
    for (unsigned i = s->count; i-- > 0;) {
        int r = code_point_write(&s->text, s->glyphs[i].cp);
        if (r < 0)
            return r;
    }
    spellings_keep(s, at, 0);
    return 0;
}

/* Tells what was found, nearest first; of equals, what was thought of first. */
static int spellings_tell(struct spellings *s, variants_spelling_fn fn, void *ctx)
{
    unsigned told = 0;
    for (unsigned cost = 0; cost <= SPELLING_COST_MAX && told < VARIANTS_SPELLINGS_MAX; cost++)
        for (unsigned i = 0; i < s->list_count && told < VARIANTS_SPELLINGS_MAX; i++) {
            const struct spelling *one = &s->list[i];
            if (one->cost != cost)
                continue;
            int r =
                fn(ctx, span_slice(buf_span(&s->text), one->at, one->at + one->len), one->layer);
            if (r)
                return r;
            told++;
        }
    return 0;
}

int variants_spellings(const struct variants *v, struct span word, uint32_t asked,
                       variants_spelling_fn fn, void *ctx)
{
    static const struct {
        uint32_t layer;
        int (*think)(struct spellings *s);
    } layers[] = {
        {LAYER_NUMERAL, spellings_numerals},  {LAYER_PINYIN, spellings_pinyin},
        {LAYER_INITIALS, spellings_initials}, {LAYER_SPLIT, spellings_split},
        {LAYER_REVERSED, spellings_reversed},
    };
    struct spellings *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    int r = spellings_read(s, v, word);
    bool too_long = r == -EMSGSIZE;
    for (size_t i = 0; i < sizeof(layers) / sizeof(*layers) && r == 0; i++) {
        if (!((asked | LAYER_NUMERAL) & layers[i].layer))
            continue;
        spellings_layer(s, layers[i].layer);
        r = layers[i].think(s);
    }
    if (r == 0)
        r = spellings_tell(s, fn, ctx);
    buf_deinit(&s->text);
    free(s);
    return too_long ? 0 : r;
}
