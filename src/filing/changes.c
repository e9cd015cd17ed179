#include "filing/changes.h"

#include "rules/diff.h"
#include "rules/journal.h"
#include "rules/vault.h"

#include <errno.h>
#include <stdlib.h>

struct walk {
    struct changes *changes;
    const struct vault *vault;
    const struct journal *journal;
    struct buf *messages;
    int64_t when; /* of the newer of two versions that are compared */
    size_t open;  /* types whose time is not known */
};

static void note(struct walk *w, const struct rule *rule)
{
    /* By name: the two versions have risks of their own. */
    const struct risk *risk = rule ? ruleset_find_risk(w->changes->rules, rule->risk->id) : NULL;
    if (!risk)
        return;
    int64_t *time = &w->changes->times[risk - ruleset_risk(w->changes->rules, 0)];
    if (*time)
        return;
    *time = w->when;
    w->open--;
}

/* Another reason or source written beside a rule is no update of it. */
static bool is_update(const struct rule *old, const struct rule *new)
{
    if (!old || !new || new->kind != RULE_KEYWORD)
        return true;
    return old->action != new->action || old->direction != new->direction ||
           old->asked != new->asked || old->expires != new->expires ||
           old->app_count != new->app_count ||
           (old->quarantine.len > 0) != (new->quarantine.len > 0);
}

static void on_change(void *ctx, char kind, const struct rule *old, const struct rule *new,
                      struct span path)
{
    if (!is_update(old, new))
        return;
    note(ctx, old);
    note(ctx, new);
}

/* The next older entry that had a version in force; NULL: none. */
static const struct journal_entry *before(const struct journal *j, size_t *index)
{
    while (*index > 0) {
        const struct journal_entry *e = &j->entries[--*index];
        if (journal_was_in_force(e))
            return e;
    }
    return NULL;
}

static int load(const struct walk *w, const struct journal_entry *e, struct ruleset **ret_set)
{
    struct rule_report report = RULE_REPORT_INIT;
    int r = vault_read(w->vault, e->version, &(struct ruleset_source){.uncompiled = true}, &report,
                       ret_set);
    if (r < 0)
        buf_append(w->messages, buf_span(&report.text));
    buf_deinit(&report.text);
    return r;
}

/* Compares each version with the one before it, from the newest on. */
static int walk_back(struct walk *w, int64_t now)
{
    size_t index = w->journal->count;
    const struct ruleset *newer = w->changes->rules;
    struct ruleset *held = NULL;
    const struct journal_entry *e = before(w->journal, &index);
    int r = 0;
    /* What is being looked at may have been in force already: then its own time counts. */
    w->when = now;
    for (unsigned n = 0; e && w->open && n < CHANGES_VERSIONS_MAX && r == 0; n++) {
        int64_t time = e->time_us / 1000000;
        if (!span_eq(e->version, ruleset_digest(newer))) {
            struct ruleset *older = NULL;
            struct rule_diff unused;
            r = load(w, e, &older);
            if (r == 0)
                r = rule_diff(older, newer, on_change, w, &unused);
            ruleset_unref(held);
            newer = held = older;
        }
        w->when = time;
        e = before(w->journal, &index);
    }
    ruleset_unref(held);
    /* The oldest that was looked at: nothing is known from before. */
    size_t types = ruleset_risk_count(w->changes->rules);
    for (size_t i = 0; i < types && r == 0; i++)
        if (w->changes->times[i] == 0)
            w->changes->times[i] = w->when;
    return r;
}

int changes_read(struct span state_dir, const struct ruleset *rules, int64_t now,
                 struct buf *messages, struct changes *ret_changes)
{
    struct changes c = {.rules = rules};
    struct vault *vault = NULL;
    struct journal journal;
    c.times = calloc(ruleset_risk_count(rules) + 1, sizeof(*c.times));
    if (!c.times)
        return -ENOMEM;
    int r = vault_open(state_dir, messages, &vault);
    if (r == 0)
        r = journal_open(vault_dir(vault), vault_path(vault), false, messages, &journal);
    if (r == 0) {
        struct walk w = {&c, vault, &journal, messages, now, ruleset_risk_count(rules)};
        if (journal.count)
            r = walk_back(&w, now);
        journal_close(&journal);
    }
    vault_close(vault);
    if (r < 0 && r != -ENOENT) {
        changes_free(&c);
        return r;
    }
    *ret_changes = c;
    return 0;
}

void changes_free(struct changes *c)
{
    free(c->times);
    *c = (struct changes){0};
}

int64_t changes_at(void *changes, const struct risk *risk)
{
    const struct changes *c = changes;
    return c->times[risk - ruleset_risk(c->rules, 0)];
}

/* Publishing the same again updates nothing, and urgent words do. */
static int64_t newest_change(const struct journal *j)
{
    const struct journal_entry *last = NULL;
    int64_t at_us = 0;
    for (size_t i = 0; i < j->count; i++) {
        const struct journal_entry *e = &j->entries[i];
        if (!journal_was_in_force(e) || (last && span_eq(last->version, e->version)))
            continue;
        at_us = e->time_us;
        last = e;
    }
    return at_us / 1000000;
}

int64_t changes_newest(struct span state_dir)
{
    struct buf unheard = BUF_INIT(65536);
    struct vault *vault = NULL;
    struct journal j;
    int64_t at = 0;
    int r = vault_open(state_dir, &unheard, &vault);
    if (r == 0)
        r = journal_open(vault_dir(vault), vault_path(vault), false, &unheard, &j);
    if (r == 0) {
        at = newest_change(&j);
        journal_close(&j);
    }
    vault_close(vault);
    buf_deinit(&unheard);
    return at;
}
