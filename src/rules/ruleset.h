/*
 * One version of the rule library: every rule with what people need to know about it, and the
 * compiled match set. Immutable and counted; loaded all or nothing.
 */
#pragma once

#include "base/day.h"
#include "config/config.h"
#include "match/matchset.h"
#include "terms/terms.h"
#include "yaml/place.h"

struct ruleset;

#define RULE_DIGEST_SIZE  65 /* 64 hex digits of a SHA-256 and NUL */
#define RULE_VERSION_SIZE 24
#define RULE_ID_SIZE      80 /* of a rule, with its NUL */

struct risk {
    struct span id; /* A1-a … A5-b, attack-…, pii-… */
    struct span name_zh, name_en, group;
    struct span group_zh, group_en;
    /* What the standard asks of the keyword library, of the bank of questions whose answers are
     * judged, of the bank of questions to refuse; 0 where it asks for nothing. */
    unsigned keyword_min, content_min, refuse_min;
};

/* A field of everyday knowledge (制度, 历史 …) whose questions must not be refused. */
struct aspect {
    struct span zh, en;
    unsigned answer_min; /* questions that the standard asks for */
};

/* What the standard asks of the libraries as a whole, whatever the type. */
struct standard {
    struct span name, name_zh; /* GB/T 45654-2025 */
    unsigned keyword_min, content_min, refuse_min, answer_min;
    unsigned keyword_days, question_days; /* how often they are to be brought up to date */
};

/* Who wrote a rule: `source=` begins with the name of it. */
enum rule_origin { RULE_OWN, RULE_IMPORTED, RULE_LAW };

enum rule_kind { RULE_KEYWORD, RULE_PATTERN, RULE_NEAR, RULE_PAYLOAD, RULE_CANARY };

struct rule {
    struct span id; /* stable: <risk>/<first 8 hex digits of the folded form's SHA-256> */
    const struct risk *risk;
    struct span source; /* the word or regex as written; of a near rule some words of each slot */
    struct span why;    /* a sentence; may be empty */
    struct span from;   /* where the rule comes from (`source=`), its origin first; may be empty */
    enum rule_origin origin;
    /* Why it does not count, as an everyday word must not: it is listed, and never hits. */
    struct span quarantine;
    struct span forced; /* why it counts although it would be quarantined */
    struct span file;   /* "built in" for what no file says */
    unsigned line, column;
    enum direction direction;
    enum action action; /* ACTION_DEFAULT: by risk type and direction */
    enum rule_kind kind;
    uint32_t asked;          /* LAYERS_ASKED that it is seen through */
    const struct span *apps; /* the only ones for which it counts; none: all */
    size_t app_count;
    int64_t expires;  /* Unix seconds from which it no longer counts; 0: never */
    uint64_t written; /* of a rule in YAML: tells one text of it from another */
};

static inline const char *rule_kind_name(enum rule_kind k)
{
    static const char *const names[] = {"keyword", "pattern", "near", "payload", "canary"};
    return names[k];
}

static inline const char *rule_origin_name(enum rule_origin o)
{
    static const char *const names[] = {"own", "imported", "law"};
    return names[o];
}

#define RULE_DAY_SIZE DAY_TEXT_SIZE
/*
 * When it ends as `expires=` has it, for rules that expire: the last day on which it counts (true),
 * or the minute from which on it doesn't.
 */
bool rule_last_day(const struct rule *r, char ret_day[RULE_DAY_SIZE]);

/* The rules of one risk. The payload rule is counted nowhere: nobody wrote it. */
struct rule_counts {
    unsigned keywords;    /* distinct ones, without the quarantined */
    unsigned quarantined; /* keywords */
    unsigned repeated;    /* lines that repeat a keyword of the same risk */
    unsigned patterns, near;
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

/* The files of a library as they were read. The owner frees them. */
struct rule_files {
    struct rule_file {
        char *relative; /* such as keywords/A1-a.txt */
        struct buf text;
    } * list;
    size_t count, cap;
};
void rule_files_deinit(struct rule_files *f);

/* Where words that can't wait for the next publication stand: `juyong rules urgent`. */
#define URGENT_FILE "keywords/urgent.txt"

/* What more there is to say about a library and how to read it; all but `dir` may be left out. */
struct ruleset_source {
    struct span dir;
    struct span shown;  /* what messages and rules call the folder; `dir` unless told */
    struct span digest; /* what ruleset_digest() must give: anything else is an error */
    bool published;     /* its version is called v-… instead of auto-… */
    bool uncompiled;    /* rules only: no match set */
    bool canary;        /* for serving: with a rule that the canary can be sent through */
    bool replace_urgent;
    struct span urgent; /* with replace_urgent: the text of URGENT_FILE; empty: no such file */
    /* For trying a change: this file (such as keywords/x.txt or allow/x.txt) is not read, but,
     * unless it is empty, `replacement` in its place. What is left may then hold no rule. */
    struct span replaced, replacement;
    struct rule_files *keep; /* gets every file that belongs to the version; borrowed */
};
/* As ruleset_load(). */
int ruleset_read(const struct ruleset_source *source, struct rule_report *report,
                 struct ruleset **ret_set);
struct ruleset *ruleset_ref(struct ruleset *s);
struct ruleset *ruleset_unref(struct ruleset *s);

const struct matchset *ruleset_matchset(const struct ruleset *s);
size_t ruleset_count(const struct ruleset *s);
const struct rule *ruleset_rule(const struct ruleset *s, uint32_t index);
/* What the standard asks for; all zeros when risks.yaml doesn't say. */
const struct standard *ruleset_standard(const struct ruleset *s);
size_t ruleset_aspect_count(const struct ruleset *s);
const struct aspect *ruleset_aspect(const struct ruleset *s, size_t index);
/* Our own sample of ordinary texts (benign/): how many, and one of them. */
size_t ruleset_benign_count(const struct ruleset *s);
struct span ruleset_benign(const struct ruleset *s, size_t index, struct place *ret_place);
/* The phrases that save what stands in them (allow/): how many, and one as it is written. */
size_t ruleset_phrase_count(const struct ruleset *s);
struct span ruleset_phrase(const struct ruleset *s, size_t index, struct place *ret_place);
/* What such a phrase is called: allow/ and the first 16 hex digits of its SHA-256. */
void ruleset_phrase_id(struct span phrase, char ret_id[RULE_ID_SIZE]);
/* "auto-", or "v-" for what was published, and the first 12 hex digits of the digest. */
struct span ruleset_version(const struct ruleset *s);
/* The SHA-256 of the manifest, 64 hex digits: the identity of the library's content. */
struct span ruleset_digest(const struct ruleset *s);
/* One line a file, in the form and order of `sha256sum`, sorted by path. */
struct span ruleset_manifest(const struct ruleset *s);
/* The keyword that means this to the matcher, however it is spelled; or NULL. O(rules). */
const struct rule *ruleset_find_word(const struct ruleset *s, const struct risk *risk,
                                     struct span word);
/*
 * The canary's rule, whose `source` is a phrase that occurs nowhere else, and its index; NULL where
 * the source didn't ask for one. Its risk is none of ruleset_risk().
 */
const struct rule *ruleset_canary(const struct ruleset *s, uint32_t *ret_index);
/* Is the word, as a text of its own, an exception phrase? 1, 0 or negative. O(exceptions). */
int ruleset_is_excepted(const struct ruleset *s, struct span word);
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
 * Does a shorter keyword of the same risk and effect hit within that keyword, so that the longer
 * one adds nothing? 1, with the shorter one's index; 0; -ENOMEM. O(the keyword).
 */
int ruleset_shadow(const struct ruleset *s, uint32_t rule, uint32_t *ret_by);

struct lint_report {
    size_t samples;    /* judged: of rules, of files, and ordinary texts */
    size_t disappoint; /* those that did not do what their authors meant */
    size_t doubts;     /* rules and allow phrases that do nothing */
};
/*
 * Judges every rule's samples: a keyword must hit its own source, a rule its `hit` samples and none
 * of its `miss` samples, no rule of a file what the file misses, and nothing that does more than
 * flag (personal data aside) an ordinary text of benign/; where an imported word does, that is a
 * doubt: its owner may have to. Then looks for what can never do
 * anything: rules that have expired, keywords within which a shorter one of the same effect already
 * hits, allow phrases that save nothing. Appends one "file:line:column: message" for each that
 * disappoints, and a warning for each doubt. 0 or -ENOMEM. O(rules). For `rules lint` and tests.
 */
int ruleset_lint(const struct ruleset *s, struct buf *messages, struct lint_report *ret_report);
/* The first half of it: samples and ordinary texts only, for those who are about to publish. */
int ruleset_test(const struct ruleset *s, struct buf *messages, struct lint_report *ret_report);
