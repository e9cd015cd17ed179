/* How a gateway and whoever looks on find what is in force. */
#include "rules/publish.h"

#include <errno.h>
#include <stdio.h>

static int read_published(struct vault *s, struct span digest, struct span rules_dir, bool serving,
                          struct rule_report *report, struct ruleset **ret_set)
{
    struct ruleset_source how = {.shown = rules_dir, .canary = serving};
    return vault_read(s, digest, &how, report, ret_set);
}

/* Nothing published, or a file that was deleted: then the working copy is not what was decided. */
static int check_absent(struct vault *s, struct rule_report *report)
{
    struct journal j;
    int r = journal_open(vault_dir(s), vault_path(s), false, &report->text, &j);
    if (r < 0)
        return r;
    r = journal_last_switch(&j) ? -EBADMSG : -ENOENT;
    journal_close(&j);
    if (r == -EBADMSG)
        buf_printf(&report->text,
                   "%.*s/current: is gone, though versions were published; `juyong rules "
                   "rollback` puts the last one in force again\n",
                   SPAN_ARG(vault_path(s)));
    return r;
}

/* It is served all the same: it is a whole version that was stored here. But it is told. */
static void compare_journal(struct vault *s, struct span current, struct rule_report *report)
{
    struct journal j;
    struct buf unheard = BUF_INIT(4096);
    if (journal_open(vault_dir(s), vault_path(s), false, &unheard, &j) == 0) {
        if (!journal_explains(&j, current)) {
            report->warnings++;
            buf_printf(&report->text,
                       "%.*s/current: warning: names %.12s…, which the journal does not account "
                       "for: one of the two was changed by hand or has lost its end\n",
                       SPAN_ARG(vault_path(s)), current.data);
        }
        journal_close(&j);
    }
    buf_deinit(&unheard);
}

static int peek(struct span state_dir, struct span rules_dir, bool serving,
                struct rule_report *report, struct ruleset **ret_set)
{
    char digest[RULE_DIGEST_SIZE];
    struct vault *s = NULL;
    int r = vault_open(state_dir, &report->text, &s);
    if (r < 0)
        return r;
    r = vault_current(s, &report->text, digest);
    if (r == -ENOENT)
        r = check_absent(s, report);
    else if (r == 0)
        r = digest[0] ? read_published(s, span_str(digest), rules_dir, serving, report, ret_set)
                      : -ENOENT;
    if (r == 0)
        compare_journal(s, span_str(digest), report);
    vault_close(s);
    return r;
}

int publish_peek(struct span state_dir, struct span rules_dir, struct rule_report *report,
                 struct ruleset **ret_set)
{
    return peek(state_dir, rules_dir, false, report, ret_set);
}

/* Once in a row: a gateway that starts ten times took one version. */
static void note_auto(struct vault *s, const struct ruleset *set, struct rule_report *report)
{
    struct journal j;
    struct buf messages = BUF_INIT(4096);
    int r = journal_open(vault_dir(s), vault_path(s), true, &messages, &j);
    if (r == 0) {
        struct journal_entry e = {.act = JOURNAL_AUTO,
                                  .version = ruleset_digest(set),
                                  .library = ruleset_digest(set),
                                  .author = SPAN_LIT("juyong"),
                                  .reason = SPAN_LIT("nothing is published: the working copy")};
        const struct journal_entry *last = NULL;
        for (size_t i = 0; i < j.count; i++)
            if (j.entries[i].act == JOURNAL_AUTO)
                last = &j.entries[i];
        if (!last || !span_eq(last->version, e.version))
            r = journal_append(&j, &e, NULL);
        journal_close(&j);
    }
    /* A list of what was is no condition for serving; the version itself is stored. */
    if (r < 0)
        buf_printf(&report->text, "%.*s/journal.jsonl: warning: can't be written: %s\n",
                   SPAN_ARG(vault_path(s)), r == -EBADMSG ? "a line was changed" : strerror(-r));
    buf_deinit(&messages);
}

/* -EAGAIN: something was published meanwhile. */
static int take_working_copy(struct span state_dir, struct span rules_dir,
                             struct rule_report *report, struct ruleset **ret_set)
{
    char digest[RULE_DIGEST_SIZE];
    struct rule_files files = {0};
    struct ruleset_source source = {.dir = rules_dir, .keep = &files, .canary = true};
    struct ruleset *set = NULL;
    struct vault *s = NULL;
    int r = ruleset_read(&source, report, &set);
    if (r == 0)
        r = vault_open_locked(state_dir, &report->text, &s);
    if (r == 0) {
        r = vault_current(s, &report->text, digest);
        r = r == -ENOENT ? 0 : r == 0 && digest[0] ? -EAGAIN : r;
    }
    if (r == 0)
        r = vault_put(s, set, &files, &report->text);
    if (r == 0)
        note_auto(s, set, report);
    vault_close(s);
    rule_files_deinit(&files);
    if (r == 0)
        *ret_set = set;
    else
        ruleset_unref(set);
    return r;
}

int publish_load(struct span state_dir, struct span rules_dir, struct rule_report *report,
                 struct ruleset **ret_set)
{
    int r = peek(state_dir, rules_dir, true, report, ret_set);
    if (r != -ENOENT)
        return r;
    r = take_working_copy(state_dir, rules_dir, report, ret_set);
    if (r != -EAGAIN)
        return r;
    buf_clear(&report->text);
    report->warnings = 0;
    return peek(state_dir, rules_dir, true, report, ret_set);
}

int publish_status(struct span state_dir, struct buf *messages, struct publish_status *ret_status)
{
    struct publish_status status = {0};
    struct vault *s = NULL;
    struct journal j;
    *ret_status = status;
    int r = vault_open(state_dir, messages, &s);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    r = vault_current(s, messages, status.in_force);
    if (r == -ENOENT)
        r = 0;
    if (r == 0)
        r = journal_open(vault_dir(s), vault_path(s), false, messages, &j);
    if (r == 0) {
        for (size_t i = 0; i < j.count; i++) {
            if (j.entries[i].act != JOURNAL_FILED)
                continue;
            snprintf(status.filed, sizeof(status.filed), "%.*s", SPAN_ARG(j.entries[i].version));
            status.filed_us = j.entries[i].time_us;
        }
        journal_close(&j);
        *ret_status = status;
    }
    vault_close(s);
    return r;
}
