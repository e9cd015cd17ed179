/* The file of an imported list: what forces words in it, its lines, and how it gets in place. */
#include "rules/importing.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define LIST_BYTES_MAX (256u << 20)
#define MADE_BY        "#!source=imported"

/* ---- files ---- */

static int read_all(const char *path, struct buf *out)
{
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    for (;;) {
        int r = buf_reserve(out, 65536);
        if (r < 0)
            return r;
        ssize_t n = read(fd, out->data + out->len, out->cap - out->len);
        if (n == 0)
            return 0;
        if (n > 0)
            out->len += (size_t)n;
        else if (errno != EINTR)
            return -errno;
    }
}

static int write_all(int fd, struct span text)
{
    while (text.len) {
        ssize_t n = write(fd, text.data, text.len);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            text = span_slice(text, (size_t)n, text.len);
    }
    return fsync(fd) < 0 ? -errno : 0;
}

static int sync_dir(const char *path)
{
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* The name of the temporary file is hidden from the library's reader. */
static int put_in_place(struct span dir, struct span list, struct span text)
{
    char folder[PATH_MAX], temp[PATH_MAX + 128], path[PATH_MAX + 128];
    if (snprintf(folder, sizeof(folder), "%.*s/keywords", SPAN_ARG(dir)) >= (int)sizeof(folder))
        return -ENAMETOOLONG;
    snprintf(path, sizeof(path), "%s/%.*s.txt", folder, SPAN_ARG(list));
    snprintf(temp, sizeof(temp), "%s/.%.*s.%d.new", folder, SPAN_ARG(list), (int)getpid());
    if (mkdir(folder, 0777) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, text);
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(temp, path) < 0)
        r = -errno;
    if (r < 0)
        unlink(temp);
    return r < 0 ? r : sync_dir(folder);
}

/* The library has to load with the new text before it gets in place. */
static int store(struct span dir, struct span list, struct span relative, struct span text,
                 bool dry, struct buf *messages)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *set = NULL;
    struct ruleset_source source = {.dir = dir, .replaced = relative, .replacement = text};
    int r = ruleset_read(&source, &report, &set);
    ruleset_unref(set);
    if (r < 0)
        buf_append(messages, buf_span(&report.text));
    buf_deinit(&report.text);
    if (r == -EOVERFLOW) {
        buf_printf(messages, "%.*s: with the new list, more words than one library holds\n",
                   SPAN_ARG(dir));
        r = -EINVAL;
    }
    if (r < 0 || dry)
        return r;
    r = put_in_place(dir, list, text);
    if (r < 0)
        buf_printf(messages, "%.*s/%.*s: can't be written: %s\n", SPAN_ARG(dir), SPAN_ARG(relative),
                   strerror(-r));
    return r;
}

/* ---- forced words ---- */

/* The value of an attribute of a line, or the empty span. */
static struct span attribute_of(struct span line, struct span name)
{
    struct span part;
    span_split(&line, '\t', &part);
    while (span_split(&line, '\t', &part)) {
        part = span_trim(part);
        if (span_starts(part, name))
            return span_slice(part, name.len, part.len);
    }
    return SPAN_LIT("");
}

static int add_forced(struct import *im, struct span word, struct span why)
{
    buf_clear(&im->scratch);
    if (match_fold(word, &im->scratch) < 0 || im->scratch.len == 0)
        return 0; /* it will not be found */
    struct span folded = import_keep(im, buf_span(&im->scratch));
    why = import_keep(im, why);
    uint32_t *at = folded.data && why.data ? index_at(&im->forced, folded, true, NULL) : NULL;
    if (!at || import_grow((void **)&im->force_whys, im->force_count, &im->force_cap,
                           sizeof(*im->force_whys)) < 0)
        return -ENOMEM;
    *at = (uint32_t)im->force_count;
    im->force_whys[im->force_count++] = why;
    return 0;
}

/* The words that an import before forced; and is it an import that is replaced? */
static int read_before(struct import *im, struct span text, struct buf *messages)
{
    struct span rest = text, line;
    if (span_find(text, SPAN_LIT(MADE_BY)) == text.len) {
        place_printf(messages, (struct place){.file = im->path},
                     "is there, and was not imported: give the list another name");
        return -EINVAL;
    }
    while (span_split(&rest, '\n', &line)) {
        struct span why = attribute_of(line, SPAN_LIT("forced=")), word;
        if (why.len == 0 || line.data[0] == '#')
            continue;
        span_split(&line, '\t', &word);
        if (add_forced(im, word, why) < 0)
            return -ENOMEM;
    }
    return 0;
}

int forced_read(struct import *im, struct buf *messages)
{
    struct buf text = BUF_INIT(LIST_BYTES_MAX);
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%.*s", SPAN_ARG(im->path));
    int r = read_all(path, &text);
    if (r == 0) {
        r = read_before(im, buf_span(&text), messages);
    } else if (r == -ENOENT) {
        r = 0;
    } else if (r != -ENOMEM) {
        buf_printf(messages, "%s: can't be read: %s\n", path, strerror(-r));
        r = -EINVAL;
    }
    buf_deinit(&text);
    struct span why = arena_printf(&im->arena, "by hand, %.*s", SPAN_ARG(im->request.day));
    for (size_t i = 0; i < im->request.forced_count && r == 0; i++)
        r = add_forced(im, im->request.forced[i], why);
    return r;
}

int forced_apply(struct import *im, struct buf *messages)
{
    int r = 0;
    for (size_t i = 0; i < im->count; i++) {
        struct import_word *w = &im->words[i];
        uint32_t *at = w->folded.len ? index_at(&im->forced, w->folded, false, NULL) : NULL;
        if (w->fate != IMPORT_KEPT || (!w->reason && !at))
            continue;
        w->fate = at ? IMPORT_FORCED : IMPORT_QUARANTINED;
        if (at && w->reason == IMPORT_SINGLE)
            r = import_fail(im, messages, w->row, "'%.*s' can't be forced: it is one character",
                            SPAN_ARG(w->word));
    }
    for (size_t i = 0; i < im->request.forced_count; i++) {
        bool there = false;
        buf_clear(&im->scratch);
        bool folds = match_fold(im->request.forced[i], &im->scratch) == 0;
        for (size_t k = 0; k < im->count && folds && !there; k++)
            there = im->words[k].folded.len && span_eq(im->words[k].folded, buf_span(&im->scratch));
        if (!there)
            r = import_fail(im, messages, SIZE_MAX, "'%.*s' is to be forced, and is not in it",
                            SPAN_ARG(im->request.forced[i]));
    }
    return r;
}

/* ---- the list ---- */

/* A value: without what ends a line or an attribute. */
static void append_value(struct buf *out, const char *key, struct span value)
{
    buf_append(out, span_str(key));
    for (size_t i = 0; i < value.len; i++)
        buf_append_char(out, (unsigned char)value.data[i] < ' ' ? ' ' : value.data[i]);
}

static void append_word(struct import *im, const struct import_word *w, struct buf *out)
{
    buf_append(out, w->word);
    append_value(out, "\trisk=", w->risk->id);
    if (w->action != ACTION_DEFAULT)
        append_value(out, "\taction=", span_str(action_name(w->action)));
    if (w->note.len)
        append_value(out, "\twhy=", w->note);
    if (w->fate == IMPORT_QUARANTINED)
        append_value(out, "\tquarantine=", w->why);
    if (w->fate == IMPORT_FORCED) {
        const uint32_t *at = index_at(&im->forced, w->folded, false, NULL);
        append_value(out, "\tforced=", im->force_whys[*at]);
    }
    buf_append_char(out, '\n');
}

int import_write(struct import *im, bool dry, struct buf *messages)
{
    struct buf text = BUF_INIT(LIST_BYTES_MAX);
    struct span name = im->request.file, part;
    for (struct span rest = name; span_split(&rest, '/', &part);)
        name = part;
    buf_append(&text, SPAN_LIT(MADE_BY ": "));
    append_value(&text, "", name);
    append_value(&text, ", ", im->request.day);
    append_value(&text, "\n#!why=On the imported list ", name);
    buf_append(&text,
               SPAN_LIT("\n# Written by 'juyong rules import'; to change it, import again.\n"));
    size_t kept = 0, known = 0;
    for (size_t i = 0; i < im->count; i++) {
        enum import_fate fate = im->words[i].fate;
        bool keeps = fate == IMPORT_KEPT || fate == IMPORT_FORCED || fate == IMPORT_QUARANTINED;
        if (keeps)
            append_word(im, &im->words[i], &text);
        kept += keeps;
        known += fate == IMPORT_KNOWN;
    }
    /* A mistaken column must not replace a list by nothing. */
    if (kept == 0) {
        buf_printf(messages, "%.*s: holds no word to import%s\n", SPAN_ARG(im->request.file),
                   known ? ": the library has them all" : "");
        buf_deinit(&text);
        return -EINVAL;
    }
    int r = buf_append_char(&text, '#');
    if (r == 0) {
        text.len--;
        r = store(im->request.dir, im->request.list, im->relative, buf_span(&text), dry, messages);
    }
    buf_deinit(&text);
    return r;
}

/* ---- forcing later ---- */

struct forcing {
    struct buf text;
    const struct span *words;
    size_t count;
    struct span why;
    bool *done;
    struct buf folded, wanted;
};

/* Which of the words stands on the line, or count. */
static size_t word_on_line(struct forcing *f, struct span line)
{
    struct span word;
    if (line.len == 0 || line.data[0] == '#' || !span_split(&line, '\t', &word))
        return f->count;
    buf_clear(&f->folded);
    if (match_fold(span_trim(word), &f->folded) < 0)
        return f->count;
    size_t i = 0;
    for (; i < f->count; i++) {
        buf_clear(&f->wanted);
        if (match_fold(f->words[i], &f->wanted) == 0 &&
            span_eq(buf_span(&f->folded), buf_span(&f->wanted)))
            break;
    }
    return i;
}

static void force_line(struct forcing *f, struct span line)
{
    size_t i = word_on_line(f, line);
    if (i == f->count || attribute_of(line, SPAN_LIT("quarantine=")).len == 0) {
        buf_append(&f->text, line);
    } else {
        struct span part;
        bool first = true;
        f->done[i] = true;
        for (; span_split(&line, '\t', &part); first = false) {
            if (span_starts(span_trim(part), SPAN_LIT("quarantine=")))
                continue;
            if (!first)
                buf_append_char(&f->text, '\t');
            buf_append(&f->text, part);
        }
        append_value(&f->text, "\tforced=", f->why);
    }
    buf_append_char(&f->text, '\n');
}

static int force_lines(struct forcing *f, struct span path, struct span before,
                       struct buf *messages)
{
    struct span line;
    int r = 0;
    while (before.len && span_split(&before, '\n', &line))
        force_line(f, line);
    for (size_t i = 0; i < f->count; i++) {
        if (f->done[i])
            continue;
        place_printf(messages, (struct place){.file = path}, "'%.*s' is not quarantined there",
                     SPAN_ARG(f->words[i]));
        r = -EINVAL;
    }
    return r;
}

int import_force(struct span dir, struct span list, const struct span *words, size_t count,
                 struct span why, struct buf *messages)
{
    char relative[PATH_MAX], path[PATH_MAX];
    struct buf before = BUF_INIT(LIST_BYTES_MAX);
    struct forcing f = {.text = BUF_INIT(LIST_BYTES_MAX),
                        .words = words,
                        .count = count,
                        .why = why,
                        .done = calloc(count + 1, sizeof(bool)),
                        .folded = BUF_INIT(4096),
                        .wanted = BUF_INIT(4096)};
    int r = f.done ? 0 : -ENOMEM;
    if (memchr(list.data, '/', list.len))
        list = SPAN_LIT("");
    snprintf(relative, sizeof(relative), "keywords/%.*s.txt", SPAN_ARG(list));
    if (snprintf(path, sizeof(path), "%.*s/%s", SPAN_ARG(dir), relative) >= (int)sizeof(path))
        r = -ENAMETOOLONG;
    if (r == 0) {
        r = read_all(path, &before);
        if (r < 0 && r != -ENOMEM) {
            buf_printf(messages, "%s: can't be read: %s\n", path, strerror(-r));
            r = -EINVAL;
        }
    }
    if (r == 0)
        r = force_lines(&f, span_str(path), buf_span(&before), messages);
    if (r == 0)
        r = store(dir, list, span_str(relative), buf_span(&f.text), false, messages);
    buf_deinit(&before);
    buf_deinit(&f.text);
    buf_deinit(&f.folded);
    buf_deinit(&f.wanted);
    free(f.done);
    return r;
}
