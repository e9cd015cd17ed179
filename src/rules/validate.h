/*
 * Checks beyond a regex: is a run of digits really a number of that kind? They read the pattern
 * view: ASCII digits, separators within digit runs gone.
 */
#pragma once

#include "match/matchset.h"

/* The validator of that name (idcard, phone, bankcard, email), or NULL. */
match_validator validate_find(struct span name);

/*
 * Mainland ID card, GB 11643-1999: 17 digits and a check character (ISO 7064 MOD 11-2); the first
 * two digits are a province (GB/T 2260; 81–83 residence permits), then a date of birth.
 */
bool validate_idcard(struct span text);
/* Mainland mobile number: the last 11 digits, by the prefixes that have been assigned. */
bool validate_phone(struct span text);
/*
 * Payment card, ISO/IEC 7812-1: 13 to 19 digits, Luhn's check digit, a leading number of a card
 * scheme with the length that goes with it.
 */
bool validate_bankcard(struct span text);
/* local@domain.tld as RFC 5321 and 1035 have it, without quoted forms. */
bool validate_email(struct span text);
