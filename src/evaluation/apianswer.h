/*
 * What a chat API answered to a question of an evaluation: an answer, a filter's refusal, a reason
 * to come back later, or a sign that the account itself is in danger, which ends an evaluation at
 * once. Reads outside bytes; knows nothing of connections.
 */
#pragma once

#include "base/buf.h"

enum apianswer_kind {
    APIANSWER_TEXT,    /* answered, or refused by a filter (finish is content_filter then) */
    APIANSWER_LATER,   /* busy, or too fast: ask again */
    APIANSWER_BAD,     /* an error of another kind, or no answer at all */
    APIANSWER_ACCOUNT, /* key, balance or standing of the account: stop */
};

#define APIANSWER_WORD 128 /* bytes of names and codes; longer ones are cut */

struct apianswer {
    enum apianswer_kind kind;
    struct buf text, refusal;    /* what is shown; the refusal field */
    char finish[APIANSWER_WORD]; /* NUL-terminated, as all of them */
    char model[APIANSWER_WORD];
    char why[APIANSWER_WORD * 2]; /* status and code, and no text of the answer; of TEXT empty */
};

/* 0 or -ENOMEM, with which it is as if nothing was there. Then apianswer_free(). O(body). */
int apianswer_read(int status, struct span body, struct apianswer *ret_answer);
void apianswer_free(struct apianswer *a);
