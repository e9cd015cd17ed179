/* What the parts of an import share. Private to this room. */
#pragma once

#include "rules/import.h"
#include "rules/loader.h"

/* Numbers by text: open addressing, texts are borrowed. */
struct index_slot {
    struct span key;
    uint64_t hash;
    uint32_t value;
};
struct index {
    struct index_slot *slots;
    size_t mask, count;
};
/* The number of that text; with `add` room for one (*ret_new) that is to be set. NULL: none, or
 * memory is out. The pointer lives until the next addition. */
uint32_t *index_at(struct index *x, struct span key, bool add, bool *ret_new);
void index_deinit(struct index *x);

/* A category as the list writes it. */
struct category {
    struct span group, name;
    const struct risk *risk; /* NULL: nobody knows */
    size_t rows, first_row;
};

/* Texts that no word may hit, and who they are from. */
struct ordinary {
    struct span text;
    struct span from; /* file */
    unsigned line;    /* 0: traffic */
    enum import_reason reason;
};

struct import {
    struct import_request request;
    struct arena arena;
    struct table table;
    struct ruleset *library; /* without the list */
    struct span relative, path;
    struct import_word *words;
    size_t count, cap;
    struct index by_folded; /* risk and folded form → word */
    struct index known;     /* the same of the library */
    struct index forced;    /* folded form → index into force_whys */
    struct span *force_whys;
    size_t force_count, force_cap;
    struct category *categories;
    size_t category_count, category_cap;
    struct index by_category;
    struct span default_risk; /* of the map */
    struct yaml_doc *map;
    struct ordinary *ordinary;
    size_t ordinary_count, ordinary_cap;
    struct import_counts counts;
    struct buf scratch, key;
};

/* Room for one more on the heap. 0, -ENOMEM. */
int import_grow(void **array, size_t count, size_t *cap, size_t size);
/* A copy in the import's memory. */
struct span import_keep(struct import *im, struct span text);
/* One message about a row; -EINVAL. */
int import_fail(struct import *im, struct buf *messages, size_t row, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Reads the map, if there is one. */
int risks_map_open(struct import *im, struct buf *messages);
/* The risk of a category, or NULL. */
const struct risk *risks_resolve(struct import *im, struct span group, struct span name);
/* Tells every category without a risk; -EINVAL when there is one. */
int risks_check(struct import *im, struct buf *messages);

/* What the layout makes of the table's rows. */
struct import_row {
    struct span word, group, category, action, note;
    size_t row;
};
typedef int (*import_row_fn)(struct import *im, const struct import_row *row, struct buf *messages);
/* Finds the columns of each sheet, and gives every row with a word, or without where one should be.
 */
int columns_each(struct import *im, import_row_fn fn, struct buf *messages);
/* The header's number in a row, or -1. Aliases end with NULL; the first of them goes before others.
 */
int columns_find(const struct table_row *row, const char *const *aliases);

/* Reads which words an import before forced, and those of the request. 0, -EINVAL, -ENOMEM. */
int forced_read(struct import *im, struct buf *messages);
/* Quarantines what has a reason, but for what is forced. -EINVAL for a word that can't be. */
int forced_apply(struct import *im, struct buf *messages);
