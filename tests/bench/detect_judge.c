#include "detect.h"

#include "base/utf8.h"
#include "scan/scanner.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int on_hit(void *ctx, struct channel *channel, const struct hit *hit)
{
    struct findings *f = ctx;
    if (f->count == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 16;
        f->hits = must(realloc(f->hits, f->cap * sizeof(*f->hits)));
    }
    f->hits[f->count++] = *hit;
    return 0;
}

void judge(struct detect *d, const struct matchset *set, enum direction direction, struct span text,
           struct findings *findings)
{
    findings->count = 0;
    struct scanner *s = must(scanner_new(set, direction, true, on_hit, findings));
    struct text_item item = {.text = text,
                             .raw = text,
                             .path = SPAN_LIT("messages[0].content"),
                             .role = direction == DIRECTION_PROMPT ? ROLE_USER : ROLE_ASSISTANT,
                             .field = FIELD_CONTENT,
                             .maskable = true};
    struct piece piece;
    int r = scanner_feed(s, &item, &piece);
    if (r == 0)
        r = scanner_finish(s, -1);
    if (r < 0)
        d->unjudged++;
    scanner_free(s);
}

bool found_rule(const struct findings *findings, uint32_t rule)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->hits[i].rule == rule)
            return true;
    return false;
}

size_t word_find(const struct word_list *list, struct span word)
{
    size_t i = 0;
    while (i < list->count && !span_eq(list->words[i], word))
        i++;
    return i;
}

size_t word_add(struct word_list *list, struct span word)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 256;
        list->words = must(realloc(list->words, list->cap * sizeof(*list->words)));
    }
    list->words[list->count] = word;
    return list->count++;
}

struct matchset *library_build(struct detect *d, const struct word_list *list, uint32_t asked,
                               bool told)
{
    struct matchset *set;
    struct matchset_builder *b = must(matchset_builder_new());
    matchset_use_variants(b, d->variants);
    for (size_t i = 0; i < list->count; i++) {
        int r = matchset_add_keyword(b, list->words[i], (uint32_t)i, DIRECTION_BOTH, asked);
        if (r == -ENOMEM)
            die("out of memory");
        if (r && told)
            fprintf(stderr, "no keyword: %.*s (%d)\n", SPAN_ARG(list->words[i]), r);
    }
    int r = matchset_build(b, &set);
    if (r < 0)
        die(strerror(-r));
    matchset_builder_free(b);
    return set;
}

static bool alnum_at(struct span text, size_t at)
{
    return at < text.len && isalnum((unsigned char)text.data[at]) &&
           (unsigned char)text.data[at] < 0x80;
}

bool word_occurs(struct span text, struct span word)
{
    for (size_t at = 0; word.len && at + word.len <= text.len; at++) {
        if (!span_eq_nocase(span_slice(text, at, at + word.len), word))
            continue;
        if (alnum_at(word, 0) && at && alnum_at(text, at - 1))
            continue;
        if (alnum_at(word, word.len - 1) && alnum_at(text, at + word.len))
            continue;
        return true;
    }
    return false;
}

static void add_split(struct detect *d, struct span line)
{
    struct span head, parts;
    uint32_t cp;
    if (!span_split(&line, '\t', &head) || !head.len || utf8_decode(head, false, &cp) <= 0)
        return;
    while (span_split(&line, '\t', &parts)) {
        parts = span_trim(parts);
        if (!parts.len || variants_add_split(d->variants, cp, parts) != 0)
            continue;
        d->splits = must(realloc(d->splits, (d->split_count + 1) * sizeof(*d->splits)));
        d->splits[d->split_count++] = (struct split){cp, arena_copy(&d->arena, parts)};
    }
}

/* A group a line; blanks between its characters say nothing. */
static void add_group(struct detect *d, struct span line, bool shape)
{
    struct buf group = BUF_INIT(4096);
    for (size_t i = 0; i < line.len; i++)
        if (!strchr(" \t", line.data[i]))
            put(&group, span_slice(line, i, i + 1));
    int r = shape ? variants_add_shape(d->variants, buf_span(&group))
                  : variants_add_sound(d->variants, buf_span(&group));
    if (r == 0 && shape) {
        d->shapes = must(realloc(d->shapes, (d->shape_count + 1) * sizeof(*d->shapes)));
        d->shapes[d->shape_count++] = arena_copy(&d->arena, buf_span(&group));
    }
    buf_deinit(&group);
}

static void load_table(struct detect *d, const char *name)
{
    char path[4096];
    struct buf file = BUF_INIT(1u << 26);
    snprintf(path, sizeof(path), "%s/variants/%s.txt", d->rules_dir, name);
    if (file_read(path, &file) == 0) {
        struct span rest = buf_span(&file), line;
        while (span_split(&rest, '\n', &line)) {
            line = span_trim(line);
            if (!line.len || line.data[0] == '#')
                continue;
            if (strcmp(name, "split") == 0)
                add_split(d, line);
            else
                add_group(d, line, strcmp(name, "shape") == 0);
        }
    }
    buf_deinit(&file);
}

void tables_load(struct detect *d)
{
    d->variants = must(variants_new());
    if (!d->rules_dir)
        return;
    load_table(d, "split");
    load_table(d, "shape");
    load_table(d, "sound");
    struct rule_report report = RULE_REPORT_INIT;
    int r = ruleset_load(span_str(d->rules_dir), &report, &d->ruleset);
    if (r < 0) {
        d->ruleset = NULL;
        fprintf(stderr, "%s: the rules can't be loaded: %s\n%.*s", d->rules_dir, strerror(-r),
                SPAN_ARG(buf_span(&report.text)));
    }
    buf_deinit(&report.text);
}

void print_layers(uint32_t layers)
{
    const char *between = "";
    for (unsigned bit = 0; bit < LAYER_COUNT; bit++)
        if (layers & UINT32_C(1) << bit) {
            printf("%s%s", between, layer_name(bit));
            between = ",";
        }
    if (!layers)
        printf("-");
}

void print_quoted(struct span text)
{
    putchar('"');
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\n')
            fputs("\\n", stdout);
        else
            putchar(text.data[i]);
    putchar('"');
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t list_files(const char *folder, const char *part, char names[][128], size_t max)
{
    char path[4096];
    size_t count = 0;
    snprintf(path, sizeof(path), "%s/%s", folder, part);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir)) && count < max;) {
        size_t len = strlen(e->d_name);
        if (len > 6 && len < 128 && strcmp(e->d_name + len - 6, ".jsonl") == 0)
            memcpy(names[count++], e->d_name, len + 1);
    }
    if (dir)
        closedir(dir);
    qsort(names, count, sizeof(*names), compare_names);
    return count;
}

void load_file(const char *folder, const char *part, const char *name, struct rows *rows)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s/%s", folder, part, name);
    int r = rows_load(path, rows);
    if (r < 0)
        fprintf(stderr, "%s: %s\n", path, strerror(-r));
}

void print_goal(struct detect *d, double value, double goal, bool least)
{
    bool met = least ? value >= goal - 1e-9 : value <= goal + 1e-9;
    d->met += met;
    d->missed += !met;
    printf(" %s%5.2f  %s", least ? ">=" : "<=", goal, met ? "met" : "missed");
}

double percent(size_t part, size_t all)
{
    return all ? 100.0 * (double)part / (double)all : 0;
}
