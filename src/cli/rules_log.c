/* `juyong rules log`: the journal of versions, newest first. */
#include "cli/logview.h"
#include "cli/rules.h"
#include "rules/journal.h"
#include "rules/vault.h"

#include "base/clock.h"
#include "base/day.h"

#include <errno.h>

struct view {
    const struct rules_common *options;
    struct journal journal;
    const struct journal_entry *in_force; /* or NULL */
    struct span filed;                    /* the version that was filed last; may be empty */
};

static void name_of(const struct journal_entry *e, char ret_name[RULE_VERSION_SIZE])
{
    if (e->act == JOURNAL_AUTO)
        snprintf(ret_name, RULE_VERSION_SIZE, "auto-%.12s", e->version.data);
    else if (e->version.len)
        vault_name(e->version, ret_name);
    else
        snprintf(ret_name, RULE_VERSION_SIZE, "-");
}

/* Whether somebody approved the proposal, and that had its effect. */
static bool is_approved(const struct journal *j, const struct journal_entry *proposal)
{
    for (size_t i = proposal->number; i < j->count; i++)
        if (j->entries[i].act == JOURNAL_APPROVE && j->entries[i].of == proposal->number &&
            !j->entries[i].interrupted)
            return true;
    return false;
}

static const char *state_of(const struct view *v, const struct journal_entry *e)
{
    /* Behind what is in force: its effect never came, and nobody has noted it yet. */
    if (e->interrupted ||
        (v->in_force && journal_switches(e->act) && e->number > v->in_force->number))
        return "interrupted";
    if (e == v->in_force)
        return "in force";
    if (e->act == JOURNAL_PROPOSE)
        return is_approved(&v->journal, e) ? "approved" : "proposed";
    return journal_was_in_force(e) ? "was in force" : "";
}

static void print_plain(const struct view *v, const struct journal_entry *e)
{
    char name[RULE_VERSION_SIZE], time[CLOCK_TEXT_SIZE], end[DAY_TEXT_SIZE];
    bool filed = e->act != JOURNAL_FILED && e->version.len && span_eq(e->version, v->filed);
    name_of(e, name);
    clock_format((uint64_t)e->time_us, time);
    printf("%-17s  %.19sZ  %-9s  %-12s  ", name, time, journal_act_name(e->act), state_of(v, e));
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
    name_of(e, name);
    clock_format((uint64_t)e->time_us, time);
    buf_append_char(&out, '{');
    if (e->version.len) {
        setup_json(&out, "version", span_str(name));
        setup_json(&out, "sha256", e->version);
    }
    setup_json(&out, "act", span_str(journal_act_name(e->act)));
    setup_json(&out, "state", span_str(state_of(v, e)));
    buf_printf(&out, ",\"in_force\":%s,\"filed\":%s", e == v->in_force ? "true" : "false",
               e->version.len && span_eq(e->version, v->filed) ? "true" : "false");
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

static void find_marks(struct view *v, struct span current)
{
    for (size_t i = 0; i < v->journal.count; i++) {
        const struct journal_entry *e = &v->journal.entries[i];
        bool candidate = current.len ? journal_switches(e->act) && span_eq(e->version, current)
                                     : e->act == JOURNAL_AUTO;
        if (candidate && !e->interrupted)
            v->in_force = e;
        if (e->act == JOURNAL_FILED)
            v->filed = e->version;
    }
}

static int print(struct view *v, const struct vault *vault, struct buf *messages)
{
    char current[RULE_DIGEST_SIZE] = "";
    int r = journal_open(vault_dir(vault), vault_path(vault), false, messages, &v->journal);
    if (r < 0)
        return r;
    r = vault_current(vault, messages, current);
    find_marks(v, r == 0 ? span_str(current) : SPAN_LIT(""));
    for (size_t i = v->journal.count; i > 0; i--) {
        const struct journal_entry *e = &v->journal.entries[i - 1];
        if (e->act == JOURNAL_INTERRUPTED)
            continue;
        if (v->options->json)
            print_json(v, e);
        else
            print_plain(v, e);
    }
    bool explained = r < 0 || journal_explains(&v->journal, span_str(current));
    journal_close(&v->journal);
    if (explained)
        return r == -ENOENT ? 0 : r;
    buf_printf(messages,
               "%.*s/current: names %.12s…, which the journal does not account for: one of the two "
               "was changed by hand or has lost its end\n",
               SPAN_ARG(vault_path(vault)), current);
    return -EBADMSG;
}

int rules_log(int argc, char **argv)
{
    struct rules_common o;
    struct setup s;
    struct view v = {.options = &o, .filed = SPAN_LIT("")};
    struct vault *vault = NULL;
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
    r = vault_open(s.config->state_dir, &messages, &vault);
    if (r == 0)
        r = print(&v, vault, &messages);
    else if (r == -ENOENT)
        r = 0;
    setup_print_messages(stderr, &messages);
    vault_close(vault);
    buf_deinit(&messages);
    setup_deinit(&s);
    return r < 0 || fflush(stdout) != 0 ? CLI_BAD : CLI_GOOD;
}
