/*
 * Carries a month's index files on from where they ended (audit/index.h). One thread at a time,
 * with connections of its own; each step is one transaction.
 */
#pragma once

#include "audit/files.h"

struct fill_rows;
struct fill_text;

/* 0, -ENOENT when there is no record file or none in use, or an error of db/db.h. */
int fill_rows_open(struct span dir, files_month month, struct fill_rows **ret_fill);
void fill_rows_close(struct fill_rows *f);
/* Takes up to `max` records. 1: there are more; 0: all done that was there; or negative, with
 * -ESTALE when the file was removed or replaced and has to be opened again. */
int fill_rows_step(struct fill_rows *f, size_t max);

/* The same for texts; without an L1 file the text index is removed and the answer -ENOENT. */
int fill_text_open(struct span dir, files_month month, struct fill_text **ret_fill);
void fill_text_close(struct fill_text *f);
int fill_text_step(struct fill_text *f, size_t max);
