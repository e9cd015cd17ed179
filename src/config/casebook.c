/* What is reviewed, and where people complain. */
#include "config/keys.h"

#define AT(type, field) .offset = offsetof(type, field)
#define SECOND          1000ull
#define DAY             (86400 * SECOND)

const struct schema_key schema_reviews[] = {
    {"share", SCHEMA_NUMBER, "100",
     "percent of the interceptions that a person is to look at, drawn by request id",
     AT(struct config, reviews.share), .max = 100, .restart = true},
    {"second", SCHEMA_NUMBER, "5", "percent of what was reviewed that a second person looks at",
     AT(struct config, reviews.second), .max = 100, .restart = true},
    {NULL},
};

const struct schema_key schema_complaints[] = {
    {"form", SCHEMA_BOOL, "false",
     "whether the public listener takes complaints: POST /v1/complaints, and the page "
     "/complaints to be linked",
     AT(struct config, complaints.form)},
    {"due", SCHEMA_DURATION, "15d", "how long a complaint may wait for its answer",
     AT(struct config, complaints.due_ms), .min = 3600 * SECOND, .max = 45 * DAY, .restart = true},
    {"per_hour", SCHEMA_NUMBER, "5", "complaints of one address in an hour",
     AT(struct config, complaints.per_hour), .min = 1, .max = 1000, .restart = true},
    {"all_per_hour", SCHEMA_NUMBER, "200", "and of all addresses together",
     AT(struct config, complaints.all_per_hour), .min = 1, .max = 10000, .restart = true},
    {NULL},
};
