/* Rules that a YAML file writes out one by one: what patterns and near rules have in common. */
#pragma once

#include "rules/loader.h"

struct written {
    struct span id, risk, why, from;
    unsigned direction, action;
    struct span *apps, *hits, *misses;
    size_t app_count, hit_count, miss_count;
    struct span expires;
};

/* The rows of a schema for a `type` that has a struct written called `written`. */
#define WRITTEN_KEYS(type)                                                                         \
    WRITTEN_TEXT(type, "id", id, 64, true, "begins with the risk's id and a slash"),               \
        WRITTEN_TEXT(type, "risk", risk, 32, true, "the id of a risk"),                            \
        WRITTEN_TEXT(type, "why", why, 512, true, "a sentence"),                                   \
        WRITTEN_TEXT(type, "source", from, 512, false, "where it comes from"),                     \
        WRITTEN_TEXT(type, "expires", expires, 32, false, "the last day on which it counts"),      \
        WRITTEN_CHOICE(type, "direction", direction, "both", "prompt, completion or both"),        \
        WRITTEN_CHOICE(type, "action", action, "default", "else by the risk's policy"),            \
        WRITTEN_TEXTS(type, "apps", apps, app_count, false, "the only apps for which it counts"),  \
        WRITTEN_TEXTS(type, "hit", hits, hit_count, true, "samples with a hit"),                   \
        WRITTEN_TEXTS(type, "miss", misses, miss_count, true, "samples without one")
#define WRITTEN_TEXT(type, key, field, most, need, text)                                           \
    {                                                                                              \
        key, SCHEMA_TEXT, NULL, text, .offset = offsetof(type, written.field), .min = 1,           \
                                      .max = most, .required = need                                \
    }
#define WRITTEN_CHOICE(type, key, field, standard_, text)                                          \
    {                                                                                              \
        key, SCHEMA_CHOICE, standard_, text, .offset = offsetof(type, written.field),              \
                                             .choices = written_##field##s                         \
    }
#define WRITTEN_TEXTS(type, key, field, number, need, text)                                        \
    {                                                                                              \
        key, SCHEMA_TEXTS, NULL, text, .offset = offsetof(type, written.field),                    \
                                       .offset2 = offsetof(type, written.number), .required = need \
    }
extern const char *const written_directions[];
extern const char *const written_actions[];

/* Checks what is common and makes a rule of it; false after a message. */
bool written_rule(struct loader *l, const struct written *w, const struct yaml_node *node,
                  struct span file, struct rule *ret_rule);
/* The samples of the rule that was made of it. */
void written_samples(struct loader *l, uint32_t rule, const struct yaml_node *node);
/* After all files: no two rules have one name. */
void written_finish(struct loader *l);
