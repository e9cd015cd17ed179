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

bool day_end(struct span text, int64_t *ret)
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
    time_t midnight = timegm(&tm);
    /* What the calendar doesn't have comes back as another day. */
    gmtime_r(&midnight, &back);
    if (back.tm_mon != month - 1 || back.tm_mday != day || back.tm_year != year - 1900)
        return false;
    *ret = (int64_t)midnight + DAY_SECONDS - CHINA_SECONDS;
    return true;
}

void day_format(int64_t end, char ret_text[DAY_TEXT_SIZE])
{
    time_t last = (time_t)(end - 1 + CHINA_SECONDS);
    struct tm tm;
    gmtime_r(&last, &tm);
    strftime(ret_text, DAY_TEXT_SIZE, "%Y-%m-%d", &tm);
}
