#include "base/metrics.h"

#include <stdbool.h>

struct row {
    const char *name, *labels, *help;
    bool gauge;
};

static const struct row rows[METRIC_COUNT] = {
    [METRIC_REQUESTS] = {"juyong_requests_total", "", "Exchanges begun."},
    [METRIC_ACTION_ALLOW] = {"juyong_actions_total", "action=\"allow\"",
                             "Exchanges by their final action."},
    [METRIC_ACTION_FLAG] = {"juyong_actions_total", "action=\"flag\"", NULL},
    [METRIC_ACTION_MASK] = {"juyong_actions_total", "action=\"mask\"", NULL},
    [METRIC_ACTION_ANSWER] = {"juyong_actions_total", "action=\"answer\"", NULL},
    [METRIC_ACTION_BLOCK] = {"juyong_actions_total", "action=\"block\"", NULL},
    [METRIC_OUTCOME_COMPLETE] = {"juyong_outcomes_total", "outcome=\"complete\"",
                                 "Exchanges by how they ended."},
    [METRIC_OUTCOME_REFUSED] = {"juyong_outcomes_total", "outcome=\"refused\"", NULL},
    [METRIC_OUTCOME_CUT] = {"juyong_outcomes_total", "outcome=\"cut\"", NULL},
    [METRIC_OUTCOME_REJECTED] = {"juyong_outcomes_total", "outcome=\"rejected\"", NULL},
    [METRIC_OUTCOME_UPSTREAM] = {"juyong_outcomes_total", "outcome=\"upstream_error\"", NULL},
    [METRIC_OUTCOME_TRUNCATED] = {"juyong_outcomes_total", "outcome=\"truncated\"", NULL},
    [METRIC_OUTCOME_CLIENT_GONE] = {"juyong_outcomes_total", "outcome=\"client_gone\"", NULL},
    [METRIC_OUTCOME_TIMEOUT] = {"juyong_outcomes_total", "outcome=\"timeout\"", NULL},
    [METRIC_OUTCOME_INTERNAL] = {"juyong_outcomes_total", "outcome=\"internal\"", NULL},
    [METRIC_REJECTED_FRAMING] = {"juyong_rejected_total", "cause=\"framing\"",
                                 "Requests refused before an exchange began."},
    [METRIC_REJECTED_AUTH] = {"juyong_rejected_total", "cause=\"auth\"", NULL},
    [METRIC_REJECTED_ROUTE] = {"juyong_rejected_total", "cause=\"route\"", NULL},
    [METRIC_REJECTED_LIMIT] = {"juyong_rejected_total", "cause=\"limit\"", NULL},
    [METRIC_EVENTS] = {"juyong_stream_events_total", "", "Stream events read from upstreams."},
    [METRIC_BYTES_PROMPT] = {"juyong_judged_bytes_total", "direction=\"prompt\"",
                             "Text judged, in bytes."},
    [METRIC_BYTES_COMPLETION] = {"juyong_judged_bytes_total", "direction=\"completion\"", NULL},
    [METRIC_HELD_EVENTS] = {"juyong_held_events_total", "",
                            "Stream events that could not be forwarded at once."},
    [METRIC_ACTIVE] = {"juyong_active_exchanges", "", "Exchanges in flight.", true},
    [METRIC_STREAMS] = {"juyong_active_streams", "", "Streams being relayed.", true},
    [METRIC_HISTORY] = {"juyong_history_notices_total", "",
                        "Requests forwarded with a notice in place of turns refused before."},
    [METRIC_MODEL_DIFFERS] = {"juyong_model_differs_total", "",
                              "Answers that name another model than was asked for."},
    [METRIC_PROVIDER_REFUSED_ANSWER] = {"juyong_provider_refusals_total", "where=\"answer\"",
                                        "Exchanges that the provider's own filter refused."},
    [METRIC_PROVIDER_REFUSED_ERROR] = {"juyong_provider_refusals_total", "where=\"error\"", NULL},
    [METRIC_STRIKES] = {"juyong_strikes_total", "",
                        "Intercepted prompts that counted for their end user."},
    [METRIC_SUSPENDED] = {"juyong_users_refused_total", "",
                          "Requests refused because their end user is limited or suspended."},
    [METRIC_OPINIONS] = {"juyong_opinions_total", "", "Second opinions that were asked for."},
    [METRIC_OPINIONS_TOO_LONG] = {"juyong_opinions_too_long_total", "",
                                  "Texts longer than a source is asked about: judged in part."},
    [METRIC_OPINIONS_FAILED] = {"juyong_opinions_failed_total", "",
                                "Of those, the ones without a usable answer."},
    [METRIC_RETRACTIONS] = {"juyong_retractions_total", "",
                            "Answers taken back after text of them was shown."},
    [METRIC_RETRACTIONS_TOLD] = {"juyong_retraction_messages_total", "result=\"delivered\"",
                                 "Messages to apps about answers that were taken back."},
    [METRIC_RETRACTIONS_UNTOLD] = {"juyong_retraction_messages_total", "result=\"failed\"", NULL},
    [METRIC_RELOADS] = {"juyong_reloads_total", "", "Configurations and rules taken over."},
};

int metrics_print(const struct metrics *const *all, size_t count, struct buf *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        uint64_t sum = 0;
        for (size_t w = 0; w < count; w++)
            sum += metrics_get(all[w], (enum metric)i);
        int r = 0;
        if (rows[i].help)
            r = buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[i].name, rows[i].help,
                           rows[i].name, rows[i].gauge ? "gauge" : "counter");
        if (r == 0)
            r = buf_printf(out, "%s%s%s%s %llu\n", rows[i].name, *rows[i].labels ? "{" : "",
                           rows[i].labels, *rows[i].labels ? "}" : "", (unsigned long long)sum);
        if (r < 0)
            return r;
    }
    return 0;
}
