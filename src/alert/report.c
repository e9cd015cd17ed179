#include "alert/report.h"

#include "alert/message.h"
#include "base/series.h"
#include "http/courier.h"
#include "json/walk.h"

static int print_rules(const struct board *b, struct buf *out)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < b->condition_count; i++) {
        const struct board_condition *c = &b->conditions[i];
        r = buf_printf(out,
                       "%s{\"what\":\"%s\",\"risk\":\"%s\",\"critical\":%s,\"threshold\":%llu,"
                       "\"value\":%llu,\"firing\":%s,\"since_us\":",
                       i ? "," : "", board_kind_name(c->kind), c->risk,
                       c->critical ? "true" : "false", (unsigned long long)c->threshold,
                       (unsigned long long)c->value, c->active ? "true" : "false");
        if (r == 0)
            r = c->active ? buf_append_u64(out, c->since_us) : buf_append(out, SPAN_LIT("null"));
        if (r == 0)
            r = buf_append_char(out, '}');
    }
    return r;
}

static int print_quiet(const struct config_alert_target *t, struct buf *out)
{
    if (t->quiet_from == t->quiet_to)
        return buf_append(out, SPAN_LIT("null"));
    return buf_printf(out, "\"%02u:%02u-%02u:%02u\"", t->quiet_from / 60, t->quiet_from % 60,
                      t->quiet_to / 60, t->quiet_to % 60);
}

/* Of a robot's address no more than the host: the rest is its password. */
static int print_targets(const struct board *b, uint64_t now_us, struct buf *out)
{
    static const char *const kinds[] = {"dingtalk", "wecom", "feishu", "json"};
    int r = 0;
    for (size_t i = 0; r == 0 && i < b->target_count; i++) {
        const struct board_target *t = &b->targets[i];
        r = buf_append(out, i ? SPAN_LIT(",{\"name\":\"") : SPAN_LIT("{\"name\":\""));
        if (r == 0)
            r = json_escape(out, t->config->name);
        if (r == 0)
            r = buf_printf(out, "\",\"kind\":\"%s\",\"host\":\"", kinds[t->config->kind]);
        if (r == 0)
            r = json_escape(out, courier_host(t->config->url));
        if (r == 0)
            r = buf_append(out, SPAN_LIT("\",\"quiet\":"));
        if (r == 0)
            r = print_quiet(t->config, out);
        if (r == 0)
            r = buf_printf(out, ",\"quiet_now\":%s,\"sent\":%llu,\"failed\":%llu}",
                           board_quiet(t->config, (int64_t)(now_us / 1000000)) ? "true" : "false",
                           (unsigned long long)t->sent, (unsigned long long)t->failed);
    }
    return r;
}

static int print_recent(const struct board *b, struct buf *out)
{
    int r = 0;
    uint64_t kept = b->recent_count < BOARD_RECENT ? b->recent_count : BOARD_RECENT;
    for (uint64_t i = 0; r == 0 && i < kept; i++) {
        const struct board_recent *e = &b->recent[(b->recent_count - i) % BOARD_RECENT];
        r = buf_printf(out, "%s{\"at_us\":%llu,", i ? "," : "", (unsigned long long)e->at_us);
        if (r == 0)
            r = message_item_json(&e->item, out);
        if (r == 0)
            r = buf_printf(out, ",\"sent\":%u,\"failed\":%u}", e->sent, e->failed);
    }
    return r;
}

int report_json(const struct board *b, uint64_t now_us, struct buf *out)
{
    int r = buf_append(out, SPAN_LIT("{\"rules\":["));
    if (r == 0)
        r = print_rules(b, out);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("],\"targets\":["));
    if (r == 0)
        r = print_targets(b, now_us, out);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("],\"recent\":["));
    if (r == 0)
        r = print_recent(b, out);
    return r < 0 ? r : buf_append(out, SPAN_LIT("]}"));
}

int report_stats(const struct board *b, struct buf *out)
{
    int r = buf_append(out, SPAN_LIT("# HELP juyong_alerts_firing 1 while what the alert watches "
                                     "is past its threshold.\n"
                                     "# TYPE juyong_alerts_firing gauge\n"));
    for (size_t i = 0; r == 0 && i < b->condition_count; i++)
        r = buf_printf(out, "juyong_alerts_firing{what=\"%s\",risk=\"%s\"} %d\n",
                       board_kind_name(b->conditions[i].kind), b->conditions[i].risk,
                       b->conditions[i].active);
    if (r == 0 && b->target_count) /* no family without a sample */
        r = buf_append(out, SPAN_LIT("# HELP juyong_alerts_messages_total Messages about alerts, "
                                     "by target and result.\n"
                                     "# TYPE juyong_alerts_messages_total counter\n"));
    for (size_t i = 0; r == 0 && i < 2 * b->target_count; i++) {
        const struct board_target *t = &b->targets[i / 2];
        r = buf_append(out, SPAN_LIT("juyong_alerts_messages_total{target=\""));
        if (r == 0)
            r = series_escape(out, t->config->name);
        if (r == 0)
            r = buf_printf(out, "\",result=\"%s\"} %llu\n", i % 2 ? "failed" : "delivered",
                           (unsigned long long)(i % 2 ? t->failed : t->sent));
    }
    return r;
}
