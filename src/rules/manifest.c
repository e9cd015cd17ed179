/* What a library is made of, and the identity that comes of it. */
#include "base/codec.h"
#include "rules/loader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MANIFEST_BYTES_MAX (64u << 20)

bool loader_note_file(struct loader *l, struct span relative, struct span text)
{
    unsigned char digest[SHA256_SIZE];
    if (!loader_grow(l, (void **)&l->contents, l->content_count, &l->content_cap,
                     sizeof(*l->contents)))
        return false;
    struct content *c = &l->contents[l->content_count];
    c->relative = arena_copy(l->reader.arena, relative);
    if (!c->relative.data || sha256_begin(l->hash) < 0 || sha256_add(l->hash, text) < 0 ||
        sha256_end(l->hash, digest) < 0)
        return false;
    codec_hex(span_from((const char *)digest, sizeof(digest)), c->digest);
    l->content_count++;
    struct rule_files *keep = l->source->keep;
    if (!keep)
        return true;
    if (!loader_grow(l, (void **)&keep->list, keep->count, &keep->cap, sizeof(*keep->list)))
        return false;
    struct rule_file *f = &keep->list[keep->count];
    *f = (struct rule_file){.relative = strndup(relative.data, relative.len),
                            .text = BUF_INIT(LOADER_TEXT_MAX)};
    keep->count++; /* so that it is freed in any case */
    return f->relative && buf_append(&f->text, text) == 0;
}

void rule_files_deinit(struct rule_files *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->list[i].relative);
        buf_deinit(&f->list[i].text);
    }
    free(f->list);
    *f = (struct rule_files){0};
}

static int compare_contents(const void *a, const void *b)
{
    return span_compare(((const struct content *)a)->relative,
                        ((const struct content *)b)->relative);
}

int loader_identify(struct loader *l)
{
    unsigned char digest[SHA256_SIZE];
    struct ruleset *s = l->set;
    struct buf manifest = BUF_INIT(MANIFEST_BYTES_MAX);
    int r = 0;
    if (l->content_count)
        qsort(l->contents, l->content_count, sizeof(*l->contents), compare_contents);
    for (size_t i = 0; i < l->content_count && r == 0; i++)
        r = buf_printf(&manifest, "%s  %.*s\n", l->contents[i].digest,
                       SPAN_ARG(l->contents[i].relative));
    if (r == 0) {
        s->manifest = arena_copy(&s->arena, buf_span(&manifest));
        r = s->manifest.data ? sha256_once(s->manifest, digest) : -ENOMEM;
    }
    buf_deinit(&manifest);
    if (r < 0)
        return -ENOMEM;
    codec_hex(span_from((const char *)digest, sizeof(digest)), s->digest);
    snprintf(s->version, sizeof(s->version), "%s-%.12s", l->source->published ? "v" : "auto",
             s->digest);
    return 0;
}
