/*
 * Puts somebody's act on record and waits until it is there: for threads that may wait, never for a
 * worker.
 */
#pragma once

#include "audit/audit.h"

#define ACT_WAIT_MS 30000

/* An admin event, as audit_submit() takes it; *ret_seq (may be NULL) is its record's number. 0;
 * -ETIMEDOUT: it may still come on record; -EAGAIN, -EIO, -errno. */
int act_record(struct audit *a, const struct audit_event *event, uint64_t *ret_seq);
/* Likewise, with nothing but a code and the detail, a JSON object. */
int act_note(struct audit *a, struct span code, struct span detail, uint64_t *ret_seq);
/* Until the one event that was submitted to the port is on record. As act_record(). */
int act_await(struct audit_port *port);
