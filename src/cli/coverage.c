#include "cli/coverage.h"

#include "filing/coverage.h"

#include <string.h>

const struct config_app *coverage_app(const struct setup *s, const char *name)
{
    if (!name)
        return config_filing_app(s->config);
    const struct config_app *app = config_find_app(s->config, span_str(name));
    if (!app)
        fprintf(stderr, "juyong: the configuration has no app '%s'\n", name);
    return app;
}

int coverage_print(const struct setup *s, const struct coverage_options *o)
{
    struct buf out = BUF_INIT(4u << 20), messages = BUF_INIT(65536);
    char good[16], bad[16], off[16];
    bool met;
    const struct config_app *app = coverage_app(s, o->app);
    if (!app)
        return CLI_BAD;
    struct coverage_question q = {
        .config = s->config,
        .rules = s->rules,
        .app = app,
        .json = o->json,
        .wanted = o->wanted,
        .ctx = o->ctx,
        .good = setup_colour(stdout, "32;1", good),
        .bad = setup_colour(stdout, "31;1", bad),
        .off = setup_colour(stdout, "0", off),
    };
    int r = coverage_tell(&q, &messages, &out, &met);
    setup_print_messages(stderr, &messages);
    if (r < 0)
        fprintf(stderr, "juyong: the library can't be counted: %s\n", strerror(-r));
    bool written = r == 0 && setup_write(stdout, &out);
    buf_deinit(&messages);
    buf_deinit(&out);
    return !written ? CLI_BAD : met || o->wanted ? CLI_GOOD : CLI_UNMET;
}
