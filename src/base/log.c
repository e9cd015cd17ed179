#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static atomic_int current = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store(&current, level);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load(&current);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    static const char *const colours[] = {"\033[2m", "", "\033[33m", "\033[31m"};
    if (level < log_get_level())
        return;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (char *p = text; *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
        /* U+0080 to U+009F: terminals may obey them like escape sequences. */
        if ((unsigned char)p[0] == 0xC2 && (unsigned char)p[1] >= 0x80 &&
            (unsigned char)p[1] < 0xA0)
            p[0] = p[1] = '?';
    }
    char when[CLOCK_TEXT_SIZE];
    clock_format(clock_wall_us(), when);
    int tty = isatty(STDERR_FILENO);
    /* One write a line: lines of several threads do not mix. */
    char line[1200];
    int n = snprintf(line, sizeof(line), "%s %s%-7s%s %s\n", when, tty ? colours[level] : "",
                     names[level], tty && *colours[level] ? "\033[0m" : "", text);
    if (n > (int)sizeof(line) - 1)
        n = (int)sizeof(line) - 1;
    ssize_t done = write(STDERR_FILENO, line, (size_t)n);
    (void)done; /* nowhere left to complain */
}
