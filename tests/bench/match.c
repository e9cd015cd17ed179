/*
 * The keyword engine beside its peers, over one list and one text at a time. Prints, asserts
 * nothing; README.md says how to read it.
 */
#include "match_run.h"

#include <getopt.h>
#include <stdlib.h>

#define LISTS_MAX 8

static void usage(FILE *out)
{
    fputs("usage: bench-match [options] [FOLDER]\n"
          "\n"
          "Measures the keyword engine, Vectorscan (where the build has it) and a textbook\n"
          "Aho-Corasick side by side. FOLDER holds keywords/{konsheng.jsonl,houbb_dict.txt} and\n"
          "benign/*.jsonl; without it, texts and keywords are made up from common characters.\n"
          "\n"
          "  --lists N,N,...     list lengths; 1000,10000,100000,1000000 unless told\n"
          "  --texts NAME,...    of zh, dirty, en, mixed\n"
          "  --seconds N         for all measuring; 180 unless told (building lists comes on top)\n"
          "  --quick             lists of 1000 and 10000, small texts, 15 seconds\n"
          "  --size MB           of the Chinese texts; the others are half of it; 8 unless told\n"
          "  --vectorscan-max N  longest list for Vectorscan, which compiles slowly; 100000\n"
          "  --textbook-max N    longest list for the textbook automaton; 1000000\n"
          "  --no-latin          without the list of whole words for English\n"
          "  --no-patterns       without the fifty patterns\n",
          out);
}

static unsigned read_lists(const char *arg, struct list_result *lists)
{
    static char names[LISTS_MAX][16];
    struct span rest = span_str(arg), part;
    unsigned count = 0;
    while (count < LISTS_MAX - 1 && span_split(&rest, ',', &part)) {
        unsigned long long n;
        if (!span_to_u64(part, &n) || n < 1 || n > 10000000)
            die("--lists wants numbers from 1 to 10000000, with commas between");
        snprintf(names[count], sizeof(names[count]), "%llu", n);
        lists[count] = (struct list_result){.name = names[count], .words.count = (size_t)n};
        count++;
    }
    return count;
}

static void read_texts(const char *arg, struct plan *plan)
{
    struct span rest = span_str(arg), part;
    memset(plan->texts, 0, sizeof(plan->texts));
    while (span_split(&rest, ',', &part)) {
        int i = 0;
        while (i < TEXT_COUNT && !span_eq(part, span_str(text_names[i])))
            i++;
        if (i == TEXT_COUNT)
            die("--texts wants some of zh, dirty, en, mixed");
        plan->texts[i] = true;
    }
}

static double number(const char *arg)
{
    char *end;
    double n = strtod(arg, &end);
    if (*end || end == arg || n <= 0)
        die("a number above 0 is wanted");
    return n;
}

static void print_corpus(const struct corpus *c)
{
    if (c->made_up)
        printf("No folder was given: texts and keywords are made up from common characters, so "
               "that\nfigures say less about real lists and texts.\n");
    printf("%zu %s keywords (%zu ordinary words dropped: more than %d hits in the Chinese text), "
           "then made-up ones to %zu\n",
           c->real, c->made_up ? "random" : "real", c->dropped, ORDINARY_HITS, c->pool.count);
    printf("en10k: %zu whole Latin words: %zu of the lists, %zu of made-up letters, the rest pairs "
           "of words of the English text\n",
           c->latin.count, c->real_latin, c->latin_letters);
    printf("Vectorscan: %s\n", vector_version() ? vector_version() : "absent");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    enum {
        LISTS = 1,
        TEXTS,
        SECONDS,
        QUICK,
        SIZE,
        VECTOR_MAX,
        TEXTBOOK_MAX,
        NO_LATIN,
        NO_PATTERNS
    };
    static const struct option options[] = {{"lists", 1, NULL, LISTS},
                                            {"texts", 1, NULL, TEXTS},
                                            {"seconds", 1, NULL, SECONDS},
                                            {"quick", 0, NULL, QUICK},
                                            {"size", 1, NULL, SIZE},
                                            {"vectorscan-max", 1, NULL, VECTOR_MAX},
                                            {"textbook-max", 1, NULL, TEXTBOOK_MAX},
                                            {"no-latin", 0, NULL, NO_LATIN},
                                            {"no-patterns", 0, NULL, NO_PATTERNS},
                                            {"help", 0, NULL, 'h'},
                                            {0}};
    static struct list_result lists[LISTS_MAX];
    static struct corpus corpus;
    struct plan plan = {.seconds = 180,
                        .text_size = 8000000,
                        .vector_max = 100000,
                        .textbook_max = 1000000,
                        .texts = {true, true, true, true}};
    unsigned count = read_lists("1000,10000,100000,1000000", lists);
    bool latin = true, patterns = true;
    for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (o) {
        case LISTS:
            count = read_lists(optarg, lists);
            break;
        case TEXTS:
            read_texts(optarg, &plan);
            break;
        case SECONDS:
            plan.seconds = number(optarg);
            break;
        case QUICK:
            count = read_lists("1000,10000", lists);
            plan.seconds = 15;
            plan.text_size = 2000000;
            break;
        case SIZE:
            plan.text_size = (size_t)(number(optarg) * 1e6);
            break;
        case VECTOR_MAX:
            plan.vector_max = (size_t)number(optarg);
            break;
        case TEXTBOOK_MAX:
            plan.textbook_max = (size_t)number(optarg);
            break;
        case NO_LATIN:
            latin = false;
            break;
        case NO_PATTERNS:
            patterns = false;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (optind + 1 < argc || plan.text_size < 100000 || plan.text_size > 1000000000) {
        usage(stderr);
        return 2;
    }

    size_t most = 10000;
    for (unsigned i = 0; i < count; i++)
        most = lists[i].words.count > most ? lists[i].words.count : most;
    fprintf(stderr, "reading texts and keywords\n");
    corpus_init(&corpus, argv[optind], most);
    print_corpus(&corpus);

    unsigned texts = 0;
    for (int i = 0; i < TEXT_COUNT; i++)
        texts += plan.texts[i];
    for (unsigned i = 0; i < count; i++) {
        if (lists[i].words.count > corpus.pool.count)
            lists[i].words.count = corpus.pool.count;
        lists[i].words.list = corpus.pool.list;
    }
    plan.cells = count * texts + patterns;
    struct pattern_result pattern_result = {0};
    const struct list_result *base = count ? &lists[0] : NULL;
    for (unsigned i = 0; i < count; i++)
        if (lists[i].words.count == 10000)
            base = &lists[i];
    if (latin && plan.texts[TEXT_EN]) {
        lists[count++] =
            (struct list_result){.name = "en10k", .words = corpus.latin, .whole_words = true};
        plan.cells++;
    }
    for (unsigned i = 0; i < count; i++)
        list_run(&lists[i], &corpus, &plan);
    if (patterns && base)
        patterns_run(&pattern_result, base, &corpus, &plan);
    report_texts(lists, count, &plan);
    report_lists(lists, count);
    report_goals(lists, count, &pattern_result);
    corpus_deinit(&corpus);
    return 0;
}
