/*
 * One version of the rule library: every rule with what people need to know about it, and the
 * compiled match set. Immutable and counted; loaded all or nothing.
 */
#pragma once

#include "config/config.h"
#include "match/matchset.h"
#include "terms/terms.h"
#include "yaml/place.h"

struct ruleset;

struct risk {
    struct span id; /* A1-a … A5-b, attack-…, pii-… */
    struct span name_zh, name_en, group;
    struct span group_zh, group_en;
    unsigned keyword_min; /* of the standard; 0 where it asks for none */
};

enum rule_kind { RULE_KEYWORD, RULE_PATTERN, RULE_NEAR, RULE_PAYLOAD };

struct rule {
    struct span id; /* stable: <risk>/<first 8 hex digits of the folded form's SHA-256> */
    const struct risk *risk;
    struct span source; /* the word or regex as written; of a near rule some words of each slot */
    struct span why;    /* a sentence; may be empty */
    struct span from;   /* where the rule comes from (`source=`); may be empty */
    struct span file;   /* "built in" for what no file says */
    unsigned line, column;
    enum direction direction;
    enum action action; /* ACTION_DEFAULT: by risk type and direction */
    enum rule_kind kind;
    uint32_t asked;          /* LAYERS_ASKED that it is seen through */
    const struct span *apps; /* the only ones for which it counts; none: all */
    size_t app_count;
    int64_t expires; /* Unix seconds from which it no longer counts; 0: never */
};

static inline const char *rule_kind_name(enum rule_kind k)
{
    static const char *const names[] = {"keyword", "pattern", "near", "payload"};
    return names[k];
}

#define RULE_DAY_SIZE 24
/* The last day on which it counts, as `expires=` has it; for rules that expire. */
void rule_last_day(const struct rule *r, char ret_day[RULE_DAY_SIZE]);

/* The rules of one risk. The payload rule is counted nowhere: nobody wrote it. */
struct rule_counts {
    unsigned keywords, patterns, near;
};

/*
 * Messages of a failed or doubtful load, each "file:line:column: message"; warnings have
 * "warning: " before the message. The caller begins with RULE_REPORT_INIT and frees `text`.
 */
struct rule_report {
    struct buf text; /* one message a line; the first 500 errors and 100 warnings are told */
    unsigned errors, warnings;
};
#define RULE_REPORT_INIT ((struct rule_report){.text = BUF_INIT(1u << 20)})

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
/* "auto-" and 12 hex digits of the SHA-256 over all files read, or a published version's name. */
struct span ruleset_version(const struct ruleset *s);
size_t ruleset_risk_count(const struct ruleset *s);
const struct risk *ruleset_risk(const struct ruleset *s, size_t index);
/* How many rules of that type there are. O(1). */
struct rule_counts ruleset_count_risk(const struct ruleset *s, const struct risk *risk);
/* NULL when there is no such type. */
const struct risk *ruleset_find_risk(const struct ruleset *s, struct span id);

/*
 * The prepared safe answer for a risk: its own, else its group's, else the one for all; the empty
 * span when there is none. LANGUAGE_BOTH gives Chinese, then English.
 */
struct span ruleset_answer(const struct ruleset *s, const struct risk *risk,
                           enum language language);

/*
 * Judges every rule's samples: a keyword must hit its own source, a pattern its `hit` samples, and
 * none its `miss` samples. Appends one "file:line: message" for each that disappoints. Returns
 * their number, or -ENOMEM. *ret_samples: how many were judged. For `rules lint` and tests.
 */
int ruleset_lint(const struct ruleset *s, struct buf *messages, size_t *ret_samples);
