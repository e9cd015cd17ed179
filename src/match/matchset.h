/*
 * One immutable, counted set of keywords, allow phrases and patterns, compiled for cursors
 * (match/cursor.h). Built once, then shared by all threads without locks.
 */
#pragma once

#include "base/buf.h"
#include "terms/terms.h"
#include "text/variants.h"

struct matchset;
struct matchset_builder;

/* Largest number of folded symbols in one keyword or allow phrase. */
#define MATCH_KEYWORD_MAX 64
/* Largest width of a pattern, in characters of its view. */
#define MATCH_PATTERN_WIDTH_MAX 512

/* A pattern's check beyond its regex, such as a check digit; true when the text is a real hit. */
typedef bool (*match_validator)(struct span view_text);

/* What opens a pattern, and so where its matches may begin; see match/watch.h. */
enum match_gate {
    GATE_DIGITS,  /* at the first digit of a run of digits */
    GATE_AT,      /* in the run of ASCII letters, digits and ._%+- before an '@' */
    GATE_LITERAL, /* where the literal begins */
    GATE_COLON,   /* in the hexadecimal number of up to four digits before a ':' */
    GATE_WORD,    /* in the ASCII word of up to four letters before a digit */
    GATE_COUNT
};

struct match_pattern {
    struct span regex; /* PCRE2 syntax, read over the pattern view (match/pattern.h) */
    enum match_gate gate;
    struct span literal;       /* for GATE_LITERAL, as the view shows it; ASCII case is ignored */
    unsigned width;            /* characters of the view, 1..MATCH_PATTERN_WIDTH_MAX */
    match_validator validator; /* NULL for none */
};

struct matchset_builder *matchset_builder_new(void);
void matchset_builder_free(struct matchset_builder *b);

/* The tables that spellings are made from (text/variants.h); borrowed until the set is built. */
void matchset_use_variants(struct matchset_builder *b, const struct variants *v);
/*
 * Adds a keyword. `rule` is what hits will name; `direction` says for which texts it counts;
 * `asked` are the LAYERS_ASKED through which it is seen besides those that are always on. A
 * keyword that folds to nothing, to a single Han character or to more than MATCH_KEYWORD_MAX
 * symbols is refused: positive MATCH_* below. 0, -ENOMEM. The same folded word may be added for
 * several rules; each reports.
 */
int matchset_add_keyword(struct matchset_builder *b, struct span word, uint32_t rule,
                         enum direction direction, uint32_t asked);
/* Adds an exception phrase: a hit that lies wholly within it, and is shorter, does not count. */
int matchset_add_allow(struct matchset_builder *b, struct span phrase);
/*
 * A near rule: words of every slot must occur within `within` folded characters (letters, digits
 * and Han characters) of each other, from the first character of the first to the last of the last.
 */
struct match_near {
    unsigned slots;  /* 2..MATCH_SLOTS_MAX */
    unsigned within; /* 2..MATCH_NEAR_MAX */
    bool ordered;    /* in the order of the slots, without overlap */
};
/* 0 and the number to add words for; -ENOMEM. The near rule must be sane. */
int matchset_add_near(struct matchset_builder *b, const struct match_near *near, uint32_t rule,
                      enum direction direction, uint32_t *ret_near);
/* Adds a word to a slot, counted from 0. Returns as matchset_add_keyword(). */
int matchset_add_slot_word(struct matchset_builder *b, uint32_t near, unsigned slot,
                           struct span word, uint32_t asked);
#define MATCH_SLOTS_MAX 4
#define MATCH_NEAR_MAX  256
/* The rule that is told besides when a text behind an encoding has a hit (LAYERS_ENCODED). */
void matchset_set_payload_rule(struct matchset_builder *b, uint32_t rule);
/* Adds a pattern; *ret_reason (static or owned by the builder) explains a positive answer. */
int matchset_add_pattern(struct matchset_builder *b, const struct match_pattern *p, uint32_t rule,
                         enum direction direction, const char **ret_reason);
enum {
    MATCH_EMPTY = 1,  /* folds to nothing */
    MATCH_SINGLE_HAN, /* one Han character never stands alone */
    MATCH_TOO_LONG,
    MATCH_BAD_PATTERN, /* does not compile, no gate, too wide */
};

/* Compiles; the builder stays usable only for matchset_builder_free. 0, -ENOMEM, -EOVERFLOW. */
int matchset_build(struct matchset_builder *b, struct matchset **ret_set);
struct matchset *matchset_ref(struct matchset *set);
/* Thread-safe; the last one frees. Accepts NULL, returns NULL. */
struct matchset *matchset_unref(struct matchset *set);

/* That rule, or UINT32_MAX. */
uint32_t matchset_payload_rule(const struct matchset *set);
/* Is the rule a pattern's? O(patterns). */
bool matchset_is_pattern(const struct matchset *set, uint32_t rule);
/* The LAYERS_ASKED of that rule's keywords. */
uint32_t matchset_asked(const struct matchset *set, uint32_t rule);
/* Those of all rules. */
uint32_t matchset_asked_any(const struct matchset *set);

struct matchset_stats {
    size_t keywords, allows, patterns, nodes;
    size_t bytes; /* memory of the compiled tables */
};
void matchset_get_stats(const struct matchset *set, struct matchset_stats *ret_stats);

/*
 * Writes the folded form that the keyword automaton reads for `text` as UTF-8, so that a rule's
 * identity does not depend on how it is spelled. Returns 0, -EILSEQ, -EMSGSIZE, -ENOMEM.
 */
int match_fold(struct span text, struct buf *out);
