#include "crypto/sign.h"

#include "crypto/secret.h"

#include <errno.h>
#include <openssl/evp.h>

int sign_generate(unsigned char ret_secret[SIGN_SECRET_SIZE])
{
    /* RFC 8032 section 5.1.5: the secret key is 32 random bytes. */
    return secret_random(ret_secret, SIGN_SECRET_SIZE);
}

int sign_public(const unsigned char secret[SIGN_SECRET_SIZE],
                unsigned char ret_public[SIGN_PUBLIC_SIZE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, SIGN_SECRET_SIZE);
    size_t len = SIGN_PUBLIC_SIZE;
    int r = key && EVP_PKEY_get_raw_public_key(key, ret_public, &len) == 1 ? 0 : -EIO;
    EVP_PKEY_free(key);
    return r;
}

int sign_make(const unsigned char secret[SIGN_SECRET_SIZE], struct span text,
              unsigned char ret_signature[SIGN_SIGNATURE_SIZE])
{
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, SIGN_SECRET_SIZE);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = SIGN_SIGNATURE_SIZE;
    int r = -EIO;
    if (key && ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
        EVP_DigestSign(ctx, ret_signature, &len, (const unsigned char *)text.data, text.len) == 1 &&
        len == SIGN_SIGNATURE_SIZE)
        r = 0;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return r;
}

bool sign_verify(const unsigned char public_key[SIGN_PUBLIC_SIZE], struct span text,
                 const unsigned char signature[SIGN_SIGNATURE_SIZE])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, SIGN_PUBLIC_SIZE);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
                EVP_DigestVerify(ctx, signature, SIGN_SIGNATURE_SIZE,
                                 (const unsigned char *)text.data, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good;
}
