/*
 * JSON lines: objects, whose keys become the columns in the order in which they first occur, or
 * strings, which make one column. A value that is no string stands as it is written in JSON; null
 * is an empty cell.
 */
#include "sheet/reader.h"

#include "json/value.h"

#include <errno.h>
#include <stdlib.h>

struct lines {
    struct reading *reading;
    struct span keys[TABLE_COLUMNS_MAX];
    size_t key_count, next; /* where the next key probably stands */
    size_t line;
    struct buf text; /* of one value */
    bool objects, strings;
};

static int find_column(struct lines *l, struct span key, size_t *ret_column)
{
    size_t i = l->next < l->key_count && span_eq(l->keys[l->next], key) ? l->next : 0;
    while (i < l->key_count && !span_eq(l->keys[i], key))
        i++;
    if (i == TABLE_COLUMNS_MAX)
        return reading_fail(l->reading, l->line, "more than %d different keys", TABLE_COLUMNS_MAX);
    if (i == l->key_count) {
        l->keys[i] = reading_keep(l->reading, key);
        if (!l->keys[i].data)
            return -ENOMEM;
        l->key_count++;
    }
    l->next = i + 1;
    *ret_column = i;
    return 0;
}

/* Gives the text of a value in memory of the table's. */
static int keep_value(struct lines *l, const struct json_value *v, struct span *ret_cell)
{
    struct span text = SPAN_LIT("");
    if (!value_get_string(v, &text) && !value_is_null(v)) {
        buf_clear(&l->text);
        int e = value_dump(v, &l->text);
        if (e < 0)
            return e;
        text = buf_span(&l->text);
    }
    *ret_cell = reading_keep(l->reading, text);
    return ret_cell->data ? 0 : -ENOMEM;
}

static int read_member(void *ctx, struct span key, const struct json_value *value)
{
    struct lines *l = ctx;
    struct reading *r = l->reading;
    size_t column = 0;
    int e = find_column(l, key, &column);
    if (e < 0)
        return e;
    while (r->count <= column)
        r->cells[r->count++] = SPAN_LIT("");
    return keep_value(l, value, &r->cells[column]);
}

static int read_value(struct lines *l, const struct json_value *v)
{
    struct reading *r = l->reading;
    bool object = value_is_object(v);
    if (!object && !value_is_string(v))
        return reading_fail(r, l->line, "neither an object nor a string%s",
                            value_is_array(v) ? ": give one word or object a line, not a list"
                                              : "");
    if ((object && l->strings) || (!object && l->objects))
        return reading_fail(r, l->line,
                            object ? "an object among strings" : "a string among objects");
    l->objects |= object;
    l->strings |= !object;
    l->next = 0;
    /* The keys get a row of their own before the first object's, when all are known. */
    int e = object && r->table->count == 0 ? reading_row(r, l->line) : 0;
    if (e == 0 && object)
        e = value_each(v, read_member, l);
    if (e == 0 && !object) {
        r->count = 1;
        e = keep_value(l, v, &r->cells[0]);
    }
    return e < 0 ? e : reading_row(r, l->line);
}

/* jansson says where in the text it was: that is one line here. */
static int fail_syntax(struct lines *l, struct buf *why)
{
    struct span said = buf_span(why), first = SPAN_LIT("line 1, ");
    if (span_starts(said, first))
        said = span_slice(said, first.len, said.len);
    size_t cut = span_find(said, SPAN_LIT("\n"));
    return reading_fail(l->reading, l->line, "not JSON: %.*s", (int)cut,
                        said.data ? said.data : "");
}

static int read_line(struct lines *l, struct span line)
{
    struct buf why = BUF_INIT(4096);
    struct json_value *v = value_parse(line, &why);
    int e = v ? read_value(l, v) : fail_syntax(l, &why);
    value_free(v);
    buf_deinit(&why);
    return e;
}

static int add_keys(struct lines *l)
{
    struct table *t = l->reading->table;
    struct span *keys = arena_alloc(&t->arena, l->key_count * sizeof(*keys));
    if (!keys)
        return -ENOMEM;
    memcpy(keys, l->keys, l->key_count * sizeof(*keys));
    t->rows[0].cells = keys;
    t->rows[0].count = (uint32_t)l->key_count;
    t->titled = true;
    return 0;
}

int jsonl_read(struct reading *r)
{
    struct lines *l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    *l = (struct lines){.reading = r, .text = BUF_INIT(TABLE_FILE_MAX)};
    struct span rest = buf_span(&r->table->text), line;
    int e = 0;
    while (e == 0 && span_split(&rest, '\n', &line)) {
        l->line++;
        line = span_trim(line);
        if (line.len)
            e = read_line(l, line);
    }
    if (e == 0 && l->objects)
        e = add_keys(l);
    buf_deinit(&l->text);
    free(l);
    return e;
}
