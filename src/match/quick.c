/* Reads what most text is: Han characters and separators, while no word gets far. */
#include "match/reading.h"

/* What quick_run() works on: the lane's lone characters and the text, in registers. */
struct quick {
    struct lane_lone lone;
    bool adjacent; /* the lane's, while no lone character is on */
    uint64_t pos, counted;
    bool paused; /* the moment's */
};

/* A separator. False where a lane must read it: behind a pair. */
static inline bool quick_gap(struct quick *q, const struct trie *t, uint32_t cp)
{
    if (!q->lone.on) {
        q->adjacent = false;
        return true;
    }
    if (q->lone.pair != PLACE_NONE)
        return false;
    unsigned run = q->lone.gap & GAP_RUN;
    unsigned bits =
        trie_point(t, cp) >> POINT_GAP_SHIFT & (GAP_BLANK | GAP_JOINER | GAP_MARK | GAP_ODD);
    if (run == SYMBOL_RUN_MAX)
        q->lone.symbol = 0; /* parted */
    else
        q->lone.gap = (uint8_t)((q->lone.gap | bits) + 1);
    return true;
}

/* The word that goes on, or the lone character, goes on to `place` with the character. */
static inline void quick_go_on(struct quick *q, const struct trie *t, uint32_t place, uint32_t cp)
{
    uint32_t target = fold_entry(cp) & FOLD_TARGET;
    if (q->lone.pair == PLACE_NONE) {
        uint32_t first = fold_entry(q->lone.cp) & FOLD_TARGET;
        q->lone.before = q->lone.start;
        q->lone.before_seen = q->lone.seen;
        q->lone.layers = point_layers(trie_point(t, q->lone.cp));
        q->lone.print = trie_print(0, first ? first : q->lone.cp);
        q->lone.length = 1;
    }
    q->lone.pair = place;
    q->lone.layers |= point_layers(trie_point(t, cp));
    q->lone.print = trie_print(q->lone.print, target ? target : cp);
    q->lone.length++;
}

/* A Han character. False when a word may end with it, or two go on. */
static inline bool quick_han(struct quick *q, const struct trie *t, uint32_t symbol, uint32_t cp)
{
    uint32_t further = PLACE_NONE, second = PLACE_NONE;
    if (q->lone.on && symbol) {
        if (symbol == q->lone.symbol)
            return false;
        if (q->lone.pair != PLACE_NONE)
            further = trie_step(t, q->lone.pair, symbol);
        if (q->lone.symbol && trie_begins(t, q->lone.symbol, symbol)) {
            uint32_t first = t->first[q->lone.symbol];
            second = first == PLACE_NONE ? PLACE_NONE : trie_step(t, first, symbol);
        }
    }
    if (further != PLACE_NONE || second != PLACE_NONE) {
        if ((further != PLACE_NONE && second != PLACE_NONE) || q->lone.gap ||
            trie_ends(t, further != PLACE_NONE ? further : second))
            return false;
        if (further == PLACE_NONE)
            q->lone.pair = PLACE_NONE; /* another word begins */
        quick_go_on(q, t, further != PLACE_NONE ? further : second, cp);
    } else {
        q->lone.pair = PLACE_NONE;
    }
    q->lone.start = q->pos;
    q->lone.cp = cp;
    q->lone.seen = (uint32_t)q->counted;
    q->lone.symbol = (uint16_t)symbol;
    q->lone.gap = 0;
    q->lone.on = true;
    return true;
}

/*
 * Reads plain characters from p on; *ret_read is how many bytes. Returns 0 or what a hit of a
 * pattern was answered with.
 */
static int quick_run(struct cursor *c, struct quick *q, const unsigned char *p, size_t len,
                     size_t *ret_read)
{
    const struct lane *l = &c->lane[0];
    const struct skip *s = &c->set->skips[LENS_PLAIN];
    size_t i = 0;
    int r = 0;
    while (i < len && r == 0) {
        uint32_t cp = p[i];
        unsigned n = 1, counted = 0;
        if (cp < 0x80) {
            unsigned class = s->ascii[cp];
            if (class == SKIP_ASCII_PASS || class == SKIP_ASCII_ODD) {
                if (!quick_gap(q, l->trie, cp))
                    break;
            } else {
                /* Within a word that no keyword begins with. */
                unsigned kind = class == SKIP_ASCII_LETTER ? SYMBOL_LETTER : SYMBOL_DIGIT;
                if (class < SKIP_ASCII_LETTER || q->lone.on || !q->adjacent || l->kind != kind)
                    break;
                counted = 1;
            }
        } else {
            if (cp < 0xE0 || cp >= 0xF0 || len - i < 3 || (p[i + 1] & 0xC0) != 0x80 ||
                (p[i + 2] & 0xC0) != 0x80)
                break;
            cp = (cp & 15u) << 12 | (p[i + 1] & 63u) << 6 | (p[i + 2] & 63u);
            uint32_t v = s->bmp[cp];
            bool separator = v == SKIP_PASS || v == SKIP_ODD;
            if (v == SKIP_STOP || (separator ? !quick_gap(q, l->trie, cp)
                                             : !quick_han(q, l->trie, v == SKIP_OTHER ? 0 : v, cp)))
                break;
            counted = !separator;
            n = 3;
        }
        struct fold_point point = {.start = q->pos, .end = q->pos + n, .cp = cp};
        q->pos += n;
        q->counted += moment_distance(cp, counted, &q->paused);
        i += n;
        if (c->watch && point.start >= c->watched) {
            c->watched = point.end;
            r = watch_point(c->watch, &point, c->receiver->fn, c->receiver->ctx);
        }
    }
    *ret_read = i;
    return r;
}

/* The beginning of a character of three bytes whose rest is in the next piece. */
static bool is_cut(struct span rest)
{
    const unsigned char *p = (const unsigned char *)rest.data;
    return rest.len && rest.len < 3 && p[0] > 0xE0 && p[0] < 0xF0 && p[0] != 0xED &&
           (rest.len == 1 || (p[1] & 0xC0) == 0x80);
}

/*
 * Reads plain text on as long as no word goes beyond its second character: what cursor_point()
 * would do, without its generality. 0 or what a hit of a pattern was answered with.
 */
int cursor_quick(struct cursor *c, struct span *rest)
{
    struct lane *l = &c->lane[0];
    lane_sleep(l);
    if (c->lanes != 1 || l->count || c->waiting_count || rest->len == 0)
        return 0;
    struct quick q = {.lone = l->lone,
                      .adjacent = l->adjacent,
                      .pos = c->reader.pos,
                      .counted = c->moment.now,
                      .paused = c->moment.paused};
    size_t read = 0;
    unsigned tail = c->reader.tail_len;
    int r = 0;
    if (tail) { /* of a character cut by the end of the piece before */
        unsigned char whole[3];
        if (tail > 2 || c->reader.tail[0] < 0xE0 || tail + rest->len < 3)
            return 0;
        memcpy(whole, c->reader.tail, tail);
        memcpy(whole + tail, rest->data, 3 - tail);
        r = quick_run(c, &q, whole, 3, &read);
        if (read == 0)
            return r;
        c->reader.tail_len = 0;
        *rest = span_slice(*rest, 3 - tail, rest->len);
    }
    if (r == 0 && rest->len) {
        r = quick_run(c, &q, (const unsigned char *)rest->data, rest->len, &read);
        *rest = span_slice(*rest, read, rest->len);
    }
    l->lone = q.lone;
    l->gap_layers = l->adjacent && !q.adjacent ? 0 : l->gap_layers;
    l->adjacent = q.adjacent;
    c->reader.pos = q.pos;
    c->moment.now = q.counted;
    c->moment.paused = q.paused;
    if (r == 0 && is_cut(*rest)) {
        memcpy(c->reader.tail, rest->data, rest->len);
        c->reader.tail_len = (uint8_t)rest->len;
        *rest = span_slice(*rest, rest->len, rest->len);
    }
    return r;
}
