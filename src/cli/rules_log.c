/* `juyong rules log`: the journal of versions, newest first. */
#include "cli/logview.h"
#include "cli/rules.h"
#include "rules/versions.h"

#include "base/clock.h"
#include "base/day.h"

#include <errno.h>

struct view {
    const struct rules_common *options;
    struct versions versions;
};

static void print_plain(const struct view *v, const struct journal_entry *e)
{
    char name[RULE_VERSION_SIZE], time[CLOCK_TEXT_SIZE], end[DAY_TEXT_SIZE];
    bool filed =
        e->act != JOURNAL_FILED && e->version.len && span_eq(e->version, v->versions.filed);
    versions_name(e, name);
    clock_format((uint64_t)e->time_us, time);
    printf("%-17s  %.19sZ  %-9s  %-12s  ", name, time, journal_act_name(e->act),
           versions_state(&v->versions, e));
    logview_text(stdout, e->author);
    if (filed)
        printf("  filed");
    if (e->compared)
        printf("  +%u -%u ~%u", e->added, e->removed, e->changed);
    if (e->compared && e->files)
        printf(" files %u", e->files);
    if (e->word.len) {
        printf("  '");
        logview_text(stdout, e->word);
        printf("' (%.*s", SPAN_ARG(e->risk));
        if (e->expires) {
            day_format_minute(e->expires, end);
            printf(", until %s", end);
        }
        printf(")");
    }
    if (e->reason.len) {
        printf("  ");
        logview_text(stdout, e->reason);
    }
    printf("\n");
}

static void json_text(struct buf *out, const char *key, struct span text)
{
    if (text.len)
        setup_json(out, key, text);
}

static void print_json(const struct view *v, const struct journal_entry *e)
{
    char name[RULE_VERSION_SIZE], time[CLOCK_TEXT_SIZE], end[DAY_TEXT_SIZE];
    struct buf out = BUF_INIT(65536);
    versions_name(e, name);
    clock_format((uint64_t)e->time_us, time);
    buf_append_char(&out, '{');
    if (e->version.len) {
        setup_json(&out, "version", span_str(name));
        setup_json(&out, "sha256", e->version);
    }
    setup_json(&out, "act", span_str(journal_act_name(e->act)));
    setup_json(&out, "state", span_str(versions_state(&v->versions, e)));
    buf_printf(&out, ",\"in_force\":%s,\"filed\":%s", e == v->versions.in_force ? "true" : "false",
               e->version.len && span_eq(e->version, v->versions.filed) ? "true" : "false");
    setup_json(&out, "time", span_str(time));
    setup_json(&out, "author", e->author);
    json_text(&out, "login", e->login);
    json_text(&out, "reason", e->reason);
    json_text(&out, "previous", e->previous);
    if (e->compared)
        buf_printf(&out, ",\"added\":%u,\"removed\":%u,\"changed\":%u,\"files\":%u", e->added,
                   e->removed, e->changed, e->files);
    json_text(&out, "word", e->word);
    json_text(&out, "risk", e->risk);
    if (e->expires) {
        day_format_minute(e->expires, end);
        setup_json(&out, "expires", span_str(end));
    }
    if (e->of)
        buf_printf(&out, ",\"of\":%u", e->of);
    buf_printf(&out, ",\"entry\":%u", e->number);
    setup_json(&out, "entry_sha256", e->hash);
    buf_append(&out, SPAN_LIT("}\n"));
    setup_write(stdout, &out);
    buf_deinit(&out);
}

static void print(const struct view *v)
{
    const struct journal *j = &v->versions.journal;
    for (size_t i = j->count; i > 0; i--) {
        const struct journal_entry *e = &j->entries[i - 1];
        if (e->act == JOURNAL_INTERRUPTED)
            continue;
        if (v->options->json)
            print_json(v, e);
        else
            print_plain(v, e);
    }
}

int rules_log(int argc, char **argv)
{
    struct rules_common o;
    struct setup s;
    struct view v = {.options = &o};
    int r = rules_parse(argc, argv, &rules_common_argp,
                        "The versions of the rules, newest first: who put them in force, when and "
                        "why, and what changed.\n规则版本记录：谁、何时、为何发布，改了什么。\v"
                        "The chain of the journal is verified; damage is exit status 1.",
                        &o);
    if (r == 0)
        r = setup_load(span_str(o.file), false, &s);
    if (r)
        return r;
    struct buf messages = BUF_INIT(65536);
    r = versions_open(s.config->state_dir, &messages, &v.versions);
    if (r == 0) {
        print(&v);
        r = v.versions.damage;
        versions_close(&v.versions);
    } else if (r == -ENOENT) {
        r = 0;
    }
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    setup_deinit(&s);
    return r < 0 || fflush(stdout) != 0 ? CLI_BAD : CLI_GOOD;
}
