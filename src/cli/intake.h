/*
 * Where complaints of the public arrive: a thread of its own takes them from the workers and puts
 * them into the casebook, so that no worker waits for the disk. It also counts who complains how
 * often, over all workers.
 */
#pragma once

#include "casebook/casebook.h"
#include "config/config.h"
#include "gate/complaint.h"

struct intake;

/*
 * Opens the casebook of the process that holds the log. Without it (damaged, say, which is logged)
 * there are neither tickets nor reviews; the traffic does not wait for that. 0, -ENOMEM, -EAGAIN.
 */
int intake_open(struct audit *a, const struct config *c, struct intake **ret_intake);
/* NULL when it can't be opened. */
struct casebook *intake_casebook(const struct intake *i);
/* For the gates; lives as long as the intake. NULL without a casebook. */
const struct complaint_taker *intake_taker(const struct intake *i);
/* Finishes what was taken and closes the casebook. The gates take nothing any more. Accepts NULL.
 */
void intake_close(struct intake *i);
