/* Any bytes as a configuration: refused with messages, or a snapshot that can be freed. */
#include "config/config.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf messages = BUF_INIT(1u << 20);
    struct config *c = NULL;
    int r = config_read(span_from((const char *)data, size), SPAN_LIT("fuzz"), &messages, &c);
    if (r == 0) {
        if (c->app_count < 1 || c->upstream_count < 1 || c->listen_port == 0)
            abort();
        config_weakenings(c, &messages);
        config_unref(c);
    } else if (messages.len == 0) {
        abort(); /* refused without a reason */
    }
    buf_deinit(&messages);
    return 0;
}
