#include "console/rulework.h"

#include "base/day.h"
#include "config/value.h"
#include "json/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define WAIT_MS     10000
#define REASONS_MAX 100

/* ---- what was asked ---- */

static int is_other(void *ctx, struct span key, const struct json_value *value)
{
    const char *const *name = ctx;
    while (*name && !span_eq(key, span_str(*name)))
        name++;
    return *name == NULL;
}

bool rulework_only(const struct api_request *q, const char *const *names, struct api_answer *a)
{
    if (value_each(q->body, is_other, (void *)names) == 0)
        return true;
    struct buf list = BUF_INIT(512);
    for (size_t i = 0; names[i]; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    api_error(a, 400, "unknown_member", "The body takes %.*s, and nothing else.",
              SPAN_ARG(buf_span(&list)));
    buf_deinit(&list);
    return false;
}

bool rulework_line(const struct json_value *object, const char *name, size_t min, size_t max,
                   struct span *ret_text, struct api_answer *a)
{
    const struct json_value *v = value_get(object, span_str(name));
    *ret_text = SPAN_LIT("");
    bool good = !v || value_is_null(v) || value_get_string(v, ret_text);
    if (good)
        *ret_text = span_trim(*ret_text);
    if (good && ret_text->len >= min && ret_text->len <= max && value_is_printable(*ret_text))
        return true;
    api_error(a, 400, "bad_parameter", "'%s' is one line of text, of %zu to %zu bytes", name, min,
              max);
    return false;
}

bool rulework_flag(const struct api_request *q, const char *name, bool *ret_flag,
                   struct api_answer *a)
{
    const struct json_value *v = value_get(q->body, span_str(name));
    *ret_flag = false;
    if (!v || value_is_null(v) || value_get_boolean(v, ret_flag))
        return true;
    api_error(a, 400, "bad_parameter", "'%s' is true or false", name);
    return false;
}

bool rulework_number(const struct json_value *object, const char *name, int64_t min, int64_t max,
                     int64_t *ret_number, struct api_answer *a)
{
    const struct json_value *v = value_get(object, span_str(name));
    int64_t n;
    if (!v || value_is_null(v))
        return true;
    if (value_get_integer(v, &n) && n >= min && n <= max) {
        *ret_number = n;
        return true;
    }
    api_error(a, 400, "bad_parameter", "'%s' is a whole number from %" PRId64 " to %" PRId64, name,
              min, max);
    return false;
}

bool rulework_there(const struct api *api, struct api_answer *a)
{
    if (!api->rules)
        api_error(a, 503, "no_rules", "There is no library here.");
    return api->rules != NULL;
}

/* ---- refusals ---- */

static int write_reasons(struct api_answer *a, struct span messages)
{
    struct span line;
    size_t count = 0;
    int r = 0;
    while (r == 0 && span_split(&messages, '\n', &line)) {
        if (line.len == 0 || count == REASONS_MAX)
            continue;
        buf_append(&a->body, count++ ? SPAN_LIT("\",\"") : SPAN_LIT("\""));
        r = json_escape(&a->body, line);
    }
    return r < 0 || count == 0 ? r : buf_append_char(&a->body, '"');
}

/* What weighs: the last line that is no warning sums up. */
static struct span main_line(struct span messages)
{
    struct span line, found = SPAN_LIT("It was refused.");
    while (span_split(&messages, '\n', &line))
        if (line.len && span_find(line, SPAN_LIT("warning: ")) == line.len)
            found = line;
    return found;
}

int rulework_refuse(struct api_answer *a, int status, const char *code, struct span messages)
{
    int r = api_error(a, status, code, "%.*s", SPAN_ARG(main_line(messages)));
    if (r < 0)
        return r;
    a->body.len -= 2; /* its closing braces */
    buf_append(&a->body, SPAN_LIT(",\"reasons\":["));
    r = write_reasons(a, messages);
    return r < 0 ? r : buf_append(&a->body, SPAN_LIT("]}}"));
}

int rulework_failed(struct api_answer *a, int error, bool unrecorded, struct span messages)
{
    struct span told = messages.len ? messages : span_str(strerror(-error));
    if (error == -ENOMEM)
        return error;
    if (unrecorded)
        return api_error(a, 503, "not_recorded", "It can't be recorded, so it was not done.");
    switch (error) {
    case -EINVAL:
        return rulework_refuse(a, 422, "refused", told);
    case -EBUSY:
        return rulework_refuse(a, 409, "busy", told);
    case -EACCES:
    case -EPERM:
    case -EROFS:
        return rulework_refuse(a, 503, "not_writable", told);
    case -EBADMSG:
        return rulework_refuse(a, 503, "damaged", told);
    default:
        return rulework_refuse(a, 503, "failed", told);
    }
}

/* ---- acts ---- */

static void write_detail(const struct journal_entry *e, struct buf *more)
{
    char name[RULE_VERSION_SIZE], end[DAY_TEXT_SIZE];
    if (e->version.len) {
        vault_name(e->version, name);
        json_member(more, "version", span_str(name));
    }
    if (e->word.len) {
        json_member(more, "word", e->word);
        json_member(more, "risk", e->risk);
    }
    if (e->expires) {
        day_format_minute(e->expires, end);
        json_member(more, "expires", span_str(end));
    }
    if (e->compared)
        buf_printf(more, "%s\"added\":%u,\"removed\":%u,\"changed\":%u,\"files\":%u",
                   more->len ? "," : "", e->added, e->removed, e->changed, e->files);
    if (e->reason.len)
        json_member(more, "reason", e->reason);
}

/* Nobody's act comes into force without a record of it. */
static int record(void *ctx, const struct journal_entry *e, struct buf *messages)
{
    struct rulework *w = ctx;
    char act[32];
    struct buf more = BUF_INIT(8192);
    int n = snprintf(act, sizeof(act), "rules_%s", journal_act_name(e->act));
    write_detail(e, &more);
    int r = api_record(w->api, w->q, span_from(act, (size_t)n), buf_span(&more));
    buf_deinit(&more);
    w->unrecorded = r < 0;
    return r;
}

void rulework_begin(struct rulework *w, const struct api *api, const struct api_request *q,
                    struct span reason)
{
    *w = (struct rulework){.api = api, .q = q, .fitness = {.config = api->config}};
    w->publish = (struct publish){.state_dir = api->state_dir,
                                  .rules_dir = api->config->rules_dir,
                                  .author = q->user,
                                  .login = SPAN_LIT("console"),
                                  .reason = reason,
                                  .check = fitness_check,
                                  .ctx = &w->fitness,
                                  .before = record,
                                  .before_ctx = w,
                                  .report = RULE_REPORT_INIT};
}

void rulework_end(struct rulework *w)
{
    buf_deinit(&w->publish.report.text);
}

/* Why the gateway did not take it. */
static int write_trouble(struct api_answer *a, const struct serving_state *st)
{
    a->body.len--; /* the closing brace */
    json_member(&a->body, "why", span_str(st->why));
    return buf_append_char(&a->body, '}');
}

int rulework_tell(struct rulework *w, int result, const struct publish_done *done, bool proposed,
                  struct api_answer *a)
{
    struct serving_state st = {0};
    char name[RULE_VERSION_SIZE];
    const char *gateway = NULL;
    if (result < 0)
        return rulework_failed(a, result, w->unrecorded, buf_span(&w->publish.report.text));
    if (!proposed) {
        serving_wait(w->publish.state_dir, span_str(done->version), WAIT_MS, &st);
        gateway = serving_word(&st, span_str(done->version));
    }
    int r = publish_write(done, result, proposed, gateway, &a->body);
    if (r == 0 && gateway && strcmp(gateway, "refused") == 0)
        r = write_trouble(a, &st);
    if (r < 0 || !proposed)
        return r;
    vault_name(span_str(done->version), name);
    a->body.len--;
    json_member(&a->body, "proposal", span_str(name));
    return buf_append_char(&a->body, '}');
}

int rulework_tell_plain(struct rulework *w, int result, const char *state, struct api_answer *a)
{
    if (result < 0)
        return rulework_failed(a, result, w->unrecorded, buf_span(&w->publish.report.text));
    return buf_printf(&a->body, "{\"state\":\"%s\"}", state);
}
