/* The filters of `juyong log`, for all commands that take them. */
#include "cli/logfilter.h"

#include "access/access.h"
#include "base/clock.h"
#include "base/codec.h"
#include "cli/desk.h"
#include "cli/person.h"
#include "cli/setup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    OPT_SINCE = 512,
    OPT_UNTIL,
    OPT_ACTION,
    OPT_RISK,
    OPT_RULE,
    OPT_APP,
    OPT_DIRECTION,
    OPT_END_USER,
    OPT_MODEL,
    OPT_REQUEST,
    OPT_TRACE,
    OPT_TEXT,
    OPT_PURPOSE,
    OPT_ALL,
    OPT_OLDEST,
    OPT_SESSION,
    OPT_CLIENT_IP,
    OPT_BEFORE,
    OPT_AFTER,
    OPT_REVIEW,
};

/* "10m", "2h", "3d", "45s": that long before now. */
static bool parse_ago(struct span text, uint64_t now_us, uint64_t *ret_us)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    unsigned long long n;
    if (text.len < 2 || !span_to_u64(span_slice(text, 0, text.len - 1), &n) || n > 1000000)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (text.data[text.len - 1] != units[i].unit)
            continue;
        uint64_t ago = n * units[i].seconds * 1000000u;
        *ret_us = ago < now_us ? now_us - ago : 1;
        return true;
    }
    return false;
}

/* A date, or a time as RFC 3339 has it; without a zone it is the machine's. */
bool logfilter_time(const char *text, uint64_t *ret_us)
{
    struct tm tm = {.tm_isdst = -1};
    if (parse_ago(span_str(text), clock_wall_us(), ret_us))
        return true;
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    if (rest && (*rest == 'T' || *rest == 't' || *rest == ' ')) {
        const char *clock = rest + 1;
        rest = strptime(clock, "%H:%M:%S", &tm);
        if (!rest)
            rest = strptime(clock, "%H:%M", &tm);
        if (rest && *rest == '.')
            for (rest++; *rest >= '0' && *rest <= '9'; rest++)
                ;
    }
    if (!rest)
        return false;
    time_t t;
    char sign = *rest;
    int hours, minutes, used = 0;
    if (sign == '\0') {
        t = mktime(&tm);
    } else if ((sign == 'Z' || sign == 'z') && rest[1] == '\0') {
        t = timegm(&tm);
    } else if ((sign == '+' || sign == '-') &&
               sscanf(rest + 1, "%2d:%2d%n", &hours, &minutes, &used) == 2 &&
               rest[1 + used] == '\0') {
        t = timegm(&tm);
        t += (sign == '+' ? -1 : 1) * (hours * 3600 + minutes * 60);
    } else {
        return false;
    }
    if (t <= 0)
        return false;
    *ret_us = (uint64_t)t * 1000000u;
    return true;
}

/* One action: that and everything heavier. Several: exactly those. */
static bool parse_actions(const char *text, struct query_filter *f)
{
    struct span rest = span_str(text), name;
    unsigned named = 0, count = 0;
    while (span_split(&rest, ',', &name)) {
        enum action a = action_from(span_trim(name));
        if (a < 0)
            return false;
        named |= 1u << a;
        count++;
    }
    if (count == 0)
        return false;
    unsigned all = (1u << ACTION_COUNT) - 1;
    f->actions = count == 1 ? all & ~(named - 1) : named;
    f->all |= f->actions & 1u << ACTION_ALLOW;
    return true;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct logfilter *filter = state->input;
    struct query_filter *f = &filter->query;
    unsigned long long n;
    switch (key) {
    case OPT_SINCE:
    case OPT_UNTIL:
        if (!logfilter_time(arg, key == OPT_SINCE ? &f->since_us : &f->until_us))
            argp_error(state, "'%s' is no time: 2026-11-24, 2026-11-24T10:00:00Z, 10m, 2h, 3d",
                       arg);
        break;
    case OPT_ACTION:
        if (!parse_actions(arg, f))
            argp_error(state, "'%s' is no action: allow, flag, mask, answer, block", arg);
        break;
    case OPT_RISK:
        f->risk = span_str(arg);
        break;
    case OPT_RULE:
        f->rule = span_str(arg);
        break;
    case OPT_APP:
        f->app = span_str(arg);
        break;
    case OPT_DIRECTION:
        if (strcmp(arg, "prompt") == 0)
            f->direction = DIRECTION_PROMPT;
        else if (strcmp(arg, "completion") == 0)
            f->direction = DIRECTION_COMPLETION;
        else
            argp_error(state, "'%s' is no direction: prompt, completion", arg);
        break;
    case OPT_END_USER:
        f->end_user = span_str(arg);
        break;
    case OPT_MODEL:
        f->model = span_str(arg);
        break;
    case OPT_REQUEST:
        f->request_id = span_str(arg);
        f->any_purpose = true;
        break;
    case OPT_TRACE:
        f->trace_id = span_str(arg);
        f->all = f->any_purpose = true;
        break;
    case OPT_PURPOSE:
        f->any_purpose = strcmp(arg, "any") == 0;
        f->purpose = span_str(f->any_purpose ? "" : arg);
        f->all = true; /* what a reviewer was let through is of interest, too */
        if (!f->any_purpose && strcmp(arg, "regulator-enforce") != 0 &&
            strcmp(arg, "regulator-observe") != 0)
            argp_error(state, "'%s' is no purpose: regulator-enforce, regulator-observe, any", arg);
        break;
    case OPT_TEXT:
        f->text = span_str(arg);
        break;
    case OPT_REVIEW:
        if (!casebook_read_wish(span_str(arg), &filter->wish.verdict))
            argp_error(state, "'%s' is no state: open, correct, false_positive, unsure", arg);
        f->keep = casebook_is_wanted;
        f->keep_ctx = &filter->wish;
        break;
    case OPT_SESSION:
        f->session = span_str(arg);
        break;
    case OPT_CLIENT_IP:
        f->client_ip = span_str(arg);
        break;
    case OPT_BEFORE:
    case OPT_AFTER:
        if (!span_to_u64(span_str(arg), &n) || n == 0)
            argp_error(state, "'%s' is no number of a record", arg);
        *(key == OPT_BEFORE ? &f->before_seq : &f->after_seq) = n;
        break;
    case 'n':
        if (!span_to_u64(span_str(arg), &n) || n == 0)
            argp_error(state, "'%s' is no number of rows", arg);
        f->limit = (size_t)n;
        break;
    case OPT_ALL:
        f->all = true;
        break;
    case OPT_OLDEST:
        f->oldest_first = true;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp_option filter_options[] = {
    {"since", OPT_SINCE, "TIME", 0, "From then on: 2026-11-24, RFC 3339, or 10m, 2h, 3d ago", 1},
    {"until", OPT_UNTIL, "TIME", 0, "Before then", 1},
    {"action", OPT_ACTION, "ACTION[,...]", 0,
     "One action: that and heavier ones; several: exactly those (allow flag mask answer block)", 1},
    {"risk", OPT_RISK, "RISK", 0, "A risk type or the beginning of one, such as A1", 1},
    {"rule", OPT_RULE, "ID", 0, "One rule", 1},
    {"app", OPT_APP, "NAME", 0, "One app", 1},
    {"direction", OPT_DIRECTION, "prompt|completion", 0, "Towards the model or from it", 1},
    {"end-user", OPT_END_USER, "ID", 0,
     "One end user, by the app's id (with -c) or by the record's HMAC of it", 1},
    {"model", OPT_MODEL, "ID", 0, "One model, as asked or as answered", 1},
    {"request", OPT_REQUEST, "ID", 0, "One exchange", 1},
    {"trace", OPT_TRACE, "ID", 0, "All exchanges of one trace, by the 32 digits of its traceparent",
     1},
    {"text", OPT_TEXT, "TEXT", 0, "Occurs in a match, its context or its folded form", 1},
    {"review", OPT_REVIEW, "STATE", 0,
     "By what reviewers said: open, correct, false_positive, unsure (with -c)", 1},
    {"session", OPT_SESSION, "ID", 0, "One conversation, as the app names it", 1},
    {"client-ip", OPT_CLIENT_IP, "ADDRESS", 0, "One client's address", 1},
    {"before", OPT_BEFORE, "SEQ", 0,
     "Older than this record (a row's last_seq): goes on behind what --limit let through", 1},
    {"after", OPT_AFTER, "SEQ", 0, "Newer than this record", 1},
    {"purpose", OPT_PURPOSE, "PURPOSE", 0,
     "Reviewers' tests, which are left out else: regulator-enforce, regulator-observe; or any", 1},
    {"all", OPT_ALL, NULL, 0, "Also what was allowed, samples of it, and operators' acts", 1},
    {"oldest-first", OPT_OLDEST, NULL, 0, "In the order of time", 1},
    {"limit", 'n', "N", 0, "At most N rows", 1},
    {0},
};
const struct argp logfilter_argp = {.options = filter_options, .parser = parse};

/* ---- end users ---- */

/* The record knows end users only by an HMAC: an id that is not one yet becomes one. */
static bool hash_end_user(struct logfilter *f, const struct config *config)
{
    struct span id = f->query.end_user;
    if (id.len == 0)
        return true;
    if (!person_ask("juyong log", config, config->audit.dir, id, PERSON_IN_LOG | PERSON_OR_ID,
                    f->end_user))
        return false;
    f->query.end_user = span_str(f->end_user);
    return true;
}

/* Who looks at a person's records is on record, too; a copy of a log (--dir) can't tell. */
static bool record_lookup(const struct logfilter *f, const struct config *config, struct span what)
{
    char login[256];
    uint64_t seq;
    setup_login(login, sizeof(login));
    struct desk_act act = {.verb = DESK_LOOKUP,
                           .app = f->query.app,
                           .end_user = f->query.end_user,
                           .what = what,
                           .author = span_str(login),
                           .login = span_str(login)};
    struct desk_answer answer = {0};
    if (query_last_seq(config->audit.dir, &seq) < 0)
        return true; /* none at all: the reading tells */
    int r = desk_ask(config, &act, DESK_WAIT_MS, &answer);
    if (r == 0 && answer.error[0] == '\0')
        return true;
    fprintf(stderr, "juyong log: that a person's records are looked at can't be recorded: %s\n",
            r < 0 ? strerror(-r) : answer.error);
    return false;
}

/* Without a casebook nothing was reviewed yet. */
static bool open_reviews(struct logfilter *f, const struct config *config)
{
    int r = f->query.keep ? desk_casebook(config, NULL, &f->wish.casebook) : 0;
    if (r < 0 && r != -ENOENT)
        fprintf(stderr, "juyong log: the reviews can't be read: %s\n", strerror(-r));
    return r == 0 || r == -ENOENT;
}

bool logfilter_settle(struct logfilter *f, const struct config *config, struct span what)
{
    return hash_end_user(f, config) &&
           (f->query.end_user.len == 0 || record_lookup(f, config, what)) &&
           open_reviews(f, config);
}

void logfilter_end(struct logfilter *f)
{
    casebook_close(f->wish.casebook);
    f->wish.casebook = NULL;
}
