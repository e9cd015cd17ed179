/*
 * The pack: whether its papers agree, the archive itself, and what has changed since the one that
 * was handed in. What is said is what `juyong filing pack` says.
 */
#include "console/areas.h"
#include "console/paperwork.h"
#include "console/rulework.h"

#include "audit/rowjson.h"
#include "base/day.h"
#include "filing/pack.h"
#include "filing/packchanges.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MESSAGES_MAX ((size_t)1 << 20)

static int whole(const struct api_answer *a)
{
    return a->body.max ? 0 : -ENOMEM;
}

/* Answers what could not be gathered, packed or read. */
static int refuse(int r, const struct buf *messages, struct api_answer *a)
{
    return r == -ENOMEM || messages->len == 0
               ? r
               : rulework_refuse(a, 422, "not_made", buf_span(messages));
}

/* ---- do the papers agree? ---- */

static int put_lint(const struct lint *l, struct buf *out)
{
    rowjson_put(out,
                "{\"errors\":%u,\"warnings\":%u,\"notes\":%u,\"findings\":", l->totals[LINT_ERROR],
                l->totals[LINT_WARNING], l->totals[LINT_NOTE]);
    int r = lint_json(l, out);
    rowjson_put(out, "}");
    return r;
}

static int get_lint(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct buf messages = BUF_INIT(MESSAGES_MAX);
    struct dossier d;
    struct pack *p = NULL;
    if (!rulework_there(api, a))
        return 0;
    int r = paperwork_gather(api, false, &d, &messages);
    struct pack_options o = {.dossier = &d, .by = q->user, .software = SPAN_LIT(JUYONG_VERSION)};
    if (r == 0)
        r = pack_new(&o, &messages, &p);
    r = r < 0 ? refuse(r, &messages, a) : put_lint(pack_lint(p), &a->body);
    pack_free(p);
    dossier_free(&d);
    buf_deinit(&messages);
    return r < 0 ? r : whole(a);
}

/* ---- since it was handed in ---- */

static int put_filed(const struct packfiled *f, const struct packchanges *c, struct buf *out)
{
    rowjson_put(out, "{\"filed\":");
    rowjson_string(out, f->date);
    rowjson_put(out, ",\"number\":");
    rowjson_string(out, f->number);
    rowjson_put(out, ",\"manifest\":\"%s\",\"report\":%u,\"assess\":%u,\"routine\":%u,\"changes\":",
                f->digest, c->totals[DUTY_REPORT], c->totals[DUTY_ASSESS], c->totals[DUTY_ROUTINE]);
    int r = packchanges_json(c, out);
    rowjson_put(out, "}");
    return r;
}

static int compare(const struct api *api, const struct packfiled *f, struct buf *messages,
                   struct buf *out)
{
    struct dossier d;
    struct facts now = FACTS_INIT;
    struct packchanges changes = {0};
    int r = paperwork_gather(api, false, &d, messages);
    if (r == 0)
        r = facts_gather(&d, &now);
    if (r == 0)
        r = packchanges_make(&f->manifest.facts, &now, &changes);
    if (r == 0)
        r = put_filed(f, &changes, out);
    packchanges_free(&changes);
    facts_deinit(&now);
    dossier_free(&d);
    return r;
}

static int get_filed(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct buf messages = BUF_INIT(MESSAGES_MAX);
    struct packfiled filed = PACKFILED_INIT;
    if (!rulework_there(api, a))
        return 0;
    int r = packfiled_read(api->state_dir, &filed, &messages);
    if (r == 0)
        r = compare(api, &filed, &messages, &a->body);
    else if (r == -ENOENT)
        r = buf_append(&a->body, SPAN_LIT("{\"filed\":null}"));
    if (r < 0)
        r = refuse(r, &messages, a);
    packfiled_free(&filed);
    buf_deinit(&messages);
    return r < 0 ? r : whole(a);
}

/* ---- the archive ---- */

struct packing {
    struct pack *pack;
};

static int write_pack(void *ctx, struct span path, struct buf *error)
{
    struct packing *w = ctx;
    return pack_write(w->pack, path, error);
}

static int record(const struct api *api, const struct api_request *q, const struct pack *p)
{
    struct buf more = BUF_INIT(1024);
    api_member(&more, "manifest", span_str(pack_digest(p)));
    api_member(&more, "key", span_str(pack_key(p)));
    buf_printf(&more, ",\"forced\":%s", pack_manifest(p)->forced ? "true" : "false");
    int r = api_record(api, q, SPAN_LIT("filing_pack"), buf_span(&more));
    buf_deinit(&more);
    return r;
}

/* Findings that stand in its way, in the form of every refusal. */
static int refuse_errors(const struct lint *l, struct api_answer *a)
{
    struct buf lines = BUF_INIT(MESSAGES_MAX);
    for (size_t i = 0; i < l->count; i++)
        if (l->list[i].severity == LINT_ERROR)
            buf_printf(&lines, "%.*s\n", SPAN_ARG(l->list[i].text));
    int r = rulework_refuse(a, 409, "sent_back", buf_span(&lines));
    buf_deinit(&lines);
    return r;
}

static int seal_and_give(const struct api *api, const struct api_request *q, struct pack *p,
                         const struct dossier *d, bool force, struct api_answer *a)
{
    char name[64], day[DAY_TEXT_SIZE];
    struct packing w = {p};
    if (pack_lint(p)->totals[LINT_ERROR] && !force)
        return refuse_errors(pack_lint(p), a);
    int r = pack_seal(p, force);
    if (r < 0)
        return r;
    if (record(api, q, p) < 0)
        return api_error(a, 503, "not_recorded", "It can't be recorded, so it is not done.");
    day_format(d->o.now + 1, day);
    snprintf(name, sizeof(name), "filing-%s.zip", day);
    return paperwork_give(api, q, write_pack, &w, "application/zip", name, a);
}

static int get_pack(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static atomic_flag packing = ATOMIC_FLAG_INIT; /* a clerk makes one at a time, for all */
    struct buf messages = BUF_INIT(MESSAGES_MAX);
    struct dossier d;
    struct pack *p = NULL;
    if (!rulework_there(api, a))
        return 0;
    if (atomic_flag_test_and_set(&packing)) {
        a->retry_after_s = 30;
        return api_error(a, 503, "busy", "Another pack is being made. Try again later.");
    }
    int r = paperwork_gather(api, true, &d, &messages);
    struct pack_options o = {
        .dossier = &d, .by = q->user, .software = SPAN_LIT(JUYONG_VERSION), .papers = true};
    if (r == 0)
        r = pack_new(&o, &messages, &p);
    r = r < 0 ? refuse(r, &messages, a)
              : seal_and_give(api, q, p, &d, span_eq(api_query(q, "force"), SPAN_LIT("1")), a);
    pack_free(p);
    dossier_free(&d);
    buf_deinit(&messages);
    atomic_flag_clear(&packing);
    return r;
}

/* The archive holds what the model said: it is for those who read. */
const struct api_route api_pack_routes[] = {
    {"GET", "/api/filing/lint", MAY_SEE, get_lint},
    {"GET", "/api/filing/filed", MAY_SEE, get_filed},
    {"GET", "/api/filing/pack", MAY_PUBLISH | MAY_EXPORT, get_pack},
    {NULL},
};
