/*
 * Reads the original texts of L2 (originals.h says how they are written; no code is shared but the
 * keys' reading). Who calls originals_read() has put on record that he does.
 */
#pragma once

#include "audit/textkey.h"
#include "base/arena.h"
#include "base/buf.h"
#include "crypto/sha256.h"

/* --- one sealed row, for `log verify` as well --- */

struct reveal_text {
    struct span direction, role, path, text; /* borrowed from the row's plain text */
    uint64_t from; /* offset of `text` in what the hits' start and end count in, bytes */
    uint64_t hits; /* bit n: the record's hit n is in it */
    bool cut_before, cut_after;
    unsigned char commit[SHA256_SIZE];
};

/* Appends the row's plain text. 0, -ENOKEY, -EBADMSG (not sealed by that key), -ENOMEM. O(text). */
int reveal_open(const struct textkeys *keys, struct span key_id, struct span wrapped,
                struct span sealed, struct buf *plain);
/* Takes the next text off it, with the commitment that it has. 1; 0 at the end; -EBADMSG; -EIO. */
int reveal_next(struct span *plain, struct sha256 *digest, struct reveal_text *ret_text);

/* --- an exchange --- */

struct original_hit {
    size_t start, end; /* in the text, bytes */
    struct span rule, risk, action, layers;
};
struct original {
    uint64_t seq; /* of the first record that keeps a part of it */
    struct span direction, role, path, text;
    bool cut_before, cut_after; /* more was judged than is kept */
    struct original_hit *hits;
    size_t hit_count;
};
struct originals {
    struct original *list;
    size_t count;
    size_t absent; /* texts that records commit to, and that have expired or were deleted */
};

#define ORIGINALS_ARENA ((size_t)64 << 20) /* ceiling that suits any exchange */

/*
 * The original texts of one exchange, each checked against its commitment, pieces of one text
 * joined. Everything returned is in the arena. Works while the gateway runs. 0; -ENOENT: no such
 * exchange; -ENOKEY: the key that it takes is not in the key file; -EBADMSG: a text is not the one
 * that was recorded; -ENOMEM, -errno. O(text + log files).
 */
int originals_read(struct span dir, struct span request_id, struct arena *arena,
                   struct originals *ret_originals);
