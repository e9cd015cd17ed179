/* What decides: rows over the answers, the first that fits. */
#include "filing/routetable.h"

#define CALLED [ROUTE_MODEL] = MODEL_CALLED
#define OURS   [ROUTE_MODEL] = MODEL_OWN | MODEL_TUNED

const struct route_decision route_decisions[] = {
    {{[ROUTE_PUBLIC] = PUBLIC_NO}, ROUTE_NONE, 0},

    {{OURS, [ROUTE_OPINION] = OPINION_YES, [ROUTE_SMALL] = SMALL_NO}, ROUTE_FILING, 0},
    /* Whether small models must be filed, and what has the attributes, the province says. */
    {{OURS}, ROUTE_ASK, ROUTE_FILING},

    {{CALLED, [ROUTE_FILED] = FILED_YES, [ROUTE_OPINION] = OPINION_YES, [ROUTE_ADDED] = ADDED_NONE},
     ROUTE_REGISTRATION,
     0},
    {{CALLED, [ROUTE_FILED] = FILED_YES, [ROUTE_OPINION] = OPINION_YES,
      [ROUTE_ADDED] = ADDED_PROMPTS | ADDED_RAG},
     ROUTE_REGISTRATION | ROUTE_ASK,
     ROUTE_FILING},
    {{CALLED, [ROUTE_FILED] = FILED_YES, [ROUTE_ADDED] = ADDED_NONE},
     ROUTE_ASK,
     ROUTE_REGISTRATION},
    /* Registration is for calls to filed models. */
    {{CALLED, [ROUTE_FILED] = FILED_NO}, ROUTE_ASK, ROUTE_FILING},

    {{0}, ROUTE_ASK, ROUTE_FILING | ROUTE_REGISTRATION},
};
const size_t route_decision_count = sizeof(route_decisions) / sizeof(*route_decisions);

const struct route_decision route_algorithm_decisions[] = {
    {{[ROUTE_SYNTHESIS] = SYNTHESIS_YES, [ROUTE_OPINION] = OPINION_YES}, ROUTE_ALGORITHM, 0},
    {{0}, ROUTE_ASK, ROUTE_ALGORITHM},
};
const size_t route_algorithm_decision_count =
    sizeof(route_algorithm_decisions) / sizeof(*route_algorithm_decisions);
