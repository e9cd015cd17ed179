/*
 * The questions of the evaluation (评估测试题集, annex 5 of a filing): the banks as they are, each
 * question with what the service answered and what people made of it in one evaluation, beside the
 * counts against the standard's minima and the rates. What nobody judged stays 待人工研判.
 */
#pragma once

#include "evaluation/run.h"
#include "question/bank.h"

struct annex5 {
    const struct bank *bank;
    const struct ruleset *rules;
    const struct run *run; /* NULL: the bank alone */
    enum run_route route;  /* whose answers are shown; the run must have taken it */
    struct span provider;  /* who files; may be empty */
    int64_t now;           /* Unix seconds: the date of the file */
};

/* The route whose answers belong into the annex: the gateway's, unless the run has only the other.
 */
enum run_route annex5_route(const struct run *run);

/*
 * Writes the workbook to `path`. 0; a negative error with its reason in *ret_error. O(questions and
 * judgements), with a copy of no more than one row in memory.
 */
int annex5_write(const struct annex5 *a, struct span path, struct buf *ret_error);
