/*
 * The names of the log's files in its directory: l0-2026-11.db, l1-2026-11.db and
 * l2-2026-11.db, a month each.
 */
#pragma once

#include "base/span.h"

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

/* Months since year 0: year * 12 + month - 1. */
typedef int files_month;

#define FILES_MONTHS_MAX 1200 /* a hundred years */
#define FILES_TIERS      3
/* Version of the files' tables; those from 1 on are read, and those of a month that is written to
 * are brought up to it. */
#define FILES_SCHEMA 2

struct files {
    files_month months[FILES_MONTHS_MAX]; /* ascending */
    size_t count;
};

files_month files_month_of(uint64_t wall_us);
/* "<dir>/l<tier>-<year>-<month>.db"; false when it is too long. */
bool files_path(struct span dir, int tier, files_month month, char ret_path[PATH_MAX]);
/* The months of one tier that are there. 0 or -errno. */
int files_list(struct span dir, int tier, struct files *ret_files);
/* "<dir>/<name>"; false when it is too long. */
bool files_join(struct span dir, const char *name, char ret_path[PATH_MAX]);

/* Written beside, synced and renamed, so that a crash leaves the whole file or none. 0 or -errno.
 */
int files_replace(const char *path, struct span content, mode_t mode);
#define FILES_LINE_MAX 512 /* bytes of a line of checkpoints */
/* Cuts off what a crash or a full disk left of a line at the file's end. 0 or -errno. */
int files_mend_line(int fd);
/* So that names made in a directory outlive a power cut. 0 or -errno. */
int files_sync_dir(const char *path);
