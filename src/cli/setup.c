#include "cli/setup.h"

#include "audit/rowjson.h"
#include "base/utf8.h"
#include "config/value.h"
#include "policy/policy.h"
#include "rules/publish.h"
#include "json/walk.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

const char *setup_colour(FILE *to, const char *code, char ret_text[16])
{
    const char *plain = getenv("NO_COLOR");
    ret_text[0] = '\0';
    if (isatty(fileno(to)) && !(plain && *plain))
        snprintf(ret_text, 16, "\033[%sm", code);
    return ret_text;
}

bool setup_write(FILE *to, const struct buf *text)
{
    bool written = text->len == 0 || fwrite(text->data, 1, text->len, to) == text->len;
    return fflush(to) == 0 && written;
}

bool setup_show(FILE *to, const struct buf *text)
{
    bool written = true;
    size_t shown = 0;
    if (text->len == 0)
        return fflush(to) == 0;
    for (size_t at = 0; at < text->len;) {
        uint32_t cp;
        int n = utf8_decode(span_slice(buf_span(text), at, text->len), false, &cp);
        bool whole = n > 0 && (cp == '\n' || cp == '\t' || !rowjson_is_harmful(cp));
        size_t len = n > 0 ? (size_t)n : 1;
        if (!whole) {
            char escape[16];
            if (n > 0 && cp > 0xffff)
                snprintf(escape, sizeof(escape), "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10),
                         0xdc00 + ((cp - 0x10000) & 0x3ff));
            else
                snprintf(escape, sizeof(escape), "\\u%04x", n > 0 ? cp : 0xfffd);
            written = fwrite(text->data + shown, 1, at - shown, to) == at - shown && written;
            written = fputs(escape, to) >= 0 && written;
            shown = at + len;
        }
        at += len;
    }
    written = fwrite(text->data + shown, 1, text->len - shown, to) == text->len - shown && written;
    return fflush(to) == 0 && written;
}

void setup_print_messages(FILE *to, const struct buf *messages)
{
    char warn[16], bad[16], off[16];
    setup_colour(to, "33;1", warn);
    setup_colour(to, "31;1", bad);
    setup_colour(to, "0", off);
    struct span rest = buf_span(messages), line;
    while (span_split(&rest, '\n', &line)) {
        if (line.len == 0)
            continue;
        size_t at = span_find(line, SPAN_LIT(": warning: "));
        bool warning = at < line.len;
        if (!warning)
            at = span_find(line, SPAN_LIT(": "));
        if (at == line.len)
            at = 0;
        fprintf(to, "%s%.*s%s%.*s\n", warning ? warn : bad, (int)at, line.data, off,
                (int)(line.len - at), line.data + at);
    }
}

enum which { NO_RULES, WORKING_COPY, PUBLISHED };

static int load_rules(struct setup *s, enum which which, struct rule_report *report)
{
    const struct config *c = s->config;
    int r = -ENOENT;
    if (which == PUBLISHED)
        r = publish_peek(c->state_dir, c->rules_dir, report, &s->rules);
    if (r == -ENOENT && which == PUBLISHED)
        fprintf(stderr, "nothing is published: this is %.*s as it is now\n",
                SPAN_ARG(c->rules_dir));
    return r == -ENOENT ? ruleset_load(c->rules_dir, report, &s->rules) : r;
}

static int load(struct span file, enum which which, struct buf *messages, struct setup *s)
{
    if (config_load(file, messages, &s->config) < 0)
        return CLI_BAD;
    if (which == NO_RULES)
        return CLI_GOOD;
    struct rule_report report = RULE_REPORT_INIT;
    int r = load_rules(s, which, &report);
    buf_append(messages, buf_span(&report.text));
    buf_deinit(&report.text);
    if (r == -ENOMEM)
        buf_printf(messages, "%.*s: too large for this machine's memory\n",
                   SPAN_ARG(s->config->rules_dir));
    if (r == -EOVERFLOW)
        buf_printf(messages,
                   "%.*s: with the spellings that 'see' asks for, more words than one library "
                   "holds; ask for fewer layers on its largest lists\n",
                   SPAN_ARG(s->config->rules_dir));
    if (r < 0)
        return CLI_BAD;
    return policy_check(s->config, s->rules, messages) ? CLI_BAD : CLI_GOOD;
}

static int load_and_tell(struct span file, enum which which, struct setup *ret_setup)
{
    struct buf messages = BUF_INIT(4u << 20);
    struct setup s = {0};
    int r = load(file, which, &messages, &s);
    setup_print_messages(stderr, &messages);
    buf_deinit(&messages);
    if (r)
        setup_deinit(&s);
    else
        *ret_setup = s;
    return r;
}

int setup_load(struct span file, bool rules, struct setup *ret_setup)
{
    return load_and_tell(file, rules ? WORKING_COPY : NO_RULES, ret_setup);
}

int setup_load_published(struct span file, struct setup *ret_setup)
{
    return load_and_tell(file, PUBLISHED, ret_setup);
}

void setup_deinit(struct setup *s)
{
    s->rules = ruleset_unref(s->rules);
    s->config = config_unref(s->config);
}

void setup_json(struct buf *out, const char *key, struct span text)
{
    json_member(out, key, text);
}

void setup_login(char *ret_name, size_t size)
{
    if (getlogin_r(ret_name, size) == 0 && ret_name[0])
        return;
    const struct passwd *pw = getpwuid(getuid());
    if (pw)
        snprintf(ret_name, size, "%s", pw->pw_name);
    else
        snprintf(ret_name, size, "uid %u", (unsigned)getuid());
}

bool setup_is_line(const char *command, const char *what, struct span text, size_t max)
{
    if (span_trim(text).len == 0)
        fprintf(stderr, "juyong %s: %s is needed\n", command, what);
    else if (text.len > max)
        fprintf(stderr, "juyong %s: %s: more than %zu bytes\n", command, what, max);
    else if (!value_is_printable(text) || utf8_check(text) < text.len)
        fprintf(stderr, "juyong %s: %s: one line of text in UTF-8\n", command, what);
    else
        return true;
    return false;
}
