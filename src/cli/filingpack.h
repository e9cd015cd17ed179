/* What the two files of `juyong filing pack` share. */
#pragma once

#include "cli/setup.h"
#include "filing/pack.h"

#define FILINGPACK_ATTACHED_MAX 256

struct filingpack {
    const char *file, *app, *output, *run;
    const char *verify, *key;          /* an archive, and a file with the key that it must have */
    const char *filed, *date, *number; /* an archive that was handed in */
    struct span attached[FILINGPACK_ATTACHED_MAX];
    size_t attached_count;
    uint64_t since_us, until_us;
    bool force, lint, changes, json;
};

/* Gathers the dossier, which the caller frees in any case. 0, or CLI_BAD after a message. */
int filingpack_gather(const struct filingpack *o, const struct setup *s, struct dossier *ret);

/* filing_packseen.c */
int filingpack_verify(const struct filingpack *o);
int filingpack_note(const struct filingpack *o);
int filingpack_changes(const struct filingpack *o, const struct dossier *d);
/*
 * For `filing status`: appends what has changed since the pack that was handed in last, as lines,
 * or as a further member of a JSON object; nothing when none was, or it can't be told (messages).
 * 0, -ENOMEM, -EMSGSIZE.
 */
int filingpack_status(const struct setup *s, bool json, struct buf *messages, struct buf *out);
