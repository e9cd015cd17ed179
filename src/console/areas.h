/* The areas of the API, one table an api_*.c file; each ends with a row without a method. */
#pragma once

#include "console/api.h"

extern const struct api_route api_accounts_routes[];
extern const struct api_route api_acts_routes[];
extern const struct api_route api_apps_routes[];
extern const struct api_route api_draft_routes[];
extern const struct api_route api_alerts_routes[];
extern const struct api_route api_metrics_routes[];
extern const struct api_route api_publish_routes[];
extern const struct api_route api_rules_routes[];
extern const struct api_route api_try_routes[];
extern const struct api_route api_urgent_routes[];
extern const struct api_route api_versions_routes[];
extern const struct api_route api_export_routes[];
extern const struct api_route api_filing_routes[];
extern const struct api_route api_desk_routes[];
extern const struct api_route api_pack_routes[];
extern const struct api_route api_papers_routes[];
extern const struct api_route api_runs_routes[];
extern const struct api_route api_log_routes[];
extern const struct api_route api_original_routes[];
extern const struct api_route api_review_routes[];
extern const struct api_route api_session_routes[];
extern const struct api_route api_status_routes[];
extern const struct api_route api_ticket_routes[];
extern const struct api_route api_users_routes[];

/* Ends with NULL. */
extern const struct api_route *const areas[];
