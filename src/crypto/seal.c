#include "crypto/seal.h"

#include "crypto/secret.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>

#define NONCE_SIZE 12
#define TAG_SIZE   16

int seal_close(const unsigned char key[SEAL_KEY_SIZE], struct span about, struct span text,
               struct buf *out)
{
    if (text.len > INT_MAX - SEAL_OVERHEAD || about.len > INT_MAX)
        return -EMSGSIZE;
    int r = buf_reserve(out, text.len + SEAL_OVERHEAD);
    if (r < 0)
        return r;
    unsigned char *at = (unsigned char *)out->data + out->len;
    r = secret_random(at, NONCE_SIZE);
    if (r < 0)
        return r;
    unsigned char *cipher = at + NONCE_SIZE;
    int n = 0, unused = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool good =
        ctx && EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key, at, NULL) == 1 &&
        (about.len == 0 || EVP_EncryptUpdate(ctx, NULL, &unused, (const unsigned char *)about.data,
                                             (int)about.len) == 1) &&
        (text.len == 0 || EVP_EncryptUpdate(ctx, cipher, &n, (const unsigned char *)text.data,
                                            (int)text.len) == 1) &&
        EVP_EncryptFinal_ex(ctx, cipher + n, &unused) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, cipher + text.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!good)
        return -EIO;
    out->len += text.len + SEAL_OVERHEAD;
    return 0;
}

int seal_open(const unsigned char key[SEAL_KEY_SIZE], struct span about, struct span sealed,
              struct buf *out)
{
    if (sealed.len < SEAL_OVERHEAD)
        return -EBADMSG;
    if (sealed.len > INT_MAX || about.len > INT_MAX)
        return -EMSGSIZE;
    size_t len = sealed.len - SEAL_OVERHEAD;
    int r = buf_reserve(out, len + 1);
    if (r < 0)
        return r;
    const unsigned char *nonce = (const unsigned char *)sealed.data;
    const unsigned char *cipher = nonce + NONCE_SIZE;
    unsigned char tag[TAG_SIZE];
    memcpy(tag, cipher + len, TAG_SIZE);
    unsigned char *at = (unsigned char *)out->data + out->len;
    int n = 0, unused = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ready =
        ctx && EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key, nonce, NULL) == 1 &&
        (about.len == 0 || EVP_DecryptUpdate(ctx, NULL, &unused, (const unsigned char *)about.data,
                                             (int)about.len) == 1) &&
        (len == 0 || EVP_DecryptUpdate(ctx, at, &n, cipher, (int)len) == 1) &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1;
    bool good = ready && EVP_DecryptFinal_ex(ctx, at + n, &unused) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!good) {
        secret_cleanse(at, len);
        return ready ? -EBADMSG : -EIO;
    }
    out->len += len;
    return 0;
}
