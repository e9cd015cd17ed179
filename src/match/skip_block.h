/*
 * How the scan of match/skip_avx512.c reads its blocks: classes and events by bytes, symbols and
 * heads by lanes.
 */
#pragma once

#include "match/skipwalk.h"

#include <immintrin.h>

#define VECTOR                                                                                     \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,"             \
                          "avx512bitalg,bmi,bmi2,lzcnt,popcnt")))

#define rare(condition) __builtin_expect(!!(condition), 0)

/* Where a block stands in bits: one a byte. */
struct masks {
    uint64_t three;   /* Han characters and others of three bytes, whole ones */
    uint64_t letters; /* and digits: ASCII */
    uint64_t odd;     /* ASCII separators that are GAP_ODD */
    uint64_t repeats; /* letters behind letters, which may be the same */
    uint64_t starts;  /* of runs of letters or digits */
};

struct block {
    __m512i bytes, classes;
    struct masks m;
    unsigned cut;    /* the block ends here */
    uint64_t events; /* bytes where they begin */
    uint32_t words;  /* of the events, one bit each: runs of letters or digits */
    uint32_t single; /* runs of one letter, perhaps said again */
    uint32_t heads;  /* runs whose head the filter knows */
};

/* Large, and written before it is read. */
#define UNINITIALIZED __attribute__((uninitialized))

VECTOR static inline uint64_t below(unsigned n)
{
    return _bzhi_u64(UINT64_MAX, n);
}

/* The byte at which event number `i` begins; 64 when there are not that many. */
VECTOR static inline unsigned event_at(uint64_t events, unsigned i)
{
    return (unsigned)_tzcnt_u64(_pdep_u64(1ull << i, events));
}

VECTOR static inline uint32_t event_of(uint64_t events, unsigned at)
{
    return 1u << _mm_popcnt_u64(events & below(at));
}

/* Bytes 0, 1, 2.. */
VECTOR static inline __m512i iota8(void)
{
    static const uint8_t bytes[64] __attribute__((aligned(64))) = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    return _mm512_load_si512(bytes);
}

/*
 * The block must not end within a word, nor between a word and what may show that it goes on: the
 * least end that is not behind the first of the words and odd separators before `limit`.
 */
VECTOR static inline unsigned cut_at(const struct masks *m, unsigned limit)
{
    uint64_t other = ~(m->letters | m->odd) & below(limit);
    unsigned behind = 64 - (unsigned)_lzcnt_u64(other);
    uint64_t starts = m->starts & below(limit) & ~below(behind);
    unsigned start = (unsigned)_tzcnt_u64(starts);
    return start < limit ? start : limit;
}

VECTOR static inline void block_end(struct block *b, unsigned cut)
{
    b->cut = cut;
    b->events &= below(cut);
    b->words = (uint32_t)_pext_u64(b->m.starts, b->events);
}

/* Classes the bytes of `valid`, and cuts the block where anything but scan_step() must look. */
VECTOR static inline void block_read(const struct skip *s, struct block *b, uint64_t valid)
{
    __m512i x = b->bytes;
    uint64_t ascii = ~_mm512_movepi8_mask(x) & valid;
    uint64_t more = _mm512_cmplt_epi8_mask(x, _mm512_set1_epi8(-64));
    uint64_t lead = _mm512_cmpeq_epi8_mask(_mm512_and_si512(x, _mm512_set1_epi8((char)0xF0)),
                                           _mm512_set1_epi8((char)0xE0));
    b->classes = _mm512_maskz_permutex2var_epi8(ascii, _mm512_loadu_si512(s->ascii), x,
                                                _mm512_loadu_si512(s->ascii + 64));
    uint64_t three = lead & more >> 1 & more >> 2;
    uint64_t plain = ascii & ~_mm512_cmpeq_epi8_mask(b->classes, _mm512_setzero_si512());
    uint64_t fine = plain | three | three << 1 | (three << 2);
    uint64_t wrong = ~fine | (more & ~(three << 1 | three << 2));
    unsigned limit = (unsigned)_tzcnt_u64(wrong);
    uint64_t in = below(limit);
    uint64_t letters = _mm512_cmpeq_epi8_mask(b->classes, _mm512_set1_epi8(SKIP_ASCII_LETTER));
    uint64_t digits = _mm512_cmpeq_epi8_mask(b->classes, _mm512_set1_epi8(SKIP_ASCII_DIGIT));
    b->m.three = three;
    b->m.odd = _mm512_cmpeq_epi8_mask(b->classes, _mm512_set1_epi8(SKIP_ASCII_ODD)) & in;
    b->m.letters = letters | digits;
    b->m.starts = (letters & ~(letters << 1)) | (digits & ~(digits << 1));
    b->m.repeats = letters & letters << 1;
    b->events = (b->m.three | b->m.starts) & in;
    unsigned many = event_at(b->events, 16);
    block_end(b, cut_at(&b->m, many < limit ? many : limit));
}

/* The symbols of the events. */
VECTOR static inline __m512i block_symbols(const struct skip *s, const struct block *b,
                                           __mmask16 han)
{
    static const uint32_t spread_to[16] __attribute__((aligned(64))) = {
        0x00000000, 0x01010101, 0x02020202, 0x03030303, 0x04040404, 0x05050505,
        0x06060606, 0x07070707, 0x08080808, 0x09090909, 0x0A0A0A0A, 0x0B0B0B0B,
        0x0C0C0C0C, 0x0D0D0D0D, 0x0E0E0E0E, 0x0F0F0F0F};
    __m512i at = _mm512_maskz_compress_epi8(b->events, iota8());
    at = _mm512_permutexvar_epi8(_mm512_load_si512(spread_to), at);
    at = _mm512_add_epi8(at, _mm512_set1_epi32(0x03020100));
    __m512i v =
        _mm512_and_si512(_mm512_permutexvar_epi8(at, b->bytes), _mm512_set1_epi32(0x003F3F0F));
    v = _mm512_maddubs_epi16(v, _mm512_set1_epi32(0x00010140));
    v = _mm512_madd_epi16(v, _mm512_set1_epi32(0x00010040));
    v = _mm512_mask_i32gather_epi32(_mm512_set1_epi32(SKIP_WORD), han, v, s->bmp, 2);
    return _mm512_and_si512(v, _mm512_set1_epi32(0xFFFF));
}

/* Two bits in each lane: of the numbers of five bits that stand `low` and `high` bits up. */
VECTOR static inline __m512i bits_of(__m512i lanes, unsigned low, unsigned high)
{
    __m512i one = _mm512_set1_epi32(1), five = _mm512_set1_epi32(31);
    __m512i x = _mm512_and_si512(_mm512_srli_epi32(lanes, low), five);
    __m512i y = _mm512_and_si512(_mm512_srli_epi32(lanes, high), five);
    return _mm512_or_si512(_mm512_sllv_epi32(one, x), _mm512_sllv_epi32(one, y));
}

/* skip_short() and skip_next() of the lanes. */
VECTOR static inline __m512i short_of(__m512i hash)
{
    return bits_of(hash, 0, 8);
}

VECTOR static inline __m512i next_of(__m512i symbols)
{
    return bits_of(_mm512_mullo_epi16(symbols, _mm512_set1_epi32(0x9E37)), 6, 11);
}

/* Which lanes have all those bits. */
VECTOR static inline uint32_t have(__m512i masks, __m512i bits)
{
    return _mm512_testn_epi32_mask(bits, _mm512_andnot_si512(masks, bits));
}

VECTOR static inline __m512i times(__m512i lanes, uint32_t factor)
{
    return _mm512_mullo_epi32(lanes, _mm512_set1_epi32((int)factor));
}

/* The low halves of eight and eight lanes. */
VECTOR static inline __m512i halves(__m512i low, __m512i high)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(low)),
                              _mm512_cvtepi64_epi32(high), 1);
}

/* The head of the event's runs, eight at a time. */
VECTOR static inline __m512i heads_of(__m512i bytes, __m512i classes, __m512i at, unsigned first)
{
    static const uint64_t spread_to[8] __attribute__((aligned(64))) = {0,
                                                                       0x0101010101010101,
                                                                       0x0202020202020202,
                                                                       0x0303030303030303,
                                                                       0x0404040404040404,
                                                                       0x0505050505050505,
                                                                       0x0606060606060606,
                                                                       0x0707070707070707};
    static const uint8_t firsts[16] = {0, 0, 0, 0, 0, 0, 0, 0, 8, 8, 8, 8, 8, 8, 8, 8};
    __m512i spread = _mm512_add_epi8(_mm512_load_si512(spread_to), _mm512_set1_epi8((char)first));
    at = _mm512_permutexvar_epi8(spread, at);
    at = _mm512_add_epi8(at, _mm512_set1_epi64(0x0706050403020100));
    classes = _mm512_permutexvar_epi8(at, classes);
    __m512i class = _mm512_shuffle_epi8(
        classes, _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)firsts)));
    uint64_t behind = _mm512_cmpneq_epi8_mask(classes, class);
    behind |= behind << 1 & 0xFEFEFEFEFEFEFEFE;
    behind |= behind << 2 & 0xFCFCFCFCFCFCFCFC;
    behind |= behind << 4 & 0xF0F0F0F0F0F0F0F0;
    __m512i lower = _mm512_or_si512(_mm512_permutexvar_epi8(at, bytes), _mm512_set1_epi8(0x20));
    return _mm512_maskz_mov_epi8(~behind, lower);
}

/* The runs of letters or digits of the block: which are singles, whose heads are known. */
VECTOR static inline void block_words(const struct skip *s, struct block *b, uint32_t events)
{
    struct masks *m = &b->m;
    /* Letters said again count once: they are taken out. */
    __m512i lower = _mm512_or_si512(b->bytes, _mm512_set1_epi8(0x20));
    __m512i before = _mm512_permutexvar_epi8(_mm512_sub_epi8(iota8(), _mm512_set1_epi8(1)), lower);
    uint64_t repeats = _mm512_mask_cmpeq_epi8_mask(m->repeats, lower, before);
    uint64_t kept = ~repeats;
    __m512i bytes = _mm512_maskz_compress_epi8(kept, b->bytes);
    __m512i classes = _mm512_maskz_compress_epi8(kept, b->classes);
    __m512i at = _mm512_maskz_compress_epi8(_pext_u64(b->events, kept), iota8());
    uint64_t starts = m->starts & b->events;

    /* Behind each start and its repeats: does the run go on? */
    uint64_t next = starts << 1;
    next = ((repeats + (next & repeats)) & ~repeats) | (next & ~repeats);
    uint64_t ends = _pext_u64(~m->letters | m->starts, next);
    b->single = (uint32_t)_pext_u64(_pdep_u64(ends, starts), b->events);

    __m512i factors = _mm512_set1_epi64((int64_t)0x85EBCA779E3779B1u);
    __m512i low = heads_of(bytes, classes, at, 0), high = heads_of(bytes, classes, at, 8);
    __m512i first = _mm512_and_si512(halves(low, high), _mm512_set1_epi32(0xFF));
    low = _mm512_mullo_epi32(low, factors);
    high = _mm512_mullo_epi32(high, factors);
    low = _mm512_add_epi32(low, _mm512_srli_epi64(low, 32));
    high = _mm512_add_epi32(high, _mm512_srli_epi64(high, 32));
    __m512i hash = halves(low, high);
    __m512i masks = _mm512_i32gather_epi32(
        _mm512_srl_epi32(hash, _mm_cvtsi32_si128((int)s->head_shift)), s->heads, 4);

    /* What comes behind each; behind the last event that is not known. */
    first = _mm512_mask_mov_epi32(_mm512_set1_epi32(SKIP_OTHER), (__mmask16)b->words, first);
    first = _mm512_maskz_compress_epi32((__mmask16)events, first);
    first = _mm512_alignr_epi32(_mm512_setzero_si512(), first, 1);
    first = _mm512_maskz_expand_epi32((__mmask16)events, first);
    uint32_t known = have(masks, short_of(hash)) | have(masks, next_of(first));
    known |= _mm512_test_epi32_mask(masks, masks) & ~(uint32_t)below(31 - _lzcnt_u32(events));
    b->heads = b->words & known;
}

/*
 * The first word of the block that scan_step() must look at, as the byte where it begins, or 64:
 * one that may go on behind odd separators, one letter behind another.
 */
VECTOR static inline unsigned first_doubt(const struct block *b, uint32_t events, bool single)
{
    const struct masks *m = &b->m;
    uint64_t in = below(b->cut), doubt = 0;
    uint64_t broken = m->odd & m->letters << 1;
    broken = (m->odd + broken) & ~m->odd & m->letters & in;
    if (broken)
        doubt = 1ull << (63 - _lzcnt_u64(m->starts & below((unsigned)_tzcnt_u64(broken))));
    uint32_t row = _pext_u32(b->single, events);
    row &= row << 1 | single;
    if (row)
        doubt |= _pdep_u64(_pdep_u64(row, events), b->events);
    return (unsigned)_tzcnt_u64(doubt);
}
