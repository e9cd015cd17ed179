#include "rules/draft.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/utf8.h"
#include "config/value.h"
#include "rules/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_BYTES (64u << 20)

/* One change while it goes on. */
struct edit {
    struct draft_change *d;
    const char *folder, *name; /* of the file, below rules_dir */
    struct span relative;
    int dir; /* of the folder */
    mode_t mode;
    struct buf old, new;
    bool found; /* the line is there */
};

bool draft_is_text(struct span text, size_t max)
{
    return text.len > 0 && text.len <= max && span_eq(span_trim(text), text) &&
           text.data[0] != '#' && value_is_printable(text) && utf8_check(text) == text.len &&
           !memchr(text.data, '\t', text.len);
}

static int fail(struct edit *e, const char *what, int error)
{
    buf_printf(&e->d->report.text, "%.*s/%s/%s: %s: %s\n", SPAN_ARG(e->d->rules_dir), e->folder,
               e->name, what, strerror(-error));
    return error;
}

/* The file as it is; none is as an empty one. */
static int read_old(struct edit *e)
{
    char path[PATH_MAX];
    struct stat st;
    if (snprintf(path, sizeof(path), "%.*s/%s", SPAN_ARG(e->d->rules_dir), e->folder) >=
        (int)sizeof(path))
        return fail(e, "can't be changed", -ENAMETOOLONG);
    e->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (e->dir < 0 || fstat(e->dir, &st) < 0)
        return fail(e, "can't be changed", -errno);
    e->mode = st.st_mode & 0666;
    cleanup(cleanup_close) int fd = openat(e->dir, e->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail(e, "can't be read", -errno);
    int r = fstat(fd, &st) < 0 ? -errno : file_read(fd, 0, &e->old);
    if (r < 0)
        return fail(e, "can't be read", r);
    e->mode = st.st_mode & 0777;
    return 0;
}

/* Is it the line of that word, and of that risk? */
static bool is_line(const struct draft_change *d, struct span line)
{
    struct span part;
    bool risk = d->phrase || d->risk.len == 0;
    if (!span_split(&line, '\t', &part) || !span_eq(span_trim(part), d->text))
        return false;
    while (span_split(&line, '\t', &part))
        risk = risk || (span_starts(part, SPAN_LIT("risk=")) &&
                        span_eq(span_trim(span_slice(part, strlen("risk="), part.len)), d->risk));
    return risk;
}

static int write_line(struct edit *e)
{
    const struct draft_change *d = e->d;
    int r = buf_printf(&e->new, "%.*s", SPAN_ARG(d->text));
    if (r == 0 && !d->phrase)
        r = buf_printf(&e->new, "\trisk=%.*s", SPAN_ARG(d->risk));
    if (r == 0)
        r = buf_printf(&e->new, "\twhy=%.*s\tsource=own: %.*s\n", SPAN_ARG(d->why),
                       SPAN_ARG(d->author));
    return r;
}

static int make_new(struct edit *e)
{
    struct span rest = buf_span(&e->old), line;
    int r = 0;
    if (rest.len == 0 && !e->d->remove)
        r = buf_append(&e->new, SPAN_LIT("# Added at the console; may be edited.\n"));
    while (r == 0 && span_split(&rest, '\n', &line)) {
        bool it = is_line(e->d, line);
        e->found = e->found || it;
        if ((it && e->d->remove) || (line.len == 0 && rest.len == 0))
            continue; /* taken out; or what stands behind the last line's end */
        r = buf_append(&e->new, line);
        if (r == 0)
            r = buf_append_char(&e->new, '\n');
    }
    return r < 0 || e->d->remove ? r : write_line(e);
}

/* Where the library has the phrase besides this file. */
static bool has_phrase(const struct ruleset *set, const struct edit *e, struct place *ret_at)
{
    for (size_t i = 0; i < ruleset_phrase_count(set); i++) {
        struct span phrase = ruleset_phrase(set, i, ret_at);
        struct span file = ret_at->file;
        bool own = file.len > e->relative.len &&
                   span_eq(span_slice(file, file.len - e->relative.len, file.len), e->relative);
        if (!own && span_eq(phrase, e->d->text))
            return true;
    }
    return false;
}

static int tell_same(struct edit *e, struct place at)
{
    buf_clear(&e->d->report.text);
    buf_printf(&e->d->report.text, "'%.*s' is there already: %.*s:%u\n", SPAN_ARG(e->d->text),
               SPAN_ARG(at.file), at.line);
    return DRAFT_SAME;
}

/* The library with the changed file must still be one, and the line must say something new. */
static int check(struct edit *e, char ret_rule[RULE_ID_SIZE])
{
    struct draft_change *d = e->d;
    struct ruleset *set = NULL;
    struct ruleset_source source = {.dir = d->rules_dir,
                                    .shown = d->rules_dir,
                                    .replaced = e->relative,
                                    .replacement = buf_span(&e->new)};
    int r = ruleset_read(&source, &d->report, &set);
    const struct risk *risk =
        r == 0 && !d->phrase && !d->remove ? ruleset_find_risk(set, d->risk) : NULL;
    const struct rule *rule = risk ? ruleset_find_word(set, risk, d->text) : NULL;
    struct place at = {0};
    if (r == 0 && d->phrase) {
        ruleset_phrase_id(d->text, ret_rule);
        if (!d->remove && has_phrase(set, e, &at))
            r = tell_same(e, at);
    } else if (r == 0 && !d->remove) {
        snprintf(ret_rule, RULE_ID_SIZE, "%.*s", SPAN_ARG(rule ? rule->id : SPAN_LIT("")));
        at = rule ? (struct place){rule->file, rule->line, rule->column} : at;
        if (rule && span_find(rule->file, e->relative) == rule->file.len)
            r = tell_same(e, at);
    }
    ruleset_unref(set);
    return r;
}

/* In one step, and for good. */
static int replace(struct edit *e)
{
    static const char temporary[] = ".console.new"; /* hidden: no part of the library */
    int fd = openat(e->dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r = fd < 0 ? -errno : file_write(fd, buf_span(&e->new));
    if (r == 0 && (fchmod(fd, e->mode) < 0 || fsync(fd) < 0))
        r = -errno;
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && renameat(e->dir, temporary, e->dir, e->name) < 0)
        r = -errno;
    if (r == 0 && fsync(e->dir) < 0)
        r = -errno;
    if (r < 0 && fd >= 0)
        unlinkat(e->dir, temporary, 0);
    return r < 0 ? fail(e, "can't be written", r) : 0;
}

static int apply(struct edit *e, char ret_rule[RULE_ID_SIZE])
{
    struct draft_change *d = e->d;
    int r = read_old(e);
    if (r == 0)
        r = make_new(e);
    if (r == 0 && e->found != d->remove) {
        buf_printf(&d->report.text, "'%.*s' %s %.*s\n", SPAN_ARG(d->text),
                   d->remove ? "is not in" : "is already in", SPAN_ARG(e->relative));
        return DRAFT_SAME;
    }
    if (r == 0)
        r = check(e, ret_rule);
    /* Before it is on record: what can't be written anyway is not recorded as done. */
    if (r == 0 && faccessat(e->dir, ".", W_OK, AT_EACCESS) < 0)
        r = fail(e, "can't be written", -errno);
    if (r == 0 && d->before)
        r = d->before(d->ctx, span_str(ret_rule), &d->report.text);
    return r == 0 ? replace(e) : r;
}

int draft_apply(struct draft_change *d, char ret_rule[RULE_ID_SIZE])
{
    struct edit e = {.d = d,
                     .folder = d->phrase ? "allow" : "keywords",
                     .name = "console.txt",
                     .relative =
                         d->phrase ? SPAN_LIT(DRAFT_PHRASES_FILE) : SPAN_LIT(DRAFT_WORDS_FILE),
                     .dir = -1,
                     .old = BUF_INIT(FILE_MAX_BYTES),
                     .new = BUF_INIT(FILE_MAX_BYTES)};
    struct vault *vault = NULL;
    ret_rule[0] = '\0';
    /* One changes the rules at a time, whether he edits or publishes. */
    int r = vault_open_locked(d->state_dir, &d->report.text, &vault);
    if (r == 0)
        r = apply(&e, ret_rule);
    vault_close(vault);
    buf_deinit(&e.old);
    buf_deinit(&e.new);
    if (e.dir >= 0)
        close(e.dir);
    return r;
}
