#include "config/schema.h"

#include "config/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX_SUGGEST 32 /* longer words are not compared */

static void message(struct reader *r, struct place at, const char *kind, const char *fmt,
                    va_list ap) __attribute__((format(printf, 4, 0)));

static void message(struct reader *r, struct place at, const char *kind, const char *fmt,
                    va_list ap)
{
    char text[1024];
    vsnprintf(text, sizeof(text), fmt, ap);
    place_printf(r->messages, at, "%s%s", kind, text);
}

void reader_error(struct reader *r, struct place at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    message(r, at, "", fmt, ap);
    va_end(ap);
    r->errors++;
}

void reader_warn(struct reader *r, struct place at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    message(r, at, "warning: ", fmt, ap);
    va_end(ap);
}

struct span reader_text(struct reader *r, const struct yaml_node *node)
{
    if (node->kind != YAML_SCALAR) {
        reader_error(r, node->at, "expected a text, found %s", yaml_kind_name(node));
        return SPAN_NULL;
    }
    if (yaml_is_null(node)) {
        reader_error(r, node->at, "a value is missing");
        return SPAN_NULL;
    }
    if (!value_is_printable(node->text)) {
        reader_error(r, node->at, "control characters are not allowed");
        return SPAN_NULL;
    }
    return node->text;
}

struct span reader_keep(struct reader *r, struct span text)
{
    struct span kept = arena_copy(r->arena, text);
    if (!kept.data) {
        r->memory_out = true;
        return SPAN_LIT("");
    }
    return kept;
}

void *reader_alloc(struct reader *r, size_t count, size_t size)
{
    void *p = size && count <= SIZE_MAX / size ? arena_alloc(r->arena, count * size) : NULL;
    if (!p)
        r->memory_out = true;
    return p;
}

/* Optimal string alignment distance (Damerau 1964): insert, delete, replace, swap neighbours. */
static unsigned distance(struct span a, struct span b)
{
    unsigned rows[3][NAME_MAX_SUGGEST + 1];
    unsigned *before = rows[0], *previous = rows[1], *now = rows[2];
    for (unsigned j = 0; j <= b.len; j++)
        previous[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        now[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned change = previous[j - 1] + (a.data[i - 1] != b.data[j - 1]);
            unsigned d = previous[j] + 1 < now[j - 1] + 1 ? previous[j] + 1 : now[j - 1] + 1;
            if (change < d)
                d = change;
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
                a.data[i - 2] == b.data[j - 1] && before[j - 2] + 1 < d)
                d = before[j - 2] + 1;
            now[j] = d;
        }
        unsigned *spare = before;
        before = previous;
        previous = now;
        now = spare;
    }
    return previous[b.len];
}

const char *schema_suggest(const char *const *names, size_t count, struct span written)
{
    if (written.len == 0 || written.len > NAME_MAX_SUGGEST)
        return NULL;
    const char *best = NULL;
    unsigned best_distance = (unsigned)(written.len < 4 ? 1 : written.len / 3) + 1;
    for (size_t i = 0; i < count; i++) {
        struct span name = span_str(names[i]);
        if (name.len > NAME_MAX_SUGGEST)
            continue;
        unsigned d = distance(written, name);
        if (d < best_distance) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}

static void unknown_key(struct reader *r, const struct schema_key *keys,
                        const struct yaml_node *node)
{
    const char *names[32];
    size_t count = 0;
    for (const struct schema_key *k = keys; k->name && count < 32; k++)
        names[count++] = k->name;
    const char *meant = schema_suggest(names, count, node->key);
    if (meant)
        reader_error(r, node->key_at, "unknown key '%.*s'; did you mean '%s'?", SPAN_ARG(node->key),
                     meant);
    else
        reader_error(r, node->key_at, "unknown key '%.*s'", SPAN_ARG(node->key));
}

static void bad_choice(struct reader *r, const struct schema_key *key, const struct yaml_node *node)
{
    char list[256] = "";
    size_t at = 0;
    for (const char *const *c = key->choices; *c && at < sizeof(list); c++)
        at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", at ? ", " : "", *c);
    reader_error(r, node->at, "'%s' must be one of: %s", key->name, list);
}

static void read_choice(struct reader *r, const struct schema_key *key,
                        const struct yaml_node *node, struct span text, void *field)
{
    unsigned index = 0;
    while (key->choices[index] && !span_eq(text, span_str(key->choices[index])))
        index++;
    if (!key->choices[index])
        bad_choice(r, key, node);
    else if (key->type == SCHEMA_CHOICE)
        *(unsigned *)field = index;
    else if (key->type == SCHEMA_SWITCH)
        *(bool *)field = index == 1;
    else
        *(struct span *)field = span_str(key->choices[index]);
}

static void store_number(const struct schema_key *key, uint64_t value, void *field)
{
    if (key->type == SCHEMA_NUMBER || key->type == SCHEMA_DURATION || key->type == SCHEMA_DAYS)
        *(unsigned *)field = (unsigned)value;
    else
        *(size_t *)field = (size_t)value;
}

static void print_number(const struct schema_key *key, uint64_t value, struct buf *out)
{
    if (key->type == SCHEMA_SIZE)
        value_print_size(out, value);
    else if (key->type == SCHEMA_DURATION)
        value_print_duration(out, value);
    else if (key->type == SCHEMA_DAYS)
        buf_printf(out, "%llud", (unsigned long long)value);
    else
        buf_append_u64(out, value);
}

static void read_number(struct reader *r, const struct schema_key *key,
                        const struct yaml_node *node, struct span text, void *field)
{
    uint64_t value = 0;
    unsigned long long plain = 0;
    bool ok;
    const char *want;
    if (key->type == SCHEMA_SIZE) {
        ok = value_read_size(text, &value);
        want = "a size such as 64KiB or 2MiB";
    } else if (key->type == SCHEMA_DURATION) {
        ok = value_read_duration(text, &value);
        want = "a time such as 500ms, 10s, 15min or 2h";
    } else if (key->type == SCHEMA_DAYS) {
        ok = value_read_days(text, &value);
        want = "days such as 30d";
    } else {
        ok = span_to_u64(text, &plain);
        value = plain;
        want = "a number";
    }
    if (!ok) {
        reader_error(r, node->at, "'%s' must be %s", key->name, want);
        return;
    }
    if (value < key->min || value > key->max) {
        struct buf range = BUF_INIT(128);
        print_number(key, key->min, &range);
        buf_append(&range, SPAN_LIT(" and "));
        print_number(key, key->max, &range);
        reader_error(r, node->at, "'%s' must be between %.*s", key->name,
                     SPAN_ARG(buf_span(&range)));
        buf_deinit(&range);
        return;
    }
    store_number(key, value, field);
}

static void read_scalar(struct reader *r, const struct schema_key *key,
                        const struct yaml_node *node, void *base)
{
    struct span text = reader_text(r, node);
    if (!text.data)
        return;
    char *field = (char *)base + key->offset;
    switch (key->type) {
    case SCHEMA_BOOL:
        if (!value_read_bool(text, (bool *)field))
            reader_error(r, node->at, "'%s' must be true or false", key->name);
        break;
    case SCHEMA_CHOICE:
    case SCHEMA_SWITCH:
    case SCHEMA_WORD:
        read_choice(r, key, node, text, field);
        break;
    case SCHEMA_ADDRESS: {
        struct span host;
        uint16_t port;
        if (!value_read_address(text, &host, &port)) {
            reader_error(r, node->at,
                         "'%s' must be a numeric address and a port, such as 127.0.0.1:8080 or "
                         "[::1]:8080",
                         key->name);
            break;
        }
        *(struct span *)field = reader_keep(r, host);
        *(uint16_t *)((char *)base + key->offset2) = port;
        break;
    }
    case SCHEMA_TEXT:
        if (text.len < key->min || text.len > key->max)
            reader_error(r, node->at, "'%s' must have %llu to %llu bytes", key->name,
                         (unsigned long long)key->min, (unsigned long long)key->max);
        else
            *(struct span *)field = reader_keep(r, text);
        break;
    default:
        read_number(r, key, node, text, field);
    }
}

static void read_list(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                      void *base)
{
    if (node->kind != YAML_LIST || (key->required && node->count == 0)) {
        reader_error(r, node->at, "'%s' must be a list%s", key->name,
                     key->required ? " with at least one entry" : "");
        return;
    }
    char *entries = node->count ? reader_alloc(r, node->count, key->entry_size) : NULL;
    if (node->count && !entries)
        return;
    char *entry = entries;
    for (const struct yaml_node *n = node->first; n; n = n->next, entry += key->entry_size) {
        schema_defaults(r, key->keys, entry);
        schema_read(r, key->keys, n, entry);
    }
    *(char **)((char *)base + key->offset) = entries;
    *(size_t *)((char *)base + key->offset2) = node->count;
}

static void read_texts(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                       void *base)
{
    if (node->kind != YAML_LIST) {
        reader_error(r, node->at, "'%s' must be a list of texts", key->name);
        return;
    }
    struct span *texts = node->count ? reader_alloc(r, node->count, sizeof(*texts)) : NULL;
    if (node->count && !texts)
        return;
    size_t i = 0;
    for (const struct yaml_node *n = node->first; n; n = n->next, i++) {
        struct span text = reader_text(r, n);
        texts[i] = text.data ? reader_keep(r, text) : SPAN_LIT("");
    }
    *(struct span **)((char *)base + key->offset) = texts;
    *(size_t *)((char *)base + key->offset2) = node->count;
}

static void read_key(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                     void *base)
{
    unsigned before = r->errors;
    switch (key->type) {
    case SCHEMA_MAP:
        schema_read(r, key->keys, node, base);
        break;
    case SCHEMA_LIST:
        read_list(r, key, node, base);
        break;
    case SCHEMA_TEXTS:
        read_texts(r, key, node, base);
        break;
    case SCHEMA_OTHER:
        break;
    default:
        read_scalar(r, key, node, base);
    }
    if (key->read && r->errors == before)
        key->read(r, key, node, base);
}

/* The tables nest to a fixed depth, so does the recursion here. */
void schema_defaults(struct reader *r, const struct schema_key *keys, void *base)
{
    for (const struct schema_key *key = keys; key->name; key++) {
        if (key->type == SCHEMA_MAP)
            schema_defaults(r, key->keys, base);
        if (!key->standard || key->type == SCHEMA_OTHER)
            continue;
        struct yaml_node node = {
            .kind = YAML_SCALAR, .at.file = SPAN_LIT("default"), .text = span_str(key->standard)};
        read_scalar(r, key, &node, base);
    }
}

void schema_read(struct reader *r, const struct schema_key *keys, const struct yaml_node *map,
                 void *base)
{
    if (map->kind != YAML_MAP) {
        reader_error(r, map->at, "expected a map of keys, found %s", yaml_kind_name(map));
        return;
    }
    for (const struct yaml_node *n = map->first; n; n = n->next) {
        const struct schema_key *key = keys;
        while (key->name && !span_eq(n->key, span_str(key->name)))
            key++;
        if (!key->name)
            unknown_key(r, keys, n);
    }
    for (const struct schema_key *key = keys; key->name; key++) {
        const struct yaml_node *n = yaml_get(map, span_str(key->name));
        if (n)
            read_key(r, key, n, base);
        else if (key->required)
            reader_error(r, map->at, "the key '%s' is missing", key->name);
    }
}

static bool differs(const struct schema_key *key, const void *old, const void *new)
{
    const char *a = (const char *)old + key->offset, *b = (const char *)new + key->offset;
    switch (key->type) {
    case SCHEMA_BOOL:
    case SCHEMA_SWITCH:
        return *(const bool *)a != *(const bool *)b;
    case SCHEMA_CHOICE:
    case SCHEMA_NUMBER:
    case SCHEMA_DAYS:
    case SCHEMA_DURATION:
        return *(const unsigned *)a != *(const unsigned *)b;
    case SCHEMA_COUNT:
    case SCHEMA_SIZE:
        return *(const size_t *)a != *(const size_t *)b;
    case SCHEMA_ADDRESS:
        if (*(const uint16_t *)((const char *)old + key->offset2) !=
            *(const uint16_t *)((const char *)new + key->offset2))
            return true;
        return !span_eq(*(const struct span *)a, *(const struct span *)b);
    case SCHEMA_TEXT:
    case SCHEMA_WORD:
        return !span_eq(*(const struct span *)a, *(const struct span *)b);
    default:
        return false;
    }
}

unsigned schema_changed(const struct schema_key *keys, const void *old, const void *new,
                        struct buf *messages)
{
    unsigned changed = 0;
    for (const struct schema_key *key = keys; key->name; key++) {
        if (key->type == SCHEMA_MAP)
            changed += schema_changed(key->keys, old, new, messages);
        if (!key->restart || !differs(key, old, new))
            continue;
        buf_printf(messages, "'%s' changed; it takes a restart\n", key->name);
        changed++;
    }
    return changed;
}
