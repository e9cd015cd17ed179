/* `juyong rules diff`: which rules differ between two versions, or a version and the working copy.
 */
#include "cli/rules.h"
#include "rules/diff.h"
#include "rules/versions.h"

#include <errno.h>

struct options {
    struct rules_common common;
    const char *names[2];
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        return 0;
    case ARGP_KEY_ARG:
        if (state->arg_num >= 2)
            argp_error(state, "unexpected argument '%s'", arg);
        o->names[state->arg_num] = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct view {
    bool json;
    struct buf out;
};

static void print_json(struct buf *out, char kind, const struct rule *r, const char *const *names,
                       size_t count)
{
    buf_append_char(out, '{');
    setup_json(out, "change",
               span_str(kind == '+'   ? "added"
                        : kind == '-' ? "removed"
                                      : "changed"));
    setup_json(out, "id", r->id);
    setup_json(out, "risk", r->risk->id);
    setup_json(out, "kind", span_str(rule_kind_name(r->kind)));
    setup_json(out, "direction", span_str(direction_name(r->direction)));
    setup_json(out, "action", span_str(action_name(r->action)));
    setup_json(out, "text", r->source);
    setup_json(out, "file", r->file);
    buf_printf(out, ",\"line\":%u", r->line);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s\"%s\"", i ? "," : ",\"what\":[", names[i]);
    buf_append(out, count ? SPAN_LIT("]}\n") : SPAN_LIT("}\n"));
}

static void on_change(void *ctx, char kind, const struct rule *old, const struct rule *new,
                      struct span path)
{
    struct view *v = ctx;
    const char *names[RULE_DIFF_NAMES];
    size_t count = kind == '~' && new ? rule_diff_names(old, new, names) : 0;
    buf_clear(&v->out);
    if (!v->json) {
        rule_diff_line(&v->out, kind, old, new, path);
    } else if (old || new) {
        print_json(&v->out, kind, new ? new : old, names, count);
    } else {
        buf_append_char(&v->out, '{');
        setup_json(&v->out, "change", SPAN_LIT("file"));
        setup_json(&v->out, "how", span_from(&kind, 1));
        setup_json(&v->out, "file", path);
        buf_append(&v->out, SPAN_LIT("}\n"));
    }
    setup_write(stdout, &v->out);
}

static void on_phrase(void *ctx, char kind, struct span phrase, struct place at)
{
    struct view *v = ctx;
    buf_clear(&v->out);
    if (v->json) {
        buf_append_char(&v->out, '{');
        setup_json(&v->out, "change", kind == '+' ? SPAN_LIT("added") : SPAN_LIT("removed"));
        setup_json(&v->out, "kind", SPAN_LIT("allow"));
        setup_json(&v->out, "text", phrase);
        setup_json(&v->out, "file", at.file);
        buf_printf(&v->out, ",\"line\":%u}\n", at.line);
    } else {
        rule_diff_phrase_line(&v->out, kind, phrase, at);
    }
    setup_write(stdout, &v->out);
}

static int compare(const struct options *o, const struct config *c, const struct vault *vault,
                   struct rule_report *report)
{
    struct ruleset *a = NULL, *b = NULL;
    struct rule_diff d;
    struct view v = {.json = o->common.json, .out = BUF_INIT(1u << 20)};
    int r = versions_read(vault, c->rules_dir, o->names[0] ? o->names[0] : "published", report, &a);
    if (r == 0)
        r = versions_read(vault, c->rules_dir, o->names[1] ? o->names[1] : "working", report, &b);
    if (r == 0)
        r = rule_diff(a, b, on_change, &v, &d);
    if (r == 0)
        r = rule_diff_phrases(a, b, on_phrase, &v);
    if (r == 0 && !v.json)
        printf("%u rules added, %u removed, %u changed; %u other files\n", d.added, d.removed,
               d.changed, d.files);
    buf_deinit(&v.out);
    ruleset_unref(a);
    ruleset_unref(b);
    return r;
}

int rules_diff(int argc, char **argv)
{
    const struct argp_child children[] = {{&rules_common_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .parser = parse,
        .args_doc = "[A [B]]",
        .doc =
            "What differs from version A ('published', the one in force, unless told) to version "
            "B ('working', the working copy, unless told): rules added (+), removed (-), "
            "changed (~), other files, and the allow phrases that "
            "differ.\n比较两个版本的规则：新增 +、删除 -、修改 ~。",
        .children = children};
    struct options o = {0};
    struct setup s;
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    int r = setup_load(span_str(o.common.file), false, &s);
    if (r)
        return r;
    struct rule_report report = RULE_REPORT_INIT;
    struct vault *vault = NULL;
    r = vault_open(s.config->state_dir, &report.text, &vault);
    if (r == 0 || r == -ENOENT)
        r = compare(&o, s.config, vault, &report);
    setup_print_messages(stderr, &report.text);
    buf_deinit(&report.text);
    vault_close(vault);
    setup_deinit(&s);
    return r < 0 || fflush(stdout) != 0 ? CLI_BAD : CLI_GOOD;
}
