/*
 * What an alert says: text for people, JSON for programs. Of what apps' users wrote nothing is in
 * it: numbers, names that the operator gave, and what the gateway itself found.
 */
#pragma once

#include "alert/board.h"

#define MESSAGE_TEXT_MAX 2000 /* bytes; WeCom takes 2048 */

/*
 * The text of one message, a line for each item behind a head with node and time; cut between two
 * characters where it is too long. `language` is LANGUAGE_ZH or LANGUAGE_EN. 0, -ENOMEM.
 */
int message_text(const struct board_item *items, size_t count, unsigned language, struct span node,
                 uint64_t now_us, struct buf *out);
/*
 * {"node":…,"time":…,"text":…,"alerts":[{event, what, risk, critical, value, threshold, since_us,
 * ended_us, times, detail}]}. 0, -EMSGSIZE, -ENOMEM.
 */
int message_json(const struct board_item *items, size_t count, struct span text, struct span node,
                 uint64_t now_us, struct buf *out);
/* Members of one item's object, without braces. */
int message_item_json(const struct board_item *item, struct buf *out);
