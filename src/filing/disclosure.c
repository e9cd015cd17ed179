#include "filing/disclosure.h"

#include "json/value.h"

#include <errno.h>

/* Where a number under the recommendation rules is published: it must be shown with a link. */
#define ALGORITHM_LINK "https://beian.cac.gov.cn/#/index"

#define AI_ZH "本服务的回答由人工智能生成，请注意甄别。"
#define AI_EN "The answers of this service are AI-generated; please check what matters."

static const struct span pending = SPAN_LIT("待补充");

static bool is_shown(const struct disclosure *d, const struct config_model *m)
{
    if (!d->app || d->app->model_count == 0)
        return true;
    for (size_t i = 0; i < d->app->model_count; i++)
        if (span_eq(d->app->models[i], m->id))
            return true;
    return false;
}

static struct span name_of(const struct config_model *m)
{
    return m->display_name.len ? m->display_name : m->id;
}

/* Calls fn with every model that is shown. fn's first nonzero answer. */
typedef int (*model_fn)(void *ctx, const struct config_model *m);
static int each_model(const struct disclosure *d, model_fn fn, void *ctx)
{
    int r = 0;
    for (size_t u = 0; r == 0 && u < d->config->upstream_count; u++)
        for (size_t m = 0; r == 0 && m < d->config->upstreams[u].model_count; m++)
            if (is_shown(d, &d->config->upstreams[u].models[m]))
                r = fn(ctx, &d->config->upstreams[u].models[m]);
    return r;
}

struct row {
    const char *zh, *en;
    struct span value;
    bool link; /* with the address where it is published */
};
enum { ROWS = 4 };

static void rows_of(const struct config *c, struct row ret[ROWS])
{
    ret[0] = (struct row){"服务提供者", "Provider", c->service.provider};
    ret[1] = (struct row){"上线编号", "Launch number", c->service.launch_number};
    ret[2] = (struct row){"算法备案号", "Algorithm filing", c->service.algorithm_number, true};
    ret[3] = (struct row){"投诉举报", "Complaints", c->service.complaint};
}

static struct span shown(struct span value)
{
    return value.len ? value : pending;
}

/* --- text --- */

static int text_model(void *ctx, const struct config_model *m)
{
    return buf_printf(ctx, "所用模型 Model: %.*s（备案号 filing number: %.*s）\n",
                      SPAN_ARG(name_of(m)), SPAN_ARG(shown(m->filing_number)));
}

int disclosure_text(const struct disclosure *d, struct buf *out)
{
    struct row rows[ROWS];
    rows_of(d->config, rows);
    int r = each_model(d, text_model, out);
    for (size_t i = 0; r == 0 && i < ROWS; i++) {
        r = buf_printf(out, "%s %s: %.*s", rows[i].zh, rows[i].en, SPAN_ARG(shown(rows[i].value)));
        if (r == 0 && rows[i].link && rows[i].value.len)
            r = buf_append(out, SPAN_LIT("  " ALGORITHM_LINK));
        if (r == 0)
            r = buf_append_char(out, '\n');
    }
    return r < 0 ? r : buf_append(out, SPAN_LIT(AI_ZH "\n" AI_EN "\n"));
}

/* --- HTML --- */

static int escape(struct buf *out, struct span text)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < text.len; i++) {
        switch (text.data[i]) {
        case '&':
            r = buf_append(out, SPAN_LIT("&amp;"));
            break;
        case '<':
            r = buf_append(out, SPAN_LIT("&lt;"));
            break;
        case '>':
            r = buf_append(out, SPAN_LIT("&gt;"));
            break;
        case '"':
            r = buf_append(out, SPAN_LIT("&quot;"));
            break;
        case '\'':
            r = buf_append(out, SPAN_LIT("&#39;"));
            break;
        default:
            r = buf_append_char(out, text.data[i]);
        }
    }
    return r;
}

static int html_item(struct buf *out, const char *label, struct span value)
{
    int r = buf_printf(out, "  <li>%s: ", label);
    if (r == 0)
        r = escape(out, shown(value));
    return r;
}

static int html_model(void *ctx, const struct config_model *m)
{
    struct buf *out = ctx;
    int r = html_item(out, "所用模型", name_of(m));
    if (r == 0)
        r = buf_append(out, SPAN_LIT("（备案号 "));
    if (r == 0)
        r = escape(out, shown(m->filing_number));
    return r < 0 ? r : buf_append(out, SPAN_LIT("）</li>\n"));
}

/* An address to click on, if it is one of these kinds and nothing else. */
static bool is_address(struct span s)
{
    bool kind = span_starts(s, SPAN_LIT("https://")) || span_starts(s, SPAN_LIT("http://")) ||
                span_starts(s, SPAN_LIT("mailto:")) || span_starts(s, SPAN_LIT("tel:"));
    for (size_t i = 0; kind && i < s.len; i++)
        kind = (unsigned char)s.data[i] > 0x20;
    return kind;
}

static int html_row(struct buf *out, const struct row *row)
{
    struct span href = row->link && row->value.len ? SPAN_LIT(ALGORITHM_LINK)
                       : is_address(row->value)    ? row->value
                                                   : SPAN_NULL;
    if (href.len == 0) {
        int r = html_item(out, row->zh, row->value);
        return r < 0 ? r : buf_append(out, SPAN_LIT("</li>\n"));
    }
    int r = buf_printf(out, "  <li>%s: <a href=\"", row->zh);
    if (r == 0)
        r = escape(out, href);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\" rel=\"noopener\">"));
    if (r == 0)
        r = escape(out, row->value);
    return r < 0 ? r : buf_append(out, SPAN_LIT("</a></li>\n"));
}

int disclosure_html(const struct disclosure *d, struct buf *out)
{
    struct row rows[ROWS];
    rows_of(d->config, rows);
    int r = buf_append(
        out, SPAN_LIT("<section class=\"ai-disclosure\" lang=\"zh\">\n<p>" AI_ZH "</p>\n<ul>\n"));
    if (r == 0)
        r = each_model(d, html_model, out);
    for (size_t i = 0; r == 0 && i < ROWS; i++)
        r = html_row(out, &rows[i]);
    return r < 0 ? r : buf_append(out, SPAN_LIT("</ul>\n</section>\n"));
}

/* --- JSON --- */

static int json_model(void *ctx, const struct config_model *m)
{
    struct json_value *o = value_object();
    int r = value_set(o, SPAN_LIT("id"), value_string(m->id));
    if (r == 0)
        r = value_set(o, SPAN_LIT("display_name"), value_string(name_of(m)));
    if (r == 0)
        r = value_set(o, SPAN_LIT("filing_number"), value_string(m->filing_number));
    if (r < 0) {
        value_free(o);
        return r;
    }
    return value_append(ctx, o);
}

int disclosure_json(const struct disclosure *d, struct buf *out)
{
    const struct config *c = d->config;
    const struct {
        const char *key;
        struct span value;
    } texts[] = {
        {"provider", c->service.provider},
        {"launch_number", c->service.launch_number},
        {"algorithm_number", c->service.algorithm_number},
        {"algorithm_link", SPAN_LIT(ALGORITHM_LINK)},
        {"complaint", c->service.complaint},
        {"hint_zh", SPAN_LIT(AI_ZH)},
        {"hint_en", SPAN_LIT(AI_EN)},
    };
    struct json_value *o = value_object(), *models = value_array();
    int r = o && models ? each_model(d, json_model, models) : -ENOMEM;
    if (r == 0)
        r = value_set(o, SPAN_LIT("models"), models);
    else
        value_free(models);
    for (size_t i = 0; r == 0 && i < sizeof(texts) / sizeof(*texts); i++)
        r = value_set(o, span_str(texts[i].key), value_string(texts[i].value));
    if (r == 0)
        r = value_dump(o, out);
    value_free(o);
    return r < 0 ? r : buf_append_char(out, '\n');
}

/* --- what is missing --- */

struct missing {
    struct buf *out;
    unsigned count;
};

static int miss_model(void *ctx, const struct config_model *m)
{
    struct missing *w = ctx;
    if (m->filing_number.len == 0 && ++w->count)
        buf_printf(w->out, "model %.*s: filing_number\n", SPAN_ARG(m->id));
    if (m->display_name.len == 0 && ++w->count)
        buf_printf(w->out, "model %.*s: display_name\n", SPAN_ARG(m->id));
    return 0;
}

unsigned disclosure_missing(const struct disclosure *d, struct buf *out)
{
    struct missing w = {.out = out};
    struct row rows[ROWS];
    static const char *const keys[ROWS] = {"provider", "launch_number", "algorithm_number",
                                           "complaint"};
    each_model(d, miss_model, &w);
    rows_of(d->config, rows);
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].value.len == 0 && ++w.count)
            buf_printf(out, "service: %s\n", keys[i]);
    return w.count;
}
