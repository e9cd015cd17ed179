/* The inside of route.c: its tables, and the bits that their rows are made of. */
#pragma once

#include "filing/route.h"

/* One bit a choice, in the order of routequestions.c; tests hold the two together. */
enum {
    PUBLIC_YES = 1,
    PUBLIC_NO = 2,
    PUBLIC_UNSURE = 4,
    MODEL_OWN = 1,
    MODEL_TUNED = 2,
    MODEL_CALLED = 4,
    MODEL_UNSURE = 8,
    FILED_YES = 1,
    FILED_NO = 2,
    FILED_UNSURE = 4,
    OPINION_YES = 1,
    OPINION_NO = 2,
    OPINION_UNSURE = 4,
    SYNTHESIS_YES = 1,
    SYNTHESIS_NO = 2,
    SYNTHESIS_UNSURE = 4,
    SMALL_YES = 1,
    SMALL_NO = 2,
    SMALL_UNSURE = 4,
    ADDED_NONE = 1,
    ADDED_PROMPTS = 2,
    ADDED_RAG = 4,
    ADDED_UNSURE = 8,
    MINORS_FOR = 1,
    MINORS_AMONG = 2,
    MINORS_EXCLUDED = 4,
    MINORS_UNSURE = 8,
    COMPANION_YES = 1,
    COMPANION_NO = 2,
    COMPANION_UNSURE = 4,
    FIELD_NONE = 1,
    FIELD_MEDICAL = 2,
    FIELD_FINANCE = 4,
    FIELD_PSYCHOLOGY = 8,
    FIELD_NEWS = 16,
    FIELD_CRITICAL = 32,
    FIELD_OTHER = 64,
    FIELD_UNSURE = 128,
    ONLINE_YES = 1,
    ONLINE_NO = 2,
    ONLINE_UNSURE = 4,
    READY_BOTH = 1,
    READY_ONE = 2,
    READY_NONE = 4,
    READY_UNSURE = 8,
};

/* The first row that fits decides. */
struct route_decision {
    unsigned short answers[ROUTE_KEYS]; /* bits; 0: any. A question that isn't asked fits none. */
    unsigned due, possible;
};
extern const struct route_decision route_decisions[], route_algorithm_decisions[];
extern const size_t route_decision_count, route_algorithm_decision_count;

/* Everything that may be said, by part. */
extern const struct route_line route_lines[];
extern const size_t route_line_count;
