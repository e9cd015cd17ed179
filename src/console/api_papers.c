/*
 * The papers of a filing as files. Each is made of what is in force at that moment, on the clerk's
 * thread, into a file that has no name; that it left is on record first.
 */
#include "console/areas.h"
#include "console/paperwork.h"
#include "console/rulework.h"

#include "audit/files.h"
#include "audit/rowjson.h"
#include "filing/annex.h"
#include "filing/disclosure.h"
#include "filing/workbook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX ((size_t)64 << 20)

/* Who keeps rules, who runs the gateway, who inspects it; and what holds texts, of those who read.
 */
#define MAY_TAKE  (MAY_PUBLISH | MAY_APPS | MAY_EXPORT)
#define MAY_TEXTS (MAY_PUBLISH | MAY_EXPORT)

enum form { FORM_DOCX, FORM_HTML, FORM_XLSX, FORM_JSON, FORMS };
static const struct {
    const char *ending, *type;
} forms[FORMS] = {
    [FORM_DOCX] = {"docx",
                   "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    [FORM_HTML] = {"html", "text/html; charset=utf-8"},
    [FORM_XLSX] = {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    [FORM_JSON] = {"json", "application/json"},
};

/* In the order in which they are handed in. */
static const struct paper {
    const char *name;  /* of its files, without their ending */
    const char *annex; /* annex_find() knows it by that; else NULL */
    const char *zh, *en;
    int (*workbook)(const struct dossier *d, struct span path, struct buf *ret_error);
    unsigned forms, may;
} papers[] = {
    {"annex1", "1", .forms = 1 << FORM_DOCX | 1 << FORM_HTML, .may = MAY_TAKE},
    {"annex2", "2", .forms = 1 << FORM_DOCX | 1 << FORM_HTML, .may = MAY_TAKE},
    {"annex3", "3", .forms = 1 << FORM_DOCX | 1 << FORM_HTML, .may = MAY_TAKE},
    {"annex4", NULL, WORKBOOK_KEYWORDS, "the keywords that are intercepted", workbook_keywords,
     1 << FORM_XLSX, MAY_TAKE},
    {"annex5", NULL, WORKBOOK_QUESTIONS, "the questions, with answers and judgements",
     workbook_questions, 1 << FORM_XLSX, MAY_TEXTS},
    {"annex-model", "model", .forms = 1 << FORM_DOCX | 1 << FORM_HTML, .may = MAY_TAKE},
    {"annex-algorithm", "algorithm", .forms = 1 << FORM_DOCX | 1 << FORM_HTML, .may = MAY_TAKE},
    {"disclosure", NULL, "公示信息", "what users are shown, for the app's own page",
     .forms = 1 << FORM_HTML | 1 << FORM_JSON, .may = MAY_TAKE},
};
#define PAPERS (sizeof(papers) / sizeof(*papers))

/* ---- making one ---- */

struct making {
    const struct api *api;
    const struct paper *paper;
    enum form form;
};

static int write_disclosure(const struct making *m, struct span path, struct buf *error)
{
    struct disclosure d = {.config = m->api->config};
    struct buf text = BUF_INIT(TEXT_MAX);
    int r = m->form == FORM_HTML ? disclosure_html(&d, &text) : disclosure_json(&d, &text);
    if (r == 0)
        r = files_replace(path.data, buf_span(&text), 0600);
    buf_deinit(&text);
    return r;
}

static int write_annex(const struct making *m, const struct dossier *d, struct span path,
                       struct buf *error)
{
    const struct annex *x = annex_find(span_str(m->paper->annex));
    if (m->form == FORM_DOCX)
        return annex_docx(x, d, path, error);
    struct buf text = BUF_INIT(TEXT_MAX);
    int r = annex_html(x, d, &text);
    if (r == 0)
        r = files_replace(path.data, buf_span(&text), 0600);
    buf_deinit(&text);
    return r;
}

static int make_paper(void *ctx, struct span path, struct buf *error)
{
    const struct making *m = ctx;
    struct dossier d;
    if (!m->paper->annex && !m->paper->workbook)
        return write_disclosure(m, path, error);
    /* Only the self-assessment tells whether the log is whole. */
    bool verify = m->paper->annex && !strcmp(m->paper->annex, "1");
    int r = paperwork_gather(m->api, verify, &d, error);
    if (r == 0)
        r = m->paper->workbook ? m->paper->workbook(&d, path, error)
                               : write_annex(m, &d, path, error);
    dossier_free(&d);
    return r;
}

/* annex1.docx: which paper, in which form. */
static bool find_paper(struct span name, struct making *ret)
{
    char file[64];
    for (size_t i = 0; i < PAPERS; i++)
        for (enum form f = 0; f < FORMS; f++) {
            snprintf(file, sizeof(file), "%s.%s", papers[i].name, forms[f].ending);
            if (!(papers[i].forms & 1u << f) || !span_eq(name, span_str(file)))
                continue;
            ret->paper = &papers[i];
            ret->form = f;
            return true;
        }
    return false;
}

static int get_file(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct making m = {.api = api};
    char name[64];
    if (!find_paper(q->parts[0], &m))
        return api_error(a, 404, "not_found", "There is no such paper.");
    if (!(q->may & m.paper->may))
        return api_error(a, 403, "forbidden", "Your role may not take this paper.");
    if (!rulework_there(api, a))
        return 0;
    snprintf(name, sizeof(name), "%s.%s", m.paper->name, forms[m.form].ending);
    struct buf what = BUF_INIT(256);
    api_member(&what, "what", span_str(name));
    int r = api_record(api, q, SPAN_LIT("filing_file"), buf_span(&what));
    buf_deinit(&what);
    if (r < 0)
        return api_error(a, 503, "not_recorded", "It can't be recorded, so it is not done.");
    return paperwork_give(api, q, make_paper, &m, forms[m.form].type, name, a);
}

/* ---- what can be had ---- */

static void put_paper(const struct paper *p, unsigned may, struct buf *out)
{
    const struct annex *x = p->annex ? annex_find(span_str(p->annex)) : NULL;
    bool more = false;
    rowjson_put(out, "{\"paper\":\"%s\",\"zh\":", p->name);
    rowjson_string(out, span_str(x ? x->title : p->zh));
    rowjson_put(out, ",\"en\":");
    rowjson_string(out, span_str(x ? x->summary : p->en));
    rowjson_put(out, ",\"may\":%s,\"files\":[", may & p->may ? "true" : "false");
    for (enum form f = 0; f < FORMS; f++)
        if (p->forms & 1u << f) {
            rowjson_put(out, "%s\"%s.%s\"", more ? "," : "", p->name, forms[f].ending);
            more = true;
        }
    rowjson_put(out, "]}");
}

static int get_files(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    rowjson_put(&a->body, "{\"rows\":[");
    for (size_t i = 0; i < PAPERS; i++) {
        rowjson_put(&a->body, i ? "," : "");
        put_paper(&papers[i], q->may, &a->body);
    }
    rowjson_put(&a->body, "]}");
    return a->body.max ? 0 : -ENOMEM;
}

const struct api_route api_papers_routes[] = {
    {"GET", "/api/filing/files", MAY_SEE, get_files},
    {"GET", "/api/filing/files/{name}", MAY_PUBLISH | MAY_APPS | MAY_EXPORT, get_file},
    {NULL},
};
