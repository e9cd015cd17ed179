#include "console/page.h"

const struct page_file *page_find(struct span path, bool *ret_immutable)
{
    *ret_immutable = false;
    if (!span_starts(path, SPAN_LIT("/")))
        return NULL;
    struct span name = span_slice(path, 1, path.len);
    if (span_starts(name, SPAN_LIT("p/"))) {
        struct span rest = span_slice(name, 2, name.len), version;
        if (!span_split(&rest, '/', &version) || !span_eq(version, span_str(page_version)))
            return NULL;
        name = rest;
        *ret_immutable = true;
    } else if (name.len == 0) {
        name = SPAN_LIT("index.html");
    }
    for (const struct page_file *f = page_files; f->type; f++)
        if (span_eq(f->name, name))
            return f;
    return NULL;
}
