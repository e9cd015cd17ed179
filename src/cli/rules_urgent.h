/* `juyong rules urgent list`: the urgent words and what they hit. */
#pragma once

#include "cli/rules_act.h"

/* `days`: how far back in the log it looks. Returns the exit code. */
int rules_urgent_list(const struct config *config, bool json, unsigned days);
