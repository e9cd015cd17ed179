/*
 * One version of the rule library: every rule with what people need to know about it, and the
 * compiled match set. Immutable and counted; loaded all or nothing.
 */
#pragma once

#include "match/matchset.h"
#include "terms/terms.h"

struct ruleset;

struct risk {
    struct span id; /* A1-a … A5-b, attack-…, pii-… */
    struct span name_zh, name_en, group;
    unsigned keyword_min; /* of the standard; 0 where it asks for none */
};

struct rule {
    struct span id; /* stable: <risk>/<first 8 hex digits of the folded form's SHA-256> */
    const struct risk *risk;
    struct span source; /* the word or regex as written */
    struct span why;    /* a sentence */
    struct span file;
    unsigned line;
    enum direction direction;
    enum action action; /* ACTION_DEFAULT: by risk type and direction */
    bool pattern;
};

/* Messages of a failed or doubtful load, each "file:line:column: message". */
struct rule_report {
    struct buf text; /* one message a line */
    unsigned errors, warnings;
};

/*
 * Loads every file below dir. 0 and a set; -EINVAL with the reasons in *report; -errno otherwise.
 * An empty library is an error.
 */
int ruleset_load(struct span dir, struct rule_report *report, struct ruleset **ret_set);
struct ruleset *ruleset_ref(struct ruleset *s);
struct ruleset *ruleset_unref(struct ruleset *s);

const struct matchset *ruleset_matchset(const struct ruleset *s);
size_t ruleset_count(const struct ruleset *s);
const struct rule *ruleset_rule(const struct ruleset *s, uint32_t index);
/* "auto-" and hex digits of the content's hash, or a published version's name. */
struct span ruleset_version(const struct ruleset *s);
size_t ruleset_risk_count(const struct ruleset *s);
const struct risk *ruleset_risk(const struct ruleset *s, size_t index);
/* NULL when there is no such type. */
const struct risk *ruleset_find_risk(const struct ruleset *s, struct span id);
