/* `juyong rules diff`: which rules differ between two versions, or a version and the working copy.
 */
#include "cli/rules.h"
#include "rules/diff.h"
#include "rules/vault.h"

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

static bool same_apps(const struct rule *a, const struct rule *b)
{
    bool same = a->app_count == b->app_count;
    for (size_t i = 0; same && i < a->app_count; i++)
        same = span_eq(a->apps[i], b->apps[i]);
    return same;
}

/* What of the rule is another; of a pattern or near rule also what no other name says. */
static size_t list_changes(const struct rule *a, const struct rule *b, const char *ret_names[12])
{
    size_t n = 0;
    if (!span_eq(a->source, b->source))
        ret_names[n++] = "text";
    if (a->direction != b->direction)
        ret_names[n++] = "direction";
    if (a->action != b->action)
        ret_names[n++] = "action";
    if (a->asked != b->asked)
        ret_names[n++] = "see";
    if (!same_apps(a, b))
        ret_names[n++] = "apps";
    if (a->expires != b->expires)
        ret_names[n++] = "expires";
    if (!span_eq(a->quarantine, b->quarantine))
        ret_names[n++] = "quarantine";
    if (!span_eq(a->forced, b->forced))
        ret_names[n++] = "forced";
    if (!span_eq(a->why, b->why))
        ret_names[n++] = "why";
    if (!span_eq(a->from, b->from) || a->origin != b->origin)
        ret_names[n++] = "source";
    if (n == 0)
        ret_names[n++] = "definition";
    return n;
}

static void print_plain(struct buf *out, char kind, const struct rule *r, const char *const *names,
                        size_t count)
{
    buf_printf(out, "%c %.*s\t%s\t%s\t%.*s\t%.*s:%u", kind, SPAN_ARG(r->id),
               direction_name(r->direction), action_name(r->action), SPAN_ARG(r->source),
               SPAN_ARG(r->file), r->line);
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s", i ? ", " : "\t", names[i]);
    buf_append_char(out, '\n');
}

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
    const char *names[12];
    size_t count = kind == '~' && new ? list_changes(old, new, names) : 0;
    buf_clear(&v->out);
    if (!old && !new) {
        if (v->json) {
            buf_append_char(&v->out, '{');
            setup_json(&v->out, "change", SPAN_LIT("file"));
            setup_json(&v->out, "how", span_from(&kind, 1));
            setup_json(&v->out, "file", path);
            buf_append(&v->out, SPAN_LIT("}\n"));
        } else {
            buf_printf(&v->out, "%c %.*s\tfile\n", kind, SPAN_ARG(path));
        }
    } else if (v->json) {
        print_json(&v->out, kind, new ? new : old, names, count);
    } else {
        print_plain(&v->out, kind, new ? new : old, names, count);
    }
    setup_write(stdout, &v->out);
}

/* The version of that name, the one in force ("published"), or the folder as it is now ("working").
 */
static int load(const struct config *c, const struct vault *vault, const char *name,
                struct rule_report *report, struct ruleset **ret_set)
{
    char digest[RULE_DIGEST_SIZE] = "";
    struct ruleset_source how = {
        .dir = c->rules_dir, .shown = c->rules_dir, .uncompiled = true, .published = true};
    if (strcmp(name, "working") == 0)
        return ruleset_read(&how, report, ret_set);
    if (strcmp(name, "published") == 0)
        name = NULL;
    int r = !vault ? -ENOENT
            : name ? vault_find(vault, span_str(name), digest)
                   : vault_current(vault, &report->text, digest);
    if (r == 0 && digest[0])
        return vault_read(vault, span_str(digest), &how, report, ret_set);
    if (r == -ENOTUNIQ)
        buf_printf(&report->text, "several versions begin with '%s'\n", name);
    else if (name && r == -ENOENT)
        buf_printf(&report->text, "no version is called '%s'; `juyong rules log` lists them\n",
                   name);
    else if (r == 0 || r == -ENOENT)
        buf_append(&report->text, SPAN_LIT("nothing is published: name the versions\n"));
    return r < 0 ? r : -ENOENT;
}

static int compare(const struct options *o, const struct config *c, const struct vault *vault,
                   struct rule_report *report)
{
    struct ruleset *a = NULL, *b = NULL;
    struct rule_diff d;
    struct view v = {.json = o->common.json, .out = BUF_INIT(1u << 20)};
    int r = load(c, vault, o->names[0] ? o->names[0] : "published", report, &a);
    if (r == 0)
        r = load(c, vault, o->names[1] ? o->names[1] : "working", report, &b);
    if (r == 0)
        r = rule_diff(a, b, on_change, &v, &d);
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
            "changed (~), and other files.\n比较两个版本的规则：新增 +、删除 -、修改 ~。",
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
