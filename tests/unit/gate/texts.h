/* A streamed answer as a client understands it, to be compared with another. */
#pragma once

#include "../unit.h"

#include "base/buf.h"

/*
 * One line a channel, then how it ends: "content@0=...", "finish@0=stop", "done", "error=code".
 * Borrowed until the next call.
 */
struct span texts_read(struct span body);
/* Makes equal what differs from run to run: ids and times of ours. */
void make_plain(struct buf *b);
