/*
 * Words that protocols and schemas are made of: as keys (or as values, where a protocol expects
 * one) they carry nobody's text, so they are not judged. Private to the room.
 */
#pragma once

#include "base/span.h"

/* A key of the protocols, of JSON schemas or of usage counts. O(log n). */
bool word_known(struct span key);
/*
 * A category of the providers' own moderation results. Words of their own, because elsewhere they
 * are ordinary ones.
 */
bool word_category(struct span key);
/* A role, type, finish reason or tier. */
bool word_constant(struct span value);
