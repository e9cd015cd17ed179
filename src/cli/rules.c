/* `juyong rules`: one table lists its verbs; and the options that they share. */
#include "cli/rules.h"

#include "cli/rulecmd.h"
#include "cli/verbs.h"

#include <stdlib.h>

static const struct verb list[] = {
    {"list", "every rule with its id, text and place", "列出规则", rules_list},
    {"stats", "how many rules each risk type has", "按风险类型统计", rules_stats},
    {"export", "the catalogue of intercepted keywords (annex 4)", "导出拦截关键词列表",
     rules_export},
    {"import", "bring a list of words in, everyday words apart", "导入词表，隔离常用词",
     rules_import},
    {"force", "let quarantined words of a list count", "让被隔离的词生效", rules_force},
    {"lint", "judge the samples of every rule", "运行规则样例", rules_lint},
    {"try", "what it would have done, before it does", "发布前试用", rules_try},
    {"publish", "put the working copy in force, or propose it", "发布规则", rules_publish},
    {"approve", "put in force what somebody else proposed", "批准他人的发布提议", rules_approve},
    {"rollback", "go back to an earlier version", "回滚到先前版本", rules_rollback},
    {"urgent", "one word, in force at once, for some time", "紧急词：立即生效", rules_urgent},
    {"log", "the versions: who, when, why", "版本记录", rules_log},
    {"diff", "what differs between two versions", "比较两个版本", rules_diff},
    {"filed", "note that a version was filed", "登记已报备的版本", rules_filed},
};

int cli_rules(int argc, char **argv)
{
    static const struct verbs verbs = {
        .command = "juyong rules",
        .about = "Look into the rule library, change it, publish it.\n"
                 "规则库的查看、修改与发布。\n",
        .list = list,
        .count = sizeof(list) / sizeof(*list),
    };
    return verbs_run(&verbs, argc, argv);
}

/* ---- options ---- */

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
    struct rules_common *o = state->input;
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 'r':
        o->risk = arg;
        return 0;
    case 'j':
        o->json = true;
        return 0;
    case 'p':
        o->published = true;
        return 0;
    case ARGP_KEY_END:
        if (!o->file)
            argp_error(state, "-c FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define OPTION_FILE                                                                                \
    {                                                                                              \
        "config", 'c', "FILE", 0, "The configuration with rules_dir", 0                            \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "json", 'j', NULL, 0, "One JSON object a line", 0                                          \
    }

#define OPTION_PUBLISHED                                                                           \
    {                                                                                              \
        "published", 'p', NULL, 0, "Of the version in force, not of the working copy", 0           \
    }

static const struct argp_option common_options[] = {OPTION_FILE, OPTION_JSON, {0}};
static const struct argp_option look_options[] = {OPTION_FILE, OPTION_PUBLISHED, OPTION_JSON, {0}};
static const struct argp_option risk_options[] = {
    OPTION_FILE,
    {"risk", 'r', "ID", 0, "Only this risk or group", 0},
    OPTION_PUBLISHED,
    OPTION_JSON,
    {0}};
const struct argp rules_common_argp = {.options = common_options, .parser = parse_common};
const struct argp rules_look_argp = {.options = look_options, .parser = parse_common};
const struct argp rules_risk_argp = {.options = risk_options, .parser = parse_common};

int rules_load(const struct rules_common *o, struct setup *ret_setup)
{
    return o->published ? setup_load_published(span_str(o->file), ret_setup)
                        : setup_load(span_str(o->file), true, ret_setup);
}

bool rules_wanted(const struct rules_common *o, const struct risk *risk)
{
    struct span name = span_str(o->risk);
    return !o->risk || span_eq(name, risk->id) || span_eq(name, risk->group);
}

static error_t parse_plain(int key, char *arg, struct argp_state *state)
{
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = state->input;
        return 0;
    }
    if (key == ARGP_KEY_ARG)
        argp_error(state, "unexpected argument '%s'", arg);
    return ARGP_ERR_UNKNOWN;
}

int rules_parse(int argc, char **argv, const struct argp *common, const char *doc,
                struct rules_common *ret_common)
{
    const struct argp_child children[] = {{common, 0, NULL, 0}, {0}};
    const struct argp argp = {.parser = parse_plain, .doc = doc, .children = children};
    *ret_common = (struct rules_common){0};
    return argp_parse(&argp, argc, argv, 0, NULL, ret_common) == 0 ? 0 : CLI_USAGE;
}
