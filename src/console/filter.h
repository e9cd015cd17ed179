/* The filters of the log in a query: the words of `juyong log list`, times in microseconds. */
#pragma once

#include "audit/query.h"
#include "console/api.h"

/*
 * Reads since, until, action, risk, rule, app, model, end_user, request_id, direction, text,
 * session, client_ip, all and purpose. Several actions, with commas between, are exactly those.
 * Who may not read texts may not search them either. Spans live as long as the request. False:
 * api_error() has filled the answer.
 */
bool filter_read(const struct api_request *q, struct query_filter *ret_filter,
                 struct api_answer *a);
