/* The cells of one sheet: shared strings, strings of their own, results of formulas, numbers. */
#include "sheet/xlsx.h"

#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(struct book *b, const char *what)
{
    struct table *t = b->reading->table;
    return reading_fail(b->reading, 0, "sheet %.*s, row %u: %s",
                        SPAN_ARG(t->sheets[t->sheet_count - 1]), b->row, what);
}

/* ---- texts ---- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* _xHHHH_, as which characters are written that XML can't have; false when it is not one. */
static bool read_escape(struct span s, uint32_t *ret_cp)
{
    if (s.len < 7 || s.data[0] != '_' || s.data[1] != 'x' || s.data[6] != '_')
        return false;
    uint32_t cp = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_value(s.data[i]);
        if (digit < 0)
            return false;
        cp = cp << 4 | (uint32_t)digit;
    }
    /* A NUL or half a pair is no text; such an escape stays as it is. */
    *ret_cp = cp;
    return cp && !(cp >= 0xD800 && cp <= 0xDFFF);
}

struct span book_keep_text(struct book *b)
{
    char *data = b->text.data;
    size_t len = b->text.len, to = 0;
    for (size_t i = 0; i < len;) {
        uint32_t cp;
        if (data[i] == '_' && read_escape(span_from(data + i, len - i), &cp)) {
            to += utf8_encode(cp, data + to);
            i += 7;
        } else {
            data[to++] = data[i++];
        }
    }
    return reading_keep(b->reading, span_from(data, to));
}

/*
 * A whole number as one writes it: Excel stores a long one as 1.3800138E+10. Other numbers stay as
 * they are written.
 */
static struct span keep_number(struct book *b)
{
    const char *text = buf_cstr(&b->text);
    char *end;
    if (!text)
        return SPAN_NULL;
    double value = strtod(text, &end);
    bool whole =
        end != text && *end == '\0' && fabs(value) < 9007199254740992.0 && value == trunc(value);
    if (!whole)
        return book_keep_text(b);
    return arena_printf(&b->reading->table->arena, "%.0f", value == 0 ? 0 : value);
}

/* ---- places ---- */

/* "BC12": column from 0, row from 1. */
static bool read_reference(struct span s, uint32_t *ret_row, uint32_t *ret_column)
{
    uint32_t column = 0;
    unsigned long long row;
    size_t i = 0;
    for (; i < s.len && s.data[i] >= 'A' && s.data[i] <= 'Z' && i < 3; i++)
        column = column * 26 + (uint32_t)(s.data[i] - 'A') + 1;
    if (i == 0 || column > SHEET_COLUMN_LAST || !span_to_u64(span_slice(s, i, s.len), &row) ||
        row == 0 || row > SHEET_ROW_LAST)
        return false;
    *ret_column = column - 1;
    *ret_row = (uint32_t)row;
    return true;
}

static int begin_row(struct book *b, const char *const *attributes)
{
    struct span r = xml_attribute(attributes, "r");
    unsigned long long row = b->row + 1ull;
    if (b->in_row)
        return fail(b, "a row within a row");
    if (r.data && !span_to_u64(r, &row))
        return fail(b, "a row whose number is none");
    if (row <= b->row || row > SHEET_ROW_LAST)
        return fail(b, "rows that are out of order, or too many");
    b->row = (uint32_t)row;
    b->in_row = true;
    b->any_cell = false;
    b->reading->count = 0;
    return 0;
}

static int begin_cell(struct book *b, const char *const *attributes)
{
    static const struct {
        const char *name;
        enum cell_type type;
    } types[] = {
        {"n", CELL_NUMBER}, {"s", CELL_SHARED},  {"inlineStr", CELL_INLINE}, {"str", CELL_STRING},
        {"d", CELL_STRING}, {"b", CELL_BOOLEAN}, {"e", CELL_ERROR},
    };
    struct span r = xml_attribute(attributes, "r"), t = xml_attribute(attributes, "t");
    uint32_t row = b->row, column = b->any_cell ? b->column + 1 : 0;
    if (!b->in_row || b->in_cell)
        return fail(b, "a cell outside a row");
    if (r.data && (!read_reference(r, &row, &column) || row != b->row ||
                   (b->any_cell && column <= b->column)))
        return fail(b, "a cell that is out of order");
    b->type = CELL_NUMBER;
    size_t i = 0;
    while (t.data && i < sizeof(types) / sizeof(*types) && !span_eq(t, span_str(types[i].name)))
        i++;
    if (i == sizeof(types) / sizeof(*types))
        return fail(b, "a cell of an unknown type");
    if (t.data)
        b->type = types[i].type;
    b->column = column;
    b->any_cell = b->in_cell = true;
    b->collecting = b->phonetic = false;
    buf_clear(&b->text);
    return 0;
}

/* ---- values ---- */

static int keep_shared(struct book *b, struct span *ret_value)
{
    unsigned long long index;
    if (!span_to_u64(span_trim(buf_span(&b->text)), &index) || index >= b->string_count)
        return fail(b, "a cell whose shared string is not there");
    *ret_value = b->strings[index];
    return 0;
}

static int keep_value(struct book *b, struct span *ret_value)
{
    switch (b->type) {
    case CELL_SHARED:
        return keep_shared(b, ret_value);
    case CELL_ERROR:
        return fail(b, "a cell shows an error such as #N/A instead of a value");
    case CELL_BOOLEAN:
        *ret_value = span_eq(span_trim(buf_span(&b->text)), SPAN_LIT("0")) ? SPAN_LIT("FALSE")
                                                                           : SPAN_LIT("TRUE");
        return 0;
    case CELL_NUMBER:
        *ret_value = keep_number(b);
        break;
    default:
        *ret_value = book_keep_text(b);
    }
    return ret_value->data ? 0 : -ENOMEM;
}

static int end_cell(struct book *b)
{
    struct reading *r = b->reading;
    struct span value;
    b->in_cell = false;
    if (b->text.len == 0)
        return 0; /* styled, but empty */
    int e = keep_value(b, &value);
    if (e < 0)
        return e;
    if (b->column >= TABLE_COLUMNS_MAX)
        return fail(b, "too many columns");
    while (r->count < b->column)
        r->cells[r->count++] = SPAN_LIT("");
    r->cells[r->count++] = value;
    return 0;
}

/* ---- merged cells ---- */

static int add_merge(struct book *b, struct span ref)
{
    struct merge m;
    struct span from = SPAN_NULL;
    if (!span_split(&ref, ':', &from) || !ref.data || !read_reference(from, &m.row, &m.column) ||
        !read_reference(ref, &m.last_row, &m.last_column) || m.last_row < m.row ||
        m.last_column < m.column)
        return fail(b, "merged cells whose place is none");
    if (b->merge_count == b->merge_cap) {
        size_t cap = b->merge_cap ? 2 * b->merge_cap : 64;
        struct merge *merges = reallocarray(b->merges, cap, sizeof(*merges));
        if (!merges)
            return -ENOMEM;
        b->merges = merges;
        b->merge_cap = cap;
    }
    b->merges[b->merge_count++] = m;
    return 0;
}

/* Gives a row one more value; the others of it stay. */
static int set_cell(struct book *b, struct table_row *row, uint32_t column, struct span value)
{
    uint32_t count = row->count > column ? row->count : column + 1;
    struct span *cells = arena_alloc(&b->reading->table->arena, count * sizeof(*cells));
    if (!cells)
        return -ENOMEM;
    for (uint32_t i = 0; i < count; i++)
        cells[i] = i < row->count ? row->cells[i] : SPAN_LIT("");
    cells[column] = value;
    row->cells = cells;
    row->count = count;
    return 0;
}

static int compare_merges(const void *a, const void *b)
{
    const struct merge *x = a, *y = b;
    return x->row != y->row ? (x->row < y->row ? -1 : 1)
                            : (x->column > y->column) - (x->column < y->column);
}

/*
 * A category written once beside many words counts for each of them, so the value of merged cells
 * is given to every row that they span. They must not overlap: each row is visited once a merge.
 */
static int spread_merges(struct book *b)
{
    struct table *t = b->reading->table;
    uint32_t free_row[TABLE_COLUMNS_MAX] = {0}; /* by column, the first row not yet spread over */
    size_t first = b->first_row;
    if (b->merge_count)
        qsort(b->merges, b->merge_count, sizeof(*b->merges), compare_merges);
    for (size_t i = 0; i < b->merge_count; i++) {
        const struct merge *m = &b->merges[i];
        if (m->column >= TABLE_COLUMNS_MAX)
            continue;
        if (m->row < free_row[m->column])
            return fail(b, "merged cells that overlap");
        free_row[m->column] = m->last_row + 1;
        while (first < t->count && t->rows[first].line < m->row)
            first++;
        if (first == t->count || t->rows[first].line != m->row || t->rows[first].count <= m->column)
            continue;
        struct span value = t->rows[first].cells[m->column];
        for (size_t k = first + 1; k < t->count && t->rows[k].line <= m->last_row && value.len;
             k++) {
            int e = set_cell(b, &t->rows[k], m->column, value);
            if (e < 0)
                return e;
        }
    }
    return 0;
}

/* ---- elements ---- */

void worksheet_begin(struct book *b)
{
    b->first_row = b->reading->table->count;
    b->row = 0;
    b->in_row = b->in_cell = false;
    b->collecting = b->phonetic = false;
    b->merge_count = 0;
}

static int begin(void *ctx, struct span name, const char *const *attributes)
{
    struct book *b = ctx;
    if (span_eq(name, SPAN_LIT("row")))
        return begin_row(b, attributes);
    if (span_eq(name, SPAN_LIT("c")))
        return begin_cell(b, attributes);
    if (span_eq(name, SPAN_LIT("mergeCell")))
        return add_merge(b, xml_attribute(attributes, "ref"));
    if (!b->in_cell)
        return 0;
    if (b->type == CELL_INLINE)
        return book_begin_text(b, name);
    if (span_eq(name, SPAN_LIT("v")))
        b->collecting = true;
    return 0;
}

static int end(void *ctx, struct span name)
{
    struct book *b = ctx;
    if (span_eq(name, SPAN_LIT("worksheet")))
        return spread_merges(b);
    if (span_eq(name, SPAN_LIT("row")) && b->in_row) {
        b->in_row = false;
        return b->reading->count ? reading_row(b->reading, b->row) : 0;
    }
    if (!b->in_cell)
        return 0;
    if (span_eq(name, SPAN_LIT("c")))
        return end_cell(b);
    if (b->type == CELL_INLINE)
        book_end_text(b, name);
    else if (span_eq(name, SPAN_LIT("v")))
        b->collecting = false;
    return 0;
}

const struct xml_ops worksheet_ops = {begin, end, book_text};
