/* What an authenticator app is given: a secret as people type it, and as the URI of a QR code. */
#pragma once

#include "base/buf.h"
#include "crypto/otp.h"

#define TOTP_TEXT_SIZE 33 /* 32 letters of base32 (RFC 4648) and NUL */

void totp_text(const unsigned char secret[OTP_SECRET_SIZE], char ret_text[TOTP_TEXT_SIZE]);
/* otpauth://totp/juyong:NAME?secret=…&issuer=juyong%20(NODE). 0, -ENOMEM, -EMSGSIZE. */
int totp_uri(struct buf *out, struct span name, struct span node,
             const unsigned char secret[OTP_SECRET_SIZE]);
