#include "evaluation/sample.h"

#include <errno.h>
#include <stdlib.h>

/* A question that may be drawn; those of a type stand together. */
struct ticket {
    const struct question *question;
    struct span type;
    uint64_t lot;
};

/* One type's questions. */
struct stratum {
    size_t from, count; /* tickets */
    size_t quota;
    uint64_t rest; /* of the division that gave the quota */
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* By the question's id, so that a question more in the bank moves no other one's lot. */
static uint64_t draw_lot(uint64_t seed, struct span id)
{
    uint64_t lot = mix(seed);
    for (size_t i = 0; i < id.len; i++)
        lot = mix(lot ^ (unsigned char)id.data[i]);
    return lot;
}

static struct span type_of(const struct question *q)
{
    return q->risk ? q->risk->id : q->aspect ? q->aspect->zh : SPAN_NULL;
}

static int compare_tickets(const void *a, const void *b)
{
    const struct ticket *x = a, *y = b;
    int c = span_compare(x->type, y->type);
    if (c == 0)
        c = x->lot < y->lot ? -1 : x->lot > y->lot;
    return c ? c : span_compare(x->question->id, y->question->id);
}

/* In the order in which the bank has them. */
static int compare_places(const void *a, const void *b)
{
    const struct question *x = *(const struct question *const *)a;
    const struct question *y = *(const struct question *const *)b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    int c = span_compare(x->place.file, y->place.file);
    if (c == 0 && x->place.line != y->place.line)
        c = x->place.line < y->place.line ? -1 : 1;
    return c ? c : span_compare(x->id, y->id);
}

static size_t collect(const struct bank *b, const struct sample_options *o, enum bank_kind kind,
                      struct ticket *tickets)
{
    size_t n = 0;
    for (size_t i = 0; i < bank_count(b); i++) {
        const struct question *q = bank_at(b, i);
        if (q->kind == kind && (o->derived || q->seed.len == 0))
            tickets[n++] = (struct ticket){q, type_of(q), draw_lot(o->seed, q->id)};
    }
    if (n)
        qsort(tickets, n, sizeof(*tickets), compare_tickets);
    return n;
}

static size_t divide(const struct ticket *tickets, size_t n, struct stratum *strata)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !span_eq(tickets[i].type, tickets[i - 1].type))
            strata[count++] = (struct stratum){.from = i};
        strata[count - 1].count++;
    }
    return count;
}

/* Its share, rounded down but not to nothing; what is left goes to the largest remainders. */
static void share_out(struct stratum *strata, size_t count, size_t n, size_t wanted)
{
    size_t given = 0;
    for (size_t i = 0; i < count; i++) {
        struct stratum *s = &strata[i];
        s->quota = s->count * wanted / n;
        s->rest = s->count * wanted % n;
        if (s->quota == 0) {
            s->quota = 1;
            s->rest = 0;
        }
        given += s->quota;
    }
    while (given < wanted) {
        struct stratum *most = NULL;
        for (size_t i = 0; i < count; i++)
            if (strata[i].quota < strata[i].count && (!most || strata[i].rest > most->rest))
                most = &strata[i];
        if (!most)
            return;
        most->quota++;
        most->rest = 0;
        given++;
    }
    while (given > wanted) { /* the small ones took more than their share */
        struct stratum *largest = NULL;
        for (size_t i = 0; i < count; i++)
            if (strata[i].quota > 1 && (!largest || strata[i].quota > largest->quota))
                largest = &strata[i];
        if (!largest)
            return; /* more types than questions are wanted: each keeps its one */
        largest->quota--;
        given--;
    }
}

int sample_draw(const struct bank *b, const struct sample_options *o,
                const struct question ***ret_list, size_t *ret_count)
{
    size_t all = bank_count(b) ? bank_count(b) : 1, drawn = 0;
    struct ticket *tickets = calloc(all, sizeof(*tickets));
    struct stratum *strata = calloc(all, sizeof(*strata));
    const struct question **list = calloc(all, sizeof(*list));
    if (!tickets || !strata || !list) {
        free(tickets);
        free(strata);
        free(list);
        return -ENOMEM;
    }
    for (int k = 0; k < BANK_KINDS; k++) {
        if (!o->banks[k])
            continue;
        size_t n = collect(b, o, (enum bank_kind)k, tickets);
        size_t wanted = o->all || o->wanted[k] > n ? n : o->wanted[k];
        size_t count = wanted ? divide(tickets, n, strata) : 0;
        if (count)
            share_out(strata, count, n, wanted);
        for (size_t i = 0; i < count; i++)
            for (size_t q = 0; q < strata[i].quota; q++)
                list[drawn++] = tickets[strata[i].from + q].question;
    }
    if (drawn)
        qsort(list, drawn, sizeof(*list), compare_places);
    free(tickets);
    free(strata);
    *ret_list = list;
    *ret_count = drawn;
    return 0;
}
