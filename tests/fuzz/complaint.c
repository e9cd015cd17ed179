/* The body of a complaint, from any bytes of either type: no crash, and what comes out is text that
 * is no longer than what went in. */
#include "gate/complaint.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct span s, const char *room, size_t size)
{
    if (utf8_check(s) != s.len || s.len > size)
        abort();
    if (s.len && (memchr(s.data, 0, s.len) || s.data < room || s.data + s.len > room + size))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span types[] = {SPAN_LIT("application/json"),
                                        SPAN_LIT("application/x-www-form-urlencoded")};
    if (size > COMPLAINT_BODY_MAX)
        return 0;
    for (size_t i = 0; i < 2; i++) {
        struct complaint c = {0};
        char *room = malloc(size + 1);
        if (room && complaint_read(types[i], span_from((const char *)data, size), room, &c) == 0) {
            check(c.text, room, size);
            check(c.contact, room, size);
            check(c.request_id, room, size);
            if (span_trim(c.text).len == 0 || c.kind.len == 0)
                abort();
        }
        free(room);
    }
    return 0;
}
