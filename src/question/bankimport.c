#include "question/bankimport.h"

#include "base/codec.h"
#include "base/utf8.h"
#include "crypto/sha256.h"
#include "question/bankcolumn.h"
#include "question/bankline.h"
#include "question/banksaying.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_MAX   (512u << 20)
#define HEADER_ROWS 20 /* among the first of a sheet the titles are looked for */
#define NONE        UINT32_MAX

/* What a row of this file says, for repeats within it; its id, too, with BANK_KINDS. */
struct told {
    enum bank_kind kind;
    struct span text;
    const struct bankimport_row *row;
    struct told *next;
};

struct bankimport {
    struct table table;
    struct arena arena;
    struct bankimport_sheet *sheets;
    struct bankimport_row *rows;
    size_t row_count, counts[BANKIMPORT_FATES];
    struct told **buckets; /* two a row: its text and its id */
    size_t bucket_count;
};

struct reading {
    const struct bankimport_request *q;
    struct bankimport *im;
    struct sayings known;
    struct buf room;
    struct bank_scratch scratch;
    uint32_t columns[BANK_COLUMNS]; /* of the sheet at hand; NONE: it has no such */
    struct bankimport_sheet *sheet;
    struct span first, second; /* classes of the row before */
    bool memory_out;
};

const char *bankimport_fate_name(enum bankimport_fate f)
{
    static const char *const names[] = {"taken", "repeated", "refused"};
    return names[f];
}

/* ---- cells ---- */

static struct span cell(const struct reading *r, const struct table_row *row, enum bank_column c)
{
    uint32_t at = r->columns[c];
    return at < row->count ? span_trim(row->cells[at]) : SPAN_LIT("");
}

static bool is_blank(const struct table_row *row)
{
    for (uint32_t i = 0; i < row->count; i++)
        if (span_trim(row->cells[i]).len)
            return false;
    return true;
}

/* A copy with line ends of one kind, or, for `line`, none. */
static struct span keep(struct reading *r, struct span text, bool line)
{
    struct span copy = arena_copy(&r->im->arena, text);
    char *data = (char *)copy.data; /* our own copy */
    size_t kept = 0;
    if (!data) {
        r->memory_out = true;
        return SPAN_LIT("");
    }
    for (size_t i = 0; i < copy.len; i++) {
        if (data[i] == '\r' && i + 1 < copy.len && data[i + 1] == '\n')
            continue;
        bool end = data[i] == '\r' || data[i] == '\n' || data[i] == '\t';
        data[kept++] = end && line ? ' ' : data[i] == '\r' ? '\n' : data[i];
    }
    return span_from(data, kept);
}

/* ---- sheets ---- */

/* How much a row looks like that of the titles; 0: it names no column of questions. */
static unsigned header_weight(struct reading *r, const struct table_row *row)
{
    unsigned weight = 0;
    bool question = false;
    for (uint32_t i = 0; i < row->count; i++) {
        bool sure;
        enum bank_column c = bank_column_of(&r->scratch, row->cells[i], &sure);
        question |= c == BANK_COLUMN_QUESTION;
        weight += c == BANK_COLUMN_UNKNOWN ? 0 : sure ? 3 : 1;
    }
    return question ? weight : 0;
}

/* The first of those that look most like it: a heading above the titles may hold a word of them,
 * and so may a question. `end`: there is none. */
static size_t find_header(struct reading *r, size_t first, size_t end)
{
    const struct table *t = &r->im->table;
    size_t found = end;
    unsigned most = 0;
    for (size_t i = first; i < end && i - first < HEADER_ROWS; i++) {
        unsigned weight = header_weight(r, &t->rows[i]);
        if (weight > most) {
            most = weight;
            found = i;
        }
    }
    return found;
}

static struct span title_at(const struct table_row *row, uint32_t i)
{
    return i < row->count ? span_trim(row->cells[i]) : SPAN_LIT("");
}

/* Titles in two rows, 分类 over 一级分类 and 二级分类: nothing but titles, and no question yet. */
static bool is_below_header(struct reading *r, const struct table_row *above,
                            const struct table_row *row)
{
    bool any = false;
    for (uint32_t i = 0; i < row->count; i++) {
        bool sure;
        struct span title = title_at(row, i);
        enum bank_column c = bank_column_of(&r->scratch, title, &sure);
        if (title.len && c == BANK_COLUMN_UNKNOWN)
            return false;
        if (title.len &&
            bank_column_of(&r->scratch, title_at(above, i), &sure) == BANK_COLUMN_QUESTION)
            return false;
        any |= c == BANK_COLUMN_FIRST || c == BANK_COLUMN_SECOND || c == BANK_COLUMN_TYPE;
    }
    return any;
}

/* Of a title in two rows the lower one says more; NULL: there is one row. */
static void take_header(struct reading *r, const struct table_row *row,
                        const struct table_row *below)
{
    uint32_t count = below && below->count > row->count ? below->count : row->count;
    struct buf told = BUF_INIT(65536);
    for (unsigned c = 0; c < BANK_COLUMNS; c++)
        r->columns[c] = NONE;
    for (uint32_t i = 0; i < count; i++) {
        bool sure;
        struct span title = below ? title_at(below, i) : SPAN_LIT("");
        if (!title.len)
            title = title_at(row, i);
        enum bank_column c = bank_column_of(&r->scratch, title, &sure);
        if (!title.len)
            continue;
        if (c < BANK_COLUMNS && r->columns[c] == NONE)
            r->columns[c] = i;
        else if (c < BANK_COLUMNS)
            c = BANK_COLUMN_IGNORED; /* the first of two is meant */
        buf_printf(&told, "%s%.*s: %s", told.len ? ", " : "",
                   (int)utf8_floor(title, title.len < 60 ? title.len : 60), title.data,
                   bank_column_name(c));
    }
    r->sheet->columns = keep(r, buf_span(&told), true);
    r->sheet->header = row->line;
    buf_deinit(&told);
}

/* The rows of a sheet stand together. */
static size_t sheet_end(const struct table *t, size_t first)
{
    size_t end = first;
    while (end < t->count && t->rows[end].sheet == t->rows[first].sheet)
        end++;
    return end;
}

/* Why a sheet is not read, NULL when it is. */
static const char *sheet_fault(struct reading *r, size_t *first, size_t end)
{
    const struct bankimport_request *q = r->q;
    struct bankimport_sheet *s = r->sheet;
    enum bank_kind by_name = bank_kind_of(&r->scratch, s->name);
    size_t at = find_header(r, *first, end);
    if (q->sheet.len && !span_eq(q->sheet, s->name))
        return "not the one that was named";
    s->kind = q->kind == BANK_KINDS ? by_name : q->kind;
    if (!q->sheet.len && q->kind != BANK_KINDS && by_name != BANK_KINDS && by_name != q->kind)
        return "its name says another bank: name it by --sheet to read it all the same";
    if (at == end)
        return "no row among its first 20 has a title such as 题目, 测试题, 问题 or question";
    const struct table_row *row = &r->im->table.rows[at];
    bool two = at + 1 < end && is_below_header(r, row, row + 1);
    take_header(r, row, two ? row + 1 : NULL);
    if (s->kind == BANK_KINDS && r->columns[BANK_COLUMN_BANK] == NONE)
        return "neither its name nor a column says which bank: name it by --bank";
    s->before = at - *first;
    *first = at + 1 + two;
    return NULL;
}

/* ---- rows ---- */

static struct bankimport_row *add_row(struct reading *r, const struct table_row *row)
{
    struct bankimport_row *n = &r->im->rows[r->im->row_count++];
    *n = (struct bankimport_row){.row = row};
    return n;
}

static void refuse(struct reading *r, struct bankimport_row *n, enum bankimport_fate fate,
                   const char *why)
{
    n->fate = fate;
    n->why = arena_copy(&r->im->arena, span_str(why));
    r->memory_out |= !n->why.data;
}

static bool read_kind(struct reading *r, struct bankimport_row *n)
{
    struct span name = cell(r, n->row, BANK_COLUMN_BANK);
    n->is.kind = r->sheet->kind != BANK_KINDS ? r->sheet->kind : bank_kind_of(&r->scratch, name);
    if (n->is.kind == BANK_KINDS)
        refuse(r, n, BANKIMPORT_REFUSED, "its bank is none of content, refuse, answer");
    return n->is.kind != BANK_KINDS;
}

/* Merged cells are empty in all rows but the first. */
static void read_classes(struct reading *r, const struct table_row *row, struct span *ret_first,
                         struct span *ret_second)
{
    struct span first = cell(r, row, BANK_COLUMN_FIRST), second = cell(r, row, BANK_COLUMN_SECOND);
    struct span type = cell(r, row, BANK_COLUMN_TYPE);
    second = second.len ? second : type;
    if (!first.len && !second.len && r->second.len) {
        second = r->second;
        first = r->first;
        r->sheet->inherited++;
    } else if (!first.len && second.len) {
        first = r->first;
    }
    if (!second.len && first.len)
        second = first;
    r->first = *ret_first = first;
    r->second = *ret_second = second;
}

static const char *read_type(struct reading *r, struct bankimport_row *n)
{
    const struct bankimport_request *q = r->q;
    struct span first, second;
    const char *why = NULL;
    read_classes(r, n->row, &first, &second);
    bool none = !first.len && !second.len;
    if (none && !q->type.len)
        return "it has no class";
    if (none)
        second = q->type;
    if (n->is.kind != BANK_ANSWER) {
        n->is.risk = bank_risk_of(&r->scratch, q->rules, first, second, &why);
        return why;
    }
    n->is.aspect = bank_aspect_of(q->rules, second, &why);
    if (!n->is.aspect && first.len)
        n->is.aspect = bank_aspect_of(q->rules, first, &why);
    return n->is.aspect ? NULL : why;
}

static unsigned read_technique(struct span s)
{
    unsigned long long t = 0;
    if (s.len < 3 || s.data[0] != 'T' || !span_to_u64(span_slice(s, 1, 3), &t))
        return 0;
    return t <= BANK_TECHNIQUES ? (unsigned)t : 0;
}

static const char *read_texts(struct reading *r, struct bankimport_row *n)
{
    struct question *q = &n->is;
    q->text = keep(r, cell(r, n->row, BANK_COLUMN_QUESTION), false);
    q->note = keep(r, cell(r, n->row, BANK_COLUMN_NOTE), true);
    q->technique = read_technique(cell(r, n->row, BANK_COLUMN_TECHNIQUE));
    q->seed = keep(r, cell(r, n->row, BANK_COLUMN_SEED), true);
    if (q->seed.len && !bank_is_id(q->seed))
        return "what it is derived of is no id";
    if (cell(r, n->row, BANK_COLUMN_TURNS).len)
        return "it is a conversation: its line belongs into a file of the banks as it is";
    const char *fault = bank_text_fault(q->text, BANK_TEXT_MAX, true);
    if (fault)
        return !strcmp(fault, "empty")      ? "it has no question"
               : !strcmp(fault, "too long") ? "its question is too long"
                                            : "its question holds a control character";
    fault = q->note.len ? bank_text_fault(q->note, BANK_NOTE_MAX, false) : NULL;
    return fault ? "its note is too long, or holds a control character" : NULL;
}

/* ---- what is there already ---- */

static uint64_t hash_of(enum bank_kind kind, struct span text)
{
    uint64_t h = 14695981039346656037u ^ kind;
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.data[i]) * 1099511628211u;
    return h ^ h >> 32;
}

/* The row of this file that has said it already; else this one has from now on. */
static const struct bankimport_row *find_told(struct reading *r, struct bankimport_row *n,
                                              enum bank_kind kind, struct span text)
{
    struct told **bucket = &r->im->buckets[hash_of(kind, text) % r->im->bucket_count];
    for (struct told *t = *bucket; t; t = t->next)
        if (t->kind == kind && span_eq(t->text, text))
            return t->row;
    struct told *t = arena_alloc(&r->im->arena, sizeof(*t));
    if (t)
        *t = (struct told){kind, arena_copy(&r->im->arena, text), n, *bucket};
    if (t && t->text.data)
        *bucket = t;
    else
        r->memory_out = true;
    return NULL;
}

static bool repeats(struct reading *r, struct bankimport_row *n)
{
    struct buf why = BUF_INIT(65536);
    if (sayings_fold(n->is.text, &r->room) < 0) {
        r->memory_out = true;
        return true;
    }
    const struct question *known = sayings_find(&r->known, n->is.kind, buf_span(&r->room));
    const struct bankimport_row *before =
        known ? NULL : find_told(r, n, n->is.kind, buf_span(&r->room));
    if (known)
        buf_printf(&why, "it is there already: %.*s (%.*s:%u)", SPAN_ARG(known->id),
                   SPAN_ARG(known->place.file), known->place.line);
    if (before) {
        buf_append(&why, SPAN_LIT("it is there already: "));
        table_place(&r->im->table, before->row, &why);
    }
    if (why.len)
        refuse(r, n, BANKIMPORT_REPEATED, buf_cstr(&why) ? buf_cstr(&why) : "");
    bool repeated = why.len > 0;
    buf_deinit(&why);
    return repeated;
}

/* Has a question the id that stays, or a row before this one? Else this one has it from now on. */
static bool is_taken_id(struct reading *r, struct span id, struct bankimport_row *n)
{
    const struct question *known = bank_find(r->q->bank, id);
    bool stays = known && !(r->q->replaced.len && span_eq(known->place.file, r->q->replaced));
    return stays || find_told(r, n, BANK_KINDS, id);
}

/* Is it an id as we write them, of that bank, which nobody has? */
static bool is_free_id(struct reading *r, struct span id, struct bankimport_row *n)
{
    struct span kind = span_str(bank_kind_name(n->is.kind));
    return span_starts(id, kind) && id.len > kind.len + 1 && id.data[kind.len] == '-' &&
           bank_is_id(id) && !is_taken_id(r, id, n);
}

/* After what it says, so that importing once more gives the same ids. */
static void name_it(struct reading *r, struct bankimport_row *n)
{
    struct question *q = &n->is;
    struct span id = cell(r, n->row, BANK_COLUMN_ID);
    if (is_free_id(r, id, n)) {
        q->id = keep(r, id, true);
        return;
    }
    unsigned char sum[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    r->memory_out |= sha256_once(buf_span(&r->room), sum) < 0;
    codec_hex(span_from((const char *)sum, sizeof(sum)), hex);
    for (int digits = 8; digits <= 32; digits *= 2) {
        q->id = arena_printf(&r->im->arena, "%s-%.*s%s%.*s", bank_kind_name(q->kind),
                             q->risk ? (int)q->risk->id.len : 0, q->risk ? q->risk->id.data : "",
                             q->risk ? "-" : "", digits, hex);
        r->memory_out |= !q->id.data;
        if (!q->id.data || !is_taken_id(r, q->id, n))
            return;
    }
}

static void read_row(struct reading *r, const struct table_row *row)
{
    struct bankimport_row *n = add_row(r, row);
    r->sheet->rows++;
    const char *why = NULL;
    if (!read_kind(r, n)) {
        struct span first, second; /* the rows below may inherit its classes all the same */
        read_classes(r, row, &first, &second);
    } else {
        why = read_type(r, n); /* first: the rows below may inherit it */
        const char *text = read_texts(r, n);
        why = text ? text : why;
        if (why)
            refuse(r, n, BANKIMPORT_REFUSED, why);
        else if (!repeats(r, n))
            name_it(r, n);
    }
    r->im->counts[n->fate]++;
}

static void read_sheet(struct reading *r, size_t first, size_t end)
{
    const char *why = sheet_fault(r, &first, end);
    r->first = r->second = SPAN_NULL;
    if (why) {
        r->sheet->why = span_str(why);
        for (size_t i = first; i < end; i++)
            r->sheet->rows += !is_blank(&r->im->table.rows[i]);
        return;
    }
    for (size_t i = first; i < end && !r->memory_out; i++)
        if (!is_blank(&r->im->table.rows[i]))
            read_row(r, &r->im->table.rows[i]);
}

static int read_sheets(struct reading *r, struct buf *messages)
{
    struct bankimport *im = r->im;
    struct table *t = &im->table;
    struct place at = {.file = r->q->path};
    bool any = false, named = r->q->sheet.len == 0;
    for (size_t i = 0; i < t->sheet_count; i++) {
        im->sheets[i] = (struct bankimport_sheet){.name = t->sheets[i], .kind = BANK_KINDS};
        named |= span_eq(t->sheets[i], r->q->sheet);
    }
    if (!named) {
        place_printf(messages, at, "there is no sheet '%.*s'", SPAN_ARG(r->q->sheet));
        return -EINVAL;
    }
    for (size_t i = 0; i < t->count && !r->memory_out;) {
        size_t end = sheet_end(t, i);
        r->sheet = &im->sheets[t->rows[i].sheet];
        read_sheet(r, i, end);
        any |= r->sheet->why.len == 0;
        i = end;
    }
    if (r->memory_out)
        return -ENOMEM;
    for (size_t i = 0; i < t->sheet_count && !any; i++)
        place_printf(messages, at, "%s%.*s%s%.*s", t->sheets[i].len ? "sheet " : "",
                     SPAN_ARG(t->sheets[i]), t->sheets[i].len ? ": " : "",
                     im->sheets[i].why.len ? (int)im->sheets[i].why.len : 5,
                     im->sheets[i].why.len ? im->sheets[i].why.data : "empty");
    return any ? 0 : -EINVAL;
}

int bankimport_open(const struct bankimport_request *q, struct buf *messages,
                    struct bankimport **ret)
{
    struct bankimport *im = calloc(1, sizeof(*im));
    struct reading r = {.q = q, .im = im, .room = BUF_INIT(SAYINGS_FOLDED_MAX)};
    if (!im)
        return -ENOMEM;
    im->table = TABLE_INIT;
    arena_init(&im->arena, ARENA_MAX);
    int scratched = bank_scratch_init(&r.scratch);
    int e = table_load(q->path, TABLE_ANY, &im->table, messages);
    if (e == 0)
        e = scratched;
    if (e == 0) {
        im->sheets = reallocarray(NULL, im->table.sheet_count + 1, sizeof(*im->sheets));
        im->rows = reallocarray(NULL, im->table.count + 1, sizeof(*im->rows));
        im->bucket_count = 2 * im->table.count + 1;
        im->buckets = calloc(im->bucket_count, sizeof(struct told *));
        e = im->sheets && im->rows && im->buckets ? sayings_read(q->bank, q->replaced, &r.known)
                                                  : -ENOMEM;
        if (e == 0)
            e = read_sheets(&r, messages);
        if (im->sheets && im->rows && im->buckets)
            sayings_free(&r.known);
    }
    buf_deinit(&r.room);
    bank_scratch_free(&r.scratch);
    if (e < 0)
        bankimport_free(im);
    else
        *ret = im;
    return e;
}

void bankimport_free(struct bankimport *im)
{
    table_deinit(&im->table);
    arena_deinit(&im->arena);
    free(im->sheets);
    free(im->rows);
    free(im->buckets);
    free(im);
}

const struct table *bankimport_table(const struct bankimport *im)
{
    return &im->table;
}

size_t bankimport_sheet_count(const struct bankimport *im)
{
    return im->table.sheet_count;
}

const struct bankimport_sheet *bankimport_sheet_at(const struct bankimport *im, size_t index)
{
    return &im->sheets[index];
}

size_t bankimport_count(const struct bankimport *im, enum bankimport_fate fate)
{
    return im->counts[fate];
}

size_t bankimport_row_count(const struct bankimport *im)
{
    return im->row_count;
}

const struct bankimport_row *bankimport_row_at(const struct bankimport *im, size_t index)
{
    return &im->rows[index];
}

int bankimport_write(const struct bankimport *im, struct buf *out)
{
    int r = 0;
    for (size_t i = 0; i < im->row_count && r == 0; i++)
        if (im->rows[i].fate == BANKIMPORT_TAKEN)
            r = bank_write(&im->rows[i].is, out);
    return r;
}

void bankimport_name(struct span path, char ret_name[80])
{
    unsigned char sum[SHA256_SIZE] = {0};
    char hex[17];
    size_t n = (size_t)snprintf(ret_name, 80, "imported-"), before = n;
    for (size_t i = path.len; i > 0; i--)
        if (path.data[i - 1] == '/') {
            path = span_slice(path, i, path.len);
            break;
        }
    struct span stem = path;
    for (size_t i = path.len; i > 1; i--)
        if (path.data[i - 1] == '.') {
            stem = span_slice(path, 0, i - 1);
            break;
        }
    for (size_t i = 0; i < stem.len && n < 70; i++) {
        char c = stem.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (letter || ((c == '-' || c == '_') && n > before))
            ret_name[n++] = c;
    }
    ret_name[n] = '\0';
    sha256_once(path, sum);
    codec_hex(span_from((const char *)sum, 8), hex);
    if (n == before)
        snprintf(ret_name + n, 80 - n, "%.8s", hex);
}
