#include "base/series.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_MAX 16
#define INDEX_SIZE  (4 * SERIES_MAX)
#define TEXT_MAX    (SERIES_LABELS_MAX * (SERIES_VALUE_MAX + 1))

enum unit { UNIT_NONE, UNIT_SECONDS }; /* seconds are counted in microseconds */

struct family {
    const char *name, *help;
    const char *labels[SERIES_LABELS_MAX + 1];
    const uint64_t *bounds; /* ends with 0; NULL: a counter */
    enum unit unit;
};

/* The boundaries that the conventions ask for, where they do. */
static const uint64_t seconds_operation[] = {10000,    20000,    40000,    80000,    160000,
                                             320000,   640000,   1280000,  2560000,  5120000,
                                             10240000, 20480000, 40960000, 81920000, 0};
static const uint64_t seconds_first[] = {1000,    5000,    10000,   20000,    40000,  60000,
                                         80000,   100000,  250000,  500000,   750000, 1000000,
                                         2500000, 5000000, 7500000, 10000000, 0};
static const uint64_t seconds_judge[] = {10,   25,   50,    100,   250,    500,     1000,
                                         2500, 5000, 10000, 25000, 100000, 1000000, 0};
static const uint64_t seconds_held[] = {1000,   5000,    10000,   25000,   50000,    100000, 250000,
                                        500000, 1000000, 2500000, 5000000, 10000000, 0};
static const uint64_t tokens[] = {1,     4,      16,      64,      256,      1024,     4096, 16384,
                                  65536, 262144, 1048576, 4194304, 16777216, 67108864, 0};

#define MODEL_LABELS "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"

static const struct family families[SERIES_FAMILIES] = {
    [SERIES_INTERCEPTIONS] = {"juyong_interceptions_total",
                              "Findings by app, risk, direction and action; a risk counts once for "
                              "each record of an exchange.",
                              {"app", "risk", "direction", "action"}},
    [SERIES_APP_EXCHANGES] = {"juyong_app_exchanges_total",
                              "Exchanges by app and final action.",
                              {"app", "action"}},
    [SERIES_JUDGE] = {"juyong_judge_seconds",
                      "Time spent judging one exchange.",
                      {NULL},
                      seconds_judge,
                      UNIT_SECONDS},
    [SERIES_HELD] = {"juyong_held_seconds",
                     "The longest that an event of a stream was held.",
                     {NULL},
                     seconds_held,
                     UNIT_SECONDS},
    [SERIES_TOKENS] = {"gen_ai_client_token_usage",
                       "Tokens of one exchange as the upstream counted them.",
                       {MODEL_LABELS, "gen_ai_token_type"},
                       tokens},
    [SERIES_OPERATION] = {"gen_ai_client_operation_duration_seconds",
                          "From asking the upstream to its last byte.",
                          {MODEL_LABELS, "error_type"},
                          seconds_operation,
                          UNIT_SECONDS},
    [SERIES_REQUEST] = {"gen_ai_server_request_duration_seconds",
                        "From the head of a request to the end of its answer.",
                        {MODEL_LABELS, "error_type"},
                        seconds_operation,
                        UNIT_SECONDS},
    [SERIES_FIRST_TOKEN] = {"gen_ai_server_time_to_first_token_seconds",
                            "From the head of a request to the first byte of its answer.",
                            {MODEL_LABELS},
                            seconds_first,
                            UNIT_SECONDS},
};

/* One set of labels. Texts stand one behind the other, each with a NUL behind it. */
struct sample {
    enum series_family family;
    uint32_t hash;
    unsigned text_len;
    char text[TEXT_MAX];
    _Atomic uint64_t sum; /* of a counter its value */
    _Atomic uint64_t buckets[BUCKETS_MAX + 1];
};

struct series {
    _Atomic size_t count;
    struct sample *samples[SERIES_MAX + SERIES_FAMILIES];
    uint16_t index[INDEX_SIZE]; /* the writer's: number of a sample + 1 */
};

static size_t label_count(enum series_family f)
{
    size_t n = 0;
    while (n < SERIES_LABELS_MAX && families[f].labels[n])
        n++;
    return n;
}

static size_t bucket_count(enum series_family f)
{
    size_t n = 0;
    while (families[f].bounds && families[f].bounds[n])
        n++;
    return n;
}

static unsigned join(enum series_family f, const struct span *labels, char ret_text[TEXT_MAX])
{
    unsigned at = 0;
    for (size_t i = 0, n = label_count(f); i < n; i++) {
        struct span s = labels[i];
        if (s.len > SERIES_VALUE_MAX)
            s.len = utf8_floor(s, SERIES_VALUE_MAX);
        if (s.len)
            memcpy(ret_text + at, s.data, s.len);
        at += (unsigned)s.len;
        ret_text[at++] = '\0';
    }
    return at;
}

/* FNV-1a. */
static uint32_t hash_of(enum series_family f, const char *text, unsigned len)
{
    uint32_t h = 2166136261u ^ (uint32_t)f;
    for (unsigned i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * 16777619u;
    return h;
}

/* The place in the index where the sample stands, or would. */
static uint16_t *find(struct series *s, enum series_family f, uint32_t hash, const char *text,
                      unsigned len)
{
    for (uint32_t at = hash;; at++) {
        uint16_t *place = &s->index[at % INDEX_SIZE];
        if (*place == 0)
            return place;
        const struct sample *got = s->samples[*place - 1];
        if (got->hash == hash && got->family == f && got->text_len == len &&
            memcmp(got->text, text, len) == 0)
            return place;
    }
}

static struct sample *sample_of(struct series *s, enum series_family f, const struct span *labels,
                                size_t max)
{
    char text[TEXT_MAX];
    unsigned len = join(f, labels, text);
    uint32_t hash = hash_of(f, text, len);
    uint16_t *place = find(s, f, hash, text, len);
    if (*place)
        return s->samples[*place - 1];
    size_t count = atomic_load_explicit(&s->count, memory_order_relaxed);
    if (count >= max)
        return NULL;
    struct sample *new = calloc(1, sizeof(*new));
    if (!new)
        return NULL;
    new->family = f;
    new->hash = hash;
    new->text_len = len;
    memcpy(new->text, text, len);
    s->samples[count] = new;
    *place = (uint16_t)(count + 1);
    /* Readers see it whole. */
    atomic_store_explicit(&s->count, count + 1, memory_order_release);
    return new;
}

static struct sample *look_up(struct metrics *m, enum series_family f, const struct span *labels)
{
    struct series *s = atomic_load_explicit(&m->series, memory_order_relaxed);
    if (!s) {
        s = calloc(1, sizeof(*s));
        if (!s)
            return NULL;
        atomic_store_explicit(&m->series, s, memory_order_release);
    }
    struct sample *found = sample_of(s, f, labels, SERIES_MAX);
    if (found)
        return found;
    struct span other[SERIES_LABELS_MAX];
    for (size_t i = 0; i < SERIES_LABELS_MAX; i++)
        other[i] = SPAN_LIT("other");
    return sample_of(s, f, other, SERIES_MAX + SERIES_FAMILIES);
}

/* One writer: no locked instruction. */
static void add(_Atomic uint64_t *to, uint64_t n)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

void series_count(struct metrics *m, enum series_family f, const struct span *labels, uint64_t n)
{
    struct sample *s = look_up(m, f, labels);
    if (s)
        add(&s->sum, n);
}

void series_observe(struct metrics *m, enum series_family f, const struct span *labels,
                    uint64_t value)
{
    struct sample *s = look_up(m, f, labels);
    if (!s)
        return;
    const uint64_t *bounds = families[f].bounds;
    size_t i = 0;
    while (bounds[i] && value > bounds[i])
        i++;
    add(&s->buckets[i], 1);
    add(&s->sum, value);
}

void series_free(struct metrics *m)
{
    struct series *s = atomic_exchange(&m->series, NULL);
    size_t count = s ? atomic_load(&s->count) : 0;
    for (size_t i = 0; i < count; i++)
        free(s->samples[i]);
    free(s);
}

/* --- reading --- */

static const struct series *read_series(const struct metrics *m, size_t *ret_count)
{
    const struct series *s = atomic_load_explicit(&m->series, memory_order_acquire);
    *ret_count = s ? atomic_load_explicit(&s->count, memory_order_acquire) : 0;
    return s;
}

static void split(const struct sample *s, struct span ret_labels[SERIES_LABELS_MAX])
{
    const char *at = s->text;
    for (size_t i = 0, n = label_count(s->family); i < n; i++) {
        ret_labels[i] = span_str(at);
        at += ret_labels[i].len + 1;
    }
}

uint64_t series_sum(const struct metrics *const *all, size_t count, enum series_family f,
                    bool (*fits)(void *ctx, const struct span *labels), void *ctx)
{
    uint64_t sum = 0;
    for (size_t w = 0; w < count; w++) {
        size_t n;
        const struct series *s = read_series(all[w], &n);
        for (size_t i = 0; i < n; i++) {
            struct span labels[SERIES_LABELS_MAX];
            if (s->samples[i]->family != f)
                continue;
            split(s->samples[i], labels);
            if (fits(ctx, labels))
                sum += atomic_load_explicit(&s->samples[i]->sum, memory_order_relaxed);
        }
    }
    return sum;
}

static int compare(const void *a, const void *b)
{
    const struct sample *x = *(const struct sample *const *)a;
    const struct sample *y = *(const struct sample *const *)b;
    if (x->family != y->family)
        return x->family < y->family ? -1 : 1;
    return span_compare(span_from(x->text, x->text_len), span_from(y->text, y->text_len));
}

int series_escape(struct buf *out, struct span value)
{
    int r = 0;
    for (size_t i = 0; i < value.len && r == 0; i++) {
        char c = value.data[i];
        if (c == '\n')
            r = buf_append(out, SPAN_LIT("\\n"));
        else if (c == '\\' || c == '"')
            r = buf_append(out, span_from((char[]){'\\', c}, 2));
        else
            r = buf_append_char(out, c);
    }
    return r;
}

/* {a="b",le="0.1"}, or nothing. A label without a value is left out: it is the same to Prometheus.
 */
static int print_labels(struct buf *out, const struct sample *s, const char *le)
{
    struct span labels[SERIES_LABELS_MAX];
    char before = '{';
    int r = 0;
    split(s, labels);
    for (size_t i = 0, n = label_count(s->family); i < n && r == 0; i++) {
        if (labels[i].len == 0)
            continue;
        r = buf_printf(out, "%c%s=\"", before, families[s->family].labels[i]);
        if (r == 0)
            r = series_escape(out, labels[i]);
        if (r == 0)
            r = buf_append_char(out, '"');
        before = ',';
    }
    if (r == 0 && le) {
        r = buf_printf(out, "%cle=\"%s\"", before, le);
        before = ',';
    }
    return r < 0 || before == '{' ? r : buf_append_char(out, '}');
}

static int print_value(struct buf *out, const struct family *f, uint64_t value)
{
    if (f->unit == UNIT_SECONDS)
        return buf_printf(out, " %llu.%06llu\n", (unsigned long long)(value / 1000000),
                          (unsigned long long)(value % 1000000));
    return buf_printf(out, " %llu\n", (unsigned long long)value);
}

static void print_bound(const struct family *f, uint64_t bound, char ret_text[32])
{
    if (f->unit == UNIT_SECONDS)
        snprintf(ret_text, 32, "%g", (double)bound / 1e6);
    else
        snprintf(ret_text, 32, "%llu", (unsigned long long)bound);
}

/* `alike` are samples of the same labels, one a worker. */
static int print_sample(struct buf *out, const struct sample *const *alike, size_t count)
{
    const struct family *f = &families[alike[0]->family];
    uint64_t sum = 0, total = 0;
    int r = 0;
    for (size_t i = 0; i < count; i++)
        sum += atomic_load_explicit(&alike[i]->sum, memory_order_relaxed);
    if (!f->bounds) {
        r = buf_append(out, span_str(f->name));
        if (r == 0)
            r = print_labels(out, alike[0], NULL);
        return r < 0 ? r : print_value(out, f, sum);
    }
    size_t buckets = bucket_count(alike[0]->family);
    for (size_t b = 0; b <= buckets && r == 0; b++) {
        char bound[32] = "+Inf";
        if (b < buckets)
            print_bound(f, f->bounds[b], bound);
        for (size_t i = 0; i < count; i++)
            total += atomic_load_explicit(&alike[i]->buckets[b], memory_order_relaxed);
        r = buf_printf(out, "%s_bucket", f->name);
        if (r == 0)
            r = print_labels(out, alike[0], bound);
        if (r == 0)
            r = buf_printf(out, " %llu\n", (unsigned long long)total);
    }
    if (r == 0)
        r = buf_printf(out, "%s_sum", f->name);
    if (r == 0)
        r = print_labels(out, alike[0], NULL);
    if (r == 0)
        r = print_value(out, f, sum);
    if (r == 0)
        r = buf_printf(out, "%s_count", f->name);
    if (r == 0)
        r = print_labels(out, alike[0], NULL);
    return r < 0 ? r : buf_printf(out, " %llu\n", (unsigned long long)total);
}

static int print_sorted(struct buf *out, const struct sample *const *sorted, size_t count)
{
    int r = 0;
    for (size_t from = 0, to; from < count && r == 0; from = to) {
        enum series_family f = sorted[from]->family;
        to = from + 1;
        while (to < count && compare(&sorted[from], &sorted[to]) == 0)
            to++;
        if (from == 0 || sorted[from - 1]->family != f)
            r = buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", families[f].name, families[f].help,
                           families[f].name, families[f].bounds ? "histogram" : "counter");
        if (r == 0)
            r = print_sample(out, sorted + from, to - from);
    }
    return r;
}

int series_print(const struct metrics *const *all, size_t count, struct buf *out)
{
    size_t total = 0, n;
    for (size_t w = 0; w < count; w++) {
        read_series(all[w], &n);
        total += n;
    }
    const struct sample **sorted = calloc(total ? total : 1, sizeof(*sorted));
    if (!sorted)
        return -ENOMEM;
    size_t at = 0;
    for (size_t w = 0; w < count; w++) {
        const struct series *s = read_series(all[w], &n);
        for (size_t i = 0; i < n && at < total; i++)
            sorted[at++] = s->samples[i];
    }
    qsort(sorted, at, sizeof(*sorted), compare);
    int r = print_sorted(out, sorted, at);
    free(sorted);
    return r;
}
