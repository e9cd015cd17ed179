#include "gate/complaint_page.h"

#include "base/clock.h"
#include "json/walk.h"

#include <errno.h>

/* Nothing of it is markup. */
static int put_text(struct buf *out, struct span text)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < text.len; i++) {
        const char *as = text.data[i] == '<'    ? "&lt;"
                         : text.data[i] == '>'  ? "&gt;"
                         : text.data[i] == '&'  ? "&amp;"
                         : text.data[i] == '"'  ? "&quot;"
                         : text.data[i] == '\'' ? "&#39;"
                                                : NULL;
        r = as ? buf_append(out, span_str(as)) : buf_append_char(out, text.data[i]);
    }
    return r;
}

static bool is_request_id(struct span id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '_' || c == '-'))
            return false;
    }
    return id.len && id.len <= 64;
}

static int begin(struct buf *out, const char *title)
{
    return buf_printf(out,
                      "<!doctype html>\n<html lang=\"zh-CN\">\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, "
                      "initial-scale=1\">\n<title>%s</title>\n<h1>%s</h1>\n",
                      title, title);
}

static const struct {
    const char *value, *zh, *en;
} kinds[] = {
    {"content", "生成内容违法、有害或不当", "Harmful or improper content"},
    {"wrong_refusal", "正常内容被误拦", "Refused without reason"},
    {"privacy", "个人信息与隐私", "Personal data, privacy"},
    {"rights", "侵犯知识产权或其他权益", "Rights of mine or others"},
    {"minor", "未成年人保护", "Protection of minors"},
    {"label", "内容标识", "Labels of AI content"},
    {"other", "其他", "Other"},
};

int complaint_page_form(const struct config *c, struct span request_id, struct buf *out)
{
    int r = begin(out, "投诉与举报 Complaints");
    if (r == 0 && c->service.provider.len) {
        buf_append(out, SPAN_LIT("<p>"));
        put_text(out, c->service.provider);
        r = buf_append(out, SPAN_LIT("</p>\n"));
    }
    if (r == 0 && c->service.complaint.len) {
        buf_append(out, SPAN_LIT("<p>其他渠道 Other ways: "));
        put_text(out, c->service.complaint);
        r = buf_append(out, SPAN_LIT("</p>\n"));
    }
    unsigned days = c->complaints.due_ms / 86400000, hours = c->complaints.due_ms / 3600000;
    buf_printf(out,
               "<p>我们将在 %u %s内处理并答复。 We answer within %u %s.</p>\n"
               "<form method=\"post\" action=\"/v1/complaints\" accept-charset=\"utf-8\">\n"
               "<p><label>类别 Kind<br><select name=\"kind\">\n",
               days ? days : hours, days ? "天" : "小时", days ? days : hours,
               days ? "days" : "hours");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        buf_printf(out, "<option value=\"%s\">%s %s</option>\n", kinds[i].value, kinds[i].zh,
                   kinds[i].en);
    buf_append(out, SPAN_LIT("</select></label></p>\n"
                             "<p><label>内容（必填） What is it about? (required)<br><textarea "
                             "name=\"text\" rows=\"8\" cols=\"60\" maxlength=\"2000\" "
                             "required></textarea></label></p>\n"
                             "<p><label>联系方式（选填） How to reach you (optional)<br><input "
                             "name=\"contact\" maxlength=\"80\"></label></p>\n"
                             "<p><label>请求编号（选填） Request number (optional)<br><input "
                             "name=\"request_id\" maxlength=\"64\" value=\""));
    if (is_request_id(request_id))
        put_text(out, request_id);
    return buf_append(out, SPAN_LIT("\"></label></p>\n<p><button>提交 Send</button></p>\n</form>\n"
                                    "</html>\n"));
}

/* China's day. */
static void due_day(const struct complaint *c, char ret[CLOCK_TEXT_SIZE])
{
    clock_format(c->due_us + 8 * 3600000000ull, ret);
    ret[10] = '\0';
}

static const char *reason(const struct complaint *c)
{
    return c->result == -EINVAL ? c->why
           : c->result == -EDQUOT ? "提交过于频繁，请稍后再试。 Too many: try again later."
                                  : "暂时无法受理，请稍后再试。 It can't be taken now: try again "
                                    "later.";
}

int complaint_page_answer(const struct complaint *c, struct buf *out)
{
    char day[CLOCK_TEXT_SIZE];
    int r = begin(out, c->result == 0 ? "已受理 Noted" : "未能提交 Not sent");
    if (r < 0)
        return r;
    if (c->result < 0) {
        buf_append(out, SPAN_LIT("<p>"));
        put_text(out, span_str(reason(c)));
        return buf_append(out, SPAN_LIT("</p>\n<p><a href=\"/complaints\">返回 Back</a></p>\n"
                                        "</html>\n"));
    }
    due_day(c, day);
    return buf_printf(out,
                      "<p>工单编号 Ticket: <strong>%lld</strong></p>\n"
                      "<p>答复期限 To be answered by: %s</p>\n</html>\n",
                      (long long)c->number, day);
}

int complaint_json_answer(const struct complaint *c, struct buf *out)
{
    char day[CLOCK_TEXT_SIZE];
    if (c->result == 0) {
        due_day(c, day);
        return buf_printf(out, "{\"ticket\":%lld,\"due\":\"%s\"}", (long long)c->number, day);
    }
    const char *code = c->result == -EINVAL   ? "bad_complaint"
                       : c->result == -EFBIG  ? "too_large"
                       : c->result == -EDQUOT ? "too_many"
                                              : "unavailable";
    int r =
        buf_printf(out, "{\"error\":{\"type\":\"gateway\",\"code\":\"%s\",\"message\":\"", code);
    if (r == 0)
        r = json_escape(out, span_str(reason(c)));
    return r < 0 ? r : buf_append(out, SPAN_LIT("\"}}"));
}

int complaint_status(const struct complaint *c)
{
    switch (c->result) {
    case 0:
        return 200;
    case -EINVAL:
        return 400;
    case -EFBIG:
        return 413;
    case -EDQUOT:
        return 429;
    default:
        return 503;
    }
}
