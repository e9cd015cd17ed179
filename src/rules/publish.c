#include "rules/publish.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "rules/loader.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* One act while it goes on. */
struct act {
    struct publish *p;
    struct vault *vault;
    struct journal journal;
    char current[RULE_DIGEST_SIZE]; /* "": nothing is published */
    bool absent;                    /* there is no `current` */
    bool lost;                      /* nor is it known any more */
    struct urgent_word *words;
    size_t word_count;
    /* What it makes. */
    struct ruleset *set;
    struct rule_files files;
    struct ruleset *before; /* the version in force, when it was read; or NULL */
    unsigned carried;
};

static int refuse(struct publish *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct publish *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&p->report.text, fmt, ap);
    va_end(ap);
    p->report.errors++;
    return -EINVAL;
}

/* ---- begin and end ---- */

/* Whoever died between his line in the journal and its effect: the journal has to say so. */
static int settle(struct act *a)
{
    const struct journal_entry *last = journal_last_switch(&a->journal);
    a->lost = a->lost || (last && a->absent);
    if (!last || a->lost || span_eq(last->version, span_str(a->current)))
        return 0;
    struct journal_entry e = {.act = JOURNAL_INTERRUPTED,
                              .of = last->number,
                              .version = span_str(a->current),
                              .author = a->p->author,
                              .login = a->p->login,
                              .reason = SPAN_LIT("found without effect")};
    return journal_append(&a->journal, &e, NULL);
}

static void end(struct act *a)
{
    ruleset_unref(a->set);
    ruleset_unref(a->before);
    rule_files_deinit(&a->files);
    free(a->words);
    journal_close(&a->journal);
    vault_close(a->vault);
}

/* What root writes, a gateway that runs as somebody else could not read. */
static int check_owner(struct act *a)
{
    struct stat st;
    if (fstat(vault_dir(a->vault), &st) < 0)
        return -errno;
    if (st.st_uid == geteuid())
        return 0;
    const struct passwd *pw = getpwuid(st.st_uid);
    char number[16];
    snprintf(number, sizeof(number), "#%u", (unsigned)st.st_uid);
    return refuse(a->p, "%.*s belongs to %s: run this as that user, with sudo -u '%s'\n",
                  SPAN_ARG(vault_path(a->vault)), pw ? pw->pw_name : number,
                  pw ? pw->pw_name : number);
}

static int begin(struct act *a, struct publish *p)
{
    struct buf *messages = &p->report.text;
    *a = (struct act){.p = p, .journal = {.fd = -1}};
    int r = vault_open_locked(p->state_dir, messages, &a->vault);
    if (r < 0)
        return r;
    vault_on_step(a->vault, p->step, p->step_ctx);
    r = check_owner(a);
    if (r < 0) {
        end(a);
        return r;
    }
    r = vault_current(a->vault, messages, a->current);
    a->absent = r == -ENOENT;
    a->lost = r == -EBADMSG; /* mended by what follows */
    if (a->absent || a->lost)
        r = 0;
    if (r == 0)
        r = journal_open(vault_dir(a->vault), vault_path(a->vault), true, messages, &a->journal);
    if (r == 0)
        r = settle(a);
    if (r == 0)
        r = urgent_list(&a->journal, clock_wall_s(), &a->words, &a->word_count);
    if (r < 0)
        end(a);
    return r;
}

/* Writes *e into the journal, once whoever asked for the act has put it on his own record. */
static int note(struct act *a, struct journal_entry *e)
{
    struct publish *p = a->p;
    e->author = p->author;
    e->login = p->login;
    if (e->reason.len == 0)
        e->reason = p->reason;
    int r = p->before ? p->before(p->before_ctx, e, &p->report.text) : 0;
    if (r < 0)
        return r;
    r = journal_append(&a->journal, e, NULL);
    if (r < 0)
        buf_printf(&p->report.text, "%.*s/journal.jsonl: %s\n", SPAN_ARG(vault_path(a->vault)),
                   strerror(-r));
    return r;
}

/* ---- what a version is made of ---- */

/* The live urgent words that the library doesn't have itself, but for one. */
static int write_urgent(struct act *a, const struct ruleset *library,
                        const struct journal_entry *without, const struct journal_entry *with,
                        struct buf *out)
{
    int r = 0;
    a->carried = 0;
    for (size_t i = 0; i < a->word_count && r == 0; i++) {
        const struct journal_entry *e = a->words[i].given;
        if (!urgent_is_live(a->words[i].state) || e == without ||
            (with && span_eq(e->word, with->word) && span_eq(e->risk, with->risk)))
            continue;
        const struct risk *risk = ruleset_find_risk(library, e->risk);
        if (!risk)
            return refuse(a->p,
                          "the library has no risk %.*s, of which the urgent word '%.*s' is; "
                          "withdraw it first\n",
                          SPAN_ARG(e->risk), SPAN_ARG(e->word));
        const struct rule *rule = ruleset_find_word(library, risk, e->word);
        if (rule && !urgent_is_rule(rule))
            continue;
        a->carried++;
        r = urgent_write(out, e);
    }
    return r == 0 && with ? urgent_write(out, with) : r;
}

/* The library alone: a stored version's (digest), or the working copy (empty). */
static int read_library(struct act *a, struct span digest, const struct ruleset_source *how,
                        struct ruleset **ret_set)
{
    struct ruleset_source source = *how;
    source.shown = a->p->rules_dir;
    source.dir = a->p->rules_dir;
    source.published = true;
    if (digest.len)
        return vault_read(a->vault, digest, &source, &a->p->report, ret_set);
    return ruleset_read(&source, &a->p->report, ret_set);
}

static bool has_urgent_file(const struct rule_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->list[i].relative, URGENT_FILE) == 0)
            return true;
    return false;
}

static bool has_live_words(const struct act *a)
{
    for (size_t i = 0; i < a->word_count; i++)
        if (urgent_is_live(a->words[i].state))
            return true;
    return false;
}

/* The library as it is: only it knows which urgent words it lacks. */
static int read_plain(struct act *a, struct span digest, bool uncompiled)
{
    struct ruleset_source how = {.keep = &a->files, .uncompiled = uncompiled};
    int r = read_library(a, digest, &how, &a->set);
    if (r == 0 && digest.len == 0 && has_urgent_file(&a->files))
        r = refuse(a->p,
                   "%.*s/" URGENT_FILE ": is written by `juyong rules urgent` alone; give its "
                   "words a file of their risk\n",
                   SPAN_ARG(a->p->rules_dir));
    return r;
}

/* The same with these urgent words in place of those it has. */
static int read_with(struct act *a, struct span digest, struct span urgent)
{
    struct ruleset_source how = {.keep = &a->files, .replace_urgent = true, .urgent = urgent};
    rule_files_deinit(&a->files);
    if (digest.len && span_eq(digest, span_str(a->current)))
        a->before = take(a->set);
    a->set = ruleset_unref(a->set);
    a->p->report.text.len = 0; /* its warnings come again */
    a->p->report.warnings = 0;
    return read_library(a, digest, &how, &a->set);
}

/* Makes a->set and a->files of a library and the urgent words. */
static int make(struct act *a, struct span digest, const struct journal_entry *without,
                const struct journal_entry *with)
{
    struct buf text = BUF_INIT(4u << 20);
    /* A stored version may have words that are live no more. */
    bool again = digest.len || with || has_live_words(a);
    int r = read_plain(a, digest, again);
    if (r == 0 && again)
        r = write_urgent(a, a->set, without, with, &text);
    if (r == 0 && again)
        r = read_with(a, digest, buf_span(&text));
    buf_deinit(&text);
    if (r == 0 && a->p->check && a->p->check(a->p->ctx, a->set, &a->p->report.text) > 0)
        r = -EINVAL;
    return r;
}

/* ---- putting it in force ---- */

/* What is served while nothing is published; empty when no gateway ever ran. */
static struct span last_auto(const struct journal *j)
{
    for (size_t i = j->count; i > 0; i--)
        if (j->entries[i - 1].act == JOURNAL_AUTO)
            return j->entries[i - 1].version;
    return SPAN_LIT("");
}

static void compare(struct act *a, struct publish_done *done)
{
    struct ruleset_source how = {.uncompiled = true, .shown = a->p->rules_dir};
    struct rule_report unheard = RULE_REPORT_INIT;
    struct span base = a->current[0] ? span_str(a->current) : last_auto(&a->journal);
    int r = 0;
    if (!a->before && base.len)
        r = vault_read(a->vault, base, &how, &unheard, &a->before);
    if (r == 0)
        r = rule_diff(a->before, a->set, NULL, NULL, &done->diff);
    done->compared = r == 0;
    if (r < 0)
        buf_printf(&a->p->report.text,
                   "%.*s: warning: can't be read, so nothing is compared with it\n",
                   SPAN_ARG(base));
    buf_deinit(&unheard.text);
}

/* Stores a->set, writes *e into the journal and, unless it is a proposal, switches. */
static int commit(struct act *a, struct journal_entry *e, struct publish_done *done)
{
    struct buf *messages = &a->p->report.text;
    struct span version = ruleset_digest(a->set);
    *done = (struct publish_done){.first = !a->current[0], .urgent = a->carried};
    memcpy(done->version, version.data, version.len + 1);
    memcpy(done->previous, a->current, sizeof(done->previous));
    bool same = span_eq(version, span_str(a->current));
    if (!same)
        compare(a, done);
    /* What is in force already may have been damaged since. */
    int r = vault_put(a->vault, a->set, &a->files, messages);
    if (r < 0)
        return r;
    /* The end of a proposal or of a word means something even if it changes nothing. */
    if (same && e->act != JOURNAL_APPROVE && e->act != JOURNAL_WITHDRAW)
        return PUBLISH_SAME;
    /* So that a `current` that isn't there is always one that was lost. */
    if (a->absent && !a->lost)
        r = vault_switch(a->vault, SPAN_LIT(""), messages);
    if (r < 0)
        return r;
    e->version = version;
    if (e->library.len == 0)
        e->library = version;
    e->previous = span_str(a->current);
    e->compared = done->compared;
    e->added = done->diff.added;
    e->removed = done->diff.removed;
    e->changed = done->diff.changed;
    e->files = done->diff.files;
    r = note(a, e);
    if (r < 0)
        return r;
    vault_tell_step(a->vault, "journal");
    return e->act == JOURNAL_PROPOSE ? 0 : vault_switch(a->vault, version, messages);
}

int publish_library(struct publish *p, bool propose, struct publish_done *ret_done)
{
    struct journal_entry e = {.act = propose ? JOURNAL_PROPOSE : JOURNAL_PUBLISH};
    struct act a;
    int r = begin(&a, p);
    if (r < 0)
        return r;
    r = make(&a, SPAN_LIT(""), NULL, NULL);
    if (r == 0)
        r = commit(&a, &e, ret_done);
    end(&a);
    return r;
}

/* ---- rollback ---- */

/*
 * The library before the one in force: what was there when that one came first. So one rollback
 * after another goes further back, not to and fro.
 */
static struct span library_before(const struct journal *j)
{
    const struct journal_entry *last = NULL;
    for (size_t i = j->count; i > 0 && !last; i--)
        if (journal_sets_library(&j->entries[i - 1]) && j->entries[i - 1].act != JOURNAL_AUTO)
            last = &j->entries[i - 1];
    if (!last)
        return SPAN_NULL;
    size_t i = last->number;
    if (last->act == JOURNAL_ROLLBACK) /* where its library came from */
        for (i--; i > 0; i--)
            if (journal_sets_library(&j->entries[i - 1]) &&
                j->entries[i - 1].act != JOURNAL_ROLLBACK &&
                span_eq(j->entries[i - 1].library, last->library))
                break;
    for (; i > 0; i--)
        if (journal_sets_library(&j->entries[i - 1]) &&
            !span_eq(j->entries[i - 1].library, last->library))
            return j->entries[i - 1].library;
    return SPAN_NULL;
}

static int find_version(struct act *a, struct span name, char ret_digest[RULE_DIGEST_SIZE])
{
    int r = vault_find(a->vault, name, ret_digest);
    if (r == -ENOENT)
        return refuse(a->p, "no version is called '%.*s'; `juyong rules log` lists them\n",
                      SPAN_ARG(name));
    if (r == -ENOTUNIQ)
        return refuse(a->p, "several versions begin with '%.*s'\n", SPAN_ARG(name));
    return r;
}

static int roll_back(struct act *a, struct span name, struct publish_done *done)
{
    char digest[RULE_DIGEST_SIZE];
    const struct journal_entry *last = journal_last_switch(&a->journal);
    struct span before = name.len          ? SPAN_NULL
                         : a->lost && last ? last->version
                                           : library_before(&a->journal);
    if (name.len == 0 && !before.len)
        return refuse(a->p, "no other library was in force before\n");
    int r = find_version(a, name.len ? name : before, digest);
    if (r < 0)
        return r;
    const struct journal_entry *was = journal_in_force(&a->journal, span_str(digest));
    if (!was)
        return refuse(a->p, "%.*s was never in force\n", SPAN_ARG(name));
    struct journal_entry e = {.act = JOURNAL_ROLLBACK, .library = was->library, .of = was->number};
    r = make(a, span_str(digest), NULL, NULL);
    return r < 0 ? r : commit(a, &e, done);
}

int publish_rollback(struct publish *p, struct span version, struct publish_done *ret_done)
{
    struct act a;
    int r = begin(&a, p);
    if (r < 0)
        return r;
    r = roll_back(&a, version, ret_done);
    end(&a);
    return r;
}

/* ---- two persons ---- */

/* Another width or case of a name is no other person. */
static bool is_same_person(struct span a, struct span b)
{
    struct buf x = BUF_INIT(4096), y = BUF_INIT(4096);
    bool folded = match_fold(a, &x) == 0 && match_fold(b, &y) == 0 && x.len && y.len;
    bool same =
        folded ? span_eq(buf_span(&x), buf_span(&y)) : span_eq_nocase(span_trim(a), span_trim(b));
    buf_deinit(&x);
    buf_deinit(&y);
    return same;
}

static const struct journal_entry *find_proposal(const struct journal *j, struct span digest)
{
    for (size_t i = j->count; i > 0; i--)
        if (j->entries[i - 1].act == JOURNAL_PROPOSE && span_eq(j->entries[i - 1].version, digest))
            return &j->entries[i - 1];
    return NULL;
}

static int approve(struct act *a, struct span name, struct publish_done *done)
{
    char digest[RULE_DIGEST_SIZE], now[RULE_VERSION_SIZE];
    int r = find_version(a, name, digest);
    if (r < 0)
        return r;
    const struct journal_entry *proposal = find_proposal(&a->journal, span_str(digest));
    if (!proposal)
        return refuse(a->p, "%.*s was never proposed\n", SPAN_ARG(name));
    if (is_same_person(proposal->author, a->p->author))
        return refuse(a->p, "%.*s was proposed by %.*s: somebody else has to approve it\n",
                      SPAN_ARG(name), SPAN_ARG(proposal->author));
    vault_name(span_str(a->current), now);
    for (size_t i = proposal->number; i < a->journal.count; i++) {
        const struct journal_entry *e = &a->journal.entries[i];
        if (e->act == JOURNAL_APPROVE && e->of == proposal->number && !e->interrupted)
            return refuse(a->p, "%.*s is approved already\n", SPAN_ARG(name));
        /* Its author meant to change another library than the one in force. */
        if (journal_sets_library(e) && e->act != JOURNAL_AUTO)
            return refuse(a->p,
                          "%.*s was proposed before %s came into force, and would undo it: "
                          "propose again\n",
                          SPAN_ARG(name), now);
    }
    struct journal_entry e = {.act = JOURNAL_APPROVE, .of = proposal->number};
    if (a->p->reason.len == 0)
        e.reason = proposal->reason;
    r = make(a, span_str(digest), NULL, NULL);
    return r < 0 ? r : commit(a, &e, done);
}

int publish_approve(struct publish *p, struct span proposal, struct publish_done *ret_done)
{
    struct act a;
    int r = begin(&a, p);
    if (r < 0)
        return r;
    r = approve(&a, proposal, ret_done);
    end(&a);
    return r;
}

/* ---- urgent words ---- */

/* Which library the version in force has. */
static struct span library_in_force(const struct act *a)
{
    const struct journal_entry *last = journal_last_switch(&a->journal);
    return last ? last->library : SPAN_LIT("");
}

static int add_urgent(struct act *a, struct journal_entry *e, struct publish_done *done)
{
    e->author = a->p->author;
    e->reason = a->p->reason;
    e->library = a->current[0] ? library_in_force(a) : last_auto(&a->journal);
    int r = make(a, a->current[0] ? span_str(a->current) : e->library, NULL, e);
    if (r < 0)
        return r;
    const struct risk *risk = ruleset_find_risk(a->set, e->risk);
    const struct rule *rule = ruleset_find_word(a->set, risk, e->word);
    if (!rule || !urgent_is_rule(rule)) {
        buf_clear(&a->p->report.text); /* a warning that says the same */
        return refuse(a->p, "'%.*s' is a rule already: %.*s, %.*s:%u\n", SPAN_ARG(e->word),
                      SPAN_ARG(rule ? rule->id : SPAN_LIT("?")),
                      SPAN_ARG(rule ? rule->file : SPAN_LIT("?")), rule ? rule->line : 0);
    }
    return commit(a, e, done);
}

int publish_urgent(struct publish *p, struct span word, struct span risk, int64_t expires,
                   struct publish_done *ret_done)
{
    struct journal_entry e = {
        .act = JOURNAL_URGENT, .word = word, .risk = risk, .expires = expires};
    struct act a;
    int r = begin(&a, p);
    if (r < 0)
        return r;
    r = add_urgent(&a, &e, ret_done);
    end(&a);
    return r;
}

static int find_urgent(struct act *a, struct span word, struct span risk,
                       const struct urgent_word **ret_word)
{
    int r = urgent_find(a->words, a->word_count, word, risk, ret_word);
    if (r == -ENOENT)
        return refuse(a->p, "'%.*s' is no live urgent word; `juyong rules urgent list` has them\n",
                      SPAN_ARG(word));
    if (r == -ENOTUNIQ)
        return refuse(a->p, "'%.*s' is urgent for several risks: name one with --risk\n",
                      SPAN_ARG(word));
    return r;
}

int publish_withdraw(struct publish *p, struct span word, struct span risk,
                     struct publish_done *ret_done)
{
    const struct urgent_word *w;
    struct act a;
    int r = begin(&a, p);
    if (r < 0)
        return r;
    r = find_urgent(&a, word, risk, &w);
    if (r == 0)
        r = make(&a, span_str(a.current), w->given, NULL);
    if (r == 0) {
        struct journal_entry e = {.act = JOURNAL_WITHDRAW,
                                  .of = w->given->number,
                                  .word = w->given->word,
                                  .risk = w->given->risk,
                                  .library = library_in_force(&a)};
        r = commit(&a, &e, ret_done);
    }
    end(&a);
    return r;
}

int publish_confirm(struct publish *p, struct span word, struct span risk)
{
    const struct urgent_word *w;
    struct act a;
    int r = begin(&a, p);
    if (r < 0)
        return r;
    r = find_urgent(&a, word, risk, &w);
    if (r == 0 && w->confirmed)
        r = refuse(p, "'%.*s' is approved already, by %.*s\n", SPAN_ARG(word),
                   SPAN_ARG(w->confirmed->author));
    if (r == 0 && is_same_person(w->given->author, p->author))
        r = refuse(p, "'%.*s' was given by %.*s: somebody else has to approve it\n", SPAN_ARG(word),
                   SPAN_ARG(w->given->author));
    if (r == 0) {
        struct journal_entry e = {.act = JOURNAL_CONFIRM,
                                  .of = w->given->number,
                                  .word = w->given->word,
                                  .risk = w->given->risk};
        r = note(&a, &e);
    }
    end(&a);
    return r;
}

/* ---- notes ---- */

int publish_filed(struct publish *p, struct span version, char ret_version[RULE_DIGEST_SIZE])
{
    struct act a;
    int r = begin(&a, p);
    if (r < 0)
        return r;
    if (version.len)
        r = find_version(&a, version, ret_version);
    else if (a.current[0])
        memcpy(ret_version, a.current, sizeof(a.current));
    else
        r = refuse(p, "nothing is published: name the version\n");
    if (r == 0) {
        struct journal_entry e = {.act = JOURNAL_FILED, .version = span_str(ret_version)};
        r = note(&a, &e);
    }
    end(&a);
    return r;
}
