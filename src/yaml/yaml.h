/*
 * YAML that an operator wrote, as a tree in which each node knows its place. A strict subset: one
 * document, UTF-8, no anchors and aliases (a few bytes of them can stand for gigabytes), no tags,
 * no duplicate keys, scalars as keys, bounded size, depth and number of nodes. Scalars stay text:
 * what a value means is for its reader to say, so that a number in `name: 0x10` is still a name.
 * JSON is a part of this language and may be read by it.
 */
#pragma once

#include "base/buf.h"
#include "yaml/place.h"

#define YAML_SIZE_MAX  (1u << 20) /* bytes of a file */
#define YAML_DEPTH_MAX 16         /* nested containers */
#define YAML_NODES_MAX 100000
#define YAML_KEYS_MAX  1024 /* of one map */

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

/* Read-only; lives as long as its document. */
struct yaml_node {
    enum yaml_kind kind;
    struct place at;
    struct span text; /* a scalar's value */
    bool plain;       /* a scalar without quotes: may mean a number, a switch or nothing */
    struct span key;  /* within a map */
    struct place key_at;
    const struct yaml_node *first, *next; /* children in the order of the file */
    size_t count;                         /* of children */
};

struct yaml_doc;

/*
 * Reads `text`, which messages call `file`. 0 and a document; -EINVAL with the reasons appended to
 * *messages; -ENOMEM.
 */
int yaml_read(struct span text, struct span file, struct buf *messages, struct yaml_doc **ret_doc);
/* The same from a file; also -errno when it can't be read, with a message. */
int yaml_load(struct span path, struct buf *messages, struct yaml_doc **ret_doc);
/* Accepts NULL, returns NULL. */
struct yaml_doc *yaml_free(struct yaml_doc *doc);

const struct yaml_node *yaml_root(const struct yaml_doc *doc);
/* The value of that key, or NULL. O(keys). */
const struct yaml_node *yaml_get(const struct yaml_node *map, struct span key);
/* Nothing was written: an empty plain scalar, ~ or null. */
bool yaml_is_null(const struct yaml_node *node);
/* "a text", "a list", "a map": for messages. */
const char *yaml_kind_name(const struct yaml_node *node);
