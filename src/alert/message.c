#include "alert/message.h"

#include "base/day.h"
#include "base/utf8.h"
#include "json/walk.h"

#include <errno.h>
#include <stdio.h>

#define MINUTE_US 60000000ull

/* In China's time, to the minute: 2026-12-31 15:04. */
static void write_time(uint64_t us, char ret_text[DAY_TEXT_SIZE])
{
    day_format_minute((int64_t)(us / 1000000), ret_text);
    ret_text[10] = ' ';
    ret_text[16] = '\0';
}

static int what_zh(const struct board_item *i, struct buf *out)
{
    unsigned long long n = i->value, limit = i->threshold;
    bool all = !strcmp(i->risk, "*");
    switch (i->kind) {
    case BOARD_RATE:
        return buf_printf(out, "%s%s拦截每分钟 %llu 次（阈值 %llu）", all ? "" : i->risk,
                          all ? "" : " ", n, limit);
    case BOARD_LOG_FAILED:
        return buf_append(out, SPAN_LIT("判定日志无法写入，新请求被拒绝"));
    case BOARD_LOG_DEGRADED:
        return buf_append(out, SPAN_LIT("判定日志只在内存中，尚未落盘"));
    case BOARD_DISK:
        return buf_printf(out, "日志所在磁盘已用 %llu%%（阈值 %llu%%）", n, limit);
    case BOARD_CANARY:
        return buf_printf(out, "巡检内容未被拦截：%llu 处，详见 /readyz", n);
    case BOARD_LIBRARY:
        return buf_printf(out, "规则库已 %llu 天未更新（应在 %llu 天内）", n, limit);
    case BOARD_VERIFY:
        return buf_printf(out, "日志校验发现问题：%s", i->detail);
    case BOARD_WEAKENED:
        return buf_printf(out, "防护被削弱：%llu 项%s%s", n, i->detail[0] ? "，如 " : "",
                          i->detail);
    case BOARD_FILING:
        return buf_printf(out, "备案事项逾期：%llu 项%s%s，详见 juyong filing status", n,
                          i->detail[0] ? "，如 " : "", i->detail);
    default:
        return 0;
    }
}

static int what_en(const struct board_item *i, struct buf *out)
{
    unsigned long long n = i->value, limit = i->threshold;
    bool all = !strcmp(i->risk, "*");
    switch (i->kind) {
    case BOARD_RATE:
        return buf_printf(out, "%llu interceptions%s%s in a minute (threshold %llu)", n,
                          all ? "" : " of ", all ? "" : i->risk, limit);
    case BOARD_LOG_FAILED:
        return buf_append(out,
                          SPAN_LIT("the decision log can't be written, new requests are refused"));
    case BOARD_LOG_DEGRADED:
        return buf_append(out, SPAN_LIT("the decision log is only in memory"));
    case BOARD_DISK:
        return buf_printf(out, "the log's disk is %llu%% full (threshold %llu%%)", n, limit);
    case BOARD_CANARY:
        return buf_printf(out, "the canary was not intercepted, %llu times: see /readyz", n);
    case BOARD_LIBRARY:
        return buf_printf(out, "the rules did not change for %llu days (of %llu allowed)", n,
                          limit);
    case BOARD_VERIFY:
        return buf_printf(out, "a verification of the log found: %s", i->detail);
    case BOARD_WEAKENED:
        return buf_printf(out, "%llu settings weaken protection%s%s", n,
                          i->detail[0] ? ", such as " : "", i->detail);
    case BOARD_FILING:
        return buf_printf(out,
                          "%llu things of the filing are overdue%s%s: see juyong filing status", n,
                          i->detail[0] ? ", such as " : "", i->detail);
    default:
        return 0;
    }
}

static int line_zh(const struct board_item *i, struct buf *out)
{
    static const char *const heads[BOARD_EVENTS] = {
        [BOARD_BEGUN] = "告警",  [BOARD_CHANGED] = "变化",  [BOARD_LASTS] = "仍未恢复",
        [BOARD_OVER] = "已恢复", [BOARD_HAPPENED] = "补报", [BOARD_TEST] = "测试",
    };
    char since[DAY_TEXT_SIZE], ended[DAY_TEXT_SIZE];
    write_time(i->since_us, since);
    write_time(i->ended_us, ended);
    int r = buf_printf(out, "\n%s%s：", heads[i->event], i->critical ? "（严重）" : "");
    if (r == 0 && i->event == BOARD_TEST)
        return buf_append(out, SPAN_LIT("这是一条测试消息，收到即表示告警通道可用。"));
    if (r == 0)
        r = what_zh(i, out);
    if (r == 0 && i->event == BOARD_LASTS)
        r = buf_printf(out, "，始于 %s", since);
    if (r == 0 && i->event == BOARD_OVER)
        r = buf_printf(out, "，持续 %llu 分钟",
                       (unsigned long long)((i->ended_us - i->since_us) / MINUTE_US));
    if (r == 0 && i->event == BOARD_HAPPENED)
        r = buf_printf(out, "，曾发生 %u 次，最近一次 %s 至 %s", i->times, since, ended);
    return r;
}

static int line_en(const struct board_item *i, struct buf *out)
{
    static const char *const heads[BOARD_EVENTS] = {
        [BOARD_BEGUN] = "ALERT",   [BOARD_CHANGED] = "CHANGED",    [BOARD_LASTS] = "STILL",
        [BOARD_OVER] = "RESOLVED", [BOARD_HAPPENED] = "MEANWHILE", [BOARD_TEST] = "TEST",
    };
    char since[DAY_TEXT_SIZE], ended[DAY_TEXT_SIZE];
    write_time(i->since_us, since);
    write_time(i->ended_us, ended);
    int r = buf_printf(out, "\n%s%s: ", heads[i->event], i->critical ? " (critical)" : "");
    if (r == 0 && i->event == BOARD_TEST)
        return buf_append(out, SPAN_LIT("this is a test; who reads it will be told of alerts."));
    if (r == 0)
        r = what_en(i, out);
    if (r == 0 && i->event == BOARD_LASTS)
        r = buf_printf(out, ", since %s", since);
    if (r == 0 && i->event == BOARD_OVER)
        r = buf_printf(out, ", after %llu min",
                       (unsigned long long)((i->ended_us - i->since_us) / MINUTE_US));
    if (r == 0 && i->event == BOARD_HAPPENED)
        r = buf_printf(out, ", %u times, lastly from %s to %s", i->times, since, ended);
    return r;
}

int message_text(const struct board_item *items, size_t count, unsigned language, struct span node,
                 uint64_t now_us, struct buf *out)
{
    char now[DAY_TEXT_SIZE];
    size_t from = out->len;
    write_time(now_us, now);
    /* The first word is the one that DingTalk's and Feishu's robots can be told to demand. */
    int r = language == LANGUAGE_EN
                ? buf_printf(out, "居庸 Juyong %.*s, %s China time", SPAN_ARG(node), now)
                : buf_printf(out, "居庸告警 %.*s %s", SPAN_ARG(node), now);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = language == LANGUAGE_EN ? line_en(&items[i], out) : line_zh(&items[i], out);
    struct span text = span_slice(buf_span(out), from, out->len);
    if (r == 0 && text.len > MESSAGE_TEXT_MAX) {
        out->len = from + utf8_floor(text, MESSAGE_TEXT_MAX - 3);
        r = buf_append(out, SPAN_LIT("…"));
    }
    return r;
}

int message_item_json(const struct board_item *i, struct buf *out)
{
    int r = buf_printf(out, "\"event\":\"%s\"", board_event_name(i->event));
    if (r == 0 && i->event == BOARD_TEST)
        return 0;
    if (r == 0)
        r = buf_printf(out, ",\"what\":\"%s\"", board_kind_name(i->kind));
    if (r == 0 && i->risk[0])
        r = buf_printf(out, ",\"risk\":\"%s\"", i->risk);
    if (r == 0)
        r = buf_printf(out,
                       ",\"critical\":%s,\"value\":%llu,\"threshold\":%llu,\"since_us\":%llu,"
                       "\"ended_us\":",
                       i->critical ? "true" : "false", (unsigned long long)i->value,
                       (unsigned long long)i->threshold, (unsigned long long)i->since_us);
    if (r == 0)
        r = i->ended_us ? buf_append_u64(out, i->ended_us) : buf_append(out, SPAN_LIT("null"));
    if (r == 0 && i->event == BOARD_HAPPENED)
        r = buf_printf(out, ",\"times\":%u", i->times);
    if (r == 0 && i->detail[0]) {
        r = buf_append(out, SPAN_LIT(",\"detail\":\""));
        if (r == 0)
            r = json_escape(out, span_str(i->detail));
        if (r == 0)
            r = buf_append_char(out, '"');
    }
    return r;
}

int message_json(const struct board_item *items, size_t count, struct span text, struct span node,
                 uint64_t now_us, struct buf *out)
{
    int r = buf_append(out, SPAN_LIT("{\"type\":\"alert\",\"node\":\""));
    if (r == 0)
        r = json_escape(out, node);
    if (r == 0)
        r = buf_printf(out, "\",\"time\":%llu,\"text\":\"", (unsigned long long)(now_us / 1000000));
    if (r == 0)
        r = json_escape(out, text);
    if (r == 0)
        r = buf_append(out, SPAN_LIT("\",\"alerts\":["));
    for (size_t i = 0; r == 0 && i < count; i++) {
        r = buf_append(out, i ? SPAN_LIT(",{") : SPAN_LIT("{"));
        if (r == 0)
            r = message_item_json(&items[i], out);
        if (r == 0)
            r = buf_append_char(out, '}');
    }
    return r < 0 ? r : buf_append(out, SPAN_LIT("]}"));
}
