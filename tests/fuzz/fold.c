/* The reader of code points: any pieces of any bytes give what the whole gives. */
#include "text/fold.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { POINTS_MAX = 4096 };

static size_t read_points(struct span text, size_t step, struct fold_point *points, int *ret_end)
{
    struct fold_reader reader = {0};
    size_t count = 0;
    int got = 0;
    for (size_t at = 0; at < text.len && got >= 0; at += step) {
        struct span piece = span_slice(text, at, at + step < text.len ? at + step : text.len);
        while ((got = fold_reader_next(&reader, &piece, &points[count])) > 0)
            count++;
    }
    while (got >= 0 && (got = fold_reader_end(&reader, &points[count])) > 0)
        count++;
    *ret_end = got;
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fold_point whole[POINTS_MAX + 1], pieces[POINTS_MAX + 1];
    if (size < 1 || size > POINTS_MAX)
        return 0;
    struct span text = span_from((const char *)data + 1, size - 1);
    int end, pieces_end;
    size_t n = read_points(text, text.len + 1, whole, &end);
    size_t m = read_points(text, 1 + data[0] % 7, pieces, &pieces_end);
    if (n != m || end != pieces_end)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (whole[i].cp != pieces[i].cp || whole[i].start != pieces[i].start ||
            whole[i].end != pieces[i].end)
            abort();
        uint32_t cps[FOLD_EXPANSION_MAX];
        fold_code_point(whole[i].cp, cps);
    }
    return 0;
}
