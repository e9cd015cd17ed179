/*
 * AES-256-GCM (NIST SP 800-38D): text that only the key's holder can read and nobody can change.
 * Sealed form: 12 bytes nonce, ciphertext, 16 bytes tag. The nonce is random, so that one key must
 * not seal more than 2^32 texts.
 */
#pragma once

#include "base/buf.h"

#define SEAL_KEY_SIZE 32
#define SEAL_OVERHEAD 28

/* Appends the sealed text; `about` is bound to it, unencrypted and not stored. 0, -EIO, -ENOMEM,
 * -EMSGSIZE; out is unchanged on failure. */
int seal_close(const unsigned char key[SEAL_KEY_SIZE], struct span about, struct span text,
               struct buf *out);
/* Appends the text; -EBADMSG when key, `about` or a single bit differ: out is unchanged then. */
int seal_open(const unsigned char key[SEAL_KEY_SIZE], struct span about, struct span sealed,
              struct buf *out);
