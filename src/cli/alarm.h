/*
 * What alerts look at: reads how the running gateway is for alert/, and has the log verified now
 * and then. Runs on the main loop.
 */
#pragma once

#include "alert/alert.h"
#include "cli/status.h"

struct alarm;

/* `status` outlives it. 0 or -errno. */
int alarm_open(struct loop *l, struct status *status, struct alarm **ret_alarm);
/* Another snapshot is in force: status->snapshot. Accepts NULL. */
void alarm_reload(struct alarm *a);
/* Accepts NULL. */
void alarm_close(struct alarm *a);
/* Who verifies the log, for the console; it lives as long. */
struct verifier *alarm_verifier(struct alarm *a);
/* NULL: none. */
struct alerts *alarm_alerts(struct alarm *a);
