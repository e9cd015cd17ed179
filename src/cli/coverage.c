#include "cli/coverage.h"

#include "base/clock.h"
#include "filing/changes.h"
#include "filing/coverage.h"

#include <string.h>

const struct config_app *coverage_app(const struct setup *s, const char *name)
{
    if (!name)
        return &s->config->apps[0];
    const struct config_app *app = config_find_app(s->config, span_str(name));
    if (!app)
        fprintf(stderr, "juyong: the configuration has no app '%s'\n", name);
    return app;
}

int coverage_print(const struct setup *s, const struct coverage_options *o)
{
    struct library library;
    struct buf out = BUF_INIT(4u << 20);
    char good[16], bad[16], off[16];
    const struct config_app *app = coverage_app(s, o->app);
    if (!app)
        return CLI_BAD;
    int64_t now = clock_wall_s();
    int r = library_read(s->rules, app, now, &library);
    if (r < 0) {
        fprintf(stderr, "juyong: the library can't be counted: %s\n", strerror(-r));
        return CLI_BAD;
    }
    struct changes changes;
    struct buf messages = BUF_INIT(65536);
    r = changes_read(s->config->state_dir, s->rules, now, &messages, &changes);
    setup_print_messages(stderr, &messages); /* without the journal the rest is told all the same */
    buf_deinit(&messages);
    struct coverage c = {
        .library = &library,
        .version = ruleset_version(s->rules),
        .now = now,
        .changed = r == 0 ? changes_at : NULL,
        .ctx = &changes,
        .wanted = o->wanted,
        .wanted_ctx = o->ctx,
        .good = setup_colour(stdout, "32;1", good),
        .bad = setup_colour(stdout, "31;1", bad),
        .off = setup_colour(stdout, "0", off),
    };
    bool known = r == 0;
    r = o->json ? coverage_json(&c, &out) : coverage_table(&c, &out);
    bool written = r == 0 && setup_write(stdout, &out);
    bool met = o->wanted || coverage_is_met(&c);
    buf_deinit(&out);
    if (known)
        changes_free(&changes);
    library_free(&library);
    return !written ? CLI_BAD : met ? CLI_GOOD : CLI_UNMET;
}
