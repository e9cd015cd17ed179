#include "rules/lines.h"

#include "base/utf8.h"

struct place lines_place(const struct line_reader *r, const char *part)
{
    struct span before = span_from(r->line.data, (size_t)(part - r->line.data));
    return (struct place){r->file, r->number, (unsigned)utf8_count(before) + 1};
}

bool lines_next(struct line_reader *r)
{
    if (!span_split(&r->rest, '\n', &r->line))
        return false;
    r->number++;
    if (r->line.len && r->line.data[r->line.len - 1] == '\r')
        r->line.len--;
    return true;
}

bool lines_begin(struct line_reader *r, struct loader *l, struct span text, struct span file)
{
    if (span_starts(text, SPAN_LIT("\xef\xbb\xbf")))
        text = span_slice(text, 3, text.len);
    *r = (struct line_reader){.loader = l, .file = file, .rest = text};
    size_t bad = utf8_check(text);
    const char *nul = bad ? memchr(text.data, '\0', bad) : NULL;
    if (nul)
        bad = (size_t)(nul - text.data);
    if (bad == text.len)
        return true;
    while (lines_next(r) && (size_t)(r->line.data + r->line.len - text.data) < bad)
        ;
    loader_error(l, lines_place(r, text.data + bad), nul ? "a NUL byte" : "not UTF-8");
    return false;
}
