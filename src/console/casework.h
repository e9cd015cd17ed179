/* What the areas of reviews, tickets, incidents and exports share. */
#pragma once

#include "base/arena.h"
#include "casebook/casebook.h"
#include "console/api.h"

/* Is there a casebook? False: api_error() has filled the answer. */
bool casework_there(const struct api *api, struct api_answer *a);
/*
 * The request ids of the body's `requests`, into the arena. False: api_error() has filled the
 * answer.
 */
bool casework_requests(const struct api_request *q, struct arena *arena, struct casebook_act *act,
                       struct api_answer *a);
/*
 * Has the act done in the name of who asks. 0 with *ret_answer when it is done; 1: api_error() has
 * filled the answer; negative: to be returned.
 */
int casework_do(const struct api *api, const struct api_request *q, struct casebook_act *act,
                struct casebook_answer *ret_answer, struct api_answer *a);
/* The answer to what could not be read. To be returned. */
int casework_failed(int r, struct api_answer *a);
