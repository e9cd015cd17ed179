/*
 * One row for each key that an operator may write: the reader, its messages, `juyong check` and the
 * printed manual all read the same tables (config/keys.c).
 */
#pragma once

#include "base/arena.h"
#include "config/config.h"
#include "yaml/yaml.h"

struct reader {
    struct config *config;
    struct arena *arena; /* what the snapshot keeps */
    struct buf *messages;
    unsigned errors;
    bool memory_out;
    enum config_origin origin; /* of the policy rows that are being read */
};

enum schema_type {
    SCHEMA_BOOL,
    SCHEMA_CHOICE,   /* one of `choices`, kept as its index in an enum */
    SCHEMA_SWITCH,   /* one of two `choices`, kept as a bool: the second is true */
    SCHEMA_WORD,     /* one of `choices`, kept as text */
    SCHEMA_NUMBER,   /* unsigned */
    SCHEMA_COUNT,    /* size_t */
    SCHEMA_SIZE,     /* size_t, bytes */
    SCHEMA_DURATION, /* unsigned, milliseconds */
    SCHEMA_DAYS,     /* unsigned, days */
    SCHEMA_TEXT,     /* struct span, without control characters, of min..max bytes */
    SCHEMA_ADDRESS,  /* struct span host at offset, uint16_t port at offset2 */
    SCHEMA_MAP,      /* `keys`, in the same struct */
    SCHEMA_LIST,     /* of maps of `keys`: pointer at offset, size_t count at offset2 */
    SCHEMA_TEXTS,    /* a list of texts: struct span * at offset, size_t count at offset2 */
    SCHEMA_OTHER,    /* read by `read` */
};

struct schema_key {
    const char *name;
    enum schema_type type;
    const char *standard; /* the default, as one would write it; NULL: none */
    const char *help;
    size_t offset, offset2;
    uint64_t min, max;
    const char *const *choices;    /* ends with NULL */
    const struct schema_key *keys; /* ends with a NULL name */
    size_t entry_size;             /* of a SCHEMA_LIST's entries */
    /* Reads SCHEMA_OTHER; for others it checks what was read; `base` is the struct around. */
    void (*read)(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                 void *base);
    const char *form; /* how a SCHEMA_OTHER is written, for the manual */
    bool required;
    bool restart; /* a reload can't change it */
};

/* config/keys.c */
extern const struct schema_key schema_root[];
extern const struct schema_key schema_policy[];
extern const struct schema_key schema_app[];

/* Sets every key that has a default, in nested maps too. */
void schema_defaults(struct reader *r, const struct schema_key *keys, void *base);
/*
 * Reads a map. Keys are read in the order of the table, so that a row may rely on an earlier one;
 * those that are not written keep what `base` holds.
 */
void schema_read(struct reader *r, const struct schema_key *keys, const struct yaml_node *map,
                 void *base);
/*
 * Compares two structs; appends the name of each key that differs and needs a restart, as one
 * message a line. Returns their number.
 */
unsigned schema_changed(const struct schema_key *keys, const void *old, const void *new,
                        struct buf *messages);

/* A message at that place; an error is counted, a warning says that it is one. */
void reader_error(struct reader *r, struct place at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void reader_warn(struct reader *r, struct place at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The node's text, or SPAN_NULL after an error message when it is none or says nothing. */
struct span reader_text(struct reader *r, const struct yaml_node *node);
/* Copies into the snapshot; the empty span when memory is out, which is noted. */
struct span reader_keep(struct reader *r, struct span text);
void *reader_alloc(struct reader *r, size_t count, size_t size);

/* The name that was probably meant, or NULL. */
const char *schema_suggest(const char *const *names, size_t count, struct span written);
