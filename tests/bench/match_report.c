#include "match_run.h"

#include <inttypes.h>

const char *const text_names[TEXT_COUNT] = {"zh", "dirty", "en", "mixed"};

/* A number in `width` columns, or a dash for what was not measured. */
static void column(int width, double value, int digits)
{
    if (value > 0)
        printf(" %*.*f", width, digits, value);
    else
        printf(" %*s", width, "-");
}

static void hits(int width, const struct cell *c, enum engine e)
{
    if (c->times[e].count)
        printf(" %*" PRIu64, width, c->tallies[e].hits);
    else
        printf(" %*s", width, "-");
}

static double ratio(double a, double b)
{
    return a > 0 && b > 0 ? a / b : 0;
}

static void vector_head(const char *what)
{
    if (vector_version())
        printf("%s", what);
    else
        printf("Vectorscan is absent from this build: its columns stay empty.\n");
}

static void report_blocks(const struct list_result *lists, unsigned count)
{
    printf(
        "\nWhole texts, MB/s: 10^6 bytes of raw UTF-8 per second of this thread's processor time,"
        "\nmedian of the rounds. Vectorscan: its literal engine on raw bytes; +fold: behind a pass"
        "\nthat folds and maps offsets; textbook: Aho-Corasick over code points, raw.\n");
    vector_head("");
    printf("%-9s %-6s %8s %10s %8s %8s | %7s | %9s %10s %8s %8s | %6s %6s\n", "list", "text",
           "ours", "Vectorscan", "+fold", "textbook", "ours/Vs", "hits ours", "Vectorscan", "+fold",
           "textbook", "rounds", "moved");
    for (unsigned i = 0; i < count; i++)
        for (int t = 0; t < TEXT_COUNT; t++) {
            const struct cell *c = &lists[i].cells[t];
            if (!c->measured)
                continue;
            printf("%-9s %-6s", lists[i].name, text_names[t]);
            column(8, cell_speed(c, OURS), 1);
            column(10, cell_speed(c, VECTOR), 1);
            column(8, cell_speed(c, VECTOR_FOLDED), 1);
            column(8, cell_speed(c, TEXTBOOK), 1);
            printf(" |");
            column(7, ratio(cell_speed(c, OURS), cell_speed(c, VECTOR)), 2);
            printf(" |");
            hits(9, c, OURS);
            hits(10, c, VECTOR);
            hits(8, c, VECTOR_FOLDED);
            hits(8, c, TEXTBOOK);
            printf(" | %6u %5.1f%%\n", c->rounds, c->settled * 100);
        }
}

static void report_chunks(const struct list_result *lists, unsigned count)
{
    printf(
        "\nIn chunks, cut anywhere; ours asks after each chunk what is clear. Vectorscan: its "
        "stream mode,\nwhich cannot say that. held: mean bytes not clear at the end of a chunk.\n");
    printf("%-9s %-6s | %8s %8s %10s %8s %8s %7s | %9s %10s %7s\n", "list", "text", "12 B: ns",
           "best", "Vectorscan", "best", "Vs/ours", "held B", "64 B: ns", "Vectorscan", "Vs/ours");
    for (unsigned i = 0; i < count; i++)
        for (int t = 0; t < TEXT_COUNT; t++) {
            const struct cell *c = &lists[i].cells[t];
            if (!c->times[OURS_12].count && !c->times[VECTOR_12].count)
                continue;
            printf("%-9s %-6s |", lists[i].name, text_names[t]);
            column(8, chunk_ns(c, OURS_12, false), 0);
            column(8, chunk_ns(c, OURS_12, true), 0);
            column(10, chunk_ns(c, VECTOR_12, false), 0);
            column(8, chunk_ns(c, VECTOR_12, true), 0);
            column(8, ratio(chunk_ns(c, VECTOR_12, false), chunk_ns(c, OURS_12, false)), 2);
            column(7, (double)c->tallies[OURS_12].held * CHUNK / (double)c->text_len, 2);
            printf(" |");
            column(9, chunk_ns(c, OURS_64, false), 0);
            column(10, chunk_ns(c, VECTOR_64, false), 0);
            column(7, ratio(chunk_ns(c, VECTOR_64, false), chunk_ns(c, OURS_64, false)), 2);
            printf("\n");
        }
}

void report_texts(const struct list_result *lists, unsigned count, const struct plan *plan)
{
    report_blocks(lists, count);
    report_chunks(lists, count);
    for (unsigned i = 0; i < count; i++)
        for (int t = 0; t < TEXT_COUNT; t++) {
            const struct cell *c = &lists[i].cells[t];
            if (c->measured && c->settled >= 0.02)
                printf("note: %s keywords, %s: the medians still moved by %.1f %% when the time "
                       "was over\n",
                       lists[i].name, text_names[t], c->settled * 100);
            if (c->measured && (c->tallies[OURS].hits != c->tallies[OURS_12].hits ||
                                c->tallies[OURS].sum != c->tallies[OURS_12].sum ||
                                c->tallies[OURS].hits != c->tallies[OURS_64].hits))
                printf("WRONG: %s keywords, %s: hits depend on how the text is cut\n",
                       lists[i].name, text_names[t]);
        }
}

void report_lists(const struct list_result *lists, unsigned count)
{
    printf("\nLists: memory of what is compiled (MB of 10^6 bytes), seconds of processor time to "
           "make it,\nbytes of one stream's state.\n");
    printf("%-9s %9s | %7s %7s %7s %7s | %10s %7s %7s %7s %6s | %8s %7s\n", "list", "keywords",
           "ours MB", "add s", "build s", "state", "Vectorscan", "stream", "s", "str. s", "state",
           "textbook", "s");
    for (unsigned i = 0; i < count; i++) {
        const struct list_result *l = &lists[i];
        printf("%-9s %9zu |", l->name, l->words.count);
        column(7, (double)l->bytes / 1e6, 2);
        column(7, l->add_s, 3);
        column(7, l->build_s, 3);
        column(7, (double)l->state, 0);
        printf(" |");
        column(10, (double)l->vector_bytes / 1e6, 2);
        column(7, (double)l->vector_stream_bytes / 1e6, 2);
        column(7, l->vector_s, 2);
        column(7, l->vector_stream_s, 2);
        column(6, (double)l->vector_state, 0);
        printf(" |");
        column(8, (double)l->textbook_bytes / 1e6, 1);
        column(7, l->textbook_s, 2);
        printf("\n");
    }
}

static const struct list_result *find(const struct list_result *lists, unsigned count,
                                      const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(lists[i].name, name) == 0)
            return &lists[i];
    return NULL;
}

/* A value of 0 was not measured, one below 0 can't be. */
static void goal(const char *what, double value, bool least, double target, const char *unit)
{
    if (value <= 0) {
        printf("%-62s %10s     %s\n", what, value < 0 ? "impossible" : "not run",
               value < 0 ? "missed" : "");
        return;
    }
    bool met = least ? value >= target : value <= target;
    printf("%-62s %10.2f %-3s %s\n", what, value, unit, met ? "met" : "missed");
}

static double vs_raw(const struct list_result *l, int text)
{
    return l ? ratio(cell_speed(&l->cells[text], OURS), cell_speed(&l->cells[text], VECTOR)) : 0;
}

static double vs_stream(const struct list_result *l)
{
    const struct cell *c = l ? &l->cells[TEXT_ZH] : NULL;
    return c && c->measured ? ratio(chunk_ns(c, VECTOR_12, false), chunk_ns(c, OURS_12, false)) : 0;
}

void report_goals(const struct list_result *lists, unsigned count, const struct pattern_result *p)
{
    const struct list_result *k1 = find(lists, count, "1000"), *k10 = find(lists, count, "10000"),
                             *k100 = find(lists, count, "100000"),
                             *m1 = find(lists, count, "1000000"),
                             *latin = find(lists, count, "en10k");
    if (p->measured) {
        printf("\nA chunk of 12 bytes with %u patterns besides %s keywords, ns (median)\n",
               p->patterns, p->list);
        for (unsigned i = 0; i < 2; i++)
            printf("%-42s without %6.1f, with %6.1f, difference %6.1f\n",
                   i ? "plain Chinese (Han and its punctuation)" : "zh as it is", p->without[i],
                   p->with[i], p->with[i] - p->without[i]);
    }
    printf("\nGoals\n");
    goal("zh, 100,000: at least 4 x Vectorscan raw", vs_raw(k100, TEXT_ZH), true, 4, "x");
    goal("zh, 10,000: at least 2 x Vectorscan raw", vs_raw(k10, TEXT_ZH), true, 2, "x");
    goal("zh, 1,000: at least 0.8 x Vectorscan raw", vs_raw(k1, TEXT_ZH), true, 0.8, "x");
    goal("English, 10,000 whole words: at least 0.5 x Vectorscan raw", vs_raw(latin, TEXT_EN), true,
         0.5, "x");
    goal("zh in chunks of 12 B, 10,000: at least 2 x Vectorscan", vs_stream(k10), true, 2, "x");
    goal("zh in chunks of 12 B, 100,000: at least 3 x Vectorscan", vs_stream(k100), true, 3, "x");
    goal("tables of 100,000: at most 4 MB", k100 ? (double)k100->bytes / 1e6 : 0, false, 4, "MB");
    goal("compile 100,000: at most 0.3 s", k100 ? k100->add_s + k100->build_s : 0, false, 0.3, "s");
    goal("compile 1,000,000: at most 5 s",
         !m1         ? 0
         : m1->bytes ? m1->add_s + m1->build_s
                     : -1,
         false, 5, "s");
    goal("zh, 1,000,000: at least a third of our speed at 10,000",
         m1 && !m1->bytes ? -1
         : m1 && k10
             ? ratio(cell_speed(&m1->cells[TEXT_ZH], OURS), cell_speed(&k10->cells[TEXT_ZH], OURS))
             : 0,
         true, 1.0 / 3, "x");
    goal("50 patterns: at most 100 ns more per 12 B of plain Chinese",
         p->measured ? (p->with[1] > p->without[1] ? p->with[1] - p->without[1] : 0.01) : 0, false,
         100, "ns");
}
