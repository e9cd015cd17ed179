#include "match_run.h"

#include <malloc.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

/* Rounds before medians are believed, and the change of them that is small enough. */
#define ROUNDS_MIN  5
#define ROUNDS_BACK 3
#define SETTLED     0.02
/* However short the time is. */
#define ROUNDS_LEAST 3

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(const struct series *s, unsigned count)
{
    double sorted[ROUNDS_MAX];
    if (!count)
        return 0;
    memcpy(sorted, s->ns, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double series_median(const struct series *s)
{
    return median_of(s, s->count);
}

double series_best(const struct series *s)
{
    double best = s->count ? s->ns[0] : 0;
    for (unsigned i = 1; i < s->count; i++)
        best = s->ns[i] < best ? s->ns[i] : best;
    return best;
}

/* How much the median moved with the last rounds. */
static double series_moved(const struct series *s)
{
    if (s->count < ROUNDS_MIN)
        return s->count ? 1 : 0;
    double now = median_of(s, s->count), before = median_of(s, s->count - ROUNDS_BACK);
    return before > 0 ? fabs(now - before) / before : 0;
}

double cell_speed(const struct cell *cell, enum engine e)
{
    double ns = series_median(&cell->times[e]);
    return ns > 0 ? (double)cell->text_len * 1e3 / ns : 0;
}

double chunk_ns(const struct cell *cell, enum engine e, bool best)
{
    const struct series *s = &cell->times[e];
    double chunk = e == OURS_64 || e == VECTOR_64 ? CHUNK_LONG : CHUNK;
    return (best ? series_best(s) : series_median(s)) * chunk / (double)(cell->text_len | 1);
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int on_hit(void *ctx, const struct hit *hit)
{
    struct tally *tally = ctx;
    tally->hits++;
    tally->sum += hit->start + hit->end;
    return 0;
}

static void scan(const struct matchset *set, struct span text, size_t chunk, struct tally *tally)
{
    struct cursor *c = must(cursor_new(set, DIRECTION_PROMPT));
    int r = 0;
    for (size_t at = 0, n; r == 0 && at < text.len; at += n) {
        n = text.len - at < chunk ? text.len - at : chunk;
        r = cursor_feed(c, span_slice(text, at, at + n), on_hit, tally);
        if (chunk < text.len)
            tally->held += at + n - cursor_clear(c);
    }
    if (r == 0)
        r = cursor_finish(c, on_hit, tally);
    if (r < 0)
        die(strerror(-r));
    cursor_free(c);
}

static struct matchset *set_new(const struct words *words, bool patterns, double *ret_add_s,
                                double *ret_build_s, unsigned *ret_patterns)
{
    struct matchset *set = NULL;
    uint64_t began = thread_ns();
    struct matchset_builder *b = must(matchset_builder_new());
    for (size_t i = 0; i < words->count; i++) {
        int r = matchset_add_keyword(b, words->list[i], (uint32_t)i, DIRECTION_BOTH, 0);
        if (r < 0)
            die(strerror(-r));
    }
    if (patterns)
        *ret_patterns = add_patterns(b, (uint32_t)words->count);
    uint64_t added = thread_ns();
    int r = matchset_build(b, &set);
    uint64_t built = thread_ns();
    matchset_builder_free(b);
    if (r < 0)
        fprintf(stderr, "a list of %zu can't be built: %s\n", words->count, strerror(-r));
    *ret_add_s = (double)(added - began) / 1e9;
    *ret_build_s = (double)(built - added) / 1e9;
    return r < 0 ? NULL : set;
}

struct contest {
    struct matchset *set;
    struct vector *vector, *stream;
    struct textbook *textbook;
    struct folded folded;
};

static bool contest_has(const struct contest *f, enum engine e)
{
    switch (e) {
    case OURS:
    case OURS_64:
    case OURS_12:
        return f->set;
    case VECTOR:
    case VECTOR_FOLDED:
        return f->vector;
    case VECTOR_64:
    case VECTOR_12:
        return f->stream;
    default:
        return f->textbook;
    }
}

static void contest_scan(struct contest *f, enum engine e, struct span text, struct tally *tally)
{
    *tally = (struct tally){0};
    switch (e) {
    case OURS:
        scan(f->set, text, text.len, tally);
        break;
    case OURS_64:
        scan(f->set, text, CHUNK_LONG, tally);
        break;
    case OURS_12:
        scan(f->set, text, CHUNK, tally);
        break;
    case VECTOR:
        vector_scan(f->vector, text, tally);
        break;
    case VECTOR_64:
        vector_stream(f->stream, text, CHUNK_LONG, tally);
        break;
    case VECTOR_12:
        vector_stream(f->stream, text, CHUNK, tally);
        break;
    case VECTOR_FOLDED:
        vector_scan_folded(f->vector, &f->folded, text, tally);
        break;
    default:
        textbook_scan(f->textbook, text, tally);
    }
}

static void cell_run(struct cell *cell, struct contest *f, struct span text, double seconds)
{
    double until = now_s() + seconds;
    cell->measured = true;
    cell->text_len = text.len;
    folded_init(&f->folded, text.len);
    do {
        cell->settled = 0;
        cell->rounds++;
        for (int e = 0; e < ENGINE_COUNT; e++) {
            struct series *s = &cell->times[e];
            if (!contest_has(f, (enum engine)e))
                continue;
            uint64_t began = thread_ns();
            contest_scan(f, (enum engine)e, text, &cell->tallies[e]);
            s->ns[s->count++] = (double)(thread_ns() - began);
            cell->settled = fmax(cell->settled, series_moved(s));
        }
    } while (cell->rounds < ROUNDS_LEAST ||
             (cell->settled >= SETTLED && cell->rounds < ROUNDS_MAX && now_s() < until));
    folded_deinit(&f->folded);
}

static double median3(double *values, unsigned count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

static void build(struct list_result *list, struct contest *f, const struct plan *plan)
{
    double add[3], make[3];
    unsigned rounds = list->words.count > 200000 ? 1 : 3;
    for (unsigned i = 0; i < rounds; i++) {
        matchset_unref(f->set);
        f->set = set_new(&list->words, false, &add[i], &make[i], NULL);
        if (!f->set)
            break;
    }
    if (f->set) {
        struct matchset_stats stats;
        matchset_get_stats(f->set, &stats);
        list->bytes = stats.bytes;
        list->add_s = median3(add, rounds);
        list->build_s = median3(make, rounds);
        size_t before = mallinfo2().uordblks;
        struct cursor *c = must(cursor_new(f->set, DIRECTION_PROMPT));
        list->state = mallinfo2().uordblks - before;
        cursor_free(c);
    }
    if (vector_version() && list->words.count <= plan->vector_max) {
        uint64_t t = thread_ns();
        f->vector = vector_new(&list->words, false);
        list->vector_s = (double)(thread_ns() - t) / 1e9;
        t = thread_ns();
        f->stream = vector_new(&list->words, true);
        list->vector_stream_s = (double)(thread_ns() - t) / 1e9;
        list->vector_bytes = f->vector ? vector_bytes(f->vector) : 0;
        list->vector_stream_bytes = f->stream ? vector_bytes(f->stream) : 0;
        list->vector_state = f->stream ? vector_state_bytes(f->stream) : 0;
    }
    if (list->words.count <= plan->textbook_max) {
        uint64_t t = thread_ns();
        f->textbook = textbook_new(&list->words);
        list->textbook_s = (double)(thread_ns() - t) / 1e9;
        list->textbook_bytes = textbook_bytes(f->textbook);
    }
}

void list_run(struct list_result *list, const struct corpus *corpus, const struct plan *plan)
{
    struct contest f = {0};
    struct span zh = buf_span(&corpus->zh), en = buf_span(&corpus->en);
    fprintf(stderr, "%s keywords: building\n", list->name);
    build(list, &f, plan);
    for (int i = 0; i < TEXT_COUNT; i++) {
        if (!plan->texts[i] || (list->whole_words && i != TEXT_EN))
            continue;
        struct buf text = BUF_INIT(SIZE_MAX / 2);
        if (i == TEXT_ZH)
            text_repeat(&text, zh, plan->text_size);
        else if (i == TEXT_DIRTY)
            text_dirty(&text, zh, &list->words, plan->text_size);
        else if (i == TEXT_EN)
            text_repeat(&text, en, plan->text_size / 2);
        else
            text_mixed(&text, zh, en, plan->text_size / 2);
        cell_run(&list->cells[i], &f, buf_span(&text), plan->seconds / plan->cells);
        const struct cell *cell = &list->cells[i];
        fprintf(stderr, "%s keywords, %s: %u rounds, medians moved by %.1f %% at last\n",
                list->name, text_names[i], cell->rounds, cell->settled * 100);
        buf_deinit(&text);
    }
    matchset_unref(f.set);
    vector_free(f.vector);
    vector_free(f.stream);
    textbook_free(f.textbook);
}

void patterns_run(struct pattern_result *result, const struct list_result *list,
                  const struct corpus *corpus, const struct plan *plan)
{
    struct buf texts[2] = {BUF_INIT(SIZE_MAX / 2), BUF_INIT(SIZE_MAX / 2)};
    struct matchset *sets[2];
    static struct series times[2][2];
    double add, make, until = now_s() + plan->seconds / plan->cells;
    text_repeat(&texts[0], buf_span(&corpus->zh), plan->text_size / 2);
    text_plain(&texts[1], buf_span(&corpus->zh), plan->text_size / 2);
    for (unsigned i = 0; i < 2; i++)
        sets[i] = must(set_new(&list->words, i, &add, &make, &result->patterns));
    do {
        result->settled = 0;
        for (unsigned i = 0; i < 4; i++) {
            struct tally tally = {0};
            struct series *s = &times[i / 2][i % 2];
            uint64_t began = thread_ns();
            scan(sets[i % 2], buf_span(&texts[i / 2]), CHUNK, &tally);
            s->ns[s->count++] = (double)(thread_ns() - began);
            result->settled = fmax(result->settled, series_moved(s));
        }
    } while (times[0][0].count < ROUNDS_LEAST ||
             (result->settled >= SETTLED && times[0][0].count < ROUNDS_MAX && now_s() < until));
    for (unsigned i = 0; i < 2; i++) {
        double chunks = (double)texts[i].len / CHUNK;
        result->without[i] = series_median(&times[i][0]) / chunks;
        result->with[i] = series_median(&times[i][1]) / chunks;
        matchset_unref(sets[i]);
        buf_deinit(&texts[i]);
    }
    result->list = list->name;
    result->measured = true;
    fprintf(stderr, "patterns: %u rounds, medians moved by %.1f %% at last\n", times[0][0].count,
            result->settled * 100);
}
