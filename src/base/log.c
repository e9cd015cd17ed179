#include "base/log.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX    1024
#define REQUEST_MAX 64
#define LINE_MAX    (6 * (TEXT_MAX + REQUEST_MAX) + 128) /* every byte may become six */

static atomic_int current = LOG_INFO;
static atomic_int form = LOG_TEXT;
/* Of the thread: what it is working for. */
static _Thread_local char request[REQUEST_MAX];

void log_set_level(enum log_level level)
{
    atomic_store(&current, level);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load(&current);
}

void log_set_form(enum log_form f)
{
    atomic_store(&form, f);
}

enum log_form log_get_form(void)
{
    return (enum log_form)atomic_load(&form);
}

void log_set_request(struct span id)
{
    if (id.len >= sizeof(request))
        id.len = sizeof(request) - 1;
    if (id.len)
        memcpy(request, id.data, id.len);
    request[id.len] = '\0';
}

static bool is_secret_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("-_.~+/=%", c));
}

/*
 * What looks like a key is starred out, whoever let it get here: behind these words anything of
 * this length. Nobody should pass a key at all.
 */
static void hide_secrets(char *text)
{
    static const char *const marks[] = {
        "Bearer ", "sk-", "access_token=", "key=", "secret=", "password="};
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        for (char *at = text; (at = strstr(at, marks[i]));) {
            at += strlen(marks[i]);
            size_t n = 0;
            while (is_secret_char(at[n]))
                n++;
            if (n >= 8)
                memset(at, '*', n);
            at += n;
        }
}

/* No text forges a line, or orders a terminal about. */
static void tame(char *text)
{
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
        /* U+0080 to U+009F: terminals may obey them like escape sequences. */
        if ((unsigned char)p[0] == 0xC2 && (unsigned char)p[1] >= 0x80 &&
            (unsigned char)p[1] < 0xA0)
            p[0] = p[1] = '?';
    }
}

static size_t put(char *line, size_t at, const char *s, size_t len)
{
    memcpy(line + at, s, len);
    return at + len;
}

/* The inside of a JSON string: tamed text, of which some bytes may be no UTF-8. */
static size_t put_json(char *line, size_t at, const char *text)
{
    struct span rest = span_str(text);
    while (rest.len) {
        uint32_t cp;
        int n = utf8_decode(rest, false, &cp);
        if (n <= 0) {
            at = put(line, at, "\xef\xbf\xbd", 3);
            n = 1;
        } else {
            if (*rest.data == '"' || *rest.data == '\\')
                line[at++] = '\\';
            at = put(line, at, rest.data, (size_t)n);
        }
        rest = span_slice(rest, (size_t)n, rest.len);
    }
    return at;
}

static size_t write_json(char *line, const char *when, const char *level, const char *text)
{
    size_t at = (size_t)snprintf(line, LINE_MAX, "{\"time\":\"%s\",\"level\":\"%s\"", when, level);
    if (request[0]) {
        at = put(line, at, ",\"request_id\":\"", 15);
        at = put_json(line, at, request);
        line[at++] = '"';
    }
    at = put(line, at, ",\"message\":\"", 12);
    at = put_json(line, at, text);
    return put(line, at, "\"}\n", 3);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    static const char *const colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};
    if (level < log_get_level())
        return;
    char text[TEXT_MAX], line[LINE_MAX], when[CLOCK_TEXT_SIZE];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    tame(text);
    hide_secrets(text);
    clock_format(clock_wall_us(), when);
    size_t n;
    if (log_get_form() == LOG_JSON) {
        n = write_json(line, when, names[level], text);
    } else {
        int tty = isatty(STDERR_FILENO);
        n = (size_t)snprintf(line, sizeof(line), "%s %s%-7s%s %s\n", when,
                             tty ? colours[level] : "", names[level],
                             tty && *colours[level] ? "\033[0m" : "", text);
    }
    /* One write a line: lines of several threads do not mix. */
    ssize_t done = write(STDERR_FILENO, line, n);
    (void)done; /* nowhere left to complain */
}
