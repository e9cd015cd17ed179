/* `juyong filing`: what a filing needs, out of the gateway that runs. One table lists its verbs. */
#include "cli/filingcmd.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"
#include "config/schema.h"

#include <argp.h>
#include <string.h>

static const struct verb {
    const char *name, *summary, *summary_zh;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"route", "which filing the service needs, and why", "备案路径问卷", filing_route},
    {"status", "what is due when, and where the steps stand", "备案日程与步骤", filing_status},
    {"evaluate", "ask the question banks, with the gateway and without it", "评估测试",
     filing_evaluate},
    {"annex", "the annexes of the filing, as documents", "备案附件", filing_annex},
    {"coverage", "keywords and questions against the standard's minima", "关键词库与题库达标情况",
     filing_coverage},
    {"disclosure", "what users must be shown of model and service", "公示信息", filing_disclosure},
    {"pack", "all of it in one signed archive; do the papers agree?", "打包与一致性检查",
     filing_pack},
    {"questions", "the question banks: list, count, check, import, derive", "评估测试题集",
     filing_questions},
};
#define VERBS (sizeof(verbs) / sizeof(*verbs))

static void help(FILE *to)
{
    fputs("Usage: juyong filing VERB [OPTION...]\n"
          "What a filing needs, out of the gateway that runs. All of it is a draft for your own "
          "people to check.\n"
          "由运行中的网关生成备案所需材料；所有输出均为草稿，须由本单位人员核对。\n\n",
          to);
    for (size_t i = 0; i < VERBS; i++)
        fprintf(to, "  %-10s %-55s %s\n", verbs[i].name, verbs[i].summary, verbs[i].summary_zh);
    fputs("\n'juyong filing VERB --help' tells more.\n", to);
}

int cli_filing(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return CLI_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "help")) {
        help(stdout);
        return CLI_GOOD;
    }
    const char *names[VERBS];
    for (size_t i = 0; i < VERBS; i++) {
        names[i] = verbs[i].name;
        if (strcmp(argv[1], verbs[i].name) != 0)
            continue;
        static char name[64];
        snprintf(name, sizeof(name), "juyong filing %s", verbs[i].name);
        argv[1] = name; /* for the verb's own usage lines */
        argp_err_exit_status = CLI_USAGE;
        return verbs[i].run(argc - 1, argv + 1);
    }
    const char *meant = schema_suggest(names, VERBS, span_str(argv[1]));
    fprintf(stderr, "juyong filing: unknown verb '%s'", argv[1]);
    if (meant)
        fprintf(stderr, "; did you mean '%s'?", meant);
    fputs("\n\n", stderr);
    help(stderr);
    return CLI_USAGE;
}
