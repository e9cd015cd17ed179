/*
 * End users who asked to have no label on what AI wrote for them, and agreed that labelling is then
 * their duty (labelling measures, article 9). state_dir/consents.jsonl, one JSON object a line,
 * append-only: who, when, to what. It names end users as records do, by their HMAC. Written by
 * `juyong label`; nothing here ever deletes a line.
 */
#pragma once

#include "base/buf.h"

#include <stdint.h>

struct consent {
    uint64_t time_us;          /* wall clock */
    bool given;                /* false: withdrawn */
    struct span app, end_user; /* end_user: 64 hex digits */
    struct span agreement;     /* what was agreed to, such as a version of the user agreement */
    struct span author;        /* who wrote it down */
};

/*
 * Appends one, durably. A last line that was only begun is cut off first. 0; -EINVAL when a field
 * is not one line of UTF-8 text or too long, -EFBIG when the file has 192 MiB (some 800,000 lines;
 * 256 MiB for a withdrawal), -errno. `time_us` 0: now.
 */
int consent_append(struct span state_dir, const struct consent *c);
/*
 * Gives every line in order. 0; fn's first nonzero answer; -EBADMSG with the number of a line that
 * is damaged; -errno. No file: 0.
 */
typedef int (*consent_fn)(void *ctx, const struct consent *c);
int consent_each(struct span state_dir, consent_fn fn, void *ctx, size_t *ret_line);

/* Who has one now, as the gateway asks; belongs to one thread. */
struct consents;
struct consents *consents_new(struct span state_dir); /* NULL: no memory */
void consents_free(struct consents *c);
/*
 * Reads what was appended since; cheap when nothing was. While the file is damaged, larger than
 * 256 MiB or can't be read, nobody has a consent: everyone gets his label. 0 or the error.
 */
int consents_refresh(struct consents *c);
bool consents_has(const struct consents *c, struct span app, struct span end_user);
