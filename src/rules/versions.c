#include "rules/versions.h"

#include <errno.h>
#include <stdio.h>

static void find_marks(struct versions *v)
{
    struct span current = span_str(v->current);
    v->filed = SPAN_LIT("");
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

int versions_open(struct span state_dir, struct buf *messages, struct versions *ret_versions)
{
    struct versions v = {.journal = {.fd = -1}};
    int r = vault_open(state_dir, messages, &v.vault);
    if (r < 0)
        return r;
    r = journal_open(vault_dir(v.vault), vault_path(v.vault), false, messages, &v.journal);
    if (r < 0) {
        vault_close(v.vault);
        return r;
    }
    r = vault_current(v.vault, messages, v.current);
    if (r < 0)
        v.current[0] = '\0';
    v.damage = r == -ENOENT ? 0 : r;
    find_marks(&v);
    if (r == 0 && !journal_explains(&v.journal, span_str(v.current))) {
        v.damage = -EBADMSG;
        buf_printf(messages,
                   "%.*s/current: names %.12s…, which the journal does not account for: one of the "
                   "two was changed by hand or has lost its end\n",
                   SPAN_ARG(vault_path(v.vault)), v.current);
    }
    *ret_versions = v;
    return 0;
}

void versions_close(struct versions *v)
{
    journal_close(&v->journal);
    vault_close(v->vault);
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

const char *versions_state(const struct versions *v, const struct journal_entry *e)
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

void versions_name(const struct journal_entry *e, char ret_name[RULE_VERSION_SIZE])
{
    if (e->act == JOURNAL_AUTO)
        snprintf(ret_name, RULE_VERSION_SIZE, "auto-%.12s", e->version.data);
    else if (e->version.len)
        vault_name(e->version, ret_name);
    else
        snprintf(ret_name, RULE_VERSION_SIZE, "-");
}

const struct journal_entry *versions_proposal(const struct versions *v)
{
    for (size_t i = v->journal.count; i > 0; i--) {
        const struct journal_entry *e = &v->journal.entries[i - 1];
        if (e->act == JOURNAL_PROPOSE)
            return is_approved(&v->journal, e) ? NULL : e;
        /* Its author meant to change another library than the one in force. */
        if (journal_sets_library(e) && e->act != JOURNAL_AUTO)
            return NULL;
    }
    return NULL;
}

struct span versions_before(const struct versions *v, struct span digest)
{
    size_t i = v->journal.count;
    const struct journal_entry *e = NULL;
    for (; i > 0 && !e; i--)
        if (span_eq(v->journal.entries[i - 1].version, digest) &&
            v->journal.entries[i - 1].act != JOURNAL_FILED)
            e = &v->journal.entries[i - 1];
    if (!e || e->previous.len)
        return e ? e->previous : SPAN_LIT("");
    /* Nothing was published before: what a gateway had taken of the working copy. */
    for (; i > 0; i--)
        if (v->journal.entries[i - 1].act == JOURNAL_AUTO &&
            !span_eq(v->journal.entries[i - 1].version, digest))
            return v->journal.entries[i - 1].version;
    return SPAN_LIT("");
}

int versions_read(const struct vault *vault, struct span rules_dir, const char *name,
                  struct rule_report *report, struct ruleset **ret_set)
{
    char digest[RULE_DIGEST_SIZE] = "";
    struct ruleset_source how = {
        .dir = rules_dir, .shown = rules_dir, .uncompiled = true, .published = true};
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
        buf_append(
            &report->text,
            SPAN_LIT("nothing is published yet: `juyong rules publish` makes the first version\n"));
    return r < 0 ? r : -ENOENT;
}
