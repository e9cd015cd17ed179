/*
 * Lines and separated columns. Quoting is that of RFC 4180; besides, a quotation mark within a cell
 * that does not begin with one stands for itself, and a lone carriage return ends a line.
 */
#include "sheet/reader.h"

#include <errno.h>

struct csv {
    char *at, *end;
    size_t line;
    char sep;
};

/* Behind the end of a line; the end itself has been seen. */
static void end_line(struct csv *c)
{
    if (*c->at == '\r' && c->at + 1 < c->end && c->at[1] == '\n')
        c->at++;
    c->at++;
    c->line++;
}

static bool at_line_end(const struct csv *c)
{
    return c->at < c->end && (*c->at == '\n' || *c->at == '\r');
}

int text_read(struct reading *r)
{
    struct buf *text = &r->table->text;
    if (text->len == 0)
        return 0;
    struct csv c = {.at = text->data, .end = text->data + text->len, .line = 1};
    while (c.at < c.end) {
        char *from = c.at;
        while (c.at < c.end && !at_line_end(&c))
            c.at++;
        int e = reading_cell(r, c.line, span_from(from, (size_t)(c.at - from)));
        if (e == 0)
            e = reading_row(r, c.line);
        if (e < 0)
            return e;
        if (c.at < c.end)
            end_line(&c);
    }
    return 0;
}

/* The separator that the first line with any has most of. */
static char look_for_separator(struct csv c)
{
    static const char separators[] = {'\t', ',', ';'};
    size_t counts[sizeof(separators)] = {0}, best = 1;
    bool quoted = false;
    for (; c.at < c.end; c.at++) {
        quoted ^= *c.at == '"';
        if (quoted)
            continue;
        for (size_t i = 0; i < sizeof(separators); i++)
            counts[i] += *c.at == separators[i];
        if (at_line_end(&c) && counts[0] + counts[1] + counts[2])
            break;
    }
    for (size_t i = 0; i < sizeof(separators); i++)
        if (counts[i] > counts[best] || (counts[i] == counts[best] && i < best && counts[i]))
            best = i;
    return separators[best];
}

/* Reads behind an opening mark; doubled marks are made single in place. */
static int read_quoted(struct reading *r, struct csv *c, struct span *ret_cell)
{
    size_t begun = c->line;
    char *from = ++c->at, *to = from;
    for (;;) {
        if (c->at == c->end)
            return reading_fail(r, begun, "a quotation mark opens a cell that never ends");
        if (*c->at == '"') {
            c->at++;
            if (c->at == c->end || *c->at != '"')
                break;
        }
        c->line += *c->at == '\n' || (*c->at == '\r' && !(c->at + 1 < c->end && c->at[1] == '\n'));
        *to++ = *c->at++;
    }
    if (c->at < c->end && *c->at != c->sep && !at_line_end(c))
        return reading_fail(r, c->line,
                            "text behind the closing quotation mark of a cell; a mark within a "
                            "cell is written twice");
    *ret_cell = span_from(from, (size_t)(to - from));
    return 0;
}

static int read_cell(struct reading *r, struct csv *c, struct span *ret_cell)
{
    if (c->at < c->end && *c->at == '"')
        return read_quoted(r, c, ret_cell);
    char *from = c->at;
    while (c->at < c->end && *c->at != c->sep && !at_line_end(c))
        c->at++;
    *ret_cell = span_from(from, (size_t)(c->at - from));
    return 0;
}

static int read_record(struct reading *r, struct csv *c)
{
    size_t line = c->line;
    for (;;) {
        struct span cell;
        int e = read_cell(r, c, &cell);
        if (e == 0)
            e = reading_cell(r, line, cell);
        if (e < 0)
            return e;
        if (c->at == c->end || *c->at != c->sep)
            break;
        c->at++;
    }
    if (c->at < c->end)
        end_line(c);
    return reading_row(r, line);
}

int csv_read(struct reading *r, char sep)
{
    struct buf *text = &r->table->text;
    if (text->len == 0)
        return 0;
    struct csv c = {.at = text->data, .end = text->data + text->len, .line = 1, .sep = sep};
    /* Excel's own way of telling the separator, on a line before all others. */
    struct span told = buf_span(text);
    if (span_starts(told, SPAN_LIT("sep=")) && told.len > 5 &&
        (told.data[5] == '\n' || told.data[5] == '\r')) {
        c.sep = told.data[4];
        c.at += 5;
        end_line(&c);
    }
    if (!c.sep)
        c.sep = look_for_separator(c);
    while (c.at < c.end) {
        int e = read_record(r, &c);
        if (e < 0)
            return e;
    }
    return 0;
}
