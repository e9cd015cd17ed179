/*
 * What a service must show its users: which filed model answers, the service's own numbers, where
 * to complain, and that answers are made by AI. For `juyong filing disclosure`.
 */
#pragma once

#include "config/config.h"

struct disclosure {
    const struct config *config;
    const struct config_app *app; /* only the models that it may ask for; NULL: all */
};

/* What is missing from the configuration stands as 待补充 in all three. 0, -ENOMEM, -EMSGSIZE. */
int disclosure_text(const struct disclosure *d, struct buf *out);
/* A <section> to put into a page, without style of its own; everything configured is escaped. */
int disclosure_html(const struct disclosure *d, struct buf *out);
/* One object on one line; what is missing is an empty string. */
int disclosure_json(const struct disclosure *d, struct buf *out);

/* Appends a line for each thing that is missing. Returns their number. */
unsigned disclosure_missing(const struct disclosure *d, struct buf *out);
