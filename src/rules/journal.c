#include "rules/journal.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
#include "crypto/sha256.h"
#include "yaml/place.h"
#include "json/value.h"
#include "json/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define JOURNAL_NAME  "journal.jsonl"
#define JOURNAL_BYTES (256u << 20)
#define LINE_BYTES    65536
#define TIME_MAX      253402300799 /* the end of the year 9999, Unix seconds */
#define HASH_HEAD     ",\"hash\":\""
/* ,"hash":"<64 hex digits>"} */
#define HASH_TAIL (sizeof(HASH_HEAD) - 1 + 2 * SHA256_SIZE + 2)

static const char *const act_names[JOURNAL_ACTS] = {
    [JOURNAL_AUTO] = "auto",         [JOURNAL_PUBLISH] = "publish",
    [JOURNAL_PROPOSE] = "propose",   [JOURNAL_APPROVE] = "approve",
    [JOURNAL_ROLLBACK] = "rollback", [JOURNAL_URGENT] = "urgent",
    [JOURNAL_CONFIRM] = "confirm",   [JOURNAL_WITHDRAW] = "withdraw",
    [JOURNAL_FILED] = "filed",       [JOURNAL_INTERRUPTED] = "interrupted",
};

const char *journal_act_name(enum journal_act act)
{
    return act_names[act];
}

const struct journal_entry *journal_find(const struct journal *j, unsigned number)
{
    return number >= 1 && number <= j->count ? &j->entries[number - 1] : NULL;
}

const struct journal_entry *journal_last_switch(const struct journal *j)
{
    for (size_t i = j->count; i > 0; i--)
        if (journal_switches(j->entries[i - 1].act) && !j->entries[i - 1].interrupted)
            return &j->entries[i - 1];
    return NULL;
}

bool journal_was_in_force(const struct journal_entry *e)
{
    return !e->interrupted && (journal_switches(e->act) || e->act == JOURNAL_AUTO);
}

bool journal_sets_library(const struct journal_entry *e)
{
    return journal_was_in_force(e) && e->act != JOURNAL_URGENT && e->act != JOURNAL_WITHDRAW;
}

bool journal_explains(const struct journal *j, struct span current)
{
    for (size_t i = j->count; i > 0; i--) {
        const struct journal_entry *e = &j->entries[i - 1];
        if (!e->interrupted && journal_switches(e->act))
            return span_eq(e->version, current) || span_eq(e->previous, current);
    }
    return current.len == 0;
}

const struct journal_entry *journal_in_force(const struct journal *j, struct span digest)
{
    for (size_t i = j->count; i > 0; i--)
        if (journal_was_in_force(&j->entries[i - 1]) && span_eq(j->entries[i - 1].version, digest))
            return &j->entries[i - 1];
    return NULL;
}

static struct span text_of(const struct json_value *v, const char *key)
{
    struct span text = SPAN_LIT("");
    value_get_string(value_get(v, span_str(key)), &text);
    return text;
}

static int64_t number_of(const struct json_value *v, const char *key)
{
    int64_t n = 0;
    value_get_integer(value_get(v, span_str(key)), &n);
    return n;
}

static bool hash_line(struct span line, char ret_hex[2 * SHA256_SIZE + 1])
{
    unsigned char digest[SHA256_SIZE];
    if (sha256_once(line, digest) < 0)
        return false;
    codec_hex(span_from((const char *)digest, sizeof(digest)), ret_hex);
    return true;
}

static struct journal_entry *grow(struct journal *j)
{
    if (j->count == j->cap) {
        size_t wider = j->cap ? j->cap * 2 : 64;
        struct journal_entry *bigger = reallocarray(j->entries, wider, sizeof(*bigger));
        if (!bigger)
            return NULL;
        j->entries = bigger;
        j->cap = wider;
    }
    return &j->entries[j->count];
}

static const char *find_act(struct span name, enum journal_act *ret)
{
    for (int a = 0; a < JOURNAL_ACTS; a++) {
        if (!span_eq(name, span_str(act_names[a])))
            continue;
        *ret = (enum journal_act)a;
        return act_names[a];
    }
    return NULL;
}

/* What is wrong with the line, or NULL: then *e holds it, borrowed from v. */
static const char *read_entry(const struct journal *j, const struct json_value *v, struct span line,
                              struct journal_entry *e)
{
    char hex[2 * SHA256_SIZE + 1];
    struct span body = span_slice(line, 0, line.len > HASH_TAIL ? line.len - HASH_TAIL : 0);
    struct span last = j->count ? j->entries[j->count - 1].hash : SPAN_LIT("");
    if (!v || !find_act(text_of(v, "act"), &e->act))
        return "no line of this journal";
    if (!hash_line(body, hex) || !span_eq(text_of(v, "hash"), span_str(hex)))
        return "its hash is another: the line was changed";
    if (!span_eq(text_of(v, "prev"), last) || number_of(v, "n") != (int64_t)j->count + 1)
        return "the chain is broken: a line before it was changed or is missing";
    e->number = (unsigned)j->count + 1;
    e->time_us = number_of(v, "time_us");
    e->version = text_of(v, "version");
    e->library = text_of(v, "library");
    e->previous = text_of(v, "previous");
    e->author = text_of(v, "author");
    e->login = text_of(v, "login");
    e->reason = text_of(v, "reason");
    e->word = text_of(v, "word");
    e->risk = text_of(v, "risk");
    e->expires = number_of(v, "expires");
    e->of = (unsigned)number_of(v, "of");
    e->compared = value_get(v, SPAN_LIT("added")) != NULL;
    e->added = (unsigned)number_of(v, "added");
    e->removed = (unsigned)number_of(v, "removed");
    e->changed = (unsigned)number_of(v, "changed");
    e->files = (unsigned)number_of(v, "files");
    e->hash = text_of(v, "hash");
    if (e->time_us < 0 || e->time_us / 1000000 > TIME_MAX || e->expires < 0 ||
        e->expires > TIME_MAX)
        return "no time of ours";
    return NULL;
}

/* Moves the entry's texts into the journal and counts it in. */
static int keep(struct journal *j, struct journal_entry *e)
{
    struct span *texts[] = {&e->version, &e->library, &e->previous, &e->author, &e->login,
                            &e->reason,  &e->word,    &e->risk,     &e->hash};
    struct journal_entry *to = grow(j);
    if (!to)
        return -ENOMEM;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        *texts[i] = arena_copy(&j->arena, *texts[i]);
        if (!texts[i]->data)
            return -ENOMEM;
    }
    *to = *e;
    j->count++;
    if (e->act == JOURNAL_INTERRUPTED && e->of >= 1 && e->of < e->number)
        j->entries[e->of - 1].interrupted = true;
    return 0;
}

static int take_line(struct journal *j, struct span line, const char **ret_wrong)
{
    struct journal_entry e = {0};
    struct json_value *v = value_parse(line, NULL);
    *ret_wrong = read_entry(j, v, line, &e);
    int r = *ret_wrong ? -EBADMSG : keep(j, &e);
    value_free(v);
    return r;
}

int journal_read(struct journal *j, struct span text, struct span shown, struct buf *messages)
{
    size_t at = 0;
    while (at < text.len) {
        const char *end = memchr(text.data + at, '\n', text.len - at);
        if (!end)
            break; /* begun, never acknowledged */
        const char *wrong;
        struct span line = span_slice(text, at, (size_t)(end - text.data));
        int r = take_line(j, line, &wrong);
        if (r == -EBADMSG)
            buf_printf(messages,
                       "%.*s/" JOURNAL_NAME ":%zu: %s; keep the file aside under another name, "
                       "and a new one will begin\n",
                       SPAN_ARG(shown), j->count + 1, wrong);
        if (r < 0)
            return r;
        at += line.len + 1;
    }
    j->whole = (long long)at;
    return 0;
}

int journal_open(int dir_fd, struct span shown, bool write, struct buf *messages,
                 struct journal *ret_journal)
{
    struct journal j = {.fd = -1};
    int flags = write ? O_RDWR | O_CREAT : O_RDONLY;
    arena_init(&j.arena, JOURNAL_BYTES);
    j.fd = openat(dir_fd, JOURNAL_NAME, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (j.fd < 0 && (write || errno != ENOENT)) {
        int e = -errno;
        buf_printf(messages, "%.*s/" JOURNAL_NAME ": can't be opened: %s\n", SPAN_ARG(shown),
                   strerror(-e));
        return e;
    }
    if (j.fd >= 0) {
        struct buf text = BUF_INIT(JOURNAL_BYTES);
        int r = file_read(j.fd, 0, &text);
        if (r == 0)
            r = journal_read(&j, buf_span(&text), shown, messages);
        buf_deinit(&text);
        if (r < 0) {
            journal_close(&j);
            return r;
        }
    }
    *ret_journal = j;
    return 0;
}

static void put_text(struct buf *out, const char *key, struct span text)
{
    if (text.len == 0)
        return;
    buf_printf(out, ",\"%s\":\"", key);
    json_escape(out, text);
    buf_append_char(out, '"');
}

/* Everything but the hash. */
static void write_entry(struct buf *out, const struct journal *j, const struct journal_entry *e)
{
    char time[CLOCK_TEXT_SIZE];
    struct span last = j->count ? j->entries[j->count - 1].hash : SPAN_LIT("");
    clock_format((uint64_t)e->time_us, time);
    buf_printf(out, "{\"n\":%u,\"prev\":\"%.*s\",\"time\":\"%s\",\"time_us\":%lld,\"act\":\"%s\"",
               e->number, SPAN_ARG(last), time, (long long)e->time_us, act_names[e->act]);
    put_text(out, "version", e->version);
    put_text(out, "library", e->library);
    put_text(out, "previous", e->previous);
    put_text(out, "author", e->author);
    put_text(out, "login", e->login);
    put_text(out, "reason", e->reason);
    put_text(out, "word", e->word);
    put_text(out, "risk", e->risk);
    if (e->expires)
        buf_printf(out, ",\"expires\":%lld", (long long)e->expires);
    if (e->of)
        buf_printf(out, ",\"of\":%u", e->of);
    if (e->compared)
        buf_printf(out, ",\"added\":%u,\"removed\":%u,\"changed\":%u,\"files\":%u", e->added,
                   e->removed, e->changed, e->files);
}

/* What a crash left of a line goes, then the new one is durable or gone. */
static int write_line(struct journal *j, struct span line)
{
    size_t done = 0;
    int r = ftruncate(j->fd, j->whole) < 0 ? -errno : 0;
    while (r == 0 && done < line.len) {
        ssize_t n = pwrite(j->fd, line.data + done, line.len - done, j->whole + (off_t)done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            r = n == 0 ? -EIO : -errno;
    }
    if (r == 0 && fsync(j->fd) < 0)
        r = -errno;
    if (r == 0)
        j->whole += (long long)line.len;
    else if (ftruncate(j->fd, j->whole) < 0)
        r = -EIO;
    return r;
}

int journal_append(struct journal *j, const struct journal_entry *given,
                   const struct journal_entry **ret_entry)
{
    struct buf line = BUF_INIT(LINE_BYTES);
    struct journal_entry e = *given;
    char hex[2 * SHA256_SIZE + 1];
    e.number = (unsigned)j->count + 1;
    e.time_us = (int64_t)clock_wall_us();
    write_entry(&line, j, &e);
    bool good = line.len && hash_line(buf_span(&line), hex);
    /* What did not fit leaves a line without its end. */
    int r = good ? buf_printf(&line, HASH_HEAD "%s\"}\n", hex) : -ENOMEM;
    const char *wrong = NULL;
    struct json_value *v =
        r == 0 ? value_parse(span_slice(buf_span(&line), 0, line.len - 1), NULL) : NULL;
    if (r == 0 && !v)
        r = -EMSGSIZE;
    value_free(v);
    if (r == 0)
        r = write_line(j, buf_span(&line));
    if (r == 0)
        r = take_line(j, span_slice(buf_span(&line), 0, line.len - 1), &wrong);
    if (r == 0 && ret_entry)
        *ret_entry = &j->entries[j->count - 1];
    buf_deinit(&line);
    return r;
}

void journal_close(struct journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    free(j->entries);
    arena_deinit(&j->arena);
    *j = (struct journal){.fd = -1};
}
