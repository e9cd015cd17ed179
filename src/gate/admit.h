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
/* The same by its key alone, whatever `auth` says. */
bool admit_identify_key(struct gate *g, struct http_request *r,
                        struct access_identity *ret_identity);
/* The ceiling of that app's bodies, in bytes. */
size_t admit_body_max(const struct config *c, const struct config_app *app);
/*
 * Notes in whose counts the exchange will count: while the gate's snapshot is its own. 0, -ENOMEM.
 */
int admit_new(struct exchange *x);
/*
 * The request is whole: may it be read? CAUSE_NONE or the cause for which it is refused, with the
 * offending field or header in *ret_path.
 */
enum cause admit_check(struct exchange *x, struct span *ret_path);
/*
 * Is there room for it, as far as app and key tell? A flood is answered before it is judged. False:
 * it was answered.
 */
bool admit_peek(struct exchange *x);
/*
 * Counts it, once it is known who asks. False: it was answered. The first refusal of an app, key or
 * end user within a minute is recorded, the others are in the metrics only: a flood must not fill
 * the log.
 */
bool admit_acquire(struct exchange *x);
/* The answer is made: counts what it took. Later calls change nothing. */
void admit_release(struct exchange *x);
/* What is left of the limits, and when to come back. Returns how many headers it wrote. */
size_t admit_headers(struct exchange *x, struct http_header *h, size_t max);
