/*
 * What a metric with labels costs where it is counted: nanoseconds for a counter and for a
 * histogram, among as many series as an installation of 10 apps and 30 models has, and bytes.
 */
#include "base/clock.h"
#include "base/series.h"

#include <stdio.h>

#define ROUNDS 2000000u

static struct metrics m;

static uint64_t count(unsigned rounds)
{
    static const char *const risks[] = {"A1-a", "A1-b",          "A2-c",
                                        "A3-a", "attack-prompt", "pii-phone"};
    uint64_t begin = clock_mono_us();
    char app[32];
    for (unsigned i = 0; i < rounds; i++) {
        snprintf(app, sizeof(app), "app-%u", i % 10);
        struct span labels[] = {span_str(app), span_str(risks[i % 6]), SPAN_LIT("prompt"),
                                SPAN_LIT("block")};
        series_count(&m, SERIES_INTERCEPTIONS, labels, 1);
    }
    return clock_mono_us() - begin;
}

static uint64_t observe(unsigned rounds)
{
    uint64_t begin = clock_mono_us();
    char model[32];
    for (unsigned i = 0; i < rounds; i++) {
        snprintf(model, sizeof(model), "provider-model-%u", i % 30);
        struct span labels[] = {SPAN_LIT("chat"), SPAN_LIT("provider"), span_str(model),
                                SPAN_LIT("")};
        series_observe(&m, SERIES_OPERATION, labels, i % 1000000);
    }
    return clock_mono_us() - begin;
}

static uint64_t nothing(unsigned rounds)
{
    uint64_t begin = clock_mono_us();
    char name[32];
    unsigned sum = 0;
    for (unsigned i = 0; i < rounds; i++) {
        snprintf(name, sizeof(name), "provider-model-%u", i % 30);
        sum += (unsigned char)name[15];
    }
    uint64_t us = clock_mono_us() - begin;
    return sum ? us : 0;
}

int main(void)
{
    const struct metrics *all[] = {&m};
    struct buf out = BUF_INIT(64u << 20);
    double base = (double)nothing(ROUNDS) * 1000 / ROUNDS;
    printf("counter    %6.1f ns\n", (double)count(ROUNDS) * 1000 / ROUNDS - base);
    printf("histogram  %6.1f ns\n", (double)observe(ROUNDS) * 1000 / ROUNDS - base);
    uint64_t begin = clock_mono_us();
    series_print(all, 1, &out);
    printf("printing   %6llu us for %zu bytes\n", (unsigned long long)(clock_mono_us() - begin),
           out.len);
    buf_deinit(&out);
    series_free(&m);
    return 0;
}
