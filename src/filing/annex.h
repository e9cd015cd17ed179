/* The papers of a filing that are documents, one file each: annexN.c fills a paper from a dossier.
 */
#pragma once

#include "filing/dossier.h"

struct paper;

struct annex {
    const char *name;    /* as commands know it: 1, 2, 3, model, algorithm */
    const char *title;   /* 安全自评估报告 */
    const char *file;    /* of the file, without its ending: annex1 */
    const char *summary; /* a line of English */
    void (*fill)(struct paper *p, const struct dossier *d);
};
/* In the order in which they are handed in; NULL behind the last. */
const struct annex *annex_at(size_t index);
const struct annex *annex_find(struct span name);

/* As HTML. 0, -EMSGSIZE, -ENOMEM. */
int annex_html(const struct annex *a, const struct dossier *d, struct buf *out);
/* As .docx at `path`, whole or not at all (0600). 0, or a negative error with its reason. */
int annex_docx(const struct annex *a, const struct dossier *d, struct span path,
               struct buf *ret_error);

/* --- for the files of this room --- */

void annex1_fill(struct paper *p, const struct dossier *d);
void annex2_fill(struct paper *p, const struct dossier *d);
void annex3_fill(struct paper *p, const struct dossier *d);
void annexmodel_fill(struct paper *p, const struct dossier *d);
void annexalgorithm_fill(struct paper *p, const struct dossier *d);

/* Below each title: that it is a draft, of when, out of which versions. */
void annex_stamp(struct paper *p, const struct dossier *d);
/* Who files what: a table of the service's own keys. */
void annex_subject(struct paper *p, const struct dossier *d);
/* The models that are called, with their numbers. */
void annex_models(struct paper *p, const struct dossier *d);
