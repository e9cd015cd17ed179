/*
 * What the readers of the library's files share while a set is being built. Private to this room.
 */
#pragma once

#include "config/schema.h"
#include "crypto/sha256.h"
#include "rules/ruleset.h"

#include <stdatomic.h>

struct sample {
    uint32_t rule;
    bool hit; /* or miss */
    unsigned line, column;
    struct span text;
};

/* A text that no rule may hit: of one file, or, of benign/, that none may do more to than flag. */
struct innocent {
    struct span text;
    struct place at;
    bool ordinary; /* of benign/ */
};

/* An exception phrase as written. */
struct allow {
    struct span phrase;
    struct place at;
    bool imports; /* it is there for words that imported lists have */
};

struct answer {
    struct span risk; /* an id, a group or * */
    struct span zh, en, both;
};

struct ruleset {
    struct arena arena;
    _Atomic unsigned refs;
    struct rule *rules;
    size_t rule_count, rule_cap;
    struct risk *risks;
    struct rule_counts *counts; /* by risk */
    size_t risk_count;
    struct answer *answers;
    size_t answer_count, answer_cap;
    struct sample *samples; /* in the order of their rules */
    size_t sample_count, sample_cap;
    struct innocent *innocents; /* those of benign/ last */
    size_t innocent_count, innocent_cap, ordinary_first;
    struct allow *allows;
    size_t allow_count, allow_cap;
    struct standard standard;
    struct aspect *aspects;
    size_t aspect_count;
    unsigned *repeated; /* by risk */
    struct matchset *matchset;
    char version[RULE_VERSION_SIZE];
    char digest[RULE_DIGEST_SIZE];
    struct span manifest;
    uint32_t canary; /* its rule, with has_canary */
    bool has_canary;
};

/* Beside the rule of a keyword, until it is known whether it repeats another. */
struct keyword {
    unsigned char digest[16]; /* the first half of the folded form's SHA-256 */
    uint32_t kept;            /* the rule that it became */
};

/* What a person called a rule, and where. */
struct name {
    struct span id;
    struct place at;
    size_t order; /* of reading */
};

/* A file of the library, for the manifest. */
struct content {
    struct span relative;
    char digest[RULE_DIGEST_SIZE];
};

struct loader {
    struct ruleset *set;
    struct reader reader; /* arena and messages */
    struct rule_report *report;
    const struct ruleset_source *source;
    struct matchset_builder *builder;
    struct sha256 *hash;      /* of a file, or of a keyword */
    struct content *contents; /* of the files read */
    size_t content_count, content_cap;
    bool urgent_there;        /* the library has a URGENT_FILE of its own */
    struct buf folded;        /* the same */
    struct keyword *keywords; /* of the last rules of the set */
    size_t keyword_count, keyword_cap;
    uint32_t keyword_first; /* the rule of the first of them */
    int64_t now;            /* Unix seconds */
    struct variants *variants;
    struct name *names;
    size_t name_count, name_cap;
};

#define LOADER_TEXT_MAX  (64u << 20) /* bytes of one keyword file: a million words and more */
#define LOADER_FILES_MAX 4096        /* in one folder */

int loader_init(struct loader *l, const struct ruleset_source *source, struct rule_report *report);
/* Frees what is left, the set too unless it was taken. */
void loader_deinit(struct loader *l);
/* Builds the match set when all files are read. 0, -EINVAL with messages, -ENOMEM, -EOVERFLOW. */
int loader_finish(struct loader *l);
void loader_error(struct loader *l, struct place at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void loader_warn(struct loader *l, struct place at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Room for one more entry of an array on the heap; false (and noted) when memory is out. */
bool loader_grow(struct loader *l, void **array, size_t count, size_t *cap, size_t size);
/* Appends; UINT32_MAX when memory is out. */
uint32_t loader_add_rule(struct loader *l, const struct rule *rule);
/* A text that no rule of the file at.file may hit; with `ordinary`: of none at all. */
void loader_add_innocent(struct loader *l, struct span text, struct place at, bool ordinary);
void loader_add_sample(struct loader *l, uint32_t rule, bool hit, struct span text,
                       struct place at);
/*
 * Notes a file that was read for the manifest, and keeps its text when the source asks for it.
 * False when memory is out.
 */
bool loader_note_file(struct loader *l, struct span relative, struct span text);
/* Names the set after the files that were noted. 0 or -ENOMEM. */
int loader_identify(struct loader *l);
/* Why a word can't be matched; reason: MATCH_EMPTY, MATCH_SINGLE_HAN, MATCH_TOO_LONG. */
void loader_refuse_word(struct loader *l, struct place at, struct span word, int reason);

/* Reads a YAML text; NULL after messages. The caller frees. */
struct yaml_doc *loader_yaml(struct loader *l, struct span text, struct span file);
/* Reads a map into a struct; false after messages. The reader counts its errors, the report all. */
bool loader_map(struct loader *l, const struct schema_key *keys, const struct yaml_node *node,
                void *base);

#define URGENT_STEM   "urgent"
#define RULE_MANIFEST "MANIFEST" /* beside a stored version's files */

/* The rule that is told besides when a text behind an encoding has a hit. */
#define PAYLOAD_RISK "attack-encoding"
#define PAYLOAD_ID   PAYLOAD_RISK "/payload"

#define CANARY_ID "A1-canary/phrase"
/* Adds the canary's rule, behind all others. 0, -ENOMEM, -EIO. */
int canary_add(struct loader *l);

/* Each reads one file's text, which lives only for the call; file is kept by the set. */
void risks_read(struct loader *l, struct span text, struct span file);
void near_read(struct loader *l, struct span text, struct span file);
void patterns_read(struct loader *l, struct span text, struct span file);
void answers_read(struct loader *l, struct span text, struct span file);
void keywords_read(struct loader *l, struct span text, struct span file, struct span stem);
/* Before anything that is made of words. */
void variants_read(struct loader *l, struct span text, struct span file, struct span stem);
void benign_read(struct loader *l, struct span text, struct span file, struct span stem);
void allow_read(struct loader *l, struct span text, struct span file, struct span stem);
/*
 * After all keyword files and before the rules of any other kind: identities, repetitions, the
 * match set.
 */
void keywords_finish(struct loader *l);
