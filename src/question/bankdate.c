#include "question/bankdate.h"

#include "audit/files.h"
#include "base/cleanup.h"
#include "base/codec.h"
#include "base/file.h"
#include "crypto/sha256.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#define NOTE     "bank.json"
#define NOTE_MAX 4096

/* What is asked, of what: by id, so that files may be put in another order. */
struct asked {
    char digest[2 * SHA256_SIZE + 1];
};

static int compare_texts(const void *a, const void *b)
{
    const struct question *x = *(const struct question *const *)a,
                          *y = *(const struct question *const *)b;
    int c = span_compare(x->text, y->text);
    return c ? c : span_compare(x->id, y->id);
}

static int add(struct sha256 *h, const struct question *q)
{
    struct span type = q->risk ? q->risk->id : q->aspect->zh;
    char kind = (char)(BANK_KINDS - q->kind); /* never NUL */
    int r = sha256_add(h, span_from(&kind, 1));
    if (r == 0)
        r = sha256_add(h, span_from(type.data, type.len));
    if (r == 0)
        r = sha256_add(h, SPAN_LIT("\n"));
    if (r == 0)
        r = sha256_add(h, q->text);
    return r == 0 ? sha256_add(h, span_from("", 1)) : r;
}

/* False when it can't be told, or nothing is asked. */
static bool digest(const struct bank *b, struct asked *ret)
{
    unsigned char sum[SHA256_SIZE];
    size_t count = 0;
    const struct question **list cleanup(cleanup_free) =
        reallocarray(NULL, bank_count(b) + 1, sizeof(*list));
    struct sha256 *h = list ? sha256_new() : NULL;
    int r = h ? sha256_begin(h) : -ENOMEM;
    for (size_t i = 0; i < bank_count(b) && r == 0; i++)
        if (bank_at(b, i)->seed.len == 0)
            list[count++] = bank_at(b, i);
    if (r == 0)
        qsort(list, count, sizeof(*list), compare_texts);
    for (size_t i = 0; i < count && r == 0; i++)
        r = add(h, list[i]);
    if (r == 0)
        r = sha256_end(h, sum);
    sha256_free(h);
    if (r == 0)
        codec_hex(span_from((const char *)sum, sizeof(sum)), ret->digest);
    return r == 0 && count;
}

/* ---- the files ---- */

static int64_t newest(struct span rules_dir)
{
    char path[PATH_MAX];
    int64_t at = 0;
    int n = snprintf(path, sizeof(path), "%.*s/" BANK_FOLDER, SPAN_ARG(rules_dir));
    DIR *d = n < (int)sizeof(path) ? opendir(path) : NULL;
    struct stat st;
    for (struct dirent *e; d && (e = readdir(d));) {
        size_t len = strlen(e->d_name);
        if (len > 6 && strcmp(e->d_name + len - 6, ".jsonl") == 0 &&
            fstatat(dirfd(d), e->d_name, &st, 0) == 0 && st.st_mtime > at)
            at = st.st_mtime;
    }
    if (d)
        closedir(d);
    return at;
}

/* ---- the note ---- */

static bool note_path(struct span state_dir, const char *name, char ret_path[PATH_MAX])
{
    return snprintf(ret_path, PATH_MAX, "%.*s/filing%s%s", SPAN_ARG(state_dir), *name ? "/" : "",
                    name) < PATH_MAX - 8;
}

static int64_t noted(struct span state_dir, const struct asked *asked)
{
    char path[PATH_MAX];
    struct buf text = BUF_INIT(NOTE_MAX);
    struct json_value *v = NULL;
    struct span of;
    int64_t at = 0;
    int fd cleanup(cleanup_close) = note_path(state_dir, NOTE, path)
                                        ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
                                        : -1;
    if (fd >= 0 && file_read(fd, 0, &text) == 0)
        v = value_parse(buf_span(&text), NULL);
    if (!value_get_string(value_get(v, SPAN_LIT("questions")), &of) ||
        !span_eq(of, span_str(asked->digest)) ||
        !value_get_integer(value_get(v, SPAN_LIT("changed")), &at))
        at = 0;
    value_free(v);
    buf_deinit(&text);
    return at;
}

/* As root it would leave what the service itself can't change any more. */
static bool is_ours(struct span state_dir)
{
    char path[PATH_MAX];
    struct stat st;
    return snprintf(path, sizeof(path), "%.*s", SPAN_ARG(state_dir)) < (int)sizeof(path) &&
           stat(path, &st) == 0 && st.st_uid == geteuid();
}

/* What can't be noted is told from the files the next time, too. */
static void note(struct span state_dir, const struct asked *asked, int64_t at)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct buf text = BUF_INIT(NOTE_MAX);
    if (!is_ours(state_dir) || !note_path(state_dir, "", folder) ||
        !note_path(state_dir, NOTE, path))
        return;
    buf_printf(&text, "{\"questions\":\"%s\",\"changed\":%lld}\n", asked->digest, (long long)at);
    if (file_make_dir(folder, 0700) == 0)
        files_replace(path, buf_span(&text), 0600);
    buf_deinit(&text);
}

int64_t bankdate_read(struct span state_dir, struct span rules_dir, const struct bank *b,
                      int64_t now)
{
    struct asked asked;
    if (!digest(b, &asked))
        return 0;
    int64_t at = noted(state_dir, &asked);
    if (at > 0 && at <= now)
        return at;
    at = newest(rules_dir);
    at = at <= 0 || at > now ? now : at;
    note(state_dir, &asked, at);
    return at;
}
