/* The parts of a pack in the making. Private to pack.c, packparts.c, packfiles.c and
 * packsecrets.c. */
#pragma once

#include "filing/pack.h"

#include <limits.h>

struct part {
    struct span name;   /* in the archive */
    struct buf content; /* or */
    int fd;             /* -1: `content` */
    struct buf said;    /* what a document of somebody's says */
    bool is_text;       /* `said`, else `content`, is a paper to be looked at */
    bool is_closed;     /* nobody can look into it */
    bool identifies;    /* as in struct lint_document */
};

struct pack {
    struct pack_options o;
    struct arena arena; /* names */
    char dir[PATH_MAX]; /* where workbooks are made; "": none yet */
    struct part *parts;
    size_t count, cap;
    struct buf *secrets; /* what files of keys hold */
    size_t secret_count;
    char configuration[MANIFEST_DIGEST]; /* SHA-256 of its file */
    struct lint lint;
    struct manifest manifest;
    struct buf text, signature; /* of the manifest */
    char digest[MANIFEST_DIGEST], key[MANIFEST_DIGEST];
};

/* All of them, in the archive's order. 0, -EINVAL and others with messages. */
int parts_gather(struct pack *p, struct buf *messages);
/* Takes the text over, which is empty afterwards. 0; -ENOKEY: it holds a secret; -ENOMEM. */
int parts_add_text(struct pack *p, struct span name, struct buf *text, bool identifies);
/* Closes what is open and removes the folder. */
void parts_forget(struct pack *p);

/* packfiles.c: files, from the folder or of the operator's. */

/* Makes the folder, and gives a path in it. 0 or -errno. */
int parts_place(struct pack *p, const char *file, char ret_path[PATH_MAX]);
/*
 * Adds a regular file; `check`: it is somebody's, whose form is looked at for keys, too. 0;
 * -ENOKEY: it holds a secret; -EEXIST: the name is taken; -errno.
 */
int parts_add_file(struct pack *p, struct span name, const char *path, bool check);
/* Removes what a crash left of such folders. */
void parts_sweep(struct span state_dir);

/* packsecrets.c */

/* Reads them all. 0 or -ENOMEM. */
int secrets_read(struct pack *p);
/* Does the text hold one of them, or of the configuration's? O(secrets * text). */
bool secrets_are_in(const struct pack *p, struct span text);
void secrets_forget(struct pack *p);
