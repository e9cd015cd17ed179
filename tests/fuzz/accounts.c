/* The file of accounts, from any bytes: whoever is read has a role, a name and a price, and is
 * written as he was read. */
#include "console/accounts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct account list[ACCOUNTS_MAX], again[ACCOUNTS_MAX];
    struct buf messages = BUF_INIT(4096), text = BUF_INIT(1u << 20);
    size_t count, same;
    int r = accounts_parse(span_from((const char *)data, size), &messages, list, &count);
    if (r < 0 && count)
        abort();
    for (size_t i = 0; i < count; i++)
        if (!account_name_is_good(span_str(list[i].name)) || staff_may(list[i].role) == 0 ||
            !scrypt_cost_is_sound(&list[i].cost))
            abort();
    if (r == 0 && (accounts_print(list, count, &text) < 0 ||
                   accounts_parse(buf_span(&text), &messages, again, &same) < 0 || same != count))
        abort();
    for (size_t i = 0; r == 0 && i < count; i++)
        if (memcmp(list[i].hash, again[i].hash, SCRYPT_SIZE) != 0 ||
            list[i].epoch != again[i].epoch || list[i].role != again[i].role ||
            list[i].has_totp != again[i].has_totp || list[i].disabled != again[i].disabled)
            abort();
    buf_deinit(&messages);
    buf_deinit(&text);
    return 0;
}
