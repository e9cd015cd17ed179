#include "rows.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
    exit(1);
}

void *must(void *p)
{
    if (!p)
        die("out of memory");
    return p;
}

void put(struct buf *b, struct span s)
{
    if (buf_append(b, s) < 0)
        die("out of memory");
}

void put_point(struct buf *b, uint32_t cp)
{
    char bytes[4];
    put(b, span_from(bytes, utf8_encode(cp, bytes)));
}

int file_read(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return -errno;
    char piece[1 << 16];
    size_t n;
    int r = 0;
    while (r == 0 && (n = fread(piece, 1, sizeof(piece), f)) > 0)
        r = buf_append(out, span_from(piece, n));
    if (r == 0 && ferror(f))
        r = -EIO;
    fclose(f);
    return r;
}

int rows_load(const char *path, struct rows *rows)
{
    struct buf file = BUF_INIT(SIZE_MAX / 2), error = BUF_INIT(1024);
    int r = file_read(path, &file);
    struct span rest = buf_span(&file), line;
    unsigned number = 0;
    while (r == 0 && span_split(&rest, '\n', &line)) {
        number++;
        if (!span_trim(line).len)
            continue;
        struct json_value *value = value_parse(line, &error);
        if (!value) {
            fprintf(stderr, "%s:%u: %.*s\n", path, number, SPAN_ARG(buf_span(&error)));
            buf_clear(&error);
            continue;
        }
        if (rows->count == rows->cap) {
            rows->cap = rows->cap ? rows->cap * 2 : 1024;
            rows->list = must(realloc(rows->list, rows->cap * sizeof(struct json_value *)));
        }
        rows->list[rows->count++] = value;
    }
    buf_deinit(&error);
    buf_deinit(&file);
    return r;
}

void rows_free(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        value_free(rows->list[i]);
    free(rows->list);
    *rows = (struct rows){0};
}

struct span row_text(const struct json_value *row, const char *key)
{
    struct span text;
    return value_get_string(value_get(row, span_str(key)), &text) ? text : SPAN_NULL;
}

bool row_is(const struct json_value *row, const char *key, const char *value)
{
    return span_eq(row_text(row, key), span_str(value));
}
