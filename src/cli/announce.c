#include "cli/announce.h"

#include "base/log.h"
#include "cli/setup.h"
#include "rules/publish.h"

/* Tells of the journal's entry by which the rules are in force (NULL: it has none), if it can be
 * read. */
static void read_entry(const struct snapshot *s,
                       void (*fn)(void *ctx, const struct journal_entry *e), void *ctx)
{
    struct span digest = ruleset_digest(snapshot_rules(s));
    struct buf unheard = BUF_INIT(65536);
    struct vault *vault = NULL;
    struct journal j;
    int r = vault_open(snapshot_config(s)->state_dir, &unheard, &vault);
    if (r == 0)
        r = journal_open(vault_dir(vault), vault_path(vault), false, &unheard, &j);
    if (r == 0) {
        fn(ctx, journal_in_force(&j, digest));
        journal_close(&j);
    }
    vault_close(vault);
    buf_deinit(&unheard);
}

/* Who put it in force, and the hash that pins the journal's line. */
static void append_act(void *ctx, const struct journal_entry *e)
{
    struct buf *detail = ctx;
    if (!e)
        return;
    setup_json(detail, "act", span_str(journal_act_name(e->act)));
    setup_json(detail, "author", e->author);
    setup_json(detail, "why", e->reason);
    buf_printf(detail, ",\"entry\":%u", e->number);
    setup_json(detail, "entry_sha256", e->hash);
}

static void note_time(void *ctx, const struct journal_entry *e)
{
    *(int64_t *)ctx = e ? e->time_us : 0;
}

int64_t announce_since(const struct snapshot *s)
{
    int64_t us = 0;
    read_entry(s, note_time, &us);
    return us;
}

/* For the command that waits. */
static void tell(const struct announce *a, const struct snapshot *s, struct span refused,
                 struct span why)
{
    if (!a->serving)
        return;
    int r = serving_tell(a->serving, snapshot_rules(s), refused, why);
    if (r < 0)
        log_warning("can't tell which rules are served: %s", strerror(-r));
}

void announce_rules(const struct announce *a, const struct snapshot *s, struct span act)
{
    struct buf detail = BUF_INIT(16384);
    const struct ruleset *rules = snapshot_rules(s);
    buf_append_char(&detail, '{');
    setup_json(&detail, "ruleset", ruleset_version(rules));
    setup_json(&detail, "sha256", ruleset_digest(rules));
    read_entry(s, append_act, &detail);
    buf_append_char(&detail, '}');
    struct audit_subject subject = {.ruleset = ruleset_version(rules)};
    struct audit_event e = {
        .kind = AUDIT_ADMIN, .subject = &subject, .reason = act, .detail = buf_span(&detail)};
    if (audit_submit(a->audit, NULL, 0, &e) < 0)
        log_error("the change of rules could not be recorded");
    buf_deinit(&detail);
    tell(a, s, SPAN_LIT(""), SPAN_LIT(""));
}

void announce_refusal(const struct announce *a, const struct snapshot *s,
                      const struct buf *messages)
{
    char current[RULE_DIGEST_SIZE] = "";
    struct buf unheard = BUF_INIT(8192);
    struct vault *vault = NULL;
    if (vault_open(snapshot_config(s)->state_dir, &unheard, &vault) == 0 &&
        vault_current(vault, &unheard, current) < 0)
        current[0] = '\0';
    vault_close(vault);
    buf_deinit(&unheard);
    struct span rest = buf_span(messages), line = SPAN_LIT(""), why = SPAN_LIT("");
    while (why.len == 0 && span_split(&rest, '\n', &line))
        if (span_find(line, SPAN_LIT(": warning: ")) == line.len)
            why = line;
    if (!span_eq(span_str(current), ruleset_digest(snapshot_rules(s))))
        tell(a, s, span_str(current), why);
}
