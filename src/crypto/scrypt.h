/*
 * scrypt (RFC 7914): a password becomes 32 bytes, at a price in time and memory that who guesses
 * pays for each guess.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

#define SCRYPT_SIZE 32

struct scrypt_cost {
    unsigned log_n, r, p; /* N = 2^log_n; some 128·N·r bytes of memory */
};
/* What new passwords are kept with: 32 MiB and about a tenth of a second. */
#define SCRYPT_COST ((struct scrypt_cost){15, 8, 1})

/* Is that a cost that this program would ever ask for? 16 MiB to 256 MiB. */
bool scrypt_cost_is_sound(const struct scrypt_cost *c);
/* 0; -EINVAL for an unsound cost, -EIO when the library refuses or memory is out. */
int scrypt_derive(struct span password, struct span salt, const struct scrypt_cost *c,
                  unsigned char ret_key[SCRYPT_SIZE]);
