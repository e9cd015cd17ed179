/*
 * Candidates of one month out of its index files (audit/index.h): every record that a filter may
 * want is among them, in the order of records; whoever folds the row sees whether it does.
 */
#pragma once

#include "audit/files.h"
#include "audit/query.h"
#include "db/db.h"

struct sieve;

/*
 * Opens what serves the filter best. 0 and NULL when the month has no index, or none that helps.
 * *f is borrowed. 0 or negative.
 */
int sieve_open(struct span dir, files_month month, struct db *l0, const struct query_filter *f,
               bool backwards, struct sieve **ret_sieve);
void sieve_close(struct sieve *s);
/* The last record that it speaks of. */
uint64_t sieve_end(const struct sieve *s);
/*
 * Up to `max` candidates behind (or, backwards, before) *last, which moves to where the next page
 * goes on. *ret_done: there are no more. 0 or negative. Bounded work: a page may be empty without
 * being the last.
 */
int sieve_page(struct sieve *s, uint64_t *last, uint64_t *ret_seqs, size_t max, size_t *ret_count,
               bool *ret_done);

/*
 * Between which records those of a span of time lie, as far as the index speaks: 0 and 2^63-1 where
 * it can't tell. 0 or negative.
 */
int sieve_bounds(struct db *ix, uint64_t end, uint64_t since_us, uint64_t until_us,
                 uint64_t *ret_from, uint64_t *ret_to);
