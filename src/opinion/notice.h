/*
 * A message to one of the operator's own services, as the configuration names it: JSON by POST,
 * signed where there is a secret (sign.h), delivered by the courier.
 */
#pragma once

#include "config/config.h"
#include "http/courier.h"

/*
 * Sends `json` there; copied. `about` names it in the log (such as "the retraction of req_…"), and
 * `done`, which may be NULL, hears once, later, what became of it. 0 or -errno, as courier_send():
 * then `done` hears nothing. `to` has a URL.
 */
int notice_send(struct courier *c, const struct config_retraction *to, struct span json,
                struct span about, courier_done_fn done, void *ctx);
