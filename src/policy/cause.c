/*
 * The table of causes. A refusal of content is never 408, 409, 429 or 5xx: stock SDKs answer those
 * with retries, so that one blocked prompt would be judged three times. What a later try may cure
 * is 5xx on purpose.
 */
#include "policy/policy.h"

struct row {
    const char *code;
    int status;
    struct span zh, en, both;
};

#define ROW(code, status, zh, en)                                                                  \
    {                                                                                              \
        code, status, SPAN_LIT(zh), SPAN_LIT(en), SPAN_LIT(zh " " en)                              \
    }

static const struct row rows[CAUSE_COUNT] = {
    [CAUSE_NONE] = ROW("none", 200, "", ""),
    [CAUSE_CONTENT_FILTER] =
        ROW("content_filter", 400, "抱歉，我无法回答这个问题。", "Sorry, I can't help with that."),
    [CAUSE_USER_WARNED] = ROW("user_warned", 400, "请注意：多次提交违规内容，服务将被限制或暂停。",
                              "Please note: repeated violations lead to limits or suspension."),
    [CAUSE_USER_LIMITED] =
        ROW("user_limited", 403, "由于多次提交违规内容，您在{until}前只能间隔提问，请稍后再试。",
            "After repeated violations you may ask only now and then until {until}."),
    [CAUSE_USER_SUSPENDED] =
        ROW("user_suspended", 403,
            "由于多次提交违规内容，您的服务已暂停至{until}。如有异议，可以申诉。",
            "After repeated violations your access is suspended until {until}. You may appeal."),
    [CAUSE_PROVIDER_REFUSED] = ROW("provider_refused", 400, "抱歉，模型服务方拒绝回答这个问题。",
                                   "Sorry, the model's provider declined to answer that."),
    [CAUSE_BAD_FRAMING] = ROW("bad_framing", 400, "请求的 HTTP 格式有歧义，已拒绝。",
                              "The request's HTTP framing is ambiguous."),
    [CAUSE_REPEATED_HEADER] =
        ROW("repeated_header", 400, "同一个 X-Juyong 请求头出现了多次，无法判断以哪个为准。",
            "An X-Juyong header comes more than once: which one counts can't be told."),
    [CAUSE_NOT_FOUND] = ROW("not_found", 404, "没有这个接口。", "There is no such route."),
    [CAUSE_METHOD] = ROW("method_not_allowed", 405, "该接口不支持此请求方法。",
                         "This route doesn't take that method."),
    [CAUSE_UNSUPPORTED_TYPE] =
        ROW("unsupported_type", 415, "请求体须为 UTF-8 的 application/json。",
            "The body must be application/json in UTF-8."),
    [CAUSE_UNSUPPORTED_ENCODING] = ROW("unsupported_encoding", 415, "请求体不得压缩或另行编码。",
                                       "The body must not be compressed or encoded."),
    [CAUSE_EXPECTATION] = ROW("expectation_failed", 417, "不支持该 Expect 请求头。",
                              "That Expect header can't be met."),
    [CAUSE_TOO_LARGE] =
        ROW("body_too_large", 413, "请求体过大。", "The request's body is too large."),
    [CAUSE_HEADERS_TOO_LARGE] = ROW("headers_too_large", 431, "请求头过多或过大。",
                                    "The request's headers are too many or too large."),
    [CAUSE_UNAUTHORIZED] =
        ROW("invalid_api_key", 401, "API 密钥无效或缺失。", "The API key is missing or not valid."),
    [CAUSE_ADDRESS] = ROW("address_not_allowed", 403, "此网络地址无权使用该密钥。",
                          "This key may not be used from this network address."),
    [CAUSE_RATE_LIMIT] = ROW("rate_limit_exceeded", 429, "请求过于频繁，请稍后再试。",
                             "Too many requests. Please try again later."),
    [CAUSE_REVIEWER_ELSEWHERE] =
        ROW("reviewer_elsewhere", 403, "该账号为监管测试账号，只能在专用地址使用。",
            "This is a reviewer's test account; it is served at its own address only."),
    [CAUSE_REVIEWER_SPENT] = ROW("reviewer_spent", 403, "该监管测试账号今日次数已用完。",
                                 "This test account has been used up for today."),
    [CAUSE_MODEL_NOT_ALLOWED] =
        ROW("model_not_allowed", 404, "该模型不可用。", "This model is not available here."),
    [CAUSE_BAD_JSON] =
        ROW("bad_json", 400, "请求体不是规范的 JSON。", "The body is not well-formed JSON."),
    [CAUSE_BAD_REQUEST] = ROW("bad_request", 400, "请求中有字段的类型或取值不正确。",
                              "A field of the request has a wrong type or value."),
    [CAUSE_UNJUDGEABLE] = ROW("unjudgeable", 400, "请求中有无法审核的内容。",
                              "The request has content that can't be reviewed."),
    [CAUSE_MEDIA_DENIED] = ROW("media_denied", 400, "本服务不接受图片、音频和文件。",
                               "Images, audio and files are not accepted here."),
    [CAUSE_JUDGE_FAILED] = ROW("judge_unavailable", 503, "内容审核暂时不可用，请稍后再试。",
                               "Content review is not available now. Please try again later."),
    [CAUSE_TOO_LONG_TO_JUDGE] =
        ROW("too_long_to_judge", 400, "内容过长，无法审核。", "This is too long to be reviewed."),
    [CAUSE_AUDIT_UNAVAILABLE] = ROW("audit_unavailable", 503, "审计日志暂时不可用，请稍后再试。",
                                    "The audit log is not available now. Please try again later."),
    [CAUSE_OVERLOADED] = ROW("overloaded", 503, "服务繁忙，请稍后再试。",
                             "The service is busy. Please try again later."),
    [CAUSE_DRAINING] = ROW("draining", 503, "服务正在重启，请稍后再试。",
                           "The service is restarting. Please try again later."),
    [CAUSE_UPSTREAM_FAILED] = ROW("upstream_failed", 502, "模型服务暂时不可用。",
                                  "The model service is not available now."),
    [CAUSE_UPSTREAM_TIMEOUT] =
        ROW("upstream_timeout", 504, "模型服务响应超时。", "The model service took too long."),
    [CAUSE_UPSTREAM_ENCODING] = ROW("upstream_encoding", 502, "模型服务返回了无法审核的编码。",
                                    "The model service used an encoding that can't be reviewed."),
    [CAUSE_UPSTREAM_TYPE] = ROW("upstream_type", 502, "模型服务返回了意外的内容类型。",
                                "The model service answered with an unexpected type."),
    [CAUSE_UPSTREAM_PROTOCOL] = ROW("upstream_protocol", 502, "模型服务的返回格式不正确。",
                                    "The model service's answer is malformed."),
    [CAUSE_UPSTREAM_TRUNCATED] = ROW("upstream_truncated", 502, "模型服务的回答中途断开。",
                                     "The model service's answer ended early."),
    [CAUSE_HOLD_OVERFLOW] = ROW("hold_overflow", 502, "回答过长，无法及时审核。",
                                "The answer grew too long to be reviewed in time."),
    [CAUSE_TIMEOUT] = ROW("timeout", 504, "请求处理超时。", "The request took too long."),
    [CAUSE_INTERNAL] = ROW("internal_error", 500, "服务内部错误，请稍后再试。",
                           "An internal error occurred. Please try again later."),
};

static const struct row *row_of(enum cause c)
{
    return &rows[c >= 0 && c < CAUSE_COUNT ? c : CAUSE_INTERNAL];
}

const char *cause_code(enum cause c)
{
    return row_of(c)->code;
}

int cause_status(enum cause c)
{
    return row_of(c)->status;
}

struct span cause_text(enum cause c, enum language language)
{
    const struct row *row = row_of(c);
    if (c == CAUSE_NONE)
        return SPAN_LIT("");
    return language == LANGUAGE_ZH ? row->zh : language == LANGUAGE_EN ? row->en : row->both;
}

struct span policy_text(const struct config_policy *policy, enum cause c)
{
    for (size_t i = 0; i < policy->text_count; i++)
        if (span_eq(policy->texts[i].code, span_str(cause_code(c))))
            return policy->texts[i].text;
    return cause_text(c, policy->language);
}

/* Tells the model not to go on with it either: the next user turn may well be "go on". */
#define NOTICE_ZH "（此处内容未通过安全审核，已略去，不予回答。）"
#define NOTICE_EN                                                                                  \
    "(This content did not pass the safety review and was left out; it is not answered.)"

struct span cause_notice(enum language language)
{
    return language == LANGUAGE_ZH   ? SPAN_LIT(NOTICE_ZH)
           : language == LANGUAGE_EN ? SPAN_LIT(NOTICE_EN)
                                     : SPAN_LIT(NOTICE_ZH " " NOTICE_EN);
}

const char *cause_type(enum cause c)
{
    int status = cause_status(c);
    return status == 401   ? "authentication_error"
           : status == 403 ? "permission_error"
           : status == 429 ? "rate_limit_error"
           : status < 500  ? "invalid_request_error"
                           : "server_error";
}
