/* The other ways of reading a text: initials and finals of its lines, initials of its clauses, and
 * down the columns of its blocks. */
#include "base/utf8.h"
#include "text/fold.h"
#include "text/weave.h"

#include <errno.h>

/* Lines or clauses that make an acrostic. */
#define PARTS_MIN 3

/* One reading in the making: each character a unit. */
struct page {
    struct span text;
    struct buf made, segments;
    uint32_t layer;
    int rc;
};

static void page_add(struct page *p, size_t start, size_t end)
{
    struct derive_segment g = {.at = (uint32_t)p->made.len,
                               .start = (uint32_t)start,
                               .end = (uint32_t)end,
                               .layers = p->layer,
                               .kind = SEGMENT_UNIT};
    if (p->rc == 0)
        p->rc = buf_append(&p->segments, span_from((const char *)&g, sizeof(g)));
    if (p->rc == 0)
        p->rc = buf_append(&p->made, span_slice(p->text, start, end));
}

/* Tells it when it is worth it, and begins a new one. */
static void page_tell(struct page *p, size_t least, derive_fn fn, void *ctx)
{
    struct derived d = {
        .text = buf_span(&p->made),
        .segments = (const struct derive_segment *)(const void *)p->segments.data,
        .count = p->segments.len / sizeof(struct derive_segment),
        .layers = p->layer,
    };
    if (p->rc == 0 && d.count >= least)
        p->rc = fn(ctx, &d);
    buf_clear(&p->made);
    buf_clear(&p->segments);
}

struct point {
    size_t start, end;
    uint32_t cp;
    enum fold_class class;
};

/* The code point at i < text.len; a byte that is none stands alone. */
static struct point point_at(struct span text, size_t i)
{
    struct point p = {.start = i};
    int n = utf8_decode(span_slice(text, i, text.len), true, &p.cp);
    p.end = i + (n > 0 ? (size_t)n : 1);
    p.class = n > 0 ? fold_entry_class(fold_entry(p.cp)) : FOLD_SEPARATOR;
    return p;
}

static bool is_read(const struct point *p)
{
    return p->class == FOLD_HAN || p->class == FOLD_WORD;
}

static bool is_number(uint32_t cp)
{
    uint32_t cps[FOLD_EXPANSION_MAX];
    fold_code_point(cp, cps);
    return cps[0] - '0' <= 9;
}

static bool is_chinese_number(uint32_t cp)
{
    static const uint32_t numbers[] = {0x4E00, 0x4E8C, 0x4E09, 0x56DB, 0x4E94,
                                       0x516D, 0x4E03, 0x516B, 0x4E5D, 0x5341}; /* 1 to 10 */
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (cp == numbers[i])
            return true;
    return false;
}

/* Behind a list mark at i, 1. (2) 三、 ④, or i. */
static size_t mark_end(struct span text, size_t i, size_t end)
{
    bool number = false, chinese = false;
    for (size_t at = i; at < end && at - i < 24;) {
        struct point p = point_at(text, at);
        if (is_read(&p)) {
            number = number || is_number(p.cp);
            chinese = chinese || is_chinese_number(p.cp);
            if (!is_number(p.cp) && !is_chinese_number(p.cp))
                return i;
            if (is_number(p.cp) && p.cp > 0xFF && p.cp < 0xFF00)
                return p.end; /* circled */
        } else if (number || chinese) {
            switch (p.cp) {
            case '.':
            case ':':
            case 0xFF0E: /* ． */
            case 0xFF1A: /* ： */
                return number ? p.end : i;
            case ')':
            case 0xFF09: /* ） */
            case 0x3001: /* 、 */
                return p.end;
            default:
                return i;
            }
        }
        at = p.end;
    }
    return i;
}

/* The first character of from..to that is read, or the last. */
static void add_first(struct page *page, size_t from, size_t to)
{
    for (size_t i = mark_end(page->text, from, to); i < to;) {
        struct point p = point_at(page->text, i);
        if (is_read(&p)) {
            page_add(page, p.start, p.end);
            return;
        }
        i = p.end;
    }
}

static void add_last(struct page *page, size_t from, size_t to)
{
    while (to > from) {
        size_t i = to - 1;
        while (i > from && ((unsigned char)page->text.data[i] & 0xC0) == 0x80)
            i--;
        struct point p = point_at(page->text, i);
        if (p.end == to && is_read(&p)) {
            page_add(page, p.start, p.end);
            return;
        }
        to = i;
    }
}

static void read_lines(struct page *page, void (*add)(struct page *, size_t, size_t))
{
    struct span text = page->text;
    for (size_t i = 0; i < text.len && page->rc == 0;) {
        const char *p = memchr(text.data + i, '\n', text.len - i);
        size_t end = p ? (size_t)(p - text.data) : text.len;
        add(page, i, end);
        i = end + 1;
    }
}

static bool ends_clause(uint32_t cp)
{
    switch (cp) {
    case '\n':
    case ',':
    case '.':
    case '?':
    case '!':
    case ';':
    case 0x3002: /* 。 */
    case 0xFF0C: /* ， */
    case 0xFF01: /* ！ */
    case 0xFF1B: /* ； */
    case 0xFF1F: /* ？ */
        return true;
    default:
        return false;
    }
}

static void read_clauses(struct page *page)
{
    struct span text = page->text;
    size_t from = 0;
    for (size_t i = 0; i < text.len && page->rc == 0;) {
        /* Han characters end none: E4 to E9, and most of a Chinese text. */
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0xE4 && c <= 0xE9 && text.len - i >= 3) {
            i += 3;
            continue;
        }
        struct point p = point_at(text, i);
        i = p.end;
        if (ends_clause(p.cp)) {
            add_first(page, from, p.start);
            from = i;
        }
    }
    if (from < text.len)
        add_first(page, from, text.len);
}

/* --- blocks --- */

/* Lines of a block: where their next character is, and where they end. */
struct line {
    uint32_t at, end;
};

/* Cells are what takes room: no invisible characters nor marks. */
static bool next_cell(struct span text, struct line *l, struct point *ret_point)
{
    while (l->at < l->end) {
        *ret_point = point_at(text, l->at);
        l->at = (uint32_t)ret_point->end;
        if (ret_point->class != FOLD_INVISIBLE && ret_point->class != FOLD_MARK)
            return true;
    }
    return false;
}

/*
 * Down the columns from left to right. A column has a cell of two lines at least: what one line has
 * alone is what that line says.
 */
static void block_columns(struct page *page, const struct line *lines, size_t count,
                          struct buf *scratch)
{
    buf_clear(scratch);
    page->rc = buf_append(scratch, span_from((const char *)lines, count * sizeof(*lines)));
    if (page->rc != 0)
        return;
    struct line *l = (struct line *)(void *)scratch->data;
    for (;;) {
        size_t cells = 0;
        struct buf was = page->made, was_segments = page->segments; /* their lengths */
        for (size_t i = 0; i < count; i++) {
            struct point p;
            if (!next_cell(page->text, &l[i], &p))
                continue;
            page_add(page, p.start, p.end);
            l[cells++] = l[i]; /* a line that is over is not looked at again */
        }
        count = cells;
        if (cells < 2 || page->rc != 0) {
            page->made.len = was.len;
            page->segments.len = was_segments.len;
            return;
        }
    }
}

/* The same columns from right to left: a page made of `page`, whose characters stand there. */
static void block_backwards(const struct page *page, struct page *ret_back)
{
    const struct derive_segment *all =
        (const struct derive_segment *)(const void *)page->segments.data;
    size_t count = page->segments.len / sizeof(*all), to = count;
    while (to > 0 && ret_back->rc == 0) {
        size_t from = to - 1; /* lines stand in order within a column */
        while (from > 0 && all[from - 1].start < all[from].start)
            from--;
        for (size_t i = from; i < to; i++)
            page_add(ret_back, all[i].start, all[i].end);
        to = from;
    }
}

static void block_tell(struct page *page, struct page *back, const struct buf *lines,
                       struct buf *scratch, derive_fn fn, void *ctx)
{
    size_t count = lines->len / sizeof(struct line);
    if (count < 2 || page->rc != 0)
        return;
    block_columns(page, (const struct line *)(const void *)lines->data, count, scratch);
    block_backwards(page, back);
    page_tell(page, 2, fn, ctx);
    if (page->rc == 0) {
        page_tell(back, 2, fn, ctx);
        page->rc = back->rc;
    }
}

/* The number of cells in a line, or more than DERIVE_LINE_MAX; none in a blank one. */
static size_t line_cells(struct span text, struct line l)
{
    struct point p;
    size_t cells = 0;
    bool blank = true;
    while (cells <= DERIVE_LINE_MAX && next_cell(text, &l, &p)) {
        cells++;
        blank = blank && p.class == FOLD_BLANK;
    }
    return blank ? 0 : cells;
}

static void read_blocks(struct page *page, derive_fn fn, void *ctx)
{
    struct span text = page->text;
    struct buf lines = BUF_INIT(SIZE_MAX / 4), scratch = BUF_INIT(SIZE_MAX / 4);
    struct page back = {.text = text,
                        .made = BUF_INIT(SIZE_MAX / 4),
                        .segments = BUF_INIT(SIZE_MAX / 4),
                        .layer = page->layer};
    for (size_t i = 0; i < text.len && page->rc == 0;) {
        const char *p = memchr(text.data + i, '\n', text.len - i);
        size_t end = p ? (size_t)(p - text.data) : text.len;
        struct line l = {.at = (uint32_t)i, .end = (uint32_t)end};
        if (end > i && text.data[end - 1] == '\r')
            l.end--;
        size_t cells = line_cells(text, l);
        if (cells && cells <= DERIVE_LINE_MAX) {
            page->rc = buf_append(&lines, span_from((const char *)&l, sizeof(l)));
        } else {
            block_tell(page, &back, &lines, &scratch, fn, ctx);
            buf_clear(&lines);
        }
        i = end + 1;
    }
    block_tell(page, &back, &lines, &scratch, fn, ctx);
    buf_deinit(&lines);
    buf_deinit(&scratch);
    buf_deinit(&back.made);
    buf_deinit(&back.segments);
}

int derive_readings(struct span text, uint32_t asked, derive_fn fn, void *ctx)
{
    struct page page = {.text = text,
                        .made = BUF_INIT(SIZE_MAX / 4),
                        .segments = BUF_INIT(SIZE_MAX / 4),
                        .layer = LAYER_ACROSTIC};
    if (text.len > DERIVE_BYTES_MAX)
        return 0;
    bool lines = text.len && memchr(text.data, '\n', text.len);
    if (asked & LAYER_ACROSTIC) {
        if (lines) {
            read_lines(&page, add_first);
            page_tell(&page, PARTS_MIN, fn, ctx);
            read_lines(&page, add_last);
            page_tell(&page, PARTS_MIN, fn, ctx);
        }
        read_clauses(&page);
        page_tell(&page, PARTS_MIN, fn, ctx);
    }
    page.layer = LAYER_VERTICAL;
    if (asked & LAYER_VERTICAL && lines)
        read_blocks(&page, fn, ctx);
    buf_deinit(&page.made);
    buf_deinit(&page.segments);
    return page.rc;
}
