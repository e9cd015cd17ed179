/*
 * The offences that are remembered, so that a turn which was refused once is known when it comes
 * back as history: one table for all workers, the oldest give way, and one file that it is read
 * from at start. Codes only, no text: see README.md.
 */
#pragma once

#include "audit/audit.h"

struct offences;

/*
 * Reads state_dir/offences.bin under the key state_dir/keys/offence.key; both are made when they
 * are absent. A torn end is cut off; a damaged file is put aside as offences.bad and what is whole
 * in it kept, with a warning. 0 or -errno, message logged: -EBUSY when another process has them.
 * `max` is more than 0. O(entries).
 */
int offences_open(struct span state_dir, size_t max, struct offences **ret_offences);
/* Accepts NULL. */
void offences_close(struct offences *o);

/* As audit_offence_code() and audit_recall(). Any thread. */
int offences_code(const struct offences *o, const struct audit_offence_key *key,
                  unsigned char ret_code[AUDIT_OFFENCE_SIZE]);
enum audit_memory offences_find(struct offences *o, const unsigned char code[AUDIT_OFFENCE_SIZE]);

/*
 * Remembers an array of struct audit_offence, which may be unaligned; `keep`: offences_sync() will
 * write them, too. The writer's thread only, as is offences_sync(). O(1) each.
 */
void offences_add(struct offences *o, struct span list, bool keep);
/*
 * What was added is in the file and synced when it returns. 0 or -errno, message logged: then it is
 * in memory, and the next call writes the whole file anew.
 */
int offences_sync(struct offences *o);

size_t offences_count(const struct offences *o);
