/*
 * The disk as it can be: pwrite() and fdatasync()/fsync() of the whole program, SQLite's included,
 * that fail from the n-th call on, or once, or until told otherwise. Defined in the test program,
 * which the dynamic linker asks before the C library.
 */
#pragma once

enum fault_call { FAULT_WRITE, FAULT_SYNC };

/* Calls number `from` (1: the next) to from + count - 1 fail with that errno. */
void fault_set(enum fault_call call, unsigned from, unsigned count, int error);
void fault_clear(void);
/* Only of files whose path holds that text; fault_clear() means all again. */
void fault_within(const char *part);
/* How many calls were made since fault_clear(). */
unsigned fault_calls(enum fault_call call);
/* Moves the wall clock of this program, microseconds; fault_clear() puts it right. */
void fault_shift_clock(long long us);
/* File systems claim to be that full; 0: as they are. */
void fault_fill_disk(unsigned percent);
/*
 * From now on keeps in `shadow`, a directory, each file of `dir` as it was when it was last synced:
 * what a power cut would leave of it at worst. NULL ends it.
 */
void fault_shadow(const char *dir, const char *shadow);
/* Copies the shadow to `copy`, between two syncs. */
void fault_cut_power(const char *copy);
/* Did any call fail since fault_clear()? */
unsigned fault_failures(void);
