/*
 * Do the papers agree? What reviewers commonly send a filing back for, found before they do: names
 * and numbers that differ, facts that are missing, libraries below the minima, an evaluation of
 * something else, or of long ago, or that no person has judged.
 */
#pragma once

#include "filing/changes.h"
#include "filing/packfacts.h"

enum lint_severity {
    LINT_NOTE,
    LINT_WARNING, /* somebody will ask */
    LINT_ERROR,   /* it would be sent back: a pack with one is made with --force only */
    LINT_SEVERITIES,
};
/* "note", "warning", "error"; and in Chinese. */
const char *lint_severity_name(enum lint_severity s);
const char *lint_severity_title(enum lint_severity s);

struct lint_finding {
    enum lint_severity severity;
    const char *code; /* such as run-old: stable, for programs */
    struct span text; /* one sentence in Chinese */
};

struct lint {
    struct arena arena;
    struct lint_finding *list; /* in the order of the rules */
    size_t count, cap;
    unsigned totals[LINT_SEVERITIES];
};
#define LINT_INIT ((struct lint){.arena = {.max = 16u << 20}})
void lint_deinit(struct lint *l);

/* A paper of the pack, as text or HTML. */
struct lint_document {
    struct span name, text;
    bool identifies; /* it must name the provider, the models and their filing numbers */
    bool closed;     /* nobody can look whether it holds a key: it has a password, or archives */
};

struct lint_question {
    const struct dossier *dossier;
    const struct changes *changes; /* when each type's keywords changed; NULL: not known */
    const struct lint_document *documents;
    size_t document_count;
    size_t attachments; /* files of the operator's own, proofs of the configuration aside */
};

/* Applies all rules. 0, -ENOMEM. O(everything). */
int lint_run(const struct lint_question *q, struct lint *ret_lint);

/* Appends the findings, the gravest first: a line each, or one JSON array. 0, -ENOMEM, -EMSGSIZE.
 */
int lint_text(const struct lint *l, struct buf *out);
int lint_json(const struct lint *l, struct buf *out);

/* --- between its files --- */

/* Adds a finding, from a format. 0 or -ENOMEM. */
int lint_add(struct lint *l, enum lint_severity severity, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* packlintrun.c: what the evaluation says, and whether it is of what is so now. */
int lint_evaluation(const struct lint_question *q, struct lint *l);
/* packlinttext.c: what the papers say. */
int lint_documents(const struct lint_question *q, struct lint *l);
