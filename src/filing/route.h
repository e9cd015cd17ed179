/*
 * Which filing a service needs: a questionnaire out of the rules and the Q&A, and a table of
 * decisions over its answers. Pure: reads no clock and no file. What it says carries its source and
 * how far that source can be trusted; what the province decides it leaves to the province.
 */
#pragma once

#include "base/buf.h"
#include "base/day.h"
#include "json/value.h"

/* In the order they are asked. */
enum route_key {
    ROUTE_PUBLIC,    /* offered to the public in the mainland? */
    ROUTE_MODEL,     /* own, tuned, called */
    ROUTE_FILED,     /* is the called model filed? */
    ROUTE_OPINION,   /* public-opinion attributes or social mobilisation */
    ROUTE_SYNTHESIS, /* a generation or synthesis algorithm */
    ROUTE_SMALL,     /* a small model */
    ROUTE_ADDED,     /* system prompts or retrieval on top of a called model */
    ROUTE_MINORS,
    ROUTE_COMPANION, /* 拟人化互动 */
    ROUTE_FIELD,     /* medical, finance, news, … */
    ROUTE_ONLINE,    /* already, since when */
    ROUTE_READY,     /* test accounts with and without the added policy */
    ROUTE_KEYS,
};

/* How far what is said can be trusted. */
enum route_mark {
    ROUTE_LAW,       /* the text of the law or rule was read */
    ROUTE_SECONDARY, /* from secondary sources: 二手来源，使用前核对原文 */
    ROUTE_VERIFY,    /* general knowledge: 待核实 */
};
/* For people: empty for ROUTE_LAW. */
const char *route_mark_text(enum route_mark m);

#define ROUTE_CHOICES 9

struct route_choice {
    const char *name, *zh, *en; /* `unsure` is the last one of every question */
};
struct route_question {
    const char *key, *zh, *en;
    const char *why_zh, *why_en; /* why it is asked */
    const char *source;          /* law and article, or where the question comes from */
    enum route_mark mark;
    const char *detail;                         /* a second key that goes with it; NULL: none */
    const char *detail_zh, *detail_en;          /* what it holds */
    struct route_choice choices[ROUTE_CHOICES]; /* ended by a NULL name */
};
/* Static. */
const struct route_question *route_question(enum route_key k);

#define ROUTE_UNANSWERED  (-1) /* decides as unsure does */
#define ROUTE_NUMBER_SIZE 257

struct route_answers {
    signed char chosen[ROUTE_KEYS];       /* index into choices, or ROUTE_UNANSWERED */
    char model_number[ROUTE_NUMBER_SIZE]; /* with ROUTE_FILED: the filing number; may be empty */
    char online_since[DAY_TEXT_SIZE];     /* with ROUTE_ONLINE: YYYY-MM-DD; may be empty */
};
/* Nothing answered. */
void route_begin(struct route_answers *ret_answers);
/* Does it still matter, by the answers to the questions before it? */
bool route_is_asked(const struct route_answers *a, enum route_key k);
/*
 * Sets what `key` names, a question or a detail. 0; -ENOENT: no such key; -EINVAL: no such choice,
 * no such day, or no text of one line.
 */
int route_set(struct route_answers *a, struct span key, struct span value);
/* The name of the choice; "" when unanswered. */
const char *route_answer(const struct route_answers *a, enum route_key k);
/*
 * What goes with its `yes`, or "": who answers otherwise after all takes what was told with it
 * back.
 */
const char *route_detail(const struct route_answers *a, enum route_key k);
/* Is one that is asked unanswered? */
bool route_is_complete(const struct route_answers *a);

/*
 * From YAML or JSON, a map of keys to choices. 0; -EINVAL with one "file:line:column: message" a
 * line of all that is wrong; -ENOMEM. What is left out is unanswered.
 * A detail beside a `no` is wrong.
 */
int route_read(struct span text, struct span file, struct buf *messages,
               struct route_answers *ret_answers);
/* Such a file to fill in, every choice told as a comment; answers given already stand in it. */
int route_template(const struct route_answers *a, struct buf *out);
/* The answers as one JSON object without line end; what is unanswered is left out. */
int route_write(const struct route_answers *a, struct buf *out);

/* What comes out; several bits. */
enum route_kind {
    ROUTE_FILING = 1,       /* 大模型备案 */
    ROUTE_REGISTRATION = 2, /* 生成式人工智能服务登记 */
    ROUTE_ALGORITHM = 4,    /* 算法备案 */
    ROUTE_NONE = 8,         /* not offered to the public */
    ROUTE_ASK = 16,         /* ask the province first */
};
#define ROUTE_KINDS 5
/* The name of one bit, for JSON and metrics: filing, registration, algorithm, none, ask. */
const char *route_kind_name(unsigned bit);
const char *route_kind_zh(unsigned bit);
const char *route_kind_en(unsigned bit);

enum route_part {
    ROUTE_REASON,   /* why this route */
    ROUTE_PROVINCE, /* what remains the province's decision */
    ROUTE_STEP,
    ROUTE_DOCUMENT,
    ROUTE_DEADLINE,
    ROUTE_DUTY, /* what else follows from an answer */
    ROUTE_GAP,  /* what is not ready yet */
    ROUTE_PARTS,
};
/* For JSON: reasons, province, steps, documents, deadlines, duties, gaps. */
const char *route_part_name(enum route_part p);
const char *route_part_zh(enum route_part p);
const char *route_part_en(enum route_part p);

/* When a line is said: with one of these routes, and with one of these answers (a bit a choice). */
struct route_when {
    unsigned routes;                    /* 0: with any */
    unsigned short answers[ROUTE_KEYS]; /* 0: any */
    enum route_key lacks; /* and its detail was not given; ROUTE_PUBLIC, which has none: any */
};
struct route_line {
    enum route_part part;
    const char *zh, *en;
    const char *source;
    enum route_mark mark;
    const char *command; /* that prints it, as "juyong filing annex 1"; NULL: the operator's own */
    struct route_when when;
};

#define ROUTE_LINES 96

struct route_advice {
    unsigned due;      /* needed by what was answered; ROUTE_NONE alone, ROUTE_ASK with others */
    unsigned possible; /* depends on what is unsure, or on the province */
    const struct route_line *lines[ROUTE_LINES]; /* by part, static */
    size_t count;
};
/* Never without a route: due or possible has a bit, and due has one when nothing is unsure. O(1).
 */
void route_decide(const struct route_answers *a, struct route_advice *ret_advice);

/* For people; Chinese, with English below each line. 0, -ENOMEM, -EMSGSIZE. */
int route_text(const struct route_answers *a, const struct route_advice *d, struct buf *out);
/*
 * One JSON object: {"answers":{},"due":["filing"],"possible":[],"complete":true,"reasons":[{"zh",
 * "en","source","mark":"law|secondary|verify","note":"待核实","command":…}],…a list for each part}.
 */
int route_json(const struct route_answers *a, const struct route_advice *d, struct buf *out);
