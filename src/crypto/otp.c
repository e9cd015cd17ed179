#include "crypto/otp.h"

#include "crypto/secret.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>

int otp_code(struct span secret, uint64_t counter, unsigned *ret_code)
{
    unsigned char text[8], mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    for (int i = 0; i < 8; i++)
        text[i] = (unsigned char)(counter >> (56 - 8 * i));
    if (!HMAC(EVP_sha1(), secret.len ? secret.data : "", (int)secret.len, text, sizeof(text), mac,
              &len) ||
        len != 20)
        return -EIO;
    unsigned at = mac[19] & 15;
    uint32_t value = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
                     (uint32_t)mac[at + 2] << 8 | mac[at + 3];
    *ret_code = value % 1000000;
    secret_cleanse(mac, sizeof(mac));
    return 0;
}

bool otp_check(struct span secret, struct span text, int64_t now, uint64_t last, uint64_t *ret_step)
{
    uint64_t middle = otp_step(now);
    bool found = false;
    /* All three, so that the time tells nothing. */
    for (uint64_t step = middle ? middle - 1 : 0; step <= middle + 1; step++) {
        char want[16];
        unsigned code;
        if (otp_code(secret, step, &code) < 0)
            return false;
        snprintf(want, sizeof(want), "%06u", code);
        if (secret_equal(span_from(want, OTP_DIGITS), text) && step > last && !found) {
            *ret_step = step;
            found = true;
        }
    }
    return found;
}
