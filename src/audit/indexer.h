/*
 * The thread that keeps the index files (audit/index.h) up with the log, off the commit path: it
 * follows what is committed, newest month first, and makes anew what is missing. Nothing waits for
 * it, and nothing is lost with it.
 */
#pragma once

#include "base/span.h"

struct indexer;

/* 0 or -errno. One a log: only the process that writes the log may have it. */
int indexer_start(struct span dir, struct indexer **ret_indexer);
/* Stops within a transaction's time. Accepts NULL. */
void indexer_stop(struct indexer *i);

/* Brings all months up to date, on the caller's thread; for tests and tools. 0 or negative. */
int indexer_run(struct span dir);
