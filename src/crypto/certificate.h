/* A TLS server's certificate and key, looked at before they are served. */
#pragma once

#include "base/span.h"

#include <stdint.h>

enum certificate_fault {
    CERTIFICATE_GOOD,
    CERTIFICATE_UNREADABLE, /* no certificate in PEM */
    CERTIFICATE_KEY,        /* no private key in PEM, or one with a passphrase */
    CERTIFICATE_MISMATCH,   /* the key is another certificate's */
};

/* *ret_expires: Unix seconds after which nobody accepts it. */
enum certificate_fault certificate_check(struct span certificate, struct span key,
                                         int64_t *ret_expires);
