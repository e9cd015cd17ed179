/*
 * Rows of the log for people (a table, or one exchange in full) and for programs (JSON lines).
 * Whatever a row holds, a terminal that shows it only shows it: controls, bidirectional marks and
 * broken bytes come out escaped.
 */
#pragma once

#include "audit/query.h"

#include <stdio.h>

struct logview {
    FILE *out;
    bool colour;    /* only ever on a terminal */
    unsigned width; /* columns of a terminal; 0: no terminal, nothing is clipped */
};

/* For stdout. Sets the locale that tells how wide characters are. */
void logview_init(struct logview *v);
void logview_head(const struct logview *v);
void logview_row(const struct logview *v, const struct query_row *row);
/* Everything that is known of one exchange. */
void logview_show(const struct logview *v, const struct query_row *row);
/* One object, one line. */
void logview_json(const struct logview *v, const struct query_row *row);

/* A JSON string with its quotes. */
void logview_string(FILE *out, struct span text);
/* The text made harmless, for messages. */
void logview_text(FILE *out, struct span text);
