/* The pages of complaints: plain HTML in Chinese and English, without script or style. */
#pragma once

#include "base/buf.h"
#include "config/config.h"
#include "gate/complaint.h"

/* The form; `request_id` is filled in when it looks like one. 0, -EMSGSIZE, -ENOMEM. */
int complaint_page_form(const struct config *c, struct span request_id, struct buf *out);
/* What came of it. Likewise. */
int complaint_page_answer(const struct complaint *c, struct buf *out);
/* The same as JSON. */
int complaint_json_answer(const struct complaint *c, struct buf *out);
int complaint_status(const struct complaint *c);
