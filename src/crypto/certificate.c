#include "crypto/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

/* Nobody is there to type one. */
static int no_passphrase(char *room, int size, int writing, void *ctx)
{
    return -1;
}

static enum certificate_fault check(X509 *x, EVP_PKEY *key, int64_t *ret_expires)
{
    struct tm t;
    if (!x || ASN1_TIME_to_tm(X509_get0_notAfter(x), &t) != 1)
        return CERTIFICATE_UNREADABLE;
    if (!key)
        return CERTIFICATE_KEY;
    if (X509_check_private_key(x, key) != 1)
        return CERTIFICATE_MISMATCH;
    *ret_expires = (int64_t)timegm(&t);
    return CERTIFICATE_GOOD;
}

enum certificate_fault certificate_check(struct span certificate, struct span key,
                                         int64_t *ret_expires)
{
    BIO *c = BIO_new_mem_buf(certificate.data, (int)certificate.len);
    BIO *k = BIO_new_mem_buf(key.data, (int)key.len);
    X509 *x = c ? PEM_read_bio_X509(c, NULL, no_passphrase, NULL) : NULL;
    EVP_PKEY *pkey = k ? PEM_read_bio_PrivateKey(k, NULL, no_passphrase, NULL) : NULL;
    enum certificate_fault fault = check(x, pkey, ret_expires);
    EVP_PKEY_free(pkey);
    X509_free(x);
    BIO_free(k);
    BIO_free(c);
    ERR_clear_error();
    return fault;
}
