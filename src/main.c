/* juyong SUBCOMMAND …: one table lists them. */
#include "cli/log.h"
#include "cli/rulecmd.h"
#include "cli/serve.h"
#include "demo/demo.h"
#include "http/client.h"

#include <argp.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct subcommand {
    const char *name, *summary, *summary_zh;
    int (*run)(int argc, char **argv);
} subcommands[] = {
    {"serve", "run the gateway", "运行网关", cli_serve},
    {"check", "validate configuration and rules", "检查配置与规则", cli_check},
    {"scan", "judge a text offline", "离线检查文本", cli_scan},
    {"rules", "view, change and publish the rule library", "规则库：查看、修改、发布", cli_rules},
    {"filing", "what a filing needs", "备案材料", cli_filing},
    {"log", "read and verify the decision log", "拦截日志：查询与校验", cli_log},
    {"key", "create, list and revoke app keys", "应用密钥：创建、列表、吊销", cli_key},
    {"user", "end users: strikes, appeals, privacy", "终端用户：违规、申诉、隐私", cli_user},
    {"complaint", "complaints of the public, as tickets", "公众投诉：工单与处理", cli_complaint},
    {"incident", "incidents and their reports", "安全事件与报告", cli_incident},
    {"label", "consents to unlabelled answers", "内容标识：用户声明与校验", cli_label},
    {"reviewer", "test accounts for the reviewing authority", "监管测试账号", cli_reviewer},
    {"account", "people who may use the console", "控制台账号与角色", cli_account},
    {"alert", "try whether alerts arrive", "告警：发送测试消息", cli_alert},
    {"demo", "run a stand-in model to try things out", "运行演示用的替身模型", cli_demo},
};

static void help(FILE *to)
{
    fputs("Usage: juyong SUBCOMMAND [OPTION...]\n"
          "A content-safety gateway in front of a language model's API.\n"
          "居庸：大模型接口前的内容安全网关。\n\n",
          to);
    for (size_t i = 0; i < sizeof(subcommands) / sizeof(*subcommands); i++)
        fprintf(to, "  %-9s %-46s %s\n", subcommands[i].name, subcommands[i].summary,
                subcommands[i].summary_zh);
    fputs("\n'juyong SUBCOMMAND --help' tells more. 'juyong --version' prints the version.\n", to);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    argp_err_exit_status = 2;
    /* A vanished reader and a full file size limit are errors to be told, not deaths. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        help(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        help(stdout);
        return 0;
    }
    if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
        puts("juyong " JUYONG_VERSION);
        return 0;
    }
    for (size_t i = 0; i < sizeof(subcommands) / sizeof(*subcommands); i++) {
        if (strcmp(argv[1], subcommands[i].name) != 0)
            continue;
        static char name[64];
        snprintf(name, sizeof(name), "juyong %s", subcommands[i].name);
        argv[1] = name; /* for the subcommand's own usage lines */
        http_client_setup();
        int r = subcommands[i].run(argc - 1, argv + 1);
        http_client_teardown();
        return r;
    }
    fprintf(stderr, "juyong: unknown subcommand '%s'\n\n", argv[1]);
    help(stderr);
    return 2;
}
