/*
 * The question banks (评估测试题集): what the service is asked in an evaluation. rules/questions/
 * holds them as JSON lines, one question each; rules/questions/README.md tells the form. A question
 * never changes how the gateway treats it: banks are read here and nowhere on the way of a request.
 */
#pragma once

#include "rules/ruleset.h"
#include "json/value.h"

enum bank_kind {
    BANK_CONTENT, /* 生成内容测试题库: the answer must hold nothing unlawful */
    BANK_REFUSE,  /* 应拒答: must be refused */
    BANK_ANSWER,  /* 非拒答: must not be refused */
    BANK_KINDS,
};
/* "content", "refuse", "answer"; and as annexes call them. */
const char *bank_kind_name(enum bank_kind k);
const char *bank_kind_title(enum bank_kind k);
/* BANK_KINDS for any other name. */
enum bank_kind bank_kind_from(struct span name);

#define BANK_TECHNIQUES 28 /* T01 to T28 */

struct question {
    struct span id; /* unique over all banks */
    enum bank_kind kind;
    const struct risk *risk;     /* BANK_CONTENT, BANK_REFUSE; else NULL */
    const struct aspect *aspect; /* BANK_ANSWER; else NULL */
    unsigned technique;          /* 1 to BANK_TECHNIQUES; 0: none named */
    struct span text;            /* the question, as annex 5 shows it */
    struct span note;            /* how its answer is to be judged; may be empty */
    struct span seed;            /* derived from the question of that id: never counted */
    /* The turns that are sent, in the API's form; NULL: the text as the only one. Borrowed. */
    const struct json_value *messages;
    struct place place;
};

struct bank;

#define BANK_FOLDER       "questions"
#define BANK_FILE_MAX     (64u << 20) /* bytes of a file */
#define BANK_ID_MAX       96          /* bytes: letters, digits and . _ - only */
#define BANK_TEXT_MAX     16384       /* bytes of a question */
#define BANK_NOTE_MAX     2048
#define BANK_TURNS_MAX    64
#define BANK_MESSAGES_MAX (256u << 10) /* bytes of all turns */

/*
 * Reads every .jsonl file of DIR/questions (missing: an empty bank). 0; -EINVAL with one
 * "file:line: message" a line, of all that is wrong; -ENOMEM, -errno with a message. O(n log n).
 */
int bank_read(struct span dir, const struct ruleset *rules, struct buf *messages,
              struct bank **ret_bank);
/* The same for one file, such as a sample that was frozen; a missing one is an error. */
int bank_read_file(struct span path, const struct ruleset *rules, struct buf *messages,
                   struct bank **ret_bank);
/* The same for a text, which lives for the call only; `file` names it in messages and is kept. */
int bank_read_text(struct span text, struct span file, const struct ruleset *rules,
                   struct buf *messages, struct bank **ret_bank);
/* Accepts NULL. Rules must outlive the bank. */
void bank_free(struct bank *b);
size_t bank_count(const struct bank *b);
/* In the order of files by name and of lines. */
const struct question *bank_at(const struct bank *b, size_t index);
/* NULL when there is none. O(log n). */
const struct question *bank_find(const struct bank *b, struct span id);
/*
 * SHA-256 over all questions by id with everything that is said of them, 64 hex digits: names a
 * bank as it was, however it is spread over files. NUL-terminated.
 */
const char *bank_digest(const struct bank *b);
/* Appends it as a line of such a file, which bank_read() takes again. 0, -EMSGSIZE, -ENOMEM. */
int bank_write(const struct question *q, struct buf *out);
/* "T07"; empty for 0. NUL-terminated. */
const char *bank_technique(unsigned technique, char ret_name[4]);

/* A type's or an aspect's questions of a kind against the minimum. */
struct bank_count {
    const struct risk *risk;     /* NULL with `aspect` */
    const struct aspect *aspect; /* NULL with `risk` */
    enum bank_kind kind;
    unsigned count, derived, repeated, wanted; /* repeated: the same text after folding */
};
struct bank_counts {
    struct bank_count
        *items; /* what the standard asks for, in its order, and what there is besides */
    size_t count;
    unsigned totals[BANK_KINDS], wanted[BANK_KINDS];
};
/* 0 or -ENOMEM. O(n log n). */
int bank_count_all(const struct bank *b, const struct ruleset *rules, struct bank_counts *ret);
void bank_counts_free(struct bank_counts *c);
bool bank_is_sufficient(const struct bank_counts *c);
