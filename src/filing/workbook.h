/* The two annexes that are workbooks, out of a dossier: keywords (4) and questions (5). */
#pragma once

#include "filing/dossier.h"

#define WORKBOOK_KEYWORDS  "附件4 拦截关键词列表"
#define WORKBOOK_QUESTIONS "附件5 评估测试题集"

/* Each writes a workbook to `path`. 0, or a negative error with its reason in *ret_error. */
int workbook_keywords(const struct dossier *d, struct span path, struct buf *ret_error);
int workbook_questions(const struct dossier *d, struct span path, struct buf *ret_error);
