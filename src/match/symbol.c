#include "match/symbol.h"

#include <errno.h>

unsigned symbol_gap(uint32_t cp, enum fold_class class)
{
    static const char joiners[] = "-_.'/&@+", marks[] = ",;:!?\"()";
    if (class == FOLD_BLANK)
        return GAP_BLANK;
    if (cp == 0xB7 || cp == 0x2022 || cp == 0x30FB || cp == 0x2027)
        return GAP_JOINER; /* middle dots, also between the parts of a name */
    if (cp < 0x80 && cp && strchr(joiners, (int)cp))
        return GAP_JOINER;
    if (cp < 0x80 && cp && strchr(marks, (int)cp))
        return GAP_MARK;
    bool mark = (cp >= 0x2010 && cp <= 0x2027) || (cp >= 0x3001 && cp <= 0x3003) ||
                (cp >= 0x3008 && cp <= 0x301F) || cp == 0xAB || cp == 0xBB || cp == 0x2039 ||
                cp == 0x203A;
    return mark ? GAP_MARK : GAP_ODD;
}

struct symbol_state {
    unsigned last, gap;
};

/* Returns the number of keys that the folded code point gives: 0 to 2. */
static unsigned symbol_step(struct symbol_state *st, uint32_t cp, uint32_t ret_keys[2])
{
    enum fold_class class = fold_entry_class(fold_entry(cp));
    unsigned n = 0;
    if (class == FOLD_INVISIBLE || class == FOLD_MARK)
        return 0;
    if (class == FOLD_SEPARATOR || class == FOLD_BLANK) {
        unsigned run = st->gap & GAP_RUN;
        st->gap |= symbol_gap(cp, class);
        st->gap = (st->gap & ~(unsigned)GAP_RUN) | (run < SYMBOL_RUN_MAX ? run + 1 : run);
        return 0;
    }
    unsigned kind = symbol_kind(cp);
    if (symbol_space(st->last, kind, st->gap))
        ret_keys[n++] = KEY_SPACE;
    ret_keys[n++] = cp;
    st->last = kind;
    st->gap = 0;
    return n;
}

int symbols_read(struct span word, struct symbols *ret_symbols)
{
    struct symbol_state st = {.last = SYMBOL_NONE};
    struct fold_reader reader = {0};
    struct fold_point point;
    bool letters = false, genuine = false;
    int got;
    ret_symbols->count = 0;
    ret_symbols->han = ret_symbols->word = false;
    do {
        got = fold_reader_next(&reader, &word, &point);
        if (got == 0)
            got = fold_reader_end(&reader, &point);
        if (got < 0)
            return got;
        if (got == 0)
            break;
        uint32_t cps[FOLD_EXPANSION_MAX], keys[2];
        unsigned n = fold_code_point(point.cp, cps);
        for (unsigned i = 0; i < n; i++) {
            unsigned added = symbol_step(&st, cps[i], keys);
            if (ret_symbols->count + added > MATCH_KEYWORD_MAX)
                return MATCH_TOO_LONG;
            memcpy(ret_symbols->keys + ret_symbols->count, keys, added * sizeof(*keys));
            ret_symbols->count += added;
            if (!added)
                continue;
            ret_symbols->han |= st.last == SYMBOL_HAN;
            ret_symbols->word |= kind_is_word(st.last);
            letters |= st.last == SYMBOL_LETTER;
            genuine |= st.last == SYMBOL_LETTER &&
                       !(fold_entry_layers(fold_entry(point.cp)) & LAYER_LOOKALIKE);
        }
    } while (got);
    ret_symbols->lookalike = letters && !genuine;
    return ret_symbols->count ? 0 : MATCH_EMPTY;
}

int match_fold(struct span text, struct buf *out)
{
    struct symbol_state st = {.last = SYMBOL_NONE};
    struct fold_reader reader = {0};
    struct fold_point point;
    for (;;) {
        int got = fold_reader_next(&reader, &text, &point);
        if (got == 0)
            got = fold_reader_end(&reader, &point);
        if (got <= 0)
            return got;
        uint32_t cps[FOLD_EXPANSION_MAX], keys[2];
        unsigned n = fold_code_point(point.cp, cps);
        for (unsigned i = 0; i < n; i++) {
            unsigned before = st.last, added = symbol_step(&st, cps[i], keys);
            /* A blank there would be read as nothing when the form is folded again. */
            if (added == 2 && kind_is_word(before) != kind_is_word(st.last))
                keys[0] = ',';
            for (unsigned j = 0; j < added; j++) {
                char bytes[4];
                size_t len = utf8_encode(keys[j], bytes);
                int r = buf_append(out, span_from(bytes, len));
                if (r < 0)
                    return r;
            }
        }
    }
}
