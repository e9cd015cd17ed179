#include "cli/verbs.h"

#include "cli/setup.h"
#include "config/schema.h"

#include <argp.h>
#include <string.h>

#define VERBS_MAX 32

static void help(const struct verbs *v, FILE *to)
{
    int name = 0, summary = 0;
    for (size_t i = 0; i < v->count; i++) {
        int n = (int)strlen(v->list[i].name), s = (int)strlen(v->list[i].summary);
        name = n > name ? n : name;
        summary = s > summary ? s : summary;
    }
    fprintf(to, "Usage: %s VERB [OPTION...]\n%s\n", v->command, v->about);
    for (size_t i = 0; i < v->count; i++)
        fprintf(to, "  %-*s  %-*s  %s\n", name, v->list[i].name, summary, v->list[i].summary,
                v->list[i].summary_zh);
    fprintf(to, "\n'%s VERB --help' tells more.\n", v->command);
}

int verbs_run(const struct verbs *v, int argc, char **argv)
{
    static char names[2][64]; /* argp keeps argv[0]; a verb may have verbs of its own */
    static unsigned depth;
    const char *known[VERBS_MAX];
    size_t count = v->count < VERBS_MAX ? v->count : VERBS_MAX;
    if (argc < 2) {
        help(v, stderr);
        return CLI_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "help")) {
        help(v, stdout);
        return CLI_GOOD;
    }
    for (size_t i = 0; i < count; i++) {
        known[i] = v->list[i].name;
        if (strcmp(argv[1], known[i]) != 0)
            continue;
        char *name = names[depth++ % 2];
        snprintf(name, sizeof(names[0]), "%s %s", v->command, known[i]);
        argv[1] = name;
        argp_err_exit_status = CLI_USAGE;
        return v->list[i].run(argc - 1, argv + 1);
    }
    const char *meant = schema_suggest(known, count, span_str(argv[1]));
    fprintf(stderr, "%s: unknown verb '%s'", v->command, argv[1]);
    if (meant)
        fprintf(stderr, "; did you mean '%s'?", meant);
    fputs("\n\n", stderr);
    help(v, stderr);
    return CLI_USAGE;
}
