#include "match/symbol.h"

#include <errno.h>

struct symbol_state {
    unsigned last, run; /* class of the last symbol; separators since */
    bool blank;         /* the run is all blank */
};

/* Returns the number of keys that the folded code point gives: 0 to 2. */
static unsigned symbol_step(struct symbol_state *st, uint32_t cp, uint32_t ret_keys[2])
{
    unsigned class = fold_entry_class(fold_entry(cp)), n = 0;
    if (class == FOLD_INVISIBLE || class == FOLD_MARK)
        return 0;
    if (class == FOLD_SEPARATOR || class == FOLD_BLANK) {
        st->blank = (st->run == 0 || st->blank) && class == FOLD_BLANK;
        st->run++;
        return 0;
    }
    if (st->last != SYMBOL_NONE && symbol_space(st->last, class, st->run, st->blank))
        ret_keys[n++] = KEY_SPACE;
    ret_keys[n++] = cp | (symbol_initial(st->last, class, st->run) ? KEY_INITIAL : 0);
    st->last = class;
    st->run = 0;
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
    ret_symbols->han = false;
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
            ret_symbols->han |= st.last == FOLD_HAN;
            letters |= symbol_letter(cps[i]);
            genuine |= symbol_letter(cps[i]) &&
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
            if (added == 2 && before != st.last)
                keys[0] = '-';
            for (unsigned j = 0; j < added; j++) {
                char bytes[4];
                size_t len = utf8_encode(keys[j] & ~KEY_INITIAL, bytes);
                int r = buf_append(out, span_from(bytes, len));
                if (r < 0)
                    return r;
            }
        }
    }
}
