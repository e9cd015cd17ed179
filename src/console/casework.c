#include "console/casework.h"

#include <errno.h>

bool casework_there(const struct api *api, struct api_answer *a)
{
    if (!api->casebook)
        api_error(a, 503, "no_casebook",
                  "The casebook can't be opened; the gateway's messages say why.");
    return api->casebook != NULL;
}

bool casework_requests(const struct api_request *q, struct arena *arena, struct casebook_act *act,
                       struct api_answer *a)
{
    const struct json_value *list = value_get(q->body, SPAN_LIT("requests"));
    size_t n = value_count(list);
    struct span *ids = NULL;
    bool good = !list || (value_is_array(list) && n <= CASEBOOK_REQUESTS_MAX);
    if (good && n)
        good = (ids = arena_alloc(arena, n * sizeof(*ids))) != NULL;
    for (size_t i = 0; good && i < n; i++)
        good = value_get_string(value_at(list, i), &ids[i]);
    if (!good)
        api_error(a, 400, "bad_requests", "'requests' is a list of at most %d request ids",
                  CASEBOOK_REQUESTS_MAX);
    act->requests = ids;
    act->request_count = good ? n : 0;
    return good;
}

int casework_do(const struct api *api, const struct api_request *q, struct casebook_act *act,
                struct casebook_answer *ret_answer, struct api_answer *a)
{
    act->author = q->user;
    act->client_ip = q->client_ip;
    int r = casebook_do(api->casebook, act, ret_answer);
    const char *why = ret_answer->error;
    int sent = r == 0         ? 0
               : r == -EINVAL ? api_error(a, 400, "bad_request", "%s", why)
               : r == -ENOENT ? api_error(a, 404, "not_found", "%s", why)
               : r == -EEXIST ? api_error(a, 409, "too_late", "%s", why)
               : r == -ENOMEM ? r
                              : api_error(a, 503, "not_recorded", "%s", why);
    return sent < 0 ? sent : r < 0;
}

int casework_failed(int r, struct api_answer *a)
{
    if (r == -ENOENT)
        return api_error(a, 404, "not_found", "There is none of that number.");
    if (r == -EINVAL)
        return api_error(a, 400, "bad_day", "A day is YYYY-MM-DD.");
    return r;
}
