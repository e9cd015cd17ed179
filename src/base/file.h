/* All of a file, or of a text, over interruptions and short reads and writes. */
#pragma once

#include "base/buf.h"

#include <sys/types.h>

/* Appends what a regular file holds from that byte on. 0, or -errno: -EMSGSIZE and -ENOMEM as
 * buf_append(); a part may have been appended then. */
int file_read(int fd, off_t from, struct buf *out);
/*
 * Makes a directory, unless it is there already; its parent must be. Its name is on the disk when
 * this returns: what is synced below it would else be gone with it after a power cut. A parent that
 * may not be read is trusted to keep the name. 0 or -errno.
 */
int file_make_dir(const char *path, mode_t mode);
/*
 * Is there room on the file system of that descriptor: is it less full than `percent`, as df
 * counts? 0, -ENOSPC, or -errno.
 */
int file_room(int fd, unsigned percent);
/* Writes all of it where the descriptor stands. 0, or -errno: then a part may be there. */
int file_write(int fd, struct span s);
