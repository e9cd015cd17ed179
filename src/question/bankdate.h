/*
 * When the questions last changed: the standard wants the banks brought up to date every month.
 * Banks stand in no version of the rules, so what was seen last is noted under state_dir/filing.
 */
#pragma once

#include "question/bank.h"

/*
 * The Unix second since when the bank asks what it asks; 0 for an empty one. By the note when it
 * is of these questions; else by the newest file, and then it is noted, if state_dir belongs to
 * who runs this. Derived questions and judging notes are no update. Never later than `now`.
 */
int64_t bankdate_read(struct span state_dir, struct span rules_dir, const struct bank *b,
                      int64_t now);
