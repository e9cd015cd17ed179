#include "opinion/notice.h"

#include "opinion/sign.h"

int notice_send(struct courier *c, const struct config_retraction *to, struct span json,
                struct span about, courier_done_fn done, void *ctx)
{
    struct sign signature;
    struct http_header headers[4] = {
        {SPAN_LIT("Content-Type"), SPAN_LIT("application/json")},
        {SPAN_LIT("User-Agent"), SPAN_LIT("juyong/" JUYONG_VERSION)},
    };
    size_t count = 2;
    if (to->secret.len) {
        int r = sign_body(to->secret, json, &signature);
        if (r < 0)
            return r;
        headers[count++] =
            (struct http_header){SPAN_LIT("X-Juyong-Timestamp"), span_str(signature.timestamp)};
        headers[count++] =
            (struct http_header){SPAN_LIT("X-Juyong-Signature"), span_str(signature.text)};
    }
    struct courier_message m = {
        .url = to->url,
        .headers = headers,
        .header_count = count,
        .body = json,
        .about = about,
        .tries = to->tries,
        .timeout_ms = to->timeout_ms,
        .done = done,
        .ctx = ctx,
    };
    return courier_send(c, &m);
}
