/* The inside of JSON strings: scanning, decoding. Private to the room. */
#pragma once

#include "json/walk.h"

/*
 * Scans a string from behind its opening quote to its closing one. On success *ret_at is the
 * offset of the closing quote, on error that of the fault.
 */
enum json_error json_text_scan(struct span body, size_t from, bool surrogates, size_t *ret_at,
                               bool *ret_escaped);
/* Decodes what json_text_scan() has passed; `out` holds raw.len bytes. Returns the length. */
size_t json_text_decode(struct span raw, char *out);
