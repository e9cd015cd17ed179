/* `juyong rules publish | approve | rollback | filed`: what people decide about versions. */
#include "cli/rules_act.h"

struct options {
    struct rules_act act;
    bool takes;          /* an argument */
    const char *version; /* this one */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->act;
        return 0;
    case ARGP_KEY_ARG:
        if (o->version || !o->takes)
            argp_error(state, "unexpected argument '%s'", arg);
        o->version = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* args: how the argument is shown; NULL: there is none. 0 or an exit code. */
static int begin(int argc, char **argv, const char *args, const char *doc, bool reason_needed,
                 struct options *o, struct publish *p)
{
    const struct argp_child children[] = {{&rules_act_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {.parser = parse, .args_doc = args, .doc = doc, .children = children};
    *o = (struct options){.takes = args != NULL};
    if (argp_parse(&argp, argc, argv, 0, NULL, o) != 0)
        return CLI_USAGE;
    if (args && args[0] != '[' && !o->version) {
        fprintf(stderr, "%s: %s is needed\n", argv[0], args);
        return CLI_USAGE;
    }
    return rules_act_begin(&o->act, reason_needed, p);
}

int rules_publish(int argc, char **argv)
{
    struct options o;
    struct publish p;
    struct publish_done done;
    int r = begin(argc, argv, NULL,
                  "Put the working copy in force: a read-only copy of it, named by its content, "
                  "which a running gateway serves at once. With rules.two_person it is only "
                  "proposed.\n发布规则目录的当前内容：生成以内容命名的只读版本，运行中的网关立即"
                  "启用；开启双人发布时，须由另一人批准。\v"
                  "Exit status: 0 when it is in force or proposed and a running gateway serves "
                  "it; 1 when not.",
                  true, &o, &p);
    if (r)
        return r;
    bool propose = o.act.setup.config->rules.two_person;
    r = publish_library(&p, propose, &done);
    r = rules_act_tell(&o.act, &p, r, &done, propose && r != PUBLISH_SAME);
    rules_act_end(&o.act, &p);
    return r;
}

int rules_approve(int argc, char **argv)
{
    struct options o;
    struct publish p;
    struct publish_done done;
    int r = begin(argc, argv, "VERSION",
                  "Put in force what somebody else proposed. Names are taken as they are given: "
                  "who may run this command is for the system's users and sudo to say; the "
                  "journal keeps the login as well.\n批准他人提议的版本，使之生效；不得由提议人"
                  "本人批准。",
                  false, &o, &p);
    if (r)
        return r;
    r = publish_approve(&p, span_str(o.version), &done);
    r = rules_act_tell(&o.act, &p, r, &done, false);
    rules_act_end(&o.act, &p);
    return r;
}

int rules_rollback(int argc, char **argv)
{
    struct options o;
    struct publish p;
    struct publish_done done;
    int r = begin(argc, argv, "[VERSION]",
                  "Put a version in force again that was in force before: the named one, or the "
                  "library before this one. Live urgent words stay; withdraw them if they are "
                  "the trouble.\n回滚到曾经生效的版本（默认为上一版）；仍在生效的紧急词保留。",
                  true, &o, &p);
    if (r)
        return r;
    o.act.fitness.untested = true; /* out of trouble first */
    r = publish_rollback(&p, span_str(o.version), &done);
    r = rules_act_tell(&o.act, &p, r, &done, false);
    rules_act_end(&o.act, &p);
    return r;
}

int rules_filed(int argc, char **argv)
{
    char digest[RULE_DIGEST_SIZE], name[RULE_VERSION_SIZE];
    struct options o;
    struct publish p;
    int r = begin(argc, argv, "[VERSION]",
                  "Note that a version was filed with the authority: the named one, or the one in "
                  "force. `rules log` and `rules export` show it.\n登记某一版本已报备（默认为当前"
                  "生效版本）。",
                  false, &o, &p);
    if (r)
        return r;
    r = publish_filed(&p, span_str(o.version), digest);
    setup_print_messages(stderr, &p.report.text);
    if (r == 0) {
        vault_name(span_str(digest), name);
        if (o.act.common.json)
            printf("{\"version\":\"%s\",\"sha256\":\"%s\",\"state\":\"filed\"}\n", name, digest);
        else
            printf("%s is noted as filed\n", name);
    }
    rules_act_end(&o.act, &p);
    return r < 0 || fflush(stdout) != 0 ? CLI_BAD : CLI_GOOD;
}
