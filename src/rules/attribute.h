/*
 * What a rule may say about itself, whether in a keyword file or in YAML. Each reads one value that
 * stands at `at`; false, with a message, when it is none.
 */
#pragma once

#include "rules/loader.h"

bool attribute_action(struct loader *l, struct place at, struct span value, enum action *ret);
bool attribute_direction(struct loader *l, struct place at, struct span value, enum direction *ret);
/* The name of one of LAYERS_ASKED; its bit is added. */
bool attribute_layer(struct loader *l, struct place at, struct span value, uint32_t *asked);
/* own, imported or law, and after a colon what more there is to say. */
bool attribute_source(struct loader *l, struct place at, struct span value, enum rule_origin *ret);
/* Whether an app may be called so; which ones there are only the configuration knows. */
bool attribute_app(struct loader *l, struct place at, struct span value);
/*
 * YYYY-MM-DD, the last day in China (UTC+8, no summer time) on which the rule counts; or
 * YYYY-MM-DDThh:mm with +hh:mm or Z behind, the minute from which it doesn't. Gives the second from
 * which it doesn't. A time gone by is a warning.
 */
bool attribute_expires(struct loader *l, struct place at, struct span value, int64_t *ret);
