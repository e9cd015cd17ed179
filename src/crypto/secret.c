#include "crypto/secret.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>

int secret_random(void *ret_bytes, size_t size)
{
    if (size > INT_MAX)
        return -EIO;
    return RAND_bytes(ret_bytes, (int)size) == 1 ? 0 : -EIO;
}

bool secret_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.data, b.data, a.len) == 0);
}

void secret_cleanse(void *bytes, size_t size)
{
    OPENSSL_cleanse(bytes, size);
}
