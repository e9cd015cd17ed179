/*
 * Ed25519 signatures (RFC 8032). Keys travel as their 32 raw bytes.
 */
#pragma once

#include "base/span.h"

#define SIGN_SECRET_SIZE    32
#define SIGN_PUBLIC_SIZE    32
#define SIGN_SIGNATURE_SIZE 64

/* 0 or -EIO when the library has no randomness to give. */
int sign_generate(unsigned char ret_secret[SIGN_SECRET_SIZE]);
/* The public half of a secret key. 0 or -EIO. */
int sign_public(const unsigned char secret[SIGN_SECRET_SIZE],
                unsigned char ret_public[SIGN_PUBLIC_SIZE]);
/* 0 or -EIO. */
int sign_make(const unsigned char secret[SIGN_SECRET_SIZE], struct span text,
              unsigned char ret_signature[SIGN_SIGNATURE_SIZE]);
/* Whether the signature is that key's over that text; false on any failure. */
bool sign_verify(const unsigned char public_key[SIGN_PUBLIC_SIZE], struct span text,
                 const unsigned char signature[SIGN_SIGNATURE_SIZE]);
