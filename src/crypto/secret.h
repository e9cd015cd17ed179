/*
 * What secrets need: randomness, a comparison whose time tells nothing, and forgetting.
 */
#pragma once

#include "base/span.h"

/* Fills size bytes from the library's generator. 0 or -EIO. */
int secret_random(void *ret_bytes, size_t size);
/* Equal? The time depends on the lengths only. */
bool secret_equal(struct span a, struct span b);
/* Overwrites the bytes in a way that no optimiser removes. */
void secret_cleanse(void *bytes, size_t size);
