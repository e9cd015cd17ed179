/* `juyong filing`: what a filing needs, out of the gateway that runs. One table lists its verbs. */
#include "cli/filingcmd.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"
#include "cli/verbs.h"

#include <argp.h>
#include <string.h>

static const struct verb list[] = {
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

int cli_filing(int argc, char **argv)
{
    static const struct verbs verbs = {
        .command = "juyong filing",
        .about = "What a filing needs, out of the gateway that runs. All of it is a draft for your "
                 "own people to check.\n"
                 "由运行中的网关生成备案所需材料；所有输出均为草稿，须由本单位人员核对。\n",
        .list = list,
        .count = sizeof(list) / sizeof(*list),
    };
    return verbs_run(&verbs, argc, argv);
}
