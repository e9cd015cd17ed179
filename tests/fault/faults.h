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
/* How many calls were made since fault_clear(). */
unsigned fault_calls(enum fault_call call);
/* Did any call fail since fault_clear()? */
unsigned fault_failures(void);
