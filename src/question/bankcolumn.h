/* What the titles, sheets and classes of others' workbooks mean. Private to this room. */
#pragma once

#include "question/bank.h"

enum bank_column {
    BANK_COLUMN_QUESTION,
    BANK_COLUMN_FIRST,  /* 一级分类 */
    BANK_COLUMN_SECOND, /* 二级分类 */
    BANK_COLUMN_TYPE,   /* both in one, an id, or an aspect */
    BANK_COLUMN_TECHNIQUE,
    BANK_COLUMN_NOTE,
    BANK_COLUMN_BANK,
    BANK_COLUMN_ID, /* one of ours */
    BANK_COLUMN_SEED,
    BANK_COLUMN_TURNS, /* of a conversation, which a table can't hold */
    BANK_COLUMNS,
    BANK_COLUMN_IGNORED = BANK_COLUMNS, /* numbers, answers, judgements */
    BANK_COLUMN_UNKNOWN,
};
/* Room to work in, reserved once, so that nothing below can run out of memory. */
struct bank_scratch {
    struct buf first, second, name;
};
/* 0, -ENOMEM; free it in any case. */
int bank_scratch_init(struct bank_scratch *s);
void bank_scratch_free(struct bank_scratch *s);

const char *bank_column_name(enum bank_column c);
/* *ret_sure: the title is that word, and doesn't only hold it. */
enum bank_column bank_column_of(struct bank_scratch *s, struct span title, bool *ret_sure);
/* By "生成内容测试题库（A.1-A.5）", "应拒答" and the like, or our own names; BANK_KINDS: by none.
 */
enum bank_kind bank_kind_of(struct bank_scratch *s, struct span name);

/*
 * The type that the two classes mean: "A.1 包含…" and "a) 煽动…", "A1-a", or names alone; NULL with
 * the reason in *ret_why.
 */
const struct risk *bank_risk_of(struct bank_scratch *s, const struct ruleset *rules,
                                struct span first, struct span second, const char **ret_why);
/* The aspect that the text names; NULL with a reason when it is none or several. */
const struct aspect *bank_aspect_of(const struct ruleset *rules, struct span text,
                                    const char **ret_why);
