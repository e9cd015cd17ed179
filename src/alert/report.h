/* What others are told of the board: the console's API and Prometheus. */
#pragma once

#include "alert/board.h"

/* 0, -EMSGSIZE, -ENOMEM, as the next. */
int report_json(const struct board *b, uint64_t now_us, struct buf *out);
int report_stats(const struct board *b, struct buf *out);
