/* Complaints and incidents. */
#include "console/areas.h"
#include "console/casework.h"

#include <errno.h>

#define ARENA_MAX (1u << 20)

/* The number of a path's {id}; false: api_error() has filled the answer. */
static bool read_number(const struct api_request *q, int64_t *ret, struct api_answer *a)
{
    unsigned long long n;
    bool good = span_to_u64(q->parts[0], &n) && n > 0 && n <= INT64_MAX;
    if (!good)
        api_error(a, 404, "not_found", "There is none of that number.");
    *ret = good ? (int64_t)n : 0;
    return good;
}

/* {"rows":[…],"older":…} of one of the lists. */
static int put_page(const struct api *api, const struct api_request *q, struct api_answer *a,
                    int (*list)(struct casebook *c, const struct casebook_page *p, struct buf *out))
{
    struct casebook_page page = {.state = api_query(q, "state")};
    uint64_t before = 0, limit = 50;
    if (!casework_there(api, a) || !api_query_u64(q, "before", 0, INT64_MAX, &before, a) ||
        !api_query_u64(q, "limit", 1, 500, &limit, a))
        return 0;
    page.before = (int64_t)before;
    page.limit = (size_t)limit;
    buf_append(&a->body, SPAN_LIT("{\"rows\":"));
    size_t from = a->body.len;
    int r = list(api->casebook, &page, &a->body);
    if (r < 0)
        return casework_failed(r, a);
    /* The last one's number is where the next page goes on. */
    struct json_value *rows = value_parse(span_slice(buf_span(&a->body), from, a->body.len), NULL);
    size_t n = value_count(rows);
    int64_t last = 0;
    if (n == limit)
        value_get_integer(value_get(value_at(rows, n - 1), SPAN_LIT("id")), &last);
    value_free(rows);
    return last ? buf_printf(&a->body, ",\"older\":\"%lld\"}", (long long)last)
                : buf_append(&a->body, SPAN_LIT(",\"older\":null}"));
}

static int get_tickets(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    return put_page(api, q, a, casebook_tickets);
}

static int get_incidents(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    return put_page(api, q, a, casebook_incidents);
}

static int put_one(const struct api *api, const struct api_request *q, struct api_answer *a,
                   int (*one)(struct casebook *c, int64_t number, struct buf *out))
{
    int64_t number;
    if (!casework_there(api, a) || !read_number(q, &number, a))
        return 0;
    int r = one(api->casebook, number, &a->body);
    return r < 0 ? casework_failed(r, a) : r;
}

static int get_ticket(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    return put_one(api, q, a, casebook_ticket);
}

static int get_incident(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    return put_one(api, q, a, casebook_incident);
}

static int get_report(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    a->type = SPAN_LIT("text/plain; charset=utf-8");
    return put_one(api, q, a, casebook_report);
}

static int post_ticket(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct casebook_act act = {.verb = CASEBOOK_TICKET};
    struct casebook_answer done;
    if (!casework_there(api, a) || !read_number(q, &act.number, a) ||
        !api_body_text(q, "state", 0, 32, &act.state, a) ||
        !api_body_text(q, "note", 0, CASEBOOK_TEXT_MAX, &act.note, a) ||
        !api_body_text(q, "to", 0, CASEBOOK_NAME_MAX, &act.to, a))
        return 0;
    int r = casework_do(api, q, &act, &done, a);
    return r < 0 ? r : r ? 0 : casebook_ticket(api->casebook, act.number, &a->body);
}

static bool read_incident(const struct api_request *q, struct casebook_act *act,
                          struct api_answer *a)
{
    int64_t at = 0;
    value_get_integer(value_get(q->body, SPAN_LIT("at_us")), &at);
    act->at_us = at > 0 ? (uint64_t)at : 0;
    return api_body_text(q, "title", 0, CASEBOOK_NAME_MAX, &act->title, a) &&
           api_body_text(q, "what", 0, CASEBOOK_TEXT_MAX, &act->what, a) &&
           api_body_text(q, "impact", 0, CASEBOOK_TEXT_MAX, &act->impact, a) &&
           api_body_text(q, "measures", 0, CASEBOOK_TEXT_MAX, &act->measures, a) &&
           api_body_text(q, "remedy", 0, CASEBOOK_TEXT_MAX, &act->remedy, a) &&
           api_body_text(q, "responsible", 0, CASEBOOK_TEXT_MAX, &act->responsible, a) &&
           api_body_text(q, "note", 0, CASEBOOK_TEXT_MAX, &act->note, a) &&
           api_body_text(q, "state", 0, 32, &act->state, a);
}

static int do_incident(const struct api *api, const struct api_request *q, struct casebook_act *act,
                       struct api_answer *a)
{
    struct casebook_answer done;
    struct arena arena;
    int r = 1;
    arena_init(&arena, ARENA_MAX);
    if (read_incident(q, act, a) && casework_requests(q, &arena, act, a))
        r = casework_do(api, q, act, &done, a);
    arena_deinit(&arena);
    return r < 0 ? r : r ? 0 : casebook_incident(api->casebook, done.number, &a->body);
}

static int post_incidents(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct casebook_act act = {.verb = CASEBOOK_OPENING};
    return casework_there(api, a) ? do_incident(api, q, &act, a) : 0;
}

static int post_incident(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct casebook_act act = {.verb = CASEBOOK_INCIDENT};
    return casework_there(api, a) && read_number(q, &act.number, a) ? do_incident(api, q, &act, a)
                                                                    : 0;
}

const struct api_route api_ticket_routes[] = {
    /* A complaint's text and contact are read by those who see to it, and by the inspector. */
    {"GET", "/api/tickets", MAY_READ, get_tickets},
    {"GET", "/api/tickets/{id}", MAY_READ, get_ticket},
    {"POST", "/api/tickets/{id}", MAY_REVIEW, post_ticket},
    {"GET", "/api/incidents", MAY_SEE, get_incidents},
    {"POST", "/api/incidents", MAY_REVIEW, post_incidents},
    {"GET", "/api/incidents/{id}", MAY_SEE, get_incident},
    {"POST", "/api/incidents/{id}", MAY_REVIEW, post_incident},
    {"GET", "/api/incidents/{id}/report", MAY_SEE, get_report},
    {NULL},
};
