#include "console/areas.h"

const struct api_route *const areas[] = {
    api_accounts_routes,
    api_metrics_routes,
    api_session_routes,
    NULL,
};
