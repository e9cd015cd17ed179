#include "crypto/sha256.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct sha256 {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    h->ctx = EVP_MD_CTX_new();
    if (!h->md || !h->ctx) {
        sha256_free(h);
        return NULL;
    }
    return h;
}

void sha256_free(struct sha256 *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
    free(h);
}

int sha256_begin(struct sha256 *h)
{
    return EVP_DigestInit_ex2(h->ctx, h->md, NULL) == 1 ? 0 : -EIO;
}

int sha256_add(struct sha256 *h, struct span bytes)
{
    return EVP_DigestUpdate(h->ctx, bytes.data, bytes.len) == 1 ? 0 : -EIO;
}

int sha256_end(struct sha256 *h, unsigned char ret_digest[SHA256_SIZE])
{
    return EVP_DigestFinal_ex(h->ctx, ret_digest, NULL) == 1 ? 0 : -EIO;
}

int sha256_once(struct span bytes, unsigned char ret_digest[SHA256_SIZE])
{
    return EVP_Q_digest(NULL, "SHA256", NULL, bytes.data, bytes.len, ret_digest, NULL) == 1 ? 0
                                                                                            : -EIO;
}
