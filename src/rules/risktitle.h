/* What the standard's types of risk are called where a filing lists them. */
#pragma once

#include "rules/ruleset.h"

/* Is it one of the types of the standard, and not of an axis of our own? */
bool risk_is_standard(const struct risk *risk);
/* The classes that catalogues use: "A.1 包含违反…" and "a) 煽动…". Empty for an axis of our own. */
int risk_group_title(const struct risk *risk, struct buf *out);
int risk_title(const struct risk *risk, struct buf *out);
