/*
 * What is seen through and what is left alone: recall by disguise and by category, with the false
 * positives of ordinary texts beside it. Prints, asserts nothing; README.md says how to read it.
 */
#include "detect.h"

#include "text/variants.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static void usage(FILE *out)
{
    fputs("usage: bench-detect [options] FOLDER\n"
          "\n"
          "FOLDER holds evasion/{generated_dev,houbb_tests,toolgood_tests}.jsonl, benign/*.jsonl,\n"
          "harmful/*.jsonl and, where present, keywords/konsheng.jsonl.\n"
          "\n"
          "  --rules DIR       rules to judge by, and the tables under DIR/variants\n"
          "  --see LAYERS|all  layers switched on in the second pass, with commas between\n"
          "  --misses NAME     tell each row of that disguise that was missed; all: five of each\n"
          "  --verbose         tell false positives and what could not be compared\n",
          out);
}

static uint32_t read_layers(const char *arg)
{
    struct span rest = span_str(arg), name;
    uint32_t layers = 0;
    if (strcmp(arg, "all") == 0)
        return LAYERS_ASKED;
    while (span_split(&rest, ',', &name)) {
        uint32_t layer = layer_from(name);
        if (!(layer & LAYERS_ASKED)) {
            fprintf(stderr, "bench-detect: --see: %.*s is no layer that a rule asks for\n",
                    SPAN_ARG(name));
            exit(2);
        }
        layers |= layer;
    }
    return layers;
}

int main(int argc, char **argv)
{
    enum { RULES = 1, SEE, MISSES, VERBOSE };
    static const struct option options[] = {
        {"rules", 1, NULL, RULES},     {"see", 1, NULL, SEE},  {"misses", 1, NULL, MISSES},
        {"verbose", 0, NULL, VERBOSE}, {"help", 0, NULL, 'h'}, {0},
    };
    struct detect d = {.see = LAYERS_ASKED};
    for (int o; (o = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (o) {
        case RULES:
            d.rules_dir = optarg;
            break;
        case SEE:
            d.see = read_layers(optarg);
            break;
        case MISSES:
            d.misses = optarg;
            break;
        case VERBOSE:
            d.verbose = true;
            break;
        case 'h':
            usage(stdout);
            return 0;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (optind + 1 != argc) {
        usage(stderr);
        return 2;
    }
    d.folder = argv[optind];
    arena_init(&d.arena, SIZE_MAX / 2);
    tables_load(&d);
    report_evasion(&d);
    report_library_tests(&d);
    report_rules(&d);
    report_import(&d);
    printf("\n%u goals met, %u missed; %u texts could not be judged\n", d.met, d.missed,
           d.unjudged);
    ruleset_unref(d.ruleset);
    variants_free(d.variants);
    free(d.splits);
    free(d.shapes);
    arena_deinit(&d.arena);
    return 0;
}
