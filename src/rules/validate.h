/*
 * Checks beyond a regex: is a run of digits really a number of that kind? They read the pattern
 * view: ASCII digits, separators within digit runs gone.
 */
#pragma once

#include "match/matchset.h"

/* All of them: VALIDATOR(name, what stands before it in a list of them). */
#define VALIDATORS(VALIDATOR)                                                                      \
    VALIDATOR(idcard, "")                                                                          \
    VALIDATOR(phone, ", ")                                                                         \
    VALIDATOR(bankcard, ", ")                                                                      \
    VALIDATOR(luhn, ", ")                                                                          \
    VALIDATOR(iban, ", ")                                                                          \
    VALIDATOR(uscc, ", ")                                                                          \
    VALIDATOR(email, ", ")                                                                         \
    VALIDATOR(ipv4, ", ")                                                                          \
    VALIDATOR(ipv6, ", ")                                                                          \
    VALIDATOR(token, " or ")

#define VALIDATOR_NAME(name, before) before #name
#define VALIDATOR_NAMES              VALIDATORS(VALIDATOR_NAME)

/* The validator of that name, or NULL. */
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
/* Any number of 12 to 19 digits with Luhn's check digit. */
bool validate_luhn(struct span text);
/*
 * International bank account number, ISO 13616: the country's length (the registry's of 2024) and
 * check digits (ISO 7064 MOD 97-10). Blanks are skipped, as the printed form has them.
 */
bool validate_iban(struct span text);
/*
 * Unified social credit code of an organisation, GB 32100-2015: 18 digits and letters with a check
 * character (ISO 7064 MOD 31 over powers of 3).
 */
bool validate_uscc(struct span text);
/* local@domain.tld as RFC 5321 and 1035 have it, without quoted forms. */
bool validate_email(struct span text);
/*
 * Four numbers of 0 to 255 without leading zeros; a full stop may follow. Private, loopback and
 * documentation addresses are addresses too.
 */
bool validate_ipv4(struct span text);
/*
 * The text forms of RFC 4291, section 2.2: eight groups of up to four hexadecimal digits, "::" for
 * zeros once, an IPv4 address for the last two groups. No zone. At least one decimal digit, so that
 * names such as bad::cafe in code don't count.
 */
bool validate_ipv6(struct span text);
/*
 * A key or token that looks random: letters and digits, at least eight different characters, no
 * long run of one, none of the words and rows that stand-ins are written with (your, example, xxxx,
 * 12345678, ...). Told by its look, not by asking whoever issued it.
 */
bool validate_token(struct span text);
