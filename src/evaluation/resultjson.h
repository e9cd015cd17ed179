/*
 * What an evaluation says, as JSON on one line without its end: for `juyong filing evaluate --json`
 * and the console, so that both say the same. Names of enums are those of run.h and result.h; times
 * are microseconds. All: 0, or -ENOMEM, after which `out` is
 * of no use any more.
 */
#pragma once

#include "evaluation/result.h"

/*
 * A run and how far it is, without its results: {"run","started_us","by","agreed","app","model",
 * "upstream","version","digest","bank_digest","opinion","software","seed","all","derived","rate",
 * "concurrency","sample":{bank:n},"banks":[…],"routes":[…],"questions","answered":{route:n},
 * "complete","busy"}. O(1).
 */
int result_run_json(const struct run *r, struct buf *out);

/*
 * The members of that, and "results": one object a route and bank that was asked: {"route","bank",
 * "threshold","target","sample","asked","answered","waiting","judges":{judge:{"n","passed","rate",
 * "low","high","standing"}},"refused":{"n","passed",…},"types":[{"type","asked",…}]}; standings are
 * of whole banks alone. "failures": their number. O(types).
 */
int result_json(const struct run *r, const struct result *result, struct buf *out);

/*
 * One question over one route: {"question","bank","type","technique","text","note","seed","route",
 * "at_us","ms","error","status","answer","finish","model","request_id","action","refused",
 * "refused_by","rule","acted_by","opinion_note","verdicts":{judge:verdict},"people":{"count",
 * "differ","verdict"}}. What is empty is left out, as is what the model said unless `texts`.
 * Without an answer the object ends with the route.
 */
int result_answer_json(const struct run *r, size_t question, enum run_route route, bool texts,
                       struct buf *out);

/* {"before","after","common","better","worse","gone","added","changes":[{"question","bank","type",
 * "text","route","was","is"}]}. O(changes). */
int result_comparison_json(const struct run *before, const struct run *after,
                           const struct result_comparison *c, struct buf *out);

/* {"both","acted","by_rule","unacted","items":[{"question","bank","type","text","gateway","bare",
 * "acted","rule","texts_differ"}]}. O(items). */
int result_routes_json(const struct run *r, const struct result_routes *routes, struct buf *out);
