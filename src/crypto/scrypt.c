#include "crypto/scrypt.h"

#include <errno.h>
#include <openssl/evp.h>

bool scrypt_cost_is_sound(const struct scrypt_cost *c)
{
    if (c->log_n < 14 || c->log_n > 18 || c->r < 8 || c->r > 32 || c->p < 1 || c->p > 4)
        return false;
    return (uint64_t)128 * c->r << c->log_n <= (uint64_t)256 << 20;
}

int scrypt_derive(struct span password, struct span salt, const struct scrypt_cost *c,
                  unsigned char ret_key[SCRYPT_SIZE])
{
    if (!scrypt_cost_is_sound(c))
        return -EINVAL;
    return EVP_PBE_scrypt(password.len ? password.data : "", password.len,
                          (const unsigned char *)salt.data, salt.len, (uint64_t)1 << c->log_n, c->r,
                          c->p, (uint64_t)512 << 20, ret_key, SCRYPT_SIZE) == 1
               ? 0
               : -EIO;
}
