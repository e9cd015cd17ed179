#include "match/near.h"

#include <errno.h>
#include <stdlib.h>

static int grow(void **list, uint32_t *cap, uint32_t need, size_t size)
{
    if (need <= *cap)
        return 0;
    uint32_t wider = 2 * need > 8 ? 2 * need : 8;
    void *bigger = reallocarray(*list, wider, size);
    if (!bigger)
        return -ENOMEM;
    *list = bigger;
    *cap = wider;
    return 0;
}

int near_rules_add(struct near_rules *n, const struct match_near *near, uint32_t rule,
                   enum direction direction, uint32_t *ret_near)
{
    if (grow((void **)&n->rules, &n->cap, n->count + 1, sizeof(*n->rules)) < 0 ||
        grow((void **)&n->slot_rules, &n->slot_cap, n->slot_count + near->slots,
             sizeof(*n->slot_rules)) < 0)
        return -ENOMEM;
    n->rules[n->count] = (struct near_rule){.rule = rule,
                                            .first_slot = (uint32_t)n->slot_count,
                                            .slots = (uint8_t)near->slots,
                                            .direction = (uint8_t)direction,
                                            .within = (uint16_t)near->within,
                                            .ordered = near->ordered};
    for (unsigned i = 0; i < near->slots; i++)
        n->slot_rules[n->slot_count++] = (uint32_t)n->count;
    *ret_near = (uint32_t)n->count++;
    return 0;
}

/* ---- words ---- */

#define KEYS_MAX (256u << 20)

/* Where a key stands in `keys`; len 0: free. */
struct near_key {
    uint32_t from, len, word;
};

/* FNV-1a (Fowler, Noll, Vo). */
static uint32_t hash_key(struct span key)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < key.len; i++)
        h = (h ^ (unsigned char)key.data[i]) * 16777619u;
    return h;
}

static struct near_key *find_key(const struct near_rules *n, struct span key)
{
    uint32_t at = hash_key(key) & (n->table_cap - 1);
    for (;; at = (at + 1) & (n->table_cap - 1)) {
        struct near_key *k = &n->table[at];
        if (k->len == 0 || span_eq(span_from(n->keys.data + k->from, k->len), key))
            return k;
    }
}

static int widen_table(struct near_rules *n)
{
    if (2 * (n->word_count + 1) <= n->table_cap)
        return 0;
    struct near_key *old = n->table;
    uint32_t old_cap = n->table_cap, cap = old_cap ? 2 * old_cap : 64;
    struct near_key *table = calloc(cap, sizeof(*table));
    if (!table)
        return -ENOMEM;
    n->table = table;
    n->table_cap = cap;
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].len)
            *find_key(n, span_from(n->keys.data + old[i].from, old[i].len)) = old[i];
    free(old);
    return 0;
}

int near_rules_word(struct near_rules *n, struct span key, uint32_t slot, uint32_t *ret_word)
{
    if (n->keys.max == 0)
        buf_init(&n->keys, KEYS_MAX);
    if (widen_table(n) < 0 ||
        grow((void **)&n->places, &n->place_cap, n->place_count + 1, sizeof(*n->places)) < 0)
        return -ENOMEM;
    struct near_key *k = find_key(n, key);
    bool fresh = k->len == 0;
    if (fresh) {
        *k = (struct near_key){(uint32_t)n->keys.len, (uint32_t)key.len, n->word_count};
        if (buf_append(&n->keys, key) < 0) {
            k->len = 0;
            return -ENOMEM;
        }
        n->word_count++;
    }
    *ret_word = k->word;
    n->places[n->place_count++] = (struct near_place){k->word, slot};
    return fresh;
}

static int compare_places(const void *x, const void *y)
{
    const struct near_place *a = x, *b = y;
    if (a->word != b->word)
        return a->word < b->word ? -1 : 1;
    return (a->slot > b->slot) - (a->slot < b->slot);
}

int near_rules_ready(struct near_rules *n)
{
    uint32_t kept = 0;
    n->first = calloc(n->word_count + 1u, sizeof(*n->first));
    if (!n->first)
        return -ENOMEM;
    if (n->place_count)
        qsort(n->places, n->place_count, sizeof(*n->places), compare_places);
    for (uint32_t i = 0; i < n->place_count; i++) {
        const struct near_place *p = &n->places[i];
        if (kept && compare_places(p, &n->places[kept - 1]) == 0)
            continue; /* written twice in one slot */
        n->first[p->word + 1] = kept + 1;
        n->places[kept++] = *p;
    }
    n->place_count = kept;
    buf_deinit(&n->keys);
    free(n->table);
    n->table = NULL;
    return 0;
}

bool near_stands(const struct near_rules *n, uint32_t word, uint32_t slot)
{
    struct near_place wanted = {word, slot};
    return bsearch(&wanted, n->places + n->first[word], n->first[word + 1] - n->first[word],
                   sizeof(wanted), compare_places) != NULL;
}

bool near_rules_share(const struct near_rules *n, uint32_t a, uint32_t b)
{
    const struct near_place *p, *q, *p_end, *q_end;
    p = near_places(n, a, &p_end);
    q = near_places(n, b, &q_end);
    /* A rule's slots follow each other, so that the rules rise too. */
    while (p < p_end && q < q_end) {
        uint32_t x = n->slot_rules[p->slot], y = n->slot_rules[q->slot];
        if (x == y)
            return true;
        if (x < y)
            p++;
        else
            q++;
    }
    return false;
}

size_t near_rules_bytes(const struct near_rules *n)
{
    return n->count * sizeof(*n->rules) + n->slot_count * sizeof(*n->slot_rules) +
           n->place_count * sizeof(*n->places) + (n->word_count + 1u) * sizeof(*n->first);
}

void near_rules_deinit(struct near_rules *n)
{
    free(n->rules);
    free(n->slot_rules);
    free(n->places);
    free(n->first);
    free(n->table);
    buf_deinit(&n->keys);
    *n = (struct near_rules){0};
}

/* ---- one text ---- */

struct near *near_new(const struct near_rules *rules)
{
    struct near *n = calloc(1, sizeof(*n));
    if (n)
        n->rules = rules;
    return n;
}

void near_free(struct near *n)
{
    if (n)
        free(n->seen);
    free(n);
}

size_t near_bytes(const struct near *n)
{
    return sizeof(*n) + n->cap * sizeof(*n->seen);
}

void near_clear(struct near *n)
{
    for (uint32_t i = 0; i < n->cap; i++)
        n->seen[i].count = 0;
    n->count = 0;
}

/* Of the slot, or the free one where it would stand. The table is never full. */
static struct near_seen *look_up(struct near_seen *seen, uint32_t cap, uint32_t slot)
{
    /* Fibonacci hashing (Knuth, TAOCP 6.4): neighbours go apart. */
    uint32_t at = slot * 2654435769u >> 7 & (cap - 1);
    while (seen[at].count && seen[at].slot != slot)
        at = (at + 1) & (cap - 1);
    return &seen[at];
}

static const struct near_seen *find(const struct near *n, uint32_t slot)
{
    if (n->count == 0)
        return NULL;
    const struct near_seen *seen = look_up(n->seen, n->cap, slot);
    return seen->count ? seen : NULL;
}

/* The stretch that a rule's slots take up. */
struct window {
    uint64_t from, to;
};

static bool are_apart(const struct near_word *a, const struct near_word *b)
{
    return a->to <= b->from || b->to <= a->from;
}

/* Where the slots before that one begin, for the latest word of the slot before that ends in time.
 */
static bool chain_to(const struct near *n, const struct near_rule *r, uint32_t slot, uint64_t from,
                     uint64_t to, uint64_t *ret_chain)
{
    const struct near_seen *seen = find(n, slot - 1);
    for (uint32_t i = 0; seen && i < seen->count; i++) {
        if (seen->words[i].to > from)
            continue;
        *ret_chain = seen->words[i].chain;
        return to - *ret_chain <= r->within; /* or nothing comes of it any more */
    }
    return false;
}

/*
 * The least window with a word of the slot at from..to; false when another slot is missing. Words
 * that overlap are not two: so a word that has begun can't become part of a rule because of one
 * that ends later, and a word that stands in several slots fills one of them. Two words of each
 * other slot are known, of which every choice is tried.
 */
static bool window_of(const struct near *n, const struct near_rule *r, uint32_t slot, uint64_t from,
                      uint64_t to, struct window *ret)
{
    const struct near_seen *others[MATCH_SLOTS_MAX];
    unsigned count = 0;
    *ret = (struct window){from, to};
    if (r->ordered)
        return slot == r->first_slot || chain_to(n, r, slot, from, to, &ret->from);
    for (uint32_t other = r->first_slot; other < r->first_slot + r->slots; other++)
        if (other != slot && !(others[count++] = find(n, other)))
            return false;
    bool found = false;
    for (unsigned choice = 0; choice < 1u << count; choice++) {
        const struct near_word *words[MATCH_SLOTS_MAX], here = {from, to, from};
        struct window w = {from, to};
        bool good = true;
        for (unsigned i = 0; i < count && good; i++) {
            unsigned which = choice >> i & 1;
            good = which < others[i]->count;
            words[i] = &others[i]->words[good ? which : 0];
            good = good && are_apart(words[i], &here);
            for (unsigned k = 0; k < i && good; k++)
                good = are_apart(words[i], words[k]);
            w.from = words[i]->from < w.from ? words[i]->from : w.from;
            w.to = words[i]->to > w.to ? words[i]->to : w.to;
        }
        if (good && (!found || w.to - w.from < ret->to - ret->from))
            *ret = w;
        found = found || good;
    }
    return found;
}

static bool completes(const struct near_rule *r, uint32_t slot, const struct window *w)
{
    bool last = !r->ordered || slot == r->first_slot + r->slots - 1u;
    return last && w->to - w->from <= r->within;
}

bool near_would(const struct near *n, uint32_t slot, uint64_t from, uint64_t to,
                enum direction direction)
{
    const struct near_rule *r = &n->rules->rules[n->rules->slot_rules[slot]];
    struct window w;
    return n->count && (r->direction & direction) && window_of(n, r, slot, from, to, &w) &&
           completes(r, slot, &w);
}

/* Can the slot's words still be part of a rule behind `now`? */
static bool is_live(const struct near *n, const struct near_seen *seen, uint64_t now)
{
    const struct near_rule *r = &n->rules->rules[n->rules->slot_rules[seen->slot]];
    uint64_t since = 0;
    for (uint32_t k = 0; k < seen->count; k++) {
        const struct near_word *word = &seen->words[k];
        uint64_t from = r->ordered ? word->chain : word->from;
        since = from > since ? from : since;
    }
    return now <= since || now - since <= r->within;
}

/* Room for one more slot: what is over makes it, else the table grows. */
static int make_room(struct near *n, uint64_t now)
{
    if (4 * (n->count + 1) <= 3 * n->cap)
        return 0;
    uint32_t live = 0, cap = 8;
    for (uint32_t i = 0; i < n->cap; i++)
        live += n->seen[i].count && is_live(n, &n->seen[i], now);
    while (cap < 2 * (live + 1))
        cap *= 2;
    struct near_seen *seen = calloc(cap, sizeof(*seen));
    if (!seen)
        return -ENOMEM;
    for (uint32_t i = 0; i < n->cap; i++)
        if (n->seen[i].count && is_live(n, &n->seen[i], now))
            *look_up(seen, cap, n->seen[i].slot) = n->seen[i];
    free(n->seen);
    n->seen = seen;
    n->cap = cap;
    n->count = live;
    return 0;
}

int near_see(struct near *n, uint32_t slot, uint64_t from, uint64_t to, enum direction direction)
{
    const struct near_rule *r = &n->rules->rules[n->rules->slot_rules[slot]];
    struct window w;
    if (!(r->direction & direction))
        return 0; /* nothing will ever come of it here */
    bool whole = window_of(n, r, slot, from, to, &w);
    bool complete = whole && completes(r, slot, &w);
    if (r->ordered && !whole)
        return 0;
    if (make_room(n, to) < 0)
        return -ENOMEM;
    struct near_seen *seen = look_up(n->seen, n->cap, slot);
    if (seen->count == 0) {
        *seen = (struct near_seen){.slot = slot};
        n->count++;
    }
    seen->words[1] = seen->words[0];
    seen->words[0] = (struct near_word){from, to, r->ordered ? w.from : from};
    seen->count = seen->count ? 2 : 1;
    return complete;
}
