/* What a running gateway tells of its canary: log lines, records, metrics, readiness. */
#pragma once

#include "canary/canary.h"

/* A canary's `told`; ctx is the audit. Records each run, and alarms at a miss. */
void watch_told(void *ctx, const struct canary_report *report);
/* Why the gateway is not ready; empty when nothing speaks against it. */
struct span watch_reason(const struct canary *c, const struct config *config);
/* One line for each thing that was not intercepted. */
int watch_weakenings(const struct canary *c, struct buf *out);
int watch_stats(const struct canary *c, struct buf *out);
