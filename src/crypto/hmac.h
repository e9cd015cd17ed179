/*
 * HMAC-SHA-256 (RFC 2104) under one key. A struct hmac belongs to one thread.
 */
#pragma once

#include "base/span.h"

#define HMAC_SIZE 32

struct hmac;

/* The key is copied. NULL when memory is out or the library offers no HMAC. */
struct hmac *hmac_new(struct span key);
/* Forgets the key as well. */
void hmac_free(struct hmac *h);
/* Begins a new code, forgetting an unfinished one. 0 or -EIO, as the two below. */
int hmac_begin(struct hmac *h);
int hmac_add(struct hmac *h, struct span bytes);
int hmac_end(struct hmac *h, unsigned char ret_mac[HMAC_SIZE]);
/* The code of one text, for rare use. 0 or -EIO. */
int hmac_once(struct span key, struct span bytes, unsigned char ret_mac[HMAC_SIZE]);
