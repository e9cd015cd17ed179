/*
 * One-time codes of authenticator apps: HOTP (RFC 4226) over HMAC-SHA-1 with six digits, and TOTP
 * (RFC 6238) with steps of 30 s, which is what all of them speak.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

#define OTP_SECRET_SIZE 20
#define OTP_DIGITS      6
#define OTP_STEP_S      30

/* The code of that counter, 0 to 999999. 0 or -EIO. */
int otp_code(struct span secret, uint64_t counter, unsigned *ret_code);
/* The counter of a time (Unix seconds). */
static inline uint64_t otp_step(int64_t now)
{
    return now < 0 ? 0 : (uint64_t)now / OTP_STEP_S;
}
/*
 * Is that text the code of now, or of the step before or after? Only of a step behind `last`, so
 * that a code works once. The step that it is of in *ret_step.
 */
bool otp_check(struct span secret, struct span text, int64_t now, uint64_t last,
               uint64_t *ret_step);
