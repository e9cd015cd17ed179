#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

uint64_t clock_mono_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

void clock_format(uint64_t wall_us, char ret_text[CLOCK_TEXT_SIZE])
{
    time_t s = (time_t)(wall_us / 1000000u);
    struct tm tm;
    gmtime_r(&s, &tm);
    char day[24];
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(ret_text, CLOCK_TEXT_SIZE, "%s.%03uZ", day, (unsigned)(wall_us / 1000u % 1000u));
}

bool clock_read(struct span text, uint64_t *ret_wall_us)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    int n[7] = {0}, field = 0;
    if (text.len != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (form[i] != '0' && text.data[i] != form[i])
            return false;
        if (form[i] != '0')
            field++;
        else if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        else
            n[field] = n[field] * 10 + (text.data[i] - '0');
    }
    struct tm tm = {.tm_year = n[0] - 1900,
                    .tm_mon = n[1] - 1,
                    .tm_mday = n[2],
                    .tm_hour = n[3],
                    .tm_min = n[4],
                    .tm_sec = n[5]};
    time_t t = timegm(&tm);
    /* What the calendar doesn't have comes back as another time. */
    char again[CLOCK_TEXT_SIZE];
    if (t < 0)
        return false;
    uint64_t us = (uint64_t)t * 1000000u + (uint64_t)n[6] * 1000u;
    clock_format(us, again);
    if (!span_eq(span_str(again), text))
        return false;
    *ret_wall_us = us;
    return true;
}
