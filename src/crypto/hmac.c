#include "crypto/hmac.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

struct hmac {
    EVP_MAC *mac;
    EVP_MAC_CTX *ctx;
};

struct hmac *hmac_new(struct span key)
{
    struct hmac *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    h->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    h->ctx = h->mac ? EVP_MAC_CTX_new(h->mac) : NULL;
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    /* A NULL key means "the key of before" to the library; the empty key has an address. */
    const unsigned char *bytes = (const unsigned char *)(key.len ? key.data : "");
    if (!h->ctx || EVP_MAC_init(h->ctx, bytes, key.len, params) != 1) {
        hmac_free(h);
        return NULL;
    }
    return h;
}

void hmac_free(struct hmac *h)
{
    if (!h)
        return;
    EVP_MAC_CTX_free(h->ctx);
    EVP_MAC_free(h->mac);
    free(h);
}

int hmac_begin(struct hmac *h)
{
    return EVP_MAC_init(h->ctx, NULL, 0, NULL) == 1 ? 0 : -EIO;
}

int hmac_add(struct hmac *h, struct span bytes)
{
    return EVP_MAC_update(h->ctx, (const unsigned char *)bytes.data, bytes.len) == 1 ? 0 : -EIO;
}

int hmac_end(struct hmac *h, unsigned char ret_mac[HMAC_SIZE])
{
    size_t len = 0;
    return EVP_MAC_final(h->ctx, ret_mac, &len, HMAC_SIZE) == 1 && len == HMAC_SIZE ? 0 : -EIO;
}

int hmac_once(struct span key, struct span bytes, unsigned char ret_mac[HMAC_SIZE])
{
    struct hmac *h = hmac_new(key);
    int r = h ? hmac_begin(h) : -EIO;
    if (r == 0)
        r = hmac_add(h, bytes);
    if (r == 0)
        r = hmac_end(h, ret_mac);
    hmac_free(h);
    return r;
}
