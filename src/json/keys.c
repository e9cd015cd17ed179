#include "json/keys.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define LINEAR_MAX 16   /* up to here comparing all is faster than hashing */
#define KEEP_KEYS  4096 /* a longer list is given back when it empties */
#define KEEP_TEXT  65536

int json_keys_init(struct json_keys *k)
{
    *k = (struct json_keys){.text = BUF_INIT(SIZE_MAX / 2)};
    ssize_t n = getrandom(k->seed, sizeof(k->seed), 0);
    return n == (ssize_t)sizeof(k->seed) ? 0 : n < 0 ? -errno : -EIO;
}

void json_keys_deinit(struct json_keys *k)
{
    free(k->list);
    buf_deinit(&k->text);
    *k = (struct json_keys){0};
}

/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */
#define SIP_ROUND(v)                                                                               \
    do {                                                                                           \
        v[0] += v[1];                                                                              \
        v[2] += v[3];                                                                              \
        v[1] = (v[1] << 13 | v[1] >> 51) ^ v[0];                                                   \
        v[3] = (v[3] << 16 | v[3] >> 48) ^ v[2];                                                   \
        v[0] = v[0] << 32 | v[0] >> 32;                                                            \
        v[2] += v[1];                                                                              \
        v[0] += v[3];                                                                              \
        v[1] = (v[1] << 17 | v[1] >> 47) ^ v[2];                                                   \
        v[3] = (v[3] << 21 | v[3] >> 43) ^ v[0];                                                   \
        v[2] = v[2] << 32 | v[2] >> 32;                                                            \
    } while (0)

static uint64_t key_hash(const struct json_keys *k, struct span s)
{
    uint64_t v[4] = {k->seed[0] ^ 0x736f6d6570736575u, k->seed[1] ^ 0x646f72616e646f6du,
                     k->seed[0] ^ 0x6c7967656e657261u, k->seed[1] ^ 0x7465646279746573u};
    size_t at = 0;
    for (; s.len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, s.data + at, 8);
        v[3] ^= word;
        SIP_ROUND(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)s.len << 56;
    for (unsigned shift = 0; at < s.len; at++, shift += 8)
        last |= (uint64_t)(unsigned char)s.data[at] << shift;
    v[3] ^= last;
    SIP_ROUND(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    SIP_ROUND(v);
    SIP_ROUND(v);
    SIP_ROUND(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static struct span key_text(const struct json_keys *k, const struct json_key *key)
{
    return span_from(key->data ? key->data : k->text.data + key->at, key->len);
}

void json_keyset_open(struct json_keys *k, struct json_keyset *ret_set)
{
    *ret_set = (struct json_keyset){.first = k->count, .text = k->text.len};
}

static void slot_put(struct json_keyset *set, const struct json_key *key, size_t index)
{
    uint32_t mask = set->size - 1, at = (uint32_t)key->hash & mask;
    while (set->slots[at])
        at = (at + 1) & mask;
    set->slots[at] = (uint32_t)(index - set->first + 1);
}

/* Makes the table, or one of twice the size. */
static int keyset_grow(struct json_keys *k, struct json_keyset *set)
{
    uint32_t size = set->slots ? set->size * 2 : LINEAR_MAX * 4;
    uint32_t *slots = calloc(size, sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    bool first = set->slots == NULL;
    free(set->slots);
    set->slots = slots;
    set->size = size;
    for (size_t i = set->first; i < k->count; i++) {
        if (first)
            k->list[i].hash = key_hash(k, key_text(k, &k->list[i]));
        slot_put(set, &k->list[i], i);
    }
    return 0;
}

static int keys_push(struct json_keys *k, struct span key, bool lent, uint64_t hash)
{
    if (k->count == k->cap) {
        size_t cap = k->cap ? k->cap * 2 : 64;
        struct json_key *list = reallocarray(k->list, cap, sizeof(*list));
        if (!list)
            return -ENOMEM;
        k->list = list;
        k->cap = cap;
    }
    struct json_key entry = {.data = key.data, .len = key.len, .hash = hash};
    if (lent) {
        entry.data = NULL;
        entry.at = k->text.len;
        /* The room of an empty key, too, must be there to point at. */
        if (buf_reserve(&k->text, key.len + 1) < 0 || buf_append(&k->text, key) < 0)
            return -ENOMEM;
    }
    k->list[k->count++] = entry;
    return 0;
}

int json_keyset_add(struct json_keys *k, struct json_keyset *set, struct span key, bool lent)
{
    size_t n = k->count - set->first;
    if (!set->slots) {
        for (size_t i = set->first; i < k->count; i++)
            if (k->list[i].len == key.len && span_eq(key_text(k, &k->list[i]), key))
                return -EEXIST;
        if (n < LINEAR_MAX)
            return keys_push(k, key, lent, 0);
        if (keyset_grow(k, set) < 0)
            return -ENOMEM;
    }
    uint64_t hash = key_hash(k, key);
    uint32_t mask = set->size - 1;
    for (uint32_t at = (uint32_t)hash & mask; set->slots[at]; at = (at + 1) & mask) {
        const struct json_key *other = &k->list[set->first + set->slots[at] - 1];
        if (other->hash == hash && span_eq(key_text(k, other), key))
            return -EEXIST;
    }
    if ((n + 1) * 2 > set->size) {
        if (n >= UINT32_MAX / 4 || keyset_grow(k, set) < 0)
            return -ENOMEM;
    }
    if (keys_push(k, key, lent, hash) < 0)
        return -ENOMEM;
    slot_put(set, &k->list[k->count - 1], k->count - 1);
    return 0;
}

void json_keyset_close(struct json_keys *k, struct json_keyset *set)
{
    k->count = set->first;
    k->text.len = set->text;
    free(set->slots);
    set->slots = NULL;
    if (k->count == 0 && k->cap > KEEP_KEYS) {
        free(k->list);
        k->list = NULL;
        k->cap = 0;
    }
    if (k->text.len == 0 && k->text.cap > KEEP_TEXT)
        buf_deinit(&k->text);
}

int json_known_set(struct json_known *known, const char *const *keys)
{
    if (known->source == keys)
        return 0;
    size_t count = 0, longest = 0;
    while (keys && keys[count])
        count++;
    struct span *spans = NULL;
    if (count > 0) {
        spans = calloc(count, sizeof(*spans));
        if (!spans)
            return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        spans[i] = span_str(keys[i]);
        if (spans[i].len > longest)
            longest = spans[i].len;
    }
    free(known->keys);
    *known = (struct json_known){keys, spans, count, longest};
    return 0;
}

void json_known_deinit(struct json_known *known)
{
    free(known->keys);
    *known = (struct json_known){0};
}

/* Blank or invisible: White_Space, controls and Default_Ignorable_Code_Point of Unicode. */
static bool is_blank(uint32_t cp)
{
    static const uint32_t ranges[][2] = {
        {0x0000, 0x0020},   {0x007F, 0x00A0}, {0x00AD, 0x00AD},   {0x034F, 0x034F},
        {0x061C, 0x061C},   {0x115F, 0x1160}, {0x1680, 0x1680},   {0x17B4, 0x17B5},
        {0x180B, 0x180F},   {0x2000, 0x200F}, {0x2028, 0x202F},   {0x205F, 0x206F},
        {0x3000, 0x3000},   {0x3164, 0x3164}, {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},
        {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFF8}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
        {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
        if (cp >= ranges[i][0] && cp <= ranges[i][1])
            return true;
    return false;
}

/* The ASCII character that cp reads as, 0 for one that isn't seen, -1 for any other. */
static int fold_ascii(uint32_t cp)
{
    if (is_blank(cp))
        return 0;
    if (cp >= 0xFF01 && cp <= 0xFF5E) /* full width */
        cp -= 0xFEE0;
    if (cp >= 'A' && cp <= 'Z')
        return (int)cp + 32;
    if (cp == 0x017F)
        return 's';
    if (cp == 0x212A)
        return 'k';
    return cp < 0x7F ? (int)cp : -1;
}

#define ONES 0x0101010101010101u

/* Nonzero when a byte is an upper-case letter, blank, control or not ASCII. */
static inline uint64_t word_folds(uint64_t w)
{
    uint64_t upper = (w + ONES * (0x80 - 'A')) & ~(w + ONES * (0x7F - 'Z'));
    return (upper | (w - ONES * 0x21) | (w + ONES) | w) & ONES * 0x80;
}

/* Whether there is nothing to fold: such a key is itself, known or not. */
static bool is_plain(struct span key)
{
    const char *p = key.data;
    size_t len = key.len;
    uint64_t found = 0, word = ONES * 'a';
    if (len >= 8) {
        for (size_t at = 0; at + 8 < len; at += 8) {
            memcpy(&word, p + at, 8);
            found |= word_folds(word);
        }
        memcpy(&word, p + len - 8, 8);
    } else if (len >= 4) {
        uint32_t head, tail;
        memcpy(&head, p, 4);
        memcpy(&tail, p + len - 4, 4);
        word = (uint64_t)head << 32 | tail;
    } else {
        for (size_t i = 0; i < len; i++)
            word = word << 8 | (unsigned char)p[i];
    }
    return (found | word_folds(word)) == 0;
}

bool json_known_twin(const struct json_known *known, struct span key)
{
    if (known->count == 0 || is_plain(key))
        return false;
    char folded[64];
    size_t len = 0;
    for (size_t at = 0; at < key.len;) {
        uint32_t cp;
        int n = utf8_decode(span_slice(key, at, key.len), true, &cp);
        if (n <= 0)
            return false;
        at += (size_t)n;
        int c = fold_ascii(cp);
        if (c < 0 || (c > 0 && (len == sizeof(folded) || len == known->longest)))
            return false;
        if (c > 0)
            folded[len++] = (char)c;
    }
    for (size_t i = 0; i < known->count; i++)
        if (span_eq(known->keys[i], span_from(folded, len)))
            return true;
    return false;
}
