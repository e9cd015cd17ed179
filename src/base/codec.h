/* Hexadecimal and Base64 for ids, hashes and keys. */
#pragma once

#include "base/buf.h"

/* Lower-case hex, NUL-terminated: ret_text holds 2 * bytes.len + 1 characters. */
void codec_hex(struct span bytes, char *ret_text);
/* Reads exactly 2 * size hex digits of either case; false on anything else. */
bool codec_unhex(struct span text, unsigned char *ret_bytes, size_t size);
/* Standard Base64 (RFC 4648 section 4) with padding. 0, -EMSGSIZE, -ENOMEM. */
int codec_base64(struct buf *out, struct span bytes);
/* Base64 of either alphabet, padding optional. 0, -EINVAL, -EMSGSIZE, -ENOMEM. */
int codec_unbase64(struct buf *out, struct span text);
