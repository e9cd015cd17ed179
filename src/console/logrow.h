/* A row of the log as the API tells it. */
#pragma once

#include "audit/query.h"
#include "casebook/casebook.h"
#include "console/api.h"

#define LOGROW_MAX ((size_t)8 << 20) /* bytes of one */

/* What reviewers say of an exchange, VERDICT_NONE unless they do. 0 or negative. */
int logrow_verdict(struct casebook *c, struct span request_id, enum casebook_verdict *ret);
/*
 * Appends the row's object with `review`, behind a comma unless it is the first; without texts for
 * those who may not read them. 0; -EMSGSIZE: there is no room for it and the end of what surrounds
 * it; negative.
 */
int logrow_write(const struct api *api, const struct api_request *q, const struct query_row *row,
                 bool first, struct buf *out);
