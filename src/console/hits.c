#include "console/hits.h"

#include "audit/overview.h"
#include "base/clock.h"
#include "casebook/casebook.h"

#include <errno.h>
#include <stdlib.h>

#define DAY_US    (24ull * 3600 * 1000000)
#define NAMES_MAX ((size_t)16 << 20)
#define BYTES_MAX ((size_t)1 << 20)

static void add(struct hits *h, struct span rule, uint64_t count, uint64_t wrong)
{
    if (h->count == h->cap) {
        size_t cap = h->cap ? 2 * h->cap : 256;
        struct hit_count *list = reallocarray(h->list, cap, sizeof(*list));
        if (!list)
            return; /* a number less, of rules that hit seldom */
        h->list = list;
        h->cap = cap;
    }
    struct span name = arena_copy(&h->arena, rule);
    if (name.data)
        h->list[h->count++] = (struct hit_count){name, count, wrong};
}

static void on_rule(void *ctx, struct span rule, uint64_t count)
{
    add(ctx, rule, count, 0);
}

static int compare(const void *a, const void *b)
{
    return span_compare(((const struct hit_count *)a)->rule, ((const struct hit_count *)b)->rule);
}

/* Each rule once. */
static void merge(struct hits *h)
{
    size_t kept = 0;
    if (h->count == 0)
        return;
    qsort(h->list, h->count, sizeof(*h->list), compare);
    for (size_t i = 1; i < h->count; i++) {
        if (span_eq(h->list[i].rule, h->list[kept].rule)) {
            h->list[kept].count += h->list[i].count;
            h->list[kept].false_positive += h->list[i].false_positive;
        } else {
            h->list[++kept] = h->list[i];
        }
    }
    h->count = kept + 1;
}

static int read_reviews(const struct api *api, uint64_t since, struct hits *h)
{
    struct buf text = BUF_INIT(BYTES_MAX);
    int r = casebook_refresh(api->casebook);
    if (r == 0)
        r = casebook_by_rule(api->casebook, since, &text);
    struct json_value *list = r == 0 ? value_parse(buf_span(&text), NULL) : NULL;
    for (size_t i = 0; i < value_count(list); i++) {
        struct span rule = SPAN_LIT("");
        int64_t wrong = 0;
        value_get_string(value_get(value_at(list, i), SPAN_LIT("rule")), &rule);
        value_get_integer(value_get(value_at(list, i), SPAN_LIT("false_positive")), &wrong);
        if (wrong > 0)
            add(h, rule, 0, (uint64_t)wrong);
    }
    value_free(list);
    buf_deinit(&text);
    return r;
}

int hits_read(const struct api *api, struct hits *ret_hits)
{
    uint64_t since = clock_wall_us() - HITS_DAYS * DAY_US;
    *ret_hits = (struct hits){0};
    arena_init(&ret_hits->arena, NAMES_MAX);
    int r = overview_rules(api->log_dir, since, on_rule, ret_hits);
    if (r == 0 && api->casebook)
        r = read_reviews(api, since, ret_hits);
    merge(ret_hits);
    return r;
}

void hits_deinit(struct hits *h)
{
    free(h->list);
    arena_deinit(&h->arena);
}

struct hit_count hits_of(const struct hits *h, struct span rule)
{
    struct hit_count key = {.rule = rule};
    const struct hit_count *found =
        h->count ? bsearch(&key, h->list, h->count, sizeof(key), compare) : NULL;
    return found ? *found : key;
}
