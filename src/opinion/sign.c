#include "opinion/sign.h"

#include "base/clock.h"
#include "base/codec.h"
#include "crypto/hmac.h"

#include <errno.h>
#include <stdio.h>

int sign_body(struct span secret, struct span body, struct sign *ret_sign)
{
    unsigned char mac[HMAC_SIZE];
    struct hmac *h = hmac_new(secret);
    if (!h)
        return -ENOMEM;
    snprintf(ret_sign->timestamp, sizeof(ret_sign->timestamp), "%lld", (long long)clock_wall_s());
    int r = hmac_begin(h);
    if (r == 0)
        r = hmac_add(h, span_str(ret_sign->timestamp));
    if (r == 0)
        r = hmac_add(h, SPAN_LIT("."));
    if (r == 0)
        r = hmac_add(h, body);
    if (r == 0)
        r = hmac_end(h, mac);
    hmac_free(h);
    if (r < 0)
        return r;
    memcpy(ret_sign->text, "v1=", 3);
    codec_hex(span_from((const char *)mac, sizeof(mac)), ret_sign->text + 3);
    return 0;
}
