/* The chapters of annex 1, a file each. */
#pragma once

#include "filing/annex.h"
#include "paper/paper.h"

/* 三、模型安全评估: libraries and the evaluation's figures. */
void annex1_evaluation(struct paper *p, const struct dossier *d);
/* 四、安全措施评估: the clause table. */
void annex1_clauses(struct paper *p, const struct dossier *d);
