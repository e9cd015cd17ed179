/* Who one is: log in and out, password, second factor. */
#include "console/areas.h"

#include "base/clock.h"
#include "base/day.h"

static int get_session(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    char day[DAY_TEXT_SIZE];
    day_format(clock_wall_s() + 1, day);
    int r = buf_printf(&a->body, "{\"user\":null,\"token\":\"\",\"setup\":true,\"now_us\":%llu",
                       (unsigned long long)clock_wall_us());
    api_member(&a->body, "version", SPAN_LIT(JUYONG_VERSION));
    api_member(&a->body, "node", api->config ? api->config->node : SPAN_LIT(""));
    api_member(&a->body, "day", span_str(day));
    return r < 0 ? r : buf_append_char(&a->body, '}');
}

const struct api_route api_session_routes[] = {
    {"GET", "/api/session", 0, get_session},
    {NULL},
};
