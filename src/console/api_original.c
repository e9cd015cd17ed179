/* The original texts of an exchange: who looks at them, and why, is on record first. */
#include "console/areas.h"

#include "audit/query.h"
#include "audit/reveal.h"
#include "audit/rowjson.h"
#include "base/arena.h"

#include <errno.h>

#define REASON_MAX 2000
#define ID_MAX     256

static int is_there(const struct api *api, struct span request_id)
{
    struct query_filter f = {
        .request_id = request_id, .all = true, .any_purpose = true, .limit = 1};
    struct query *log = NULL;
    const struct query_row *row;
    int r = query_open(api->log_dir, &f, &log);
    if (r == 0)
        r = query_next(log, &row);
    query_close(log);
    return r == -ENOENT ? 0 : r;
}

static void put_hit(const struct original_hit *h, struct buf *out)
{
    struct span layers = h->layers, layer;
    bool first = true;
    rowjson_put(out, "{\"start\":%zu,\"end\":%zu,\"rule\":", h->start, h->end);
    rowjson_string(out, h->rule);
    rowjson_put(out, ",\"risk\":");
    rowjson_string(out, h->risk);
    rowjson_put(out, ",\"action\":");
    rowjson_string(out, h->action);
    rowjson_put(out, ",\"layers\":[");
    while (span_split(&layers, ',', &layer)) {
        rowjson_put(out, first ? "" : ",");
        rowjson_string(out, layer);
        first = false;
    }
    rowjson_put(out, "]}");
}

static void put_text(const struct original *t, struct buf *out)
{
    rowjson_put(out, "{\"direction\":");
    rowjson_string(out, t->direction);
    rowjson_put(out, ",\"role\":");
    rowjson_string(out, t->role);
    rowjson_put(out, ",\"path\":");
    rowjson_string(out, t->path);
    rowjson_put(out, ",\"text\":");
    rowjson_string(out, t->text);
    rowjson_put(out, ",\"cut_before\":%s,\"cut_after\":%s,\"hits\":[",
                t->cut_before ? "true" : "false", t->cut_after ? "true" : "false");
    for (size_t i = 0; i < t->hit_count; i++) {
        rowjson_put(out, i ? "," : "");
        put_hit(&t->hits[i], out);
    }
    rowjson_put(out, "]}");
}

static int read_texts(const struct api *api, struct span request_id, struct api_answer *a)
{
    struct arena arena;
    struct originals got = {0};
    arena_init(&arena, ORIGINALS_ARENA);
    int r = originals_read(api->log_dir, request_id, &arena, &got);
    if (r == -ENOENT)
        r = api_error(a, 404, "not_found", "There is no such exchange in the log.");
    else if (r == -ENOKEY)
        r = api_error(a, 409, "no_key", "The key of these texts is not in keys/text.key.");
    else if (r == -EBADMSG)
        r = api_error(a, 409, "altered",
                      "The texts are not those that were recorded. Verify the log.");
    else if (r == 0) {
        rowjson_put(&a->body, "{\"texts\":[");
        for (size_t i = 0; i < got.count; i++) {
            rowjson_put(&a->body, i ? "," : "");
            put_text(&got.list[i], &a->body);
        }
        rowjson_put(&a->body, "],\"absent\":%zu}", got.absent);
        if (a->body.max == 0) {
            a->body.max = API_BODY_MAX;
            r = api_error(a, 422, "too_large",
                          "The texts are too large for the page; `juyong log show --original` "
                          "shows them.");
        }
    }
    arena_deinit(&arena);
    return r;
}

static int post_reveal(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct span reason, id = q->parts[0];
    if (!api_body_text(q, "reason", 1, REASON_MAX, &reason, a))
        return 0;
    if (span_trim(reason).len == 0)
        return api_error(a, 400, "bad_parameter", "Why? The reason goes on record.");
    int r = id.len <= ID_MAX ? is_there(api, id) : 0;
    if (r < 0)
        return r;
    if (r == 0)
        return api_error(a, 404, "not_found", "There is no such exchange in the log.");
    struct buf more = BUF_INIT(8192);
    api_member(&more, "request", id);
    api_member(&more, "why", reason);
    r = api_record(api, q, SPAN_LIT("reveal"), buf_span(&more));
    buf_deinit(&more);
    if (r < 0)
        return api_error(a, 503, "not_recorded",
                         "It can't be recorded, so the texts are not shown.");
    return read_texts(api, id, a);
}

const struct api_route api_original_routes[] = {
    {"POST", "/api/log/{id}/reveal", MAY_REVEAL, post_reveal},
    {NULL},
};
