/*
 * The writer's side of L2: the judged texts of an interception as they were said, sealed under a
 * key of their own, which the key file's key wraps. Reading them is reveal.h.
 *
 *   entry   = sized(direction) ‖ sized(role) ‖ sized(path) ‖ le64(from) ‖ le64(hits) ‖ cut[1]
 *             ‖ sized(text)                                  sized(x) = le32(len) ‖ x
 *   commit  = SHA-256("juyong.original.v1\0" ‖ salt[16] ‖ entry)
 *   sealed  = AES-256-GCM(key, "juyong.original.v1\0", (salt ‖ le32(len) ‖ entry) …)
 *   wrapped = AES-256-GCM(newest key of the file, "juyong.original.key.v1\0", key)
 */
#pragma once

#include "audit/audit.h"
#include "audit/textkey.h"

#define ORIGINALS_COMMIT_SIZE 32
#define ORIGINALS_WRAPPED     60

/*
 * Seals up to AUDIT_ORIGINALS_MAX texts into `sealed` (appended), with their commitments. Any
 * thread; the keys are only read. 0, -ENOMEM, -EIO, -EMSGSIZE. O(text).
 */
int originals_seal(const struct textkeys *keys, const struct audit_original *originals,
                   size_t count, unsigned char ret_commits[][ORIGINALS_COMMIT_SIZE],
                   struct buf *wrapped, struct buf *sealed);
