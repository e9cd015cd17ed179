#include "evaluation/apianswer.h"

#include "json/value.h"

#include <errno.h>
#include <stdio.h>

#define TEXT_MAX ((size_t)1 << 20)

/* Codes and types of errors by which providers' own filters refuse, in small letters. */
static const char filters[] =
    "content_filter|content_policy_violation|moderation_blocked|datainspectionfailed|"
    "data_inspection_failed|sensitive|responsibleaipolicyviolation|content_moderation";
/*
 * What speaks of the account and not of the question: OpenAI's and Azure's, DashScope's, Ark's,
 * Moonshot's, DeepSeek's, Qianfan's and others' words, in small letters.
 */
static const char account_words[] =
    "arrear|overdue|insufficient_quota|insufficient "
    "balance|insufficientbalance|insufficient_balance|"
    "current_quota|account_deactivated|account_suspended|account suspended|account_locked|"
    "account locked|accountlocked|account has been|account is not active|account_not_active|banned|"
    "access_terminated|accessdenied|access denied|riskcontrol|risk_control|risk control|"
    "invalid_api_key|invalidapikey|invalid_authentication|authentication_error|permission_denied|"
    "billing|unpurchased|organization_restricted|user_suspended|欠费|余额不足|封禁|停用|冻结|风控|"
    "账户异常|"
    "账号异常|账户已|账号已|违规账";
/* GLM's numbers: account abnormal, in arrears, locked for violations; Spark's: not authorised. */
static const char account_numbers[] = "1110|1111|1112|1113|1121|11200|11201|17|18000";
/* GLM's sensitive content; Spark's inputs and outputs; MiniMax's. */
static const char filter_numbers[] = "1301|10013|10014|10019|10021|1026|1027";

static bool holds(struct span text, const char *words)
{
    struct span rest = span_str(words), word;
    while (span_split(&rest, '|', &word))
        if (span_find(text, word) < text.len)
            return true;
    return false;
}

static bool is_one(struct span text, const char *words)
{
    struct span rest = span_str(words), word;
    while (span_split(&rest, '|', &word))
        if (span_eq(text, word))
            return true;
    return false;
}

/* Of what others wrote, on one line, and nothing that moves a terminal's cursor. */
static void copy(char *to, size_t size, struct span from)
{
    size_t n = from.len < size - 1 ? from.len : size - 1;
    while (n > 0 && n < from.len && ((unsigned char)from.data[n] & 0xC0) == 0x80)
        n--; /* not within a character */
    if (n)
        memcpy(to, from.data, n);
    to[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)to[i], next = (unsigned char)to[i + 1];
        if (c < 0x20 || c == 0x7f)
            to[i] = ' ';
        else if (c == 0xC2 && next >= 0x80 && next < 0xA0) /* U+0080 to U+009F */
            to[i] = to[i + 1] = ' ';
    }
}

/* A string as it is, a number as digits. */
static void word_of(const struct json_value *v, char ret[APIANSWER_WORD])
{
    struct span text;
    int64_t number;
    ret[0] = '\0';
    if (value_get_string(v, &text))
        copy(ret, APIANSWER_WORD, text);
    else if (value_get_integer(v, &number))
        snprintf(ret, APIANSWER_WORD, "%lld", (long long)number);
}

/* ---- errors ---- */

struct fault {
    bool any;
    char code[APIANSWER_WORD], type[APIANSWER_WORD], message[APIANSWER_WORD];
};

static void lower(char *s)
{
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s + ('a' - 'A'));
}

static void take_fault(const struct json_value *v, const char *code, const char *message,
                       struct fault *f)
{
    f->any = true;
    word_of(value_get(v, span_str(code)), f->code);
    word_of(value_get(v, SPAN_LIT("type")), f->type);
    word_of(value_get(v, span_str(message)), f->message);
    if (!f->message[0])
        word_of(value_get(v, SPAN_LIT("msg")), f->message);
}

/* Where gateways of clouds put it: Tencent's Response.Error, Volcengine's ResponseMetadata.Error.
 */
static const struct json_value *find_cloud_error(const struct json_value *v)
{
    const struct json_value *error =
        value_get(value_get(v, SPAN_LIT("Response")), SPAN_LIT("Error"));
    return error ? error : value_get(value_get(v, SPAN_LIT("ResponseMetadata")), SPAN_LIT("Error"));
}

/* {"error":{…}}, {"error":"…"}, flat errors, and those that hide behind status 200. */
static void find_fault(const struct json_value *v, struct fault *f)
{
    if (value_is_array(v)) /* Gemini's: a list of one */
        v = value_at(v, 0);
    const struct json_value *error = value_get(v, SPAN_LIT("error"));
    const struct json_value *base = value_get(v, SPAN_LIT("base_resp"));
    const struct json_value *cloud = find_cloud_error(v);
    int64_t code = 0;
    struct span text;
    if (value_is_object(error))
        take_fault(error, "code", "message", f);
    else if (value_get_string(error, &text))
        take_fault(v, "code", "error", f);
    else if (value_get_integer(value_get(base, SPAN_LIT("status_code")), &code) && code)
        take_fault(base, "status_code", "status_msg", f);
    else if (value_is_object(cloud))
        take_fault(cloud, "Code", "Message", f);
    else if (value_get(v, SPAN_LIT("error_code")))
        take_fault(v, "error_code", "error_msg", f);
    else if (!value_get(v, SPAN_LIT("choices")) && value_get(v, SPAN_LIT("code")))
        take_fault(v, "code", "message", f);
    else if (value_get_integer(value_get(v, SPAN_LIT("code")), &code) && code)
        take_fault(v, "code", "message", f);
    lower(f->code);
    lower(f->type);
    lower(f->message);
}

static bool is_filter(const struct fault *f)
{
    return holds(span_str(f->code), filters) || holds(span_str(f->type), filters) ||
           is_one(span_str(f->code), filter_numbers);
}

static bool is_account(int status, const struct fault *f)
{
    if (status == 401 || status == 402 || status == 403)
        return true;
    return holds(span_str(f->code), account_words) || holds(span_str(f->type), account_words) ||
           holds(span_str(f->message), account_words) || is_one(span_str(f->code), account_numbers);
}

/* ---- answers ---- */

/* A string, or parts of which the texts count. */
static int take_text(const struct json_value *content, struct buf *out)
{
    struct span text;
    if (value_get_string(content, &text))
        return buf_append(out, text);
    int r = 0;
    for (size_t i = 0; r == 0 && value_is_array(content) && i < value_count(content); i++)
        if (value_get_string(value_get(value_at(content, i), SPAN_LIT("text")), &text))
            r = buf_append(out, text);
    return r;
}

static int take_choice(const struct json_value *v, struct apianswer *a)
{
    const struct json_value *choice = value_at(value_get(v, SPAN_LIT("choices")), 0);
    const struct json_value *message = value_get(choice, SPAN_LIT("message"));
    word_of(value_get(choice, SPAN_LIT("finish_reason")), a->finish);
    word_of(value_get(v, SPAN_LIT("model")), a->model);
    int r = take_text(value_get(message, SPAN_LIT("content")), &a->text);
    if (r == 0)
        r = take_text(value_get(message, SPAN_LIT("refusal")), &a->refusal);
    return r;
}

static void fail(struct apianswer *a, enum apianswer_kind kind, int status, const struct fault *f)
{
    const char *code = f->code[0] ? f->code : f->type;
    a->kind = kind;
    if (code[0])
        snprintf(a->why, sizeof(a->why), "HTTP %d, %s", status, code);
    else if (kind == APIANSWER_ACCOUNT && f->message[0])
        snprintf(a->why, sizeof(a->why), "HTTP %d, %s", status, f->message);
    else
        snprintf(a->why, sizeof(a->why), "HTTP %d", status);
}

static int judge(int status, const struct json_value *v, struct apianswer *a)
{
    struct fault f = {0};
    find_fault(v, &f);
    /* Before 403 and the like: Moonshot, Azure and our own gateway refuse with a status. */
    if (f.any && status != 401 && is_filter(&f)) {
        a->kind = APIANSWER_TEXT;
        copy(a->finish, sizeof(a->finish), SPAN_LIT("content_filter"));
        const struct json_value *error = value_get(v, SPAN_LIT("error"));
        return take_text(value_get(value_is_object(error) ? error : v, SPAN_LIT("message")),
                         &a->text);
    }
    if (is_account(status, &f))
        fail(a, APIANSWER_ACCOUNT, status, &f);
    else if (status == 408 || status == 409 || status == 429 || status >= 500)
        fail(a, APIANSWER_LATER, status, &f);
    else if (status != 200 || f.any)
        fail(a, APIANSWER_BAD, status, &f);
    else if (!value_is_object(value_at(value_get(v, SPAN_LIT("choices")), 0)))
        snprintf(a->why, sizeof(a->why), "HTTP 200, no answer of a chat API");
    else {
        a->kind = APIANSWER_TEXT;
        return take_choice(v, a);
    }
    return 0;
}

int apianswer_read(int status, struct span body, struct apianswer *ret_answer)
{
    *ret_answer = (struct apianswer){
        .kind = APIANSWER_BAD, .text = BUF_INIT(TEXT_MAX), .refusal = BUF_INIT(TEXT_MAX)};
    struct json_value *v = value_parse(body, NULL);
    int r = judge(status, v, ret_answer);
    value_free(v);
    if (r == -EMSGSIZE) {
        ret_answer->kind = APIANSWER_BAD;
        snprintf(ret_answer->why, sizeof(ret_answer->why), "the answer is too long");
        r = 0;
    }
    if (r < 0)
        apianswer_free(ret_answer);
    return r;
}

void apianswer_free(struct apianswer *a)
{
    buf_deinit(&a->text);
    buf_deinit(&a->refusal);
}
