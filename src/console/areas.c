#include "console/areas.h"

const struct api_route *const areas[] = {
    api_accounts_routes, //
    api_acts_routes,     //
    api_apps_routes,     //
    api_desk_routes,     //
    api_draft_routes,    //
    api_alerts_routes,   //
    api_export_routes,   //
    api_filing_routes,   //
    api_log_routes,      //
    api_metrics_routes,  //
    api_original_routes, //
    api_pack_routes,     //
    api_papers_routes,   //
    api_publish_routes,  //
    api_review_routes,   //
    api_rules_routes,    //
    api_runs_routes,     //
    api_session_routes,  //
    api_status_routes,   //
    api_ticket_routes,   //
    api_try_routes,      //
    api_urgent_routes,   //
    api_users_routes,    //
    api_versions_routes, //
    NULL,
};
