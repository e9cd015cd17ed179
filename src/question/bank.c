#include "question/bankline.h"

#include "base/cleanup.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/utf8.h"
#include "crypto/sha256.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BANK_BYTES_MAX (512u << 20) /* of all texts in memory */
#define BANK_FILES_MAX 4096
#define SUFFIX         ".jsonl"

struct bank {
    struct arena arena;
    struct question *questions;
    size_t count, cap;
    const struct question **by_id;
    struct json_value **roots; /* that turns lie in */
    size_t root_count, root_cap;
    char digest[2 * SHA256_SIZE + 1];
};

struct loading {
    struct bank *bank;
    struct bank_reading reading;
    bool memory_out;
};

static bool grow(struct loading *l, void *array, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return true;
    size_t more = *cap ? 2 * *cap : 64;
    void *moved = reallocarray(*(void **)array, more, size);
    if (!moved) {
        l->memory_out = true;
        return false;
    }
    *(void **)array = moved;
    *cap = more;
    return true;
}

/* ---- texts and files ---- */

static void add_line(struct loading *l, struct span line, struct place at)
{
    struct bank *b = l->bank;
    struct question q;
    struct json_value *root;
    unsigned before = l->reading.errors;
    if (!bank_line(&l->reading, line, at, &q, &root)) {
        l->memory_out |= l->reading.errors == before;
        return;
    }
    if (!grow(l, &b->questions, b->count, &b->cap, sizeof(*b->questions)) ||
        (root && !grow(l, &b->roots, b->root_count, &b->root_cap, sizeof(*b->roots)))) {
        value_free(root);
        return;
    }
    if (root)
        b->roots[b->root_count++] = root;
    b->questions[b->count++] = q;
}

/* The place of the first byte that is no text; told once, for it may be in every line. */
static bool is_text(struct loading *l, struct span text, struct span file)
{
    size_t bad = utf8_check(text);
    if (bad == text.len)
        return true;
    struct place at = {.file = file, .line = 1};
    size_t start = 0;
    for (size_t i = 0; i < bad; i++) {
        if (text.data[i] != '\n')
            continue;
        at.line++;
        start = i + 1;
    }
    at.column = (unsigned)utf8_count(span_slice(text, start, bad)) + 1;
    bank_fail(&l->reading, at, "not UTF-8");
    return false;
}

static void add_text(struct loading *l, struct span text, struct span file)
{
    struct place at = {.file = file};
    struct span line;
    if (span_starts(text, SPAN_LIT("\xef\xbb\xbf")))
        text = span_slice(text, 3, text.len);
    if (!is_text(l, text, file))
        return;
    while (!l->memory_out && span_split(&text, '\n', &line)) {
        at.line++;
        if (span_trim(line).len)
            add_line(l, line, at);
    }
}

/* 0; -ENOMEM; -EINVAL with a message. */
static int read_bytes(struct loading *l, const char *path, struct span file, struct buf *out)
{
    struct place at = {.file = file};
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        bank_fail(&l->reading, at, "can't be read: %s", strerror(errno));
        return -EINVAL;
    }
    if (!S_ISREG(st.st_mode)) {
        bank_fail(&l->reading, at, "not a regular file");
        return -EINVAL;
    }
    int r = file_read(fd, 0, out);
    if (r == -EMSGSIZE)
        bank_fail(&l->reading, at, "larger than %u MiB", BANK_FILE_MAX >> 20);
    else if (r < 0 && r != -ENOMEM)
        bank_fail(&l->reading, at, "can't be read: %s", strerror(-r));
    return r == -ENOMEM ? r : r < 0 ? -EINVAL : 0;
}

static void add_file(struct loading *l, struct span path)
{
    struct span file = arena_copy(&l->bank->arena, path);
    struct buf text = BUF_INIT(BANK_FILE_MAX);
    l->memory_out |= !file.data;
    int r = l->memory_out ? -ENOMEM : read_bytes(l, file.data, file, &text);
    if (r == 0)
        add_text(l, buf_span(&text), file);
    l->memory_out |= r == -ENOMEM;
    buf_deinit(&text);
}

static int is_visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* By bytes, so that the order doesn't depend on the locale. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool ends_with(struct span name, struct span end)
{
    return name.len > end.len && span_eq(span_slice(name, name.len - end.len, name.len), end);
}

static void add_entry(struct loading *l, struct span dir, struct span name)
{
    char path[PATH_MAX];
    bool wanted = ends_with(name, SPAN_LIT(SUFFIX));
    /* A file that is just being written stands beside the one that it will replace. */
    if (!wanted && (span_starts(name, SPAN_LIT("README")) || ends_with(name, SPAN_LIT(".new"))))
        return;
    int n = snprintf(path, sizeof(path), "%.*s/%.*s", SPAN_ARG(dir), SPAN_ARG(name));
    if (!wanted || n >= (int)sizeof(path))
        bank_fail(&l->reading, (struct place){.file = dir},
                  "'%.*s' is not read: no " SUFFIX " file", SPAN_ARG(name));
    else
        add_file(l, span_from(path, (size_t)n));
}

static void add_folder(struct loading *l, struct span dir)
{
    struct dirent **entries;
    struct span path = arena_printf(&l->bank->arena, "%.*s/" BANK_FOLDER, SPAN_ARG(dir));
    if (!path.data) {
        l->memory_out = true;
        return;
    }
    int n = scandir(path.data, &entries, is_visible, compare_entries);
    if (n < 0 && errno == ENOMEM)
        l->memory_out = true;
    else if (n < 0 && errno != ENOENT)
        bank_fail(&l->reading, (struct place){.file = path}, "can't be read: %s", strerror(errno));
    else if (n > BANK_FILES_MAX)
        bank_fail(&l->reading, (struct place){.file = path}, "more than %d files", BANK_FILES_MAX);
    for (int i = 0; i < n; i++) {
        if (!l->memory_out && n <= BANK_FILES_MAX)
            add_entry(l, path, span_str(entries[i]->d_name));
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

/* ---- what is known of all ---- */

static int compare_ids(const void *a, const void *b)
{
    const struct question *x = *(const struct question *const *)a,
                          *y = *(const struct question *const *)b;
    int c = span_compare(x->id, y->id);
    return c ? c : (x > y) - (x < y);
}

static void sort_ids(struct loading *l)
{
    struct bank *b = l->bank;
    b->by_id = reallocarray(NULL, b->count + 1, sizeof(*b->by_id));
    if (!b->by_id) {
        l->memory_out = true;
        return;
    }
    for (size_t i = 0; i < b->count; i++)
        b->by_id[i] = &b->questions[i];
    qsort(b->by_id, b->count, sizeof(*b->by_id), compare_ids);
    for (size_t i = 1; i < b->count; i++) {
        const struct question *q = b->by_id[i], *first = b->by_id[i - 1];
        if (span_eq(q->id, first->id))
            bank_fail(&l->reading, q->place, "the id '%.*s' is taken: %.*s:%u", SPAN_ARG(q->id),
                      SPAN_ARG(first->place.file), first->place.line);
    }
}

/* A line says all of a question, and ends it. */
static int digest(struct bank *b)
{
    unsigned char sum[SHA256_SIZE];
    struct sha256 *h = sha256_new();
    struct buf line = BUF_INIT(4u << 20);
    int r = h ? sha256_begin(h) : -ENOMEM;
    for (size_t i = 0; i < b->count && r == 0; i++) {
        buf_clear(&line);
        r = bank_write(b->by_id[i], &line);
        if (r == 0)
            r = sha256_add(h, buf_span(&line));
    }
    if (r == 0)
        r = sha256_end(h, sum);
    if (r == 0)
        codec_hex(span_from((const char *)sum, sizeof(sum)), b->digest);
    sha256_free(h);
    buf_deinit(&line);
    return r;
}

/* ---- the three ways of reading ---- */

static int begin(struct loading *l, const struct ruleset *rules, struct buf *messages)
{
    struct bank *b = calloc(1, sizeof(*b));
    if (!b)
        return -ENOMEM;
    arena_init(&b->arena, BANK_BYTES_MAX);
    *l = (struct loading){
        .bank = b,
        .reading = {.arena = &b->arena, .rules = rules, .messages = messages},
    };
    return 0;
}

static int finish(struct loading *l, struct span what, struct bank **ret_bank)
{
    if (!l->memory_out)
        sort_ids(l);
    if (l->reading.errors > BANK_ERRORS_TOLD)
        place_printf(l->reading.messages, (struct place){.file = what}, "%u more errors",
                     l->reading.errors - BANK_ERRORS_TOLD);
    int r = l->memory_out ? -ENOMEM : l->reading.errors ? -EINVAL : digest(l->bank);
    if (r == 0)
        *ret_bank = take(l->bank);
    bank_free(l->bank);
    return r;
}

int bank_read(struct span dir, const struct ruleset *rules, struct buf *messages,
              struct bank **ret_bank)
{
    struct loading l;
    int r = begin(&l, rules, messages);
    if (r < 0)
        return r;
    while (dir.len > 1 && dir.data[dir.len - 1] == '/')
        dir.len--;
    add_folder(&l, dir);
    return finish(&l, dir, ret_bank);
}

int bank_read_file(struct span path, const struct ruleset *rules, struct buf *messages,
                   struct bank **ret_bank)
{
    struct loading l;
    int r = begin(&l, rules, messages);
    if (r < 0)
        return r;
    add_file(&l, path);
    return finish(&l, path, ret_bank);
}

int bank_read_text(struct span text, struct span file, const struct ruleset *rules,
                   struct buf *messages, struct bank **ret_bank)
{
    struct loading l;
    int r = begin(&l, rules, messages);
    if (r < 0)
        return r;
    struct span kept = arena_copy(&l.bank->arena, file);
    l.memory_out = !kept.data;
    if (kept.data)
        add_text(&l, text, kept);
    return finish(&l, file, ret_bank);
}

void bank_free(struct bank *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->root_count; i++)
        value_free(b->roots[i]);
    free(b->roots);
    free(b->by_id);
    free(b->questions);
    arena_deinit(&b->arena);
    free(b);
}

size_t bank_count(const struct bank *b)
{
    return b->count;
}

const struct question *bank_at(const struct bank *b, size_t index)
{
    return &b->questions[index];
}

const struct question *bank_find(const struct bank *b, struct span id)
{
    struct question wanted = {.id = id};
    size_t low = 0, high = b->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = span_compare(b->by_id[middle]->id, wanted.id);
        if (c == 0)
            return b->by_id[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *bank_digest(const struct bank *b)
{
    return b->digest;
}
