#include "paper/paper.h"

#include "base/cleanup.h"
#include "base/utf8.h"
#include "paper/paperblock.h"

#include <errno.h>
#include <stdlib.h>

#define PAPER_BYTES_MAX (32u << 20)
#define TEXT_MAX        (1u << 20) /* of one block */

int paper_new(struct span title, struct paper **ret_paper)
{
    struct paper *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    arena_init(&p->arena, PAPER_BYTES_MAX);
    p->draft = BUF_INIT(TEXT_MAX);
    p->title = arena_copy(&p->arena, title);
    if (!p->title.data) {
        paper_free(p);
        return -ENOMEM;
    }
    *ret_paper = p;
    return 0;
}

void paper_free(struct paper *p)
{
    if (!p)
        return;
    arena_deinit(&p->arena);
    buf_deinit(&p->draft);
    free(p);
}

struct span paper_title(const struct paper *p)
{
    return p->title;
}

/* Keeps the first. */
static void fail(struct paper *p, int error)
{
    if (p->error == 0)
        p->error = error;
}

static struct block *add(struct paper *p, enum block_kind kind)
{
    struct block *b = p->error ? NULL : arena_alloc(&p->arena, sizeof(*b));
    if (!b) {
        fail(p, -ENOMEM);
        return NULL;
    }
    b->kind = kind;
    *(p->last ? &p->last->next : &p->blocks) = b;
    p->last = b;
    return b;
}

static struct span keep(struct paper *p, struct span text)
{
    struct span kept = arena_copy(&p->arena, text);
    if (!kept.data)
        fail(p, -ENOMEM);
    return kept;
}

static struct span keep_printf(struct paper *p, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
static struct span keep_printf(struct paper *p, const char *fmt, va_list ap)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    int r = buf_vprintf(&text, fmt, ap);
    struct span kept = r < 0 ? SPAN_LIT("") : keep(p, buf_span(&text));
    buf_deinit(&text);
    if (r < 0)
        fail(p, r);
    return kept;
}

#define ADD_PRINTF(p, kind, fmt)                                                                   \
    ({                                                                                             \
        struct block *block_ = add(p, kind);                                                       \
        va_list ap_;                                                                               \
        va_start(ap_, fmt);                                                                        \
        if (block_)                                                                                \
            block_->text = keep_printf(p, fmt, ap_);                                               \
        va_end(ap_);                                                                               \
        block_;                                                                                    \
    })

void paper_say(struct paper *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int r = buf_vprintf(&p->draft, fmt, ap);
    va_end(ap);
    if (r < 0)
        fail(p, r);
}

const char *paper_said(struct paper *p)
{
    struct span said = keep(p, buf_span(&p->draft));
    buf_clear(&p->draft);
    return said.data ? said.data : "";
}

void paper_stamp(struct paper *p, const char *fmt, ...)
{
    ADD_PRINTF(p, BLOCK_STAMP, fmt);
}

void paper_heading(struct paper *p, unsigned level, const char *fmt, ...)
{
    struct block *b = ADD_PRINTF(p, BLOCK_HEADING, fmt);
    if (b)
        b->level = level < 1 ? 1 : level > 3 ? 3 : level;
}

void paper_text(struct paper *p, const char *fmt, ...)
{
    ADD_PRINTF(p, BLOCK_TEXT, fmt);
}

void paper_item(struct paper *p, const char *fmt, ...)
{
    ADD_PRINTF(p, BLOCK_ITEM, fmt);
}

void paper_note(struct paper *p, const char *fmt, ...)
{
    ADD_PRINTF(p, BLOCK_NOTE, fmt);
}

void paper_pair(struct paper *p, const char *key, const char *fmt, ...)
{
    struct block *b = ADD_PRINTF(p, BLOCK_PAIR, fmt);
    if (b)
        b->key = keep(p, span_str(key));
}

void paper_sign(struct paper *p, const char *who)
{
    struct block *b = add(p, BLOCK_SIGN);
    if (b)
        b->key = keep(p, span_str(who));
}

void paper_break(struct paper *p)
{
    add(p, BLOCK_BREAK);
}

void paper_table(struct paper *p, const struct paper_column *columns, size_t count)
{
    struct block *b = add(p, BLOCK_TABLE);
    if (!b)
        return;
    if (count == 0)
        fail(p, -EINVAL);
    b->column_count = count < PAPER_COLUMNS_MAX ? count : PAPER_COLUMNS_MAX;
    memcpy(b->columns, columns, b->column_count * sizeof(*columns));
}

void paper_cell(struct paper *p, const char *fmt, ...)
{
    struct block *b = p->last;
    struct block_cell *c = p->error ? NULL : arena_alloc(&p->arena, sizeof(*c));
    if (!c || !b || b->kind != BLOCK_TABLE) {
        fail(p, c ? -EINVAL : -ENOMEM);
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    c->text = keep_printf(p, fmt, ap);
    va_end(ap);
    *(b->last ? &b->last->next : &b->cells) = c;
    b->last = c;
    b->cell_count++;
}

void paper_node(struct paper *p, const char *name, struct span text, struct span aside)
{
    struct block *b = add(p, BLOCK_NODE);
    if (!b)
        return;
    b->key = keep(p, span_str(name));
    b->text = keep(p, text);
    b->aside = keep(p, aside);
}

bool block_is_short(const struct block *first)
{
    size_t rows = 0, bytes = 0;
    for (const struct block *b = first; b; b = block_ends(b) ? NULL : b->next) {
        rows++;
        bytes += b->text.len;
    }
    return rows <= 16 && bytes <= 1500;
}

unsigned block_weights(const struct block *table)
{
    unsigned sum = 0;
    for (size_t i = 0; i < table->column_count; i++)
        sum += table->columns[i].weight;
    return sum ? sum : 1;
}

static struct span entity_of(char c)
{
    switch (c) {
    case '&':
        return SPAN_LIT("&amp;");
    case '<':
        return SPAN_LIT("&lt;");
    case '>':
        return SPAN_LIT("&gt;");
    case '"':
        return SPAN_LIT("&quot;");
    case '\'':
        return SPAN_LIT("&#39;");
    default:
        return SPAN_NULL;
    }
}

/* The length of a character that a document can hold; 0 for any other byte. */
static size_t character(struct span s)
{
    uint32_t cp;
    int n = utf8_decode(s, false, &cp);
    bool good = n > 0 && (cp >= 0x20 || cp == '\n' || cp == '\t') && cp != 0x7f &&
                !(cp >= 0x80 && cp < 0xa0) && cp != 0xfffe && cp != 0xffff;
    return good ? (size_t)n : 0;
}

static void put_span(struct buf *out, struct span text)
{
    if (buf_append(out, text) < 0)
        out->max = out->len;
}

void markup_put(struct buf *out, const char *text)
{
    put_span(out, span_str(text));
}

void markup_printf(struct buf *out, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (buf_vprintf(out, fmt, ap) < 0)
        out->max = out->len;
    va_end(ap);
}

void markup_text(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len;) {
        struct span entity = entity_of(text.data[i]);
        size_t n = entity.len ? 1 : character(span_slice(text, i, text.len));
        put_span(out, entity.len ? entity
                      : n        ? span_slice(text, i, i + n)
                                 : SPAN_LIT("\xef\xbf\xbd"));
        i += n ? n : 1;
    }
}

bool markup_part(struct span *rest, struct span *ret_part)
{
    static const struct span pending = SPAN_LIT(PAPER_PENDING);
    if (rest->len == 0)
        return false;
    size_t n = rest->data[0] == '\n' ? 1 : 0;
    if (n == 0) {
        size_t line = span_find(*rest, SPAN_LIT("\n"));
        size_t mark = span_find(span_slice(*rest, 0, line), pending);
        n = mark == 0 && span_starts(*rest, pending) ? pending.len : mark;
    }
    *ret_part = span_slice(*rest, 0, n);
    *rest = span_slice(*rest, n, rest->len);
    return true;
}
