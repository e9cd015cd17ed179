/* What papers and packs of the filing share: the facts they speak of, and a file that is given. */
#pragma once

#include "console/api.h"
#include "filing/dossier.h"

/*
 * What is in force now, with the last 30 days of the log, by the first app's policy, as the command
 * line has it unless told. `verify`: the log is verified as well, as far as that goes in some
 * seconds. 0, or negative with messages in `error`; freed by dossier_free() in any case.
 */
int paperwork_gather(const struct api *api, bool verify, struct dossier *ret, struct buf *error);

/* Writes a file to `path`, whole. 0; negative with its reasons in `error`. */
typedef int (*paperwork_fn)(void *ctx, struct span path, struct buf *error);
/*
 * Has a file made and gives it as the answer, under that name; its own name on disk is gone then.
 * No more than two at a time, and none on a full disk. That it leaves is on record already. 0 or
 * negative, to be returned.
 */
int paperwork_give(const struct api *api, const struct api_request *q, paperwork_fn make, void *ctx,
                   const char *type, const char *name, struct api_answer *a);
