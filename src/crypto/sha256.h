/*
 * SHA-256 (FIPS 180-4). A struct sha256 fetches the algorithm once and is used again and again by
 * one thread: some 300 ns for a small text instead of a microsecond and more.
 */
#pragma once

#include "base/span.h"

#define SHA256_SIZE 32

struct sha256;

/* NULL when memory is out or the library offers no SHA-256. */
struct sha256 *sha256_new(void);
void sha256_free(struct sha256 *h);
/* Begins a new digest, forgetting an unfinished one. 0 or -EIO, as the two below. */
int sha256_begin(struct sha256 *h);
int sha256_add(struct sha256 *h, struct span bytes);
int sha256_end(struct sha256 *h, unsigned char ret_digest[SHA256_SIZE]);
/* The digest of one text, for rare use. 0 or -EIO. */
int sha256_once(struct span bytes, unsigned char ret_digest[SHA256_SIZE]);
