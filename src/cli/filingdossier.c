#include "cli/filingdossier.h"

#include "base/clock.h"
#include "cli/coverage.h"

#include <string.h>

#define PERIOD_US (30ull * 86400 * 1000000) /* looked at unless told */
#define VERIFY_MS 20000

int filingdossier_gather(const struct filingdossier *f, const struct setup *s, struct dossier *ret)
{
    const struct config_app *app = coverage_app(s, f->app);
    *ret = (struct dossier){0};
    if (!app)
        return CLI_BAD;
    uint64_t now = clock_wall_us(), until = f->until_us ? f->until_us : now;
    struct dossier_options options = {
        .config = s->config,
        .rules = s->rules,
        .app = app,
        .now = (int64_t)(now / 1000000),
        .since_us = f->since_us         ? f->since_us
                    : until > PERIOD_US ? until - PERIOD_US
                                        : 0,
        .until_us = until,
        .software = SPAN_LIT(JUYONG_VERSION),
        .run = span_str(f->run),
        .verify_ms = f->verify ? VERIFY_MS : 0,
    };
    int r = dossier_read(&options, ret);
    if (ret->messages.len)
        setup_print_messages(stderr, &ret->messages);
    if (r < 0)
        fprintf(stderr, "juyong filing %s: %s\n", f->command, strerror(-r));
    return r < 0 ? CLI_BAD : 0;
}
