/* The library's numbers as `juyong rules stats` and `juyong filing coverage` print them. */
#pragma once

#include "cli/setup.h"

struct coverage_options {
    const char *app; /* whose policy says what intercepts; NULL: default */
    bool json;
    bool (*wanted)(void *ctx, const struct risk *risk); /* NULL: all types */
    void *ctx;
};

/*
 * Prints to stdout. CLI_GOOD; CLI_UNMET when a minimum of the standard is not met; CLI_BAD,
 * CLI_USAGE with a message.
 */
int coverage_print(const struct setup *s, const struct coverage_options *o);
/* The app of that name, the default one for NULL; NULL after a message. */
const struct config_app *coverage_app(const struct setup *s, const char *name);
