#include "yaml/yaml.h"

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <libfyaml.h>
#include <sys/stat.h>

struct yaml_doc {
    struct arena arena;
    struct span file;
    struct yaml_node *root;
};

/* One open container while the tree grows. */
struct level {
    struct yaml_node *node;
    struct yaml_node *last;
    struct span key; /* read, its value not yet; data NULL: none */
    struct place key_at;
};

struct builder {
    struct yaml_doc *doc;
    struct span text; /* the whole file */
    struct buf *messages;
    struct level levels[YAML_DEPTH_MAX];
    unsigned depth;
    size_t nodes;
    unsigned documents;
};

static int refuse(struct builder *b, struct place at, const char *what)
{
    place_printf(b->messages, at, "%s", what);
    return -EINVAL;
}

static struct place event_place(const struct builder *b, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    struct place at = {.file = b->doc->file};
    if (mark) {
        at.line = (unsigned)mark->line + 1;
        at.column = (unsigned)mark->column + 1;
    }
    /* The library's mark stands behind an opening quote or the star of an alias. */
    bool quoted = false;
    if (event->type == FYET_SCALAR && event->scalar.value) {
        enum fy_scalar_style style = fy_token_scalar_style(event->scalar.value);
        quoted = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
    }
    if ((quoted || event->type == FYET_ALIAS) && at.column > 1)
        at.column--;
    return at;
}

static int take_key(struct builder *b, struct level *level, struct span text, struct place at)
{
    if (level->node->count >= YAML_KEYS_MAX)
        return refuse(b, at, "too many keys in one map");
    for (const struct yaml_node *n = level->node->first; n; n = n->next) {
        if (!span_eq(n->key, text))
            continue;
        place_printf(b->messages, at, "duplicate key '%.*s', first on line %u", SPAN_ARG(text),
                     n->key_at.line);
        return -EINVAL;
    }
    level->key = text;
    level->key_at = at;
    return 0;
}

/* Hangs a new node under the innermost open container. *ret_node is NULL when it was a map's key.
 */
static int add(struct builder *b, enum yaml_kind kind, struct span text, bool plain,
               struct place at, struct yaml_node **ret_node)
{
    *ret_node = NULL;
    if (++b->nodes > YAML_NODES_MAX)
        return refuse(b, at, "too many nodes");
    struct level *level = b->depth ? &b->levels[b->depth - 1] : NULL;
    if (level && level->node->kind == YAML_MAP && !level->key.data) {
        if (kind != YAML_SCALAR)
            return refuse(b, at, "a key must be a text");
        return take_key(b, level, text, at);
    }
    struct yaml_node *node = arena_alloc(&b->doc->arena, sizeof(*node));
    if (!node)
        return -ENOMEM;
    *node = (struct yaml_node){.kind = kind, .at = at, .text = text, .plain = plain};
    if (!level) {
        b->doc->root = node;
    } else {
        if (level->node->kind == YAML_MAP) {
            node->key = level->key;
            node->key_at = level->key_at;
            level->key = SPAN_NULL;
        }
        if (!at.line) /* nothing was written: what stands before it has a place */
            node->at = level->node->kind == YAML_MAP ? node->key_at : level->node->at;
        if (level->last)
            level->last->next = node;
        else
            level->node->first = node;
        level->last = node;
        level->node->count++;
    }
    *ret_node = node;
    return 0;
}

static int open_container(struct builder *b, enum yaml_kind kind, struct place at)
{
    if (b->depth == YAML_DEPTH_MAX)
        return refuse(b, at, "nested too deeply");
    struct yaml_node *node;
    int r = add(b, kind, SPAN_NULL, false, at, &node);
    if (r < 0)
        return r;
    b->levels[b->depth++] = (struct level){.node = node};
    return 0;
}

/*
 * What stands between single quotes is read here: given many doubled quotes, the library (0.7.12)
 * repeats parts of the text and leaks. So that no line folding is needed, it ends on its line.
 */
static int read_single_quoted(struct builder *b, struct fy_token *token, struct span *ret_text)
{
    const struct fy_mark *start = fy_token_start_mark(token), *end = fy_token_end_mark(token);
    if (!start || !end || start->input_pos > end->input_pos || end->input_pos > b->text.len)
        return -EINVAL;
    struct span raw = span_slice(b->text, start->input_pos, end->input_pos);
    char *text = arena_alloc(&b->doc->arena, raw.len + 1);
    if (!text)
        return -ENOMEM;
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        text[len++] = raw.data[i];
        if (raw.data[i] == '\'')
            i++; /* the second of two */
    }
    *ret_text = span_from(text, len);
    return 0;
}

static int read_text(struct builder *b, struct fy_token *token, struct span *ret_text)
{
    if (fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED)
        return read_single_quoted(b, token, ret_text);
    size_t len = 0;
    const char *data = fy_token_get_text(token, &len);
    if (!data)
        return -ENOMEM;
    *ret_text = arena_copy(&b->doc->arena, span_from(data, len));
    return ret_text->data ? 0 : -ENOMEM;
}

static int add_scalar(struct builder *b, struct fy_event *event, struct place at)
{
    struct fy_token *token = event->scalar.value;
    struct span text = SPAN_LIT("");
    bool plain = true;
    if (token) {
        int r = read_text(b, token, &text);
        if (r < 0)
            return r;
        plain = fy_token_scalar_style(token) == FYSS_PLAIN;
    }
    struct yaml_node *node;
    return add(b, YAML_SCALAR, text, plain, at, &node);
}

static bool quoted_lines(struct fy_event *event)
{
    struct fy_token *token = event->type == FYET_SCALAR ? event->scalar.value : NULL;
    return token && fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED &&
           fy_token_start_mark(token)->line != fy_token_end_mark(token)->line;
}

static int handle(struct builder *b, struct fy_event *event)
{
    struct place at = event_place(b, event);
    struct fy_token *anchor = NULL, *tag = NULL;
    int r = 0;
    switch (event->type) {
    case FYET_DOCUMENT_START:
        return ++b->documents > 1 ? refuse(b, at, "only one document may be in the file") : 0;
    case FYET_ALIAS:
        return refuse(b, at, "aliases are not allowed");
    case FYET_SCALAR:
        anchor = event->scalar.anchor;
        tag = event->scalar.tag;
        break;
    case FYET_SEQUENCE_START:
        anchor = event->sequence_start.anchor;
        tag = event->sequence_start.tag;
        break;
    case FYET_MAPPING_START:
        anchor = event->mapping_start.anchor;
        tag = event->mapping_start.tag;
        break;
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
        if (b->depth)
            b->depth--;
        return 0;
    default:
        return 0;
    }
    if (anchor)
        return refuse(b, at, "anchors are not allowed");
    if (tag)
        return refuse(b, at, "tags are not allowed");
    if (quoted_lines(event))
        return refuse(b, at, "a single-quoted text must end on its line");
    if (event->type == FYET_SCALAR)
        r = add_scalar(b, event, at);
    else
        r = open_container(b, event->type == FYET_MAPPING_START ? YAML_MAP : YAML_LIST, at);
    return r;
}

static void report_diag(struct builder *b, struct fy_parser *parser)
{
    struct fy_diag *diag = fy_parser_get_diag(parser);
    void *prev = NULL;
    struct fy_diag_error *error;
    bool any = false;
    while (diag && (error = fy_diag_errors_iterate(diag, &prev))) {
        struct place at = {.file = b->doc->file};
        if (error->line > 0 && error->column > 0) { /* unlike marks, these are 1-based */
            at.line = (unsigned)error->line;
            at.column = (unsigned)error->column;
        }
        place_printf(b->messages, at, "%s", error->msg ? error->msg : "not YAML");
        any = true;
    }
    fy_diag_unref(diag);
    if (!any)
        place_printf(b->messages, (struct place){.file = b->doc->file}, "not YAML");
}

static int build(struct builder *b, struct fy_parser *parser)
{
    int r = 0;
    for (;;) {
        struct fy_event *event = fy_parser_parse(parser);
        if (!event) {
            if (fy_parser_get_stream_error(parser)) {
                report_diag(b, parser);
                return -EINVAL;
            }
            break;
        }
        bool end = event->type == FYET_STREAM_END;
        r = handle(b, event);
        fy_parser_event_free(parser, event);
        if (r < 0 || end)
            break;
    }
    if (r < 0)
        return r;
    if (!b->doc->root)
        return refuse(b, (struct place){.file = b->doc->file}, "the file is empty");
    return 0;
}

/* What the library would read in its own way is refused before it sees it. */
static int check_text(struct builder *b, struct span text)
{
    size_t bad = utf8_check(text);
    for (size_t i = 0; i < bad; i++) {
        if (text.data[i] == '\0') {
            bad = i;
            break;
        }
    }
    if (bad == text.len)
        return 0;
    struct place at = {.file = b->doc->file, .line = 1, .column = 1};
    size_t line_start = 0;
    for (size_t i = 0; i < bad; i++) {
        if (text.data[i] == '\n') {
            at.line++;
            line_start = i + 1;
        }
    }
    at.column += (unsigned)utf8_count(span_slice(text, line_start, bad));
    return refuse(b, at, text.data[bad] == '\0' ? "a NUL byte" : "not UTF-8");
}

static void quiet(struct fy_diag *diag, void *user, const char *buf, size_t len)
{
    (void)diag, (void)user, (void)buf, (void)len;
}

int yaml_read(struct span text, struct span file, struct buf *messages, struct yaml_doc **ret_doc)
{
    struct yaml_doc *doc = calloc(1, sizeof(*doc));
    if (!doc)
        return -ENOMEM;
    /* Text, nodes and keys; the nodes' own number is bounded too. */
    arena_init(&doc->arena, YAML_NODES_MAX * (sizeof(struct yaml_node) + 64) + 4 * YAML_SIZE_MAX);
    doc->file = arena_copy(&doc->arena, file);
    struct builder b = {.doc = doc, .text = text, .messages = messages};
    int r = doc->file.data ? 0 : -ENOMEM;
    if (r == 0 && text.len > YAML_SIZE_MAX)
        r = refuse(&b, (struct place){.file = doc->file}, "larger than 1 MiB");
    if (r == 0)
        r = check_text(&b, text);
    if (r == 0 && text.len == 0)
        r = refuse(&b, (struct place){.file = doc->file}, "the file is empty");
    struct fy_parser *parser = NULL;
    struct fy_diag *diag = NULL;
    if (r == 0) {
        struct fy_diag_cfg diag_cfg;
        fy_diag_cfg_default(&diag_cfg);
        diag_cfg.fp = NULL;
        diag_cfg.output_fn = quiet;
        diag = fy_diag_create(&diag_cfg);
        struct fy_parse_cfg cfg = {.flags = FYPCF_DEFAULT_PARSE | FYPCF_COLLECT_DIAG | FYPCF_QUIET,
                                   .diag = diag};
        if (diag)
            fy_diag_set_collect_errors(diag, true);
        parser = diag ? fy_parser_create(&cfg) : NULL;
        if (!parser || fy_parser_set_string(parser, text.data, text.len) != 0)
            r = -ENOMEM;
    }
    if (r == 0)
        r = build(&b, parser);
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    if (r < 0) {
        yaml_free(doc);
        return r;
    }
    *ret_doc = doc;
    return 0;
}

int yaml_load(struct span path, struct buf *messages, struct yaml_doc **ret_doc)
{
    struct place at = {.file = path};
    char name[4096];
    if (path.len == 0 || path.len >= sizeof(name)) {
        place_printf(messages, at, "not a file name");
        return -ENAMETOOLONG;
    }
    memcpy(name, path.data, path.len);
    name[path.len] = '\0';
    cleanup(cleanup_close) int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        int e = errno;
        place_printf(messages, at, "can't be read: %s", strerror(e));
        return -e;
    }
    if (!S_ISREG(st.st_mode)) {
        place_printf(messages, at, "not a regular file");
        return -EINVAL;
    }
    /* One byte more than allowed, so that a file which is too large shows itself. */
    cleanup(cleanup_free) char *data = malloc(YAML_SIZE_MAX + 1);
    if (!data)
        return -ENOMEM;
    size_t len = 0;
    while (len < YAML_SIZE_MAX + 1) {
        ssize_t n = read(fd, data + len, YAML_SIZE_MAX + 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int e = errno;
            place_printf(messages, at, "can't be read: %s", strerror(e));
            return -e;
        }
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return yaml_read(span_from(data, len), path, messages, ret_doc);
}

struct yaml_doc *yaml_free(struct yaml_doc *doc)
{
    if (doc) {
        arena_deinit(&doc->arena);
        free(doc);
    }
    return NULL;
}

const struct yaml_node *yaml_root(const struct yaml_doc *doc)
{
    return doc->root;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, struct span key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (const struct yaml_node *n = map->first; n; n = n->next)
        if (span_eq(n->key, key))
            return n;
    return NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && node->plain &&
           (node->text.len == 0 || span_eq(node->text, SPAN_LIT("~")) ||
            span_eq(node->text, SPAN_LIT("null")));
}

const char *yaml_kind_name(const struct yaml_node *node)
{
    return node->kind == YAML_MAP ? "a map" : node->kind == YAML_LIST ? "a list" : "a text";
}
