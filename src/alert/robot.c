#include "alert/robot.h"

#include "alert/message.h"
#include "base/codec.h"
#include "base/utf8.h"
#include "crypto/hmac.h"
#include "opinion/sign.h"
#include "json/value.h"
#include "json/walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SECRET_MAX 8192
#define BODY_MAX   65536

/* Base64 of the code, into a buffer. */
static int append_code(struct span key, struct span text, struct buf *out)
{
    unsigned char mac[HMAC_SIZE];
    int r = hmac_once(key, text, mac);
    return r < 0 ? r : codec_base64(out, span_from((const char *)mac, sizeof(mac)));
}

/* "stamp\nsecret", which DingTalk signs and Feishu has as its key. */
static int append_stamped(struct span secret, unsigned long long stamp, struct buf *out)
{
    return buf_printf(out, "%llu\n%.*s", stamp, SPAN_ARG(secret));
}

static void forget(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->cap);
    buf_deinit(b);
}

int robot_url(const struct config_alert_target *t, uint64_t now_us, struct buf *out)
{
    int r = buf_append(out, t->url);
    if (r < 0 || t->kind != ALERT_DINGTALK || t->secret.len == 0)
        return r;
    unsigned long long ms = now_us / 1000;
    bool query = span_find(t->url, SPAN_LIT("?")) < t->url.len;
    struct buf text = BUF_INIT(SECRET_MAX), code = BUF_INIT(64);
    r = append_stamped(t->secret, ms, &text);
    if (r == 0)
        r = append_code(t->secret, buf_span(&text), &code);
    if (r == 0)
        r = buf_printf(out, "%ctimestamp=%llu&sign=", query ? '&' : '?', ms);
    for (size_t i = 0; r == 0 && i < code.len; i++) {
        char c = code.data[i];
        if (c == '+' || c == '/' || c == '=')
            r = buf_printf(out, "%%%02X", (unsigned)c);
        else
            r = buf_append_char(out, c);
    }
    forget(&text);
    buf_deinit(&code);
    return r;
}

static int append_feishu_sign(struct span secret, uint64_t now_us, struct buf *out)
{
    unsigned long long s = now_us / 1000000;
    struct buf key = BUF_INIT(SECRET_MAX);
    int r = append_stamped(secret, s, &key);
    if (r == 0)
        r = buf_printf(out, "\"timestamp\":\"%llu\",\"sign\":\"", s);
    if (r == 0)
        r = append_code(buf_span(&key), SPAN_LIT(""), out);
    forget(&key);
    return r < 0 ? r : buf_append(out, SPAN_LIT("\","));
}

int robot_body(const struct config_alert_target *t, const struct board_item *items, size_t count,
               struct span node, uint64_t now_us, struct buf *out)
{
    struct buf text = BUF_INIT(BODY_MAX);
    int r = message_text(items, count, t->language, node, now_us, &text);
    if (r == 0 && t->kind == ALERT_JSON) {
        r = message_json(items, count, buf_span(&text), node, now_us, out);
    } else if (r == 0) {
        r = buf_append_char(out, '{');
        if (r == 0 && t->kind == ALERT_FEISHU && t->secret.len)
            r = append_feishu_sign(t->secret, now_us, out);
        if (r == 0)
            r = buf_append(out, t->kind == ALERT_FEISHU
                                    ? SPAN_LIT("\"msg_type\":\"text\",\"content\":{\"text\":\"")
                                    : SPAN_LIT("\"msgtype\":\"text\",\"text\":{\"content\":\""));
        if (r == 0)
            r = json_escape(out, buf_span(&text));
        if (r == 0)
            r = buf_append(out, SPAN_LIT("\"}}"));
    }
    buf_deinit(&text);
    return r;
}

/* --- what they answer --- */

/* Taken when the first of these numbers that is there is 0. */
static bool read_code(struct span answer, const char *const *names, const char *message,
                      char ret_why[COURIER_WHY_SIZE])
{
    struct json_value *v = value_parse(answer, NULL);
    struct span said = SPAN_LIT("");
    int64_t code = -1;
    size_t i = 0;
    while (names[i] && !value_get_integer(value_get(v, span_str(names[i])), &code))
        i++;
    if (!names[i]) {
        snprintf(ret_why, COURIER_WHY_SIZE, "an answer that is not a robot's");
    } else if (code != 0) {
        value_get_string(value_get(v, span_str(message)), &said);
        snprintf(ret_why, COURIER_WHY_SIZE, "%s %lld: %.*s", names[i], (long long)code,
                 (int)(said.len <= 80 ? said.len : utf8_floor(said, 80)),
                 said.data ? said.data : "");
    }
    value_free(v);
    return code == 0;
}

static bool judge_errcode(struct span answer, char ret_why[COURIER_WHY_SIZE])
{
    static const char *const names[] = {"errcode", NULL};
    return read_code(answer, names, "errmsg", ret_why);
}

static bool judge_feishu(struct span answer, char ret_why[COURIER_WHY_SIZE])
{
    static const char *const names[] = {"code", "StatusCode", NULL};
    return read_code(answer, names, "msg", ret_why);
}

courier_judge_fn robot_judge(unsigned kind)
{
    return kind == ALERT_JSON ? NULL : kind == ALERT_FEISHU ? judge_feishu : judge_errcode;
}

/* --- sending --- */

int robot_send(struct courier *c, const struct config_alert_target *t,
               const struct board_item *items, size_t count, const struct config *config,
               unsigned tries, uint64_t now_us, courier_done_fn done, void *ctx)
{
    struct sign signature;
    struct buf url = BUF_INIT(SECRET_MAX), body = BUF_INIT(BODY_MAX);
    struct http_header headers[4] = {
        {SPAN_LIT("Content-Type"), SPAN_LIT("application/json; charset=utf-8")},
        {SPAN_LIT("User-Agent"), SPAN_LIT("juyong/" JUYONG_VERSION)},
    };
    char about[64];
    int n = snprintf(about, sizeof(about), "an alert for %.*s", SPAN_ARG(t->name));
    struct courier_message m = {
        .about = span_from(about, (size_t)n),
        .headers = headers,
        .header_count = 2,
        .tries = tries,
        .timeout_ms = config->alerts.timeout_ms,
        .judge = robot_judge(t->kind),
        .done = done,
        .ctx = ctx,
    };
    int r = robot_url(t, now_us, &url);
    if (r == 0)
        r = robot_body(t, items, count, config->node, now_us, &body);
    if (r == 0 && t->kind == ALERT_JSON && t->secret.len) {
        r = sign_body(t->secret, buf_span(&body), &signature);
        headers[2] =
            (struct http_header){SPAN_LIT("X-Juyong-Timestamp"), span_str(signature.timestamp)};
        headers[3] = (struct http_header){SPAN_LIT("X-Juyong-Signature"), span_str(signature.text)};
        m.header_count = 4;
    }
    m.url = buf_span(&url);
    m.body = buf_span(&body);
    if (r == 0)
        r = courier_send(c, &m);
    forget(&url);
    buf_deinit(&body);
    return r;
}
