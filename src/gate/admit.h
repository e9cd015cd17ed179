/*
 * What stands between a request and its judgement: whose key it bears, whether the app may be asked
 * from there, how strict it wants to be judged, and how much the app, the key and the end user may
 * ask for. Private to the room.
 */
#pragma once

#include "gate/exchange.h"

/*
 * Whose request it is; false: nobody's. A request that asks for a stricter policy is given the
 * app's strict twin, and is judged by it from there on.
 */
bool admit_identify(struct gate *g, struct http_request *r, struct access_identity *ret_identity);
/*
 * The request is whole: may it be read? CAUSE_NONE or the cause for which it is refused, with the
 * offending field or header in *ret_path.
 */
enum cause admit_check(struct exchange *x, struct span *ret_path);
/* The ceiling of that app's bodies, in bytes. */
size_t admit_body_max(const struct config *c, const struct config_app *app);
