#include "match_peers.h"

#include "text/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

uint64_t thread_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#ifdef HAVE_VECTORSCAN
#include <hs.h>

struct vector {
    hs_database_t *base;
    hs_scratch_t *scratch;
    size_t bytes, state;
};

const char *vector_version(void)
{
    static char version[16];
    snprintf(version, sizeof(version), "%.*s", (int)strcspn(hs_version(), " "), hs_version());
    return version;
}

struct vector *vector_new(const struct words *words, bool stream)
{
    struct vector *v = must(calloc(1, sizeof(*v)));
    const char **texts = must(calloc(words->count, sizeof(*texts)));
    size_t *lens = must(calloc(words->count, sizeof(*lens)));
    unsigned *ids = must(calloc(words->count, sizeof(*ids)));
    unsigned *flags = must(calloc(words->count, sizeof(*flags)));
    for (size_t i = 0; i < words->count; i++) {
        texts[i] = words->list[i].data;
        lens[i] = words->list[i].len;
        ids[i] = (unsigned)i;
    }
    hs_compile_error_t *error = NULL;
    if (hs_compile_lit_multi(texts, flags, ids, lens, (unsigned)words->count,
                             stream ? HS_MODE_STREAM : HS_MODE_BLOCK, NULL, &v->base,
                             &error) != HS_SUCCESS) {
        fprintf(stderr, "Vectorscan refused the list: %s\n", error ? error->message : "?");
        hs_free_compile_error(error);
        v->base = NULL;
    }
    free(texts);
    free(lens);
    free(ids);
    free(flags);
    if (!v->base || hs_alloc_scratch(v->base, &v->scratch) != HS_SUCCESS) {
        vector_free(v);
        return NULL;
    }
    hs_database_size(v->base, &v->bytes);
    if (stream)
        hs_stream_size(v->base, &v->state);
    return v;
}

void vector_free(struct vector *v)
{
    if (!v)
        return;
    hs_free_scratch(v->scratch);
    hs_free_database(v->base);
    free(v);
}

size_t vector_bytes(const struct vector *v)
{
    return v->bytes;
}

size_t vector_state_bytes(const struct vector *v)
{
    return v->state;
}

static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                    void *ctx)
{
    struct tally *tally = ctx;
    tally->hits++;
    tally->sum += to;
    return 0;
}

void vector_scan(struct vector *v, struct span text, struct tally *tally)
{
    hs_scan(v->base, text.data, (unsigned)text.len, 0, v->scratch, on_match, tally);
}

void vector_stream(struct vector *v, struct span text, size_t chunk, struct tally *tally)
{
    hs_stream_t *stream;
    if (hs_open_stream(v->base, 0, &stream) != HS_SUCCESS)
        die("Vectorscan opens no stream");
    for (size_t at = 0, n; at < text.len; at += n) {
        n = text.len - at < chunk ? text.len - at : chunk;
        hs_scan_stream(stream, text.data + at, (unsigned)n, 0, v->scratch, on_match, tally);
    }
    hs_close_stream(stream, v->scratch, on_match, tally);
}

struct mapped {
    struct tally *tally;
    const uint32_t *map;
};

static int on_mapped(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                     void *ctx)
{
    struct mapped *m = ctx;
    m->tally->hits++;
    m->tally->sum += m->map[to - 1];
    return 0;
}

void vector_scan_folded(struct vector *v, struct folded *f, struct span text, struct tally *tally)
{
    folded_read(f, text);
    struct mapped m = {tally, f->map};
    hs_scan(v->base, f->bytes, (unsigned)f->len, 0, v->scratch, on_mapped, &m);
}
#else
const char *vector_version(void)
{
    return NULL;
}

struct vector *vector_new(const struct words *words, bool stream)
{
    return NULL;
}

void vector_free(struct vector *v)
{
}

size_t vector_bytes(const struct vector *v)
{
    return 0;
}

size_t vector_state_bytes(const struct vector *v)
{
    return 0;
}

void vector_scan(struct vector *v, struct span text, struct tally *tally)
{
}

void vector_stream(struct vector *v, struct span text, size_t chunk, struct tally *tally)
{
}

void vector_scan_folded(struct vector *v, struct folded *f, struct span text, struct tally *tally)
{
}
#endif

void folded_init(struct folded *f, size_t text_len)
{
    f->cap = text_len * 2 + 4096;
    f->bytes = must(malloc(f->cap));
    f->map = must(malloc(f->cap * sizeof(*f->map)));
    f->len = 0;
}

void folded_deinit(struct folded *f)
{
    free(f->bytes);
    free(f->map);
}

static size_t folded_put(struct folded *f, size_t len, uint32_t cp, uint32_t from)
{
    size_t n = utf8_encode(cp, f->bytes + len);
    for (size_t i = 0; i < n; i++)
        f->map[len + i] = from;
    return len + n;
}

void folded_read(struct folded *f, struct span text)
{
    static char ascii[128];
    if (!ascii['a'])
        for (unsigned cp = 0; cp < 128; cp++) {
            uint32_t form[FOLD_EXPANSION_MAX];
            enum fold_class class = fold_entry_class(fold_entry(cp));
            fold_code_point(cp, form);
            ascii[cp] = class == FOLD_INVISIBLE || class == FOLD_MARK ? 0 : (char)form[0];
        }
    struct fold_reader reader = {0};
    struct fold_point point;
    size_t len = 0;
    for (;;) {
        while (text.len && (unsigned char)text.data[0] < 0x80) {
            char c = ascii[(unsigned char)text.data[0]];
            f->bytes[len] = c;
            f->map[len] = (uint32_t)reader.pos++;
            len += c != 0;
            text.data++;
            text.len--;
            if (len + 128 > f->cap)
                die("the folded text is far longer than the text");
        }
        if (fold_reader_next(&reader, &text, &point) <= 0)
            break;
        uint32_t entry = fold_entry(point.cp), from = (uint32_t)point.start;
        enum fold_class class = fold_entry_class(entry);
        if (class == FOLD_INVISIBLE || class == FOLD_MARK)
            continue;
        if (!(entry & FOLD_EXPANDS)) {
            len = folded_put(f, len, entry & FOLD_TARGET ? entry & FOLD_TARGET : point.cp, from);
        } else {
            uint32_t form[FOLD_EXPANSION_MAX];
            unsigned n = fold_code_point(point.cp, form);
            for (unsigned i = 0; i < n; i++)
                len = folded_put(f, len, form[i], from);
        }
        if (len + 128 > f->cap)
            die("the folded text is far longer than the text");
    }
    f->len = len;
}

struct node {
    uint32_t parent, cp, fail;
    uint32_t word; /* its number and one; 0: none ends here */
    uint32_t out;  /* the longest proper suffix at which a word ends; 0: none */
    uint32_t depth;
};

struct edge {
    uint64_t key; /* node and code point; 0: free, since nothing is goes on from the root by NUL */
    uint32_t to;
};

struct textbook {
    struct node *nodes;
    struct edge *edges;
    size_t count, cap, mask;
};

static struct edge *edge_find(const struct textbook *t, uint32_t node, uint32_t cp)
{
    uint64_t key = (uint64_t)node << 21 | cp;
    size_t at = (size_t)(key * 0x9E3779B97F4A7C15u >> 20) & t->mask;
    while (t->edges[at].key && t->edges[at].key != key)
        at = (at + 1) & t->mask;
    return &t->edges[at];
}

static void edges_grow(struct textbook *t)
{
    struct edge *old = t->edges;
    size_t count = t->mask + 1;
    t->mask = count * 2 - 1;
    t->edges = must(calloc(count * 2, sizeof(*old)));
    for (size_t i = 0; i < count; i++)
        if (old[i].key)
            *edge_find(t, (uint32_t)(old[i].key >> 21), old[i].key & 0x1FFFFF) = old[i];
    free(old);
}

static uint32_t node_add(struct textbook *t, uint32_t parent, uint32_t cp)
{
    struct edge *e = edge_find(t, parent, cp);
    if (e->key)
        return e->to;
    if (t->count == t->cap) {
        t->cap *= 2;
        t->nodes = must(realloc(t->nodes, t->cap * sizeof(*t->nodes)));
    }
    uint32_t node = (uint32_t)t->count++;
    t->nodes[node] = (struct node){.parent = parent, .cp = cp, .depth = t->nodes[parent].depth + 1};
    *e = (struct edge){(uint64_t)parent << 21 | cp, node};
    if (t->count * 2 > t->mask)
        edges_grow(t);
    return node;
}

static inline uint32_t step(const struct textbook *t, uint32_t node, uint32_t cp)
{
    for (;;) {
        const struct edge *e = edge_find(t, node, cp);
        if (e->key)
            return e->to;
        if (!node)
            return 0;
        node = t->nodes[node].fail;
    }
}

/* Fail and output links, shallow nodes first. */
static void link_nodes(struct textbook *t)
{
    uint32_t *order = must(malloc(t->count * sizeof(*order))), deepest = 0;
    for (size_t i = 0; i < t->count; i++)
        deepest = t->nodes[i].depth > deepest ? t->nodes[i].depth : deepest;
    size_t *from = must(calloc(deepest + 2, sizeof(*from)));
    for (size_t i = 0; i < t->count; i++)
        from[t->nodes[i].depth + 1]++;
    for (uint32_t d = 0; d < deepest; d++)
        from[d + 1] += from[d];
    for (size_t i = 0; i < t->count; i++)
        order[from[t->nodes[i].depth]++] = (uint32_t)i;
    for (size_t i = 1; i < t->count; i++) {
        struct node *n = &t->nodes[order[i]];
        n->fail = n->parent ? step(t, t->nodes[n->parent].fail, n->cp) : 0;
        n->out = t->nodes[n->fail].word ? n->fail : t->nodes[n->fail].out;
    }
    free(from);
    free(order);
}

struct textbook *textbook_new(const struct words *words)
{
    struct textbook *t = must(calloc(1, sizeof(*t)));
    t->cap = 1024;
    t->mask = 4095;
    t->nodes = must(calloc(t->cap, sizeof(*t->nodes)));
    t->edges = must(calloc(t->mask + 1, sizeof(*t->edges)));
    t->count = 1;
    for (size_t i = 0; i < words->count; i++) {
        struct fold_reader reader = {0};
        struct fold_point point;
        struct span rest = words->list[i];
        uint32_t node = 0;
        while (fold_reader_next(&reader, &rest, &point) > 0)
            node = node_add(t, node, point.cp);
        t->nodes[node].word = (uint32_t)i + 1;
    }
    link_nodes(t);
    return t;
}

void textbook_free(struct textbook *t)
{
    if (!t)
        return;
    free(t->nodes);
    free(t->edges);
    free(t);
}

size_t textbook_bytes(const struct textbook *t)
{
    return t->count * sizeof(*t->nodes) + (t->mask + 1) * sizeof(*t->edges);
}

void textbook_scan(const struct textbook *t, struct span text, struct tally *tally)
{
    struct fold_reader reader = {0};
    struct fold_point point;
    uint32_t node = 0;
    while (fold_reader_next(&reader, &text, &point) > 0) {
        node = step(t, node, point.cp);
        for (uint32_t n = t->nodes[node].word ? node : t->nodes[node].out; n; n = t->nodes[n].out) {
            tally->hits++;
            tally->sum += point.end;
        }
    }
}

void textbook_count(const struct textbook *t, struct span text, uint32_t *counts)
{
    struct fold_reader reader = {0};
    struct fold_point point;
    uint32_t node = 0;
    while (fold_reader_next(&reader, &text, &point) > 0) {
        node = step(t, node, point.cp);
        for (uint32_t n = t->nodes[node].word ? node : t->nodes[node].out; n; n = t->nodes[n].out)
            counts[t->nodes[n].word - 1]++;
    }
}
