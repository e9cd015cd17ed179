#include "base/day.h"

#include <time.h>

#define CHINA_SECONDS (8 * 3600) /* ahead of UTC */
#define DAY_SECONDS   86400

/* Exactly `count` digits. */
static bool read_digits(struct span text, size_t from, size_t count, int *ret)
{
    *ret = 0;
    for (size_t i = from; i < from + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *ret = *ret * 10 + (text.data[i] - '0');
    }
    return true;
}

/* The day's midnight, as if it were in UTC. */
static bool read_day(struct span text, time_t *ret_midnight)
{
    struct tm tm = {0}, back;
    int year, month, day;
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-' ||
        !read_digits(text, 0, 4, &year) || !read_digits(text, 5, 2, &month) ||
        !read_digits(text, 8, 2, &day) || year < 1970)
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    *ret_midnight = timegm(&tm);
    /* What the calendar doesn't have comes back as another day. */
    gmtime_r(ret_midnight, &back);
    return back.tm_mon == month - 1 && back.tm_mday == day && back.tm_year == year - 1900;
}

bool day_end(struct span text, int64_t *ret)
{
    time_t midnight;
    if (!read_day(text, &midnight))
        return false;
    *ret = (int64_t)midnight + DAY_SECONDS - CHINA_SECONDS;
    return true;
}

/* +hh:mm, -hh:mm or Z: seconds ahead of UTC. */
static bool read_zone(struct span text, int *ret_ahead)
{
    int hours, minutes;
    *ret_ahead = 0;
    if (text.len == 1 && text.data[0] == 'Z')
        return true;
    if (text.len != 6 || (text.data[0] != '+' && text.data[0] != '-') || text.data[3] != ':' ||
        !read_digits(text, 1, 2, &hours) || !read_digits(text, 4, 2, &minutes))
        return false;
    *ret_ahead = (hours * 60 + minutes) * (text.data[0] == '-' ? -60 : 60);
    return hours <= 14 && minutes < 60;
}

bool day_minute(struct span text, int64_t *ret)
{
    time_t midnight;
    int hour, minute, ahead;
    if (text.len < 17 || !read_day(span_slice(text, 0, 10), &midnight) || text.data[10] != 'T' ||
        text.data[13] != ':' || !read_digits(text, 11, 2, &hour) ||
        !read_digits(text, 14, 2, &minute) || hour > 23 || minute > 59 ||
        !read_zone(span_slice(text, 16, text.len), &ahead))
        return false;
    *ret = (int64_t)midnight + hour * 3600 + minute * 60 - ahead;
    return true;
}

void day_format(int64_t end, char ret_text[DAY_TEXT_SIZE])
{
    time_t last = (time_t)(end - 1 + CHINA_SECONDS);
    struct tm tm;
    gmtime_r(&last, &tm);
    strftime(ret_text, DAY_TEXT_SIZE, "%Y-%m-%d", &tm);
}

bool day_is_end(int64_t unix_seconds)
{
    return (unix_seconds + CHINA_SECONDS) % DAY_SECONDS == 0;
}

void day_format_minute(int64_t unix_seconds, char ret_text[DAY_TEXT_SIZE])
{
    time_t there = (time_t)(unix_seconds + CHINA_SECONDS);
    struct tm tm;
    gmtime_r(&there, &tm);
    strftime(ret_text, DAY_TEXT_SIZE, "%Y-%m-%dT%H:%M+08:00", &tm);
}
