/* What bench-detect shares between its parts: judging a text, libraries of words, small tables. */
#pragma once

#include "base/arena.h"
#include "match/matchset.h"
#include "rows.h"
#include "rules/ruleset.h"

struct detect {
    const char *folder, *rules_dir; /* rules_dir: NULL for none */
    uint32_t see;                   /* LAYER_* switched on in the second pass */
    bool verbose;
    const char *misses; /* transform whose missed rows are told, "all", or NULL */
    struct arena arena;
    struct variants *variants;
    struct split {
        uint32_t cp;
        struct span parts;
    } * splits;
    size_t split_count;
    struct span *shapes; /* groups of characters that look alike */
    size_t shape_count;
    struct ruleset *ruleset; /* NULL: not loaded */
    unsigned met, missed;    /* goals */
    unsigned unjudged;       /* texts that ended in an error */
};

struct word_list {
    struct span *words;
    size_t count, cap;
};

struct findings {
    struct hit *hits;
    size_t count, cap;
};

/* Judges the text whole, as the gateway judges a prompt or an unstreamed answer. */
void judge(struct detect *d, const struct matchset *set, enum direction direction, struct span text,
           struct findings *findings);
bool found_rule(const struct findings *findings, uint32_t rule);

/* Its number in the list, or the list's count. */
size_t word_find(const struct word_list *list, struct span word);
size_t word_add(struct word_list *list, struct span word);
/* Rule i is word i; words that can't be keywords are told on stderr with `told`. */
struct matchset *library_build(struct detect *d, const struct word_list *list, uint32_t asked,
                               bool told);
/*
 * Whether the word is in the text as it is written: byte for byte but for ASCII case, and where it
 * begins or ends with an ASCII letter or digit, no such stands beside.
 */
bool word_occurs(struct span text, struct span word);

/* The tables under rules_dir/variants/ and the rules themselves, as far as they are there. */
void tables_load(struct detect *d);
void print_layers(uint32_t layers);
/* On one line, between quotes. */
void print_quoted(struct span text);
/* Names of the *.jsonl files of a folder, sorted; 0 where there is none. */
size_t list_files(const char *folder, const char *part, char names[][128], size_t max);
void load_file(const char *folder, const char *part, const char *name, struct rows *rows);
/* One line of a goal; counts it. Percentages. */
void print_goal(struct detect *d, double value, double goal, bool least);
double percent(size_t part, size_t all);

/* The parts of the report. */
void report_evasion(struct detect *d);
void report_library_tests(struct detect *d);
void report_rules(struct detect *d);
void report_import(struct detect *d);

/* A disguised keyword in a harmless sentence. */
struct specimen {
    struct span id, text, keyword, transform, category;
};
struct specimens {
    struct specimen *list;
    size_t count, cap;
};
void specimen_push(struct specimens *s, struct specimen specimen);
/* Further disguises, of the words given and of Latin words of our own, which are added to them. */
void specimens_make(struct detect *d, struct word_list *words, struct specimens *specimens);
