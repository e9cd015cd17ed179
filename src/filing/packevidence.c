#include "filing/packevidence.h"

#include "base/day.h"
#include "casebook/export.h"
#include "rules/journal.h"
#include "rules/vault.h"
#include "json/value.h"

#include <errno.h>
#include <inttypes.h>

#define PAGE 200

static const struct span mark = SPAN_LIT("\xef\xbb\xbf"); /* so that Excel reads UTF-8 */

/* ---- CSV ---- */

static int put_cells(struct buf *out, const struct span *cells, size_t count)
{
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        r = i ? buf_append_char(out, ',') : 0;
        if (r == 0)
            r = export_csv_cell(out, cells[i]);
    }
    return r < 0 ? r : buf_append(out, SPAN_LIT("\r\n"));
}

static struct span minute(int64_t us, char text[DAY_TEXT_SIZE])
{
    if (us <= 0)
        return SPAN_LIT("");
    day_format_minute(us / 1000000, text);
    return span_str(text);
}

/* ---- versions ---- */

static int put_version(const struct journal_entry *e, struct buf *out)
{
    char time[DAY_TEXT_SIZE], counts[96] = "";
    if (e->compared)
        snprintf(counts, sizeof(counts), "+%u −%u ~%u", e->added, e->removed, e->changed);
    const struct span cells[] = {minute(e->time_us, time),
                                 span_str(journal_act_name(e->act)),
                                 e->version,
                                 e->author,
                                 e->reason,
                                 span_str(counts),
                                 e->interrupted ? SPAN_LIT("未生效") : SPAN_LIT("")};
    return put_cells(out, cells, sizeof(cells) / sizeof(*cells));
}

int evidence_versions(const struct dossier *d, struct buf *out)
{
    struct buf messages = BUF_INIT(65536);
    struct vault *vault = NULL;
    struct journal journal = {.fd = -1};
    int r = buf_append(out, mark);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("时间,动作,版本 SHA-256,作者,原因,规则增减,备注\r\n"));
    int open = vault_open(d->config->state_dir, &messages, &vault);
    if (open == 0)
        open = journal_open(vault_dir(vault), vault_path(vault), false, &messages, &journal);
    if (open == 0) {
        for (size_t i = 0; i < journal.count && r == 0; i++)
            r = put_version(&journal.entries[i], out);
        journal_close(&journal);
    }
    vault_close(vault);
    buf_deinit(&messages);
    return r < 0 ? r : open == -ENOENT ? 0 : open;
}

/* ---- figures ---- */

static int put_actions(struct buf *out, const uint64_t actions[ACTION_COUNT])
{
    int r = buf_append(out, SPAN_LIT("{"));
    for (int a = 0; a < ACTION_COUNT && r == 0; a++)
        r = buf_printf(out, "%s\"%s\":%" PRIu64, a ? "," : "", action_name((enum action)a),
                       actions[a]);
    return r < 0 ? r : buf_append_char(out, '}');
}

static int put_traffic(const struct dossier_traffic *t, struct buf *out)
{
    if (!t->known)
        return buf_append(out, SPAN_LIT("null"));
    int r = buf_printf(out, "{\"requests\":%" PRIu64 ",\"complete\":%s,\"actions\":", t->requests,
                       t->complete ? "true" : "false");
    if (r == 0)
        r = put_actions(out, t->actions);
    if (r == 0)
        r = buf_append(out, SPAN_LIT(",\"risks\":["));
    for (size_t i = 0; i < t->risk_count && r == 0; i++) {
        /* Names of types: letters, digits and hyphens. */
        r = buf_printf(out, "%s{\"risk\":\"%s\",\"hits\":", i ? "," : "", t->risks[i].risk);
        if (r == 0)
            r = put_actions(out, t->risks[i].actions);
        if (r == 0)
            r = buf_append_char(out, '}');
    }
    return r < 0 ? r : buf_append(out, SPAN_LIT("]}"));
}

static int put_log(const struct dossier_log *l, struct buf *out)
{
    static const char *const verified[] = {"not verified", "whole", "damaged"};
    if (!l->known)
        return buf_append(out, SPAN_LIT("null"));
    return buf_printf(out,
                      "{\"records\":%" PRIu64 ",\"first_us\":%" PRIu64 ",\"checkpoint_us\":%" PRIu64
                      ",\"checkpoint_seq\":%" PRIu64 ",\"verify\":\"%s\",\"verified\":%" PRIu64 "}",
                      l->records, l->first_us, l->checkpoint_us, l->checkpoint_seq,
                      verified[l->verify], l->verified);
}

int evidence_figures(const struct dossier *d, struct buf *out)
{
    const struct dossier_people *p = &d->people;
    int r = buf_printf(out, "{\"since_us\":%" PRIu64 ",\"until_us\":%" PRIu64 ",\"traffic\":",
                       d->o.since_us, d->o.until_us);
    if (r == 0)
        r = put_traffic(&d->traffic, out);
    if (r == 0)
        r = buf_append(out, SPAN_LIT(",\"log\":"));
    if (r == 0)
        r = put_log(&d->log, out);
    /* -1: unknown. */
    return r < 0 ? r
                 : buf_printf(out,
                              ",\"people\":{\"interceptions\":%" PRId64 ",\"reviewed\":%" PRId64
                              ",\"correct\":%" PRId64 ",\"false_positive\":%" PRId64
                              ",\"unsure\":%" PRId64 ",\"complaints\":%" PRId64
                              ",\"complaints_open\":%" PRId64 ",\"complaints_overdue\":%" PRId64
                              ",\"incidents\":%" PRId64 ",\"incidents_open\":%" PRId64 "}}\n",
                              p->interceptions, p->reviewed, p->correct, p->false_positive,
                              p->unsure, p->complaints, p->complaints_open, p->complaints_overdue,
                              p->incidents, p->incidents_open);
}

/* ---- complaints and incidents ---- */

static struct span text_of(const struct json_value *v, const char *key)
{
    struct span text = SPAN_LIT("");
    value_get_string(value_get(v, span_str(key)), &text);
    return text;
}

static int64_t number_of(const struct json_value *v, const char *key)
{
    int64_t n = 0;
    value_get_integer(value_get(v, span_str(key)), &n);
    return n;
}

static int put_complaint(const struct json_value *v, struct buf *out)
{
    char id[24], at[DAY_TEXT_SIZE], due[DAY_TEXT_SIZE];
    bool overdue = false;
    snprintf(id, sizeof(id), "%" PRId64, number_of(v, "id"));
    value_get_boolean(value_get(v, SPAN_LIT("overdue")), &overdue);
    const struct span cells[] = {
        span_str(id),
        minute(number_of(v, "at_us"), at),
        minute(number_of(v, "due_us"), due),
        text_of(v, "kind"),
        text_of(v, "state"),
        overdue ? SPAN_LIT("是") : SPAN_LIT("否"),
    };
    return put_cells(out, cells, sizeof(cells) / sizeof(*cells));
}

static int put_incident(const struct json_value *v, struct buf *out)
{
    char id[24], at[DAY_TEXT_SIZE], opened[DAY_TEXT_SIZE], requests[24];
    snprintf(id, sizeof(id), "%" PRId64, number_of(v, "id"));
    snprintf(requests, sizeof(requests), "%" PRId64, number_of(v, "request_count"));
    const struct span cells[] = {
        span_str(id),
        minute(number_of(v, "at_us"), at),
        minute(number_of(v, "opened_us"), opened),
        text_of(v, "title"),
        text_of(v, "state"),
        text_of(v, "measures"),
        span_str(requests),
    };
    return put_cells(out, cells, sizeof(cells) / sizeof(*cells));
}

typedef int (*list_fn)(struct casebook *c, const struct casebook_page *p, struct buf *out);
typedef int (*put_fn)(const struct json_value *v, struct buf *out);

/* One page after the other, the oldest first, until one is not full. */
static int put_pages(struct casebook *c, list_fn list, put_fn put, struct buf *out)
{
    struct casebook_page page = {.limit = PAGE};
    struct buf text = BUF_INIT(16u << 20);
    int r = 0;
    for (bool more = true; more && r == 0;) {
        buf_clear(&text);
        r = list(c, &page, &text);
        struct json_value *v = r == 0 ? value_parse(buf_span(&text), NULL) : NULL;
        size_t count = value_count(v);
        if (r == 0 && !value_is_array(v))
            r = -EBADMSG;
        for (size_t i = 0; i < count && r == 0; i++) {
            page.before = number_of(value_at(v, i), "id");
            r = put(value_at(v, i), out);
        }
        more = count == PAGE;
        value_free(v);
    }
    buf_deinit(&text);
    return r;
}

static int put_table(const struct dossier *d, const char *header, list_fn list, put_fn put,
                     struct buf *out)
{
    const struct casebook_options o = {.state_dir = d->config->state_dir,
                                       .log_dir = d->config->audit.dir,
                                       .due_us = (uint64_t)d->config->complaints.due_ms * 1000};
    struct casebook *c = NULL;
    int r = buf_append(out, mark);
    if (r == 0)
        r = buf_append(out, span_str(header));
    int open = casebook_open(&o, &c);
    if (r == 0 && open == 0)
        r = put_pages(c, list, put, out);
    casebook_close(c);
    return r < 0 ? r : open == -ENOENT ? 0 : open;
}

int evidence_complaints(const struct dossier *d, struct buf *out)
{
    return put_table(d, "编号,时间,应答复时间,类别,状态,是否超期\r\n", casebook_tickets,
                     put_complaint, out);
}

int evidence_incidents(const struct dossier *d, struct buf *out)
{
    return put_table(d, "编号,发生时间,登记时间,标题,状态,处置措施,涉及请求数\r\n",
                     casebook_incidents, put_incident, out);
}
