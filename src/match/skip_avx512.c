/*
 * The scan of match/skip.h for x86-64 with AVX-512, 64 bytes at a time:
 *   - the bytes are classed, and a block is cut so that it begins and ends between characters and
 *     between words, and everything that only scan_step() knows begins another block
 *   - events, at most 16 of them, are Han characters and runs of letters or digits. They become
 *     symbols in the lanes of one vector, without separators and repeats
 *   - all of them ask the filter at once; the few that it says yes to are confirmed one by one
 */
#include "match/skip_block.h"

struct vectors {
    __m512i last; /* the last symbols in the highest lanes */
    __m512i mask; /* the filter's for the last two, in the highest one */
    bool quiet;   /* the last event was no Han character */
};

/* The first of the lanes, symbols said again, that a word of nothing else may begin with. */
VECTOR static __attribute__((noinline)) unsigned first_double(const struct skip *s, __m512i symbols,
                                                              uint32_t lanes)
{
    uint32_t list[16] UNINITIALIZED;
    _mm512_storeu_si512(list, symbols);
    for (; lanes; lanes &= lanes - 1)
        if (skip_doubles(s, list[_tzcnt_u32(lanes)]))
            return _tzcnt_u32(lanes);
    return 32;
}

/* What the filter says of the symbols, by lanes. */
struct asked {
    __m512i symbols, masks;
    uint32_t third, brief, twice; /* yes, by lanes */
};

VECTOR static inline bool ask(const struct skip *s, const struct vectors *v, __m512i symbols,
                              unsigned count, uint32_t beside, struct asked *ret)
{
    /* skip_short(), skip_twice() and skip_next() as numbers of bits in pairs of lanes. */
    const __m512i five = _mm512_set1_epi8(31), odd = _mm512_set1_epi64(0x2020202000000000);
    const __m512i again = _mm512_set1_epi64(0x3030202010100000);
    const __m512i twice =
        _mm512_broadcast_i32x4(_mm_set_epi8(13, 12, 13, 12, 9, 8, 9, 8, 5, 4, 5, 4, 1, 0, 1, 0));
    const __m512i shifts = _mm512_set1_epi64(0x2B262B260B060B06);
    __m512i one = _mm512_alignr_epi32(symbols, v->last, 15);
    __m512i hash = _mm512_add_epi32(times(one, 0x9E3779B1u), times(symbols, 0x85EBCA77u));
    __m512i at = _mm512_srl_epi32(hash, _mm_cvtsi32_si128((int)s->filter_shift));
    /* Of what is in no word the filter was never told. */
    __mmask16 lanes = _mm512_mask_cmpneq_epi32_mask((__mmask16)below(count), symbols,
                                                    _mm512_set1_epi32(SKIP_OTHER));
    __m512i masks = _mm512_mask_i32gather_epi32(_mm512_setzero_si512(), lanes, at, s->filter, 4);
    __m512i before = _mm512_alignr_epi32(masks, v->mask, 15);
    __m512i pair = _mm512_ternarylogic_epi32(_mm512_shuffle_epi8(hash, twice), five, again, 0x6A);
    __m512i third = _mm512_multishift_epi64_epi8(
        shifts, _mm512_mullo_epi16(symbols, _mm512_set1_epi32(0x9E37)));
    third = _mm512_ternarylogic_epi32(third, five, odd, 0xEA);
    uint64_t pairs = _mm512_bitshuffle_epi64_mask(masks, pair);
    uint64_t thirds = _mm512_bitshuffle_epi64_mask(before, third);
    pairs &= pairs >> 1 & (0x1111111111111111 | _pdep_u64(beside, 0x4444444444444444));
    thirds = _bzhi_u64(thirds & thirds >> 1 & 0x1111111111111111, 4 * count);
    ret->masks = masks;
    if (!rare(pairs | thirds))
        return false;
    ret->symbols = symbols;
    ret->third = (uint32_t)_pext_u64(thirds, 0x1111111111111111) & lanes;
    ret->brief = (uint32_t)_pext_u64(pairs, 0x1111111111111111);
    ret->twice = (uint32_t)_pext_u64(pairs, 0x4444444444444444);
    return true;
}

/* Of the lanes that say yes to a third symbol, those that may go on with the one behind it. */
VECTOR static inline uint32_t ask_fourth(const struct skip *s, const struct vectors *v,
                                         __m512i symbols, unsigned count, uint32_t lanes)
{
    __m512i two = times(_mm512_alignr_epi32(symbols, v->last, 14), 0x9E3779B1u);
    __m512i one = times(_mm512_alignr_epi32(symbols, v->last, 15), 0x85EBCA77u);
    __m512i triple = _mm512_add_epi32(_mm512_add_epi32(two, one), times(symbols, 0xC2B2AE3Du));
    __m512i at = _mm512_srl_epi32(triple, _mm_cvtsi32_si128((int)s->fourth_shift));
    __m512i masks = _mm512_i32gather_epi32(at, s->fourths, 4);
    __m512i next = _mm512_alignr_epi32(_mm512_setzero_si512(), symbols, 1);
    uint32_t yes = have(masks, next_of(next)) | have(masks, short_of(triple));
    return lanes & (yes | 1u << (count - 1)); /* what follows the last lane is not known yet */
}

/* Of the lanes that say yes to two symbols, those for which skip_is_short(). */
VECTOR static inline uint32_t ask_short(const struct skip *s, const struct vectors *v,
                                        __m512i symbols, uint32_t lanes)
{
    __m512i one = _mm512_alignr_epi32(symbols, v->last, 15);
    __m512i hash = _mm512_add_epi32(times(one, 0x9E3779B1u), times(symbols, 0x85EBCA77u));
    __m512i at = _mm512_srl_epi32(hash, _mm_cvtsi32_si128((int)s->fourth_shift));
    __m512i masks = _mm512_i32gather_epi32(at, s->fourths, 4);
    return lanes & have(masks, short_of(hash));
}

/* The last lanes of what was there before and of the first `count` of what is added. */
VECTOR static inline __m512i remember(__m512i before, __m512i added, unsigned count)
{
    static const uint32_t lanes[16]
        __attribute__((aligned(64))) = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    __m512i from = _mm512_add_epi32(_mm512_load_si512(lanes), _mm512_set1_epi32((int)count));
    return _mm512_permutex2var_epi32(before, from, added);
}

/* Between the vectors and the chain of scan_step(). */
VECTOR static inline void chain_store(const struct vectors *v, struct chain *c)
{
    uint32_t last[16] UNINITIALIZED, mask[16] UNINITIALIZED;
    _mm512_storeu_si512(last, v->last);
    _mm512_storeu_si512(mask, v->mask);
    c->one = last[15] == SKIP_WORD ? 0 : last[15];
    c->two = last[14] == SKIP_WORD || !c->one ? 0 : last[14];
    c->mask = c->two ? mask[15] : 0;
}

VECTOR static inline void chain_load(struct vectors *v, const struct chain *c)
{
    v->last = _mm512_mask_set1_epi32(_mm512_setzero_si512(), 1u << 14, (int)c->two);
    v->last = _mm512_mask_set1_epi32(v->last, 1u << 15, (int)c->one);
    v->mask = _mm512_maskz_set1_epi32(1u << 15, (int)c->mask);
    v->quiet = !c->one;
}

/*
 * Confirms what the filter says yes to, in order. `events`: those that are no separators; `kept`:
 * of them, those that became lanes. True with *ret_end where the scan stops.
 */
VECTOR static __attribute__((noinline)) bool confirm(const struct scan *scan, const struct block *b,
                                                     const struct asked *a, __m512i before,
                                                     uint32_t events, uint32_t kept,
                                                     struct skip_end *ret_end)
{
    const struct chain *old = &scan->chain;
    uint32_t symbols[18] UNINITIALIZED, last[16] UNINITIALIZED;
    size_t at[18] UNINITIALIZED;
    unsigned count = (unsigned)_mm_popcnt_u32(kept);
    _mm512_storeu_si512(last, before);
    _mm512_storeu_si512(symbols + 2, a->symbols);
    symbols[0] = last[14];
    symbols[1] = last[15];
    at[0] = old->two_at;
    at[1] = old->one_at;
    uint64_t places = _pdep_u64(kept, b->events);
    for (unsigned i = 0; i < count; i++, places &= places - 1)
        at[i + 2] = scan->at + (unsigned)_tzcnt_u64(places);
    uint32_t asks = (uint32_t)_pdep_u32(a->third | a->brief | a->twice, kept);
    for (uint32_t left = asks | b->heads; left; left &= left - 1) {
        unsigned event = (unsigned)_tzcnt_u32(left);
        uint32_t bit = 1u << event;
        size_t here = scan->at + event_at(b->events, event);
        struct chain c = {0};
        bool stops = false;
        if (asks & bit) {
            unsigned i = (unsigned)_mm_popcnt_u32(kept & (bit - 1));
            unsigned hint = (a->twice >> i & 1 ? HINT_TWICE : 0) |
                            (a->brief >> i & 1 ? HINT_SHORT : 0) |
                            (a->third >> i & 1 ? HINT_THIRD : 0);
            c.one = symbols[i + 1] == SKIP_WORD ? 0 : symbols[i + 1];
            c.two = symbols[i] == SKIP_WORD || !c.one ? 0 : symbols[i];
            c.one_at = at[i + 1];
            c.two_at = at[i];
            stops = c.one && scan_confirms(scan, &c, symbols[i + 2], hint);
        }
        if (!stops && (b->heads & bit) && scan_confirms_head(scan, here)) {
            c.one = c.two = 0;
            stops = true;
        }
        if (!stops)
            continue;
        uint32_t earlier = events & (bit - 1);
        c.single = old->single;
        if (earlier) {
            unsigned previous = 31 - (unsigned)_lzcnt_u32(earlier);
            c.single =
                b->single >> previous & 1 ? scan->at + event_at(b->events, previous) : SIZE_MAX;
        }
        size_t from = c.two ? c.two_at : c.one ? c.one_at : here;
        *ret_end = (struct skip_end){c.single < from ? c.single : from, here};
        return true;
    }
    return false;
}

VECTOR static inline void chain_places(struct scan *scan, const struct block *b, uint32_t events,
                                       uint32_t kept)
{
    struct chain *c = &scan->chain;
    uint64_t places = _pdep_u64(kept, b->events);
    if (kept) {
        uint64_t one = 63 - _lzcnt_u64(places);
        places = _bzhi_u64(places, (unsigned)one);
        c->two_at = places ? scan->at + 63 - _lzcnt_u64(places) : c->one_at;
        c->one_at = scan->at + one;
    }
    if (events) {
        unsigned last = 31 - (unsigned)_lzcnt_u32(events);
        c->single = b->single >> last & 1 ? scan->at + event_at(b->events, last) : SIZE_MAX;
    }
}

/*
 * A block between its two halves. The filter is asked about a block while the next one is read:
 * one alone waits for memory most of the time.
 */
struct half {
    __m512i symbols, last; /* the lanes, and those before */
    uint64_t block_events;
    uint32_t single, heads;
    uint32_t events, kept; /* no separators; of them, the lanes */
    uint32_t beside;       /* lanes beside what was said again */
    unsigned count;
    bool asks;
    size_t at, two_at, one_at, chain_single;
};

/* The second half. True with *ret_end where the scan stops. */
VECTOR static inline bool half_ask(const struct scan *scan, const struct half *h, __m512i *mask,
                                   struct skip_end *ret_end)
{
    struct asked a UNINITIALIZED;
    struct vectors v = {.last = h->last, .mask = *mask};
    if (!h->asks)
        return false;
    bool yes = ask(scan->skip, &v, h->symbols, h->count, h->beside, &a);
    *mask = remember(*mask, a.masks, h->count);
    if (!yes) {
        if (!h->heads)
            return false;
        a.symbols = h->symbols;
        a.third = a.brief = a.twice = 0;
    }
    if (a.brief)
        a.brief = ask_short(scan->skip, &v, h->symbols, a.brief);
    if (a.third)
        a.third = ask_fourth(scan->skip, &v, h->symbols, h->count, a.third);
    if (!(a.third | a.brief | a.twice | h->heads))
        return false;
    /* Copies, so that what is worked with stays in registers. */
    struct scan then UNINITIALIZED = *scan;
    struct block block UNINITIALIZED;
    struct asked asked UNINITIALIZED = a;
    struct skip_end end;
    then.at = h->at;
    then.chain.two_at = h->two_at;
    then.chain.one_at = h->one_at;
    then.chain.single = h->chain_single;
    block.events = h->block_events;
    block.single = h->single;
    block.heads = h->heads;
    bool stops = confirm(&then, &block, &asked, v.last, h->events, h->kept, &end);
    *ret_end = end;
    return stops;
}

#define BLOCK_DONE 64

/* The first half: BLOCK_DONE, or before which byte the block must end, nothing being done. */
VECTOR static inline unsigned block_scan(struct scan *scan, struct vectors *v, struct block *b,
                                         struct half *h)
{
    const struct skip *s = scan->skip;
    uint32_t lanes = (uint32_t)below((unsigned)_mm_popcnt_u64(b->events)), events = lanes, kept = 0;
    __m512i symbols = _mm512_set1_epi32(SKIP_WORD);
    b->single = b->heads = 0;
    if (lanes & ~b->words) {
        symbols = block_symbols(s, b, (__mmask16)(lanes & ~b->words));
        uint32_t stop = _mm512_testn_epi32_mask(symbols, symbols);
        if (b->words)
            stop |= _mm512_cmpeq_epi32_mask(symbols, _mm512_set1_epi32(SKIP_ODD));
        if (rare(stop))
            return event_at(b->events, (unsigned)_tzcnt_u32(stop));
        events &= _mm512_cmplt_epu32_mask(symbols, _mm512_set1_epi32(SKIP_ODD));
    }
    if (b->words && s->latin) {
        block_words(s, b, events);
        unsigned doubt = first_doubt(b, events, scan->chain.single != SIZE_MAX);
        if (rare(doubt < b->cut))
            return doubt;
    }
    h->last = v->last;
    h->count = 0;
    h->beside = 0;
    h->asks = b->heads != 0;
    if ((events & ~b->words) || !v->quiet) {
        uint32_t all = (uint32_t)below((unsigned)_mm_popcnt_u32(events));
        symbols = _mm512_maskz_compress_epi32((__mmask16)events, symbols);
        uint32_t fresh =
            all & _mm512_cmpneq_epi32_mask(symbols, _mm512_alignr_epi32(symbols, v->last, 15));
        uint32_t again = _mm512_mask_cmplt_epu32_mask((__mmask16)(all & ~fresh), symbols,
                                                      _mm512_set1_epi32(SKIP_WORD));
        if (rare(again)) {
            unsigned twice = first_double(s, symbols, again);
            if (twice < 16)
                return event_at(b->events, event_at(events, twice));
        }
        h->count = (unsigned)_mm_popcnt_u32(fresh);
        h->asks = true;
        kept = (uint32_t)_pdep_u32(fresh, events);
        symbols = _mm512_maskz_compress_epi32((__mmask16)fresh, symbols);
        v->last = remember(v->last, symbols, h->count);
        /* Which lanes stand beside one that was said again, or where that is not known. */
        uint32_t beside = (all & ~fresh) << 1 | (all & ~fresh) >> 1 | 1 | (all & ~(all >> 1));
        h->beside = _pext_u32(beside, fresh);
        if (events)
            v->quiet = b->words >> (31 - _lzcnt_u32(events)) & 1;
    }
    h->symbols = symbols;
    h->block_events = b->events;
    h->single = b->single;
    h->heads = b->heads;
    h->events = events;
    h->kept = kept;
    h->at = scan->at;
    h->two_at = scan->chain.two_at;
    h->one_at = scan->chain.one_at;
    h->chain_single = scan->chain.single;
    chain_places(scan, b, events, kept);
    scan->at += b->cut;
    return BLOCK_DONE;
}

VECTOR static struct skip_end skip_avx512(const struct skip *s, struct span text, unsigned inside)
{
    struct scan begin;
    struct skip_end end;
    struct vectors v UNINITIALIZED;
    struct half ready UNINITIALIZED, half UNINITIALIZED;
    if (!scan_begin(&begin, s, text, inside))
        return (struct skip_end){0};
    struct scan scan = begin;
    chain_load(&v, &scan.chain);
    ready.asks = false;
    while (scan.at < scan.n) {
        struct block b UNINITIALIZED;
        size_t left = scan.n - scan.at;
        uint64_t valid = below(left < 64 ? (unsigned)left : 64);
        bool step = false;
        for (;;) {
            b.bytes = _mm512_maskz_loadu_epi8(valid, scan.p + scan.at);
            block_read(s, &b, valid);
            unsigned limit = block_scan(&scan, &v, &b, &half);
            if (limit == BLOCK_DONE)
                break;
            valid = below(limit);
            step = true;
        }
        if (half_ask(&scan, &ready, &v.mask, &end))
            return end;
        ready = half;
        if (!rare(step || b.cut == 0) || scan.at == scan.n)
            continue;
        if (half_ask(&scan, &ready, &v.mask, &end))
            return end;
        ready.asks = false;
        struct scan next UNINITIALIZED = scan;
        chain_store(&v, &next.chain);
        if (!scan_step(&next, &end))
            return end;
        chain_load(&v, &next.chain);
        scan = next;
    }
    if (half_ask(&scan, &ready, &v.mask, &end))
        return end;
    chain_store(&v, &scan.chain);
    return scan_end(&scan);
}

skip_scan_fn skip_vector(void)
{
    bool can = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
               __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("bmi2");
    return can ? skip_avx512 : NULL;
}
