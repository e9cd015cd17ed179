#include "alert/board.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND_US   1000000ull
#define MINUTE_US   (60 * SECOND_US)
#define DAY_S       86400
#define RETRY_US    (5 * MINUTE_US) /* after a message that was given up */
#define DISK_MARGIN 2               /* percent below the threshold before it counts as better */
#define CHINA_S     (8 * 3600)

const char *board_kind_name(enum board_kind k)
{
    static const char *const names[BOARD_KINDS] = {
        [BOARD_RATE] = "interceptions",
        [BOARD_LOG_FAILED] = "log_failed",
        [BOARD_LOG_DEGRADED] = "log_degraded",
        [BOARD_DISK] = "disk",
        [BOARD_CANARY] = "canary",
        [BOARD_LIBRARY] = "library",
        [BOARD_VERIFY] = "verify",
        [BOARD_WEAKENED] = "weakened",
        [BOARD_FILING] = "filing",
    };
    return names[k];
}

const char *board_event_name(enum board_event e)
{
    static const char *const names[BOARD_EVENTS] = {"firing",   "changed", "reminder",
                                                    "resolved", "past",    "test"};
    return names[e];
}

bool board_covers(struct span row, struct span risk)
{
    if (row.len && row.data[row.len - 1] == '*')
        return span_starts(risk, span_slice(row, 0, row.len - 1));
    return span_eq(row, risk) ||
           (risk.len > row.len && risk.data[row.len] == '-' && span_starts(risk, row));
}

bool board_quiet(const struct config_alert_target *t, int64_t now_s)
{
    unsigned minute = (unsigned)((now_s + CHINA_S) % DAY_S / 60);
    if (t->quiet_from <= t->quiet_to)
        return minute >= t->quiet_from && minute < t->quiet_to;
    return minute >= t->quiet_from || minute < t->quiet_to; /* over midnight */
}

/* --- configuration --- */

static void watch(struct board *b, enum board_kind kind, struct span risk, uint64_t threshold,
                  bool critical)
{
    struct board_condition *c = &b->conditions[b->condition_count++];
    c->kind = kind;
    c->threshold = threshold;
    c->critical = critical;
    snprintf(c->risk, sizeof(c->risk), "%.*s", SPAN_ARG(risk));
}

static void watch_all(struct board *b, const struct config *c)
{
    for (size_t i = 0; i < c->alerts.rate_count; i++)
        watch(b, BOARD_RATE, c->alerts.rates[i].risk, c->alerts.rates[i].per_minute,
              c->alerts.rates[i].critical);
    if (c->alerts.log) {
        watch(b, BOARD_LOG_FAILED, SPAN_LIT(""), 1, true);
        watch(b, BOARD_LOG_DEGRADED, SPAN_LIT(""), 1, true);
    }
    if (c->alerts.disk_percent)
        watch(b, BOARD_DISK, SPAN_LIT(""), c->alerts.disk_percent, false);
    if (c->alerts.canary)
        watch(b, BOARD_CANARY, SPAN_LIT(""), 1, true);
    if (c->alerts.library_days)
        watch(b, BOARD_LIBRARY, SPAN_LIT(""), c->alerts.library_days, false);
    if (c->alerts.verify)
        watch(b, BOARD_VERIFY, SPAN_LIT(""), 1, true);
    if (c->alerts.weakened)
        watch(b, BOARD_WEAKENED, SPAN_LIT(""), 1, false);
    if (c->alerts.filing)
        watch(b, BOARD_FILING, SPAN_LIT(""), 1, false);
}

static size_t find_condition(const struct board *b, enum board_kind kind, const char *risk)
{
    size_t i = 0;
    while (i < b->condition_count &&
           (b->conditions[i].kind != kind || strcmp(b->conditions[i].risk, risk) != 0))
        i++;
    return i;
}

static size_t find_target(const struct board *b, struct span name)
{
    size_t i = 0;
    while (i < b->target_count && !span_eq(b->targets[i].config->name, name))
        i++;
    return i;
}

/* What the old board knows of the same conditions; the configured values are the new ones. */
static void take_over_conditions(struct board *b, const struct board *old)
{
    for (size_t i = 0; i < b->condition_count; i++) {
        struct board_condition *c = &b->conditions[i], was = *c;
        size_t j = find_condition(old, c->kind, c->risk);
        if (j == old->condition_count)
            continue;
        *c = old->conditions[j];
        c->threshold = was.threshold;
        c->critical = was.critical;
    }
}

static void take_over_target(struct board *b, struct board_target *t, const struct board *old)
{
    size_t k = find_target(old, t->config->name);
    if (k == old->target_count) {
        /* What was over before it came is none of its business. */
        for (size_t i = 0; i < b->condition_count; i++)
            t->known[i].turn = b->conditions[i].turn - b->conditions[i].active;
        return;
    }
    const struct board_target *from = &old->targets[k];
    t->busy = from->busy;
    t->retry_us = from->retry_us;
    t->sent = from->sent;
    t->failed = from->failed;
    for (size_t i = 0; i < b->condition_count; i++) {
        size_t j = find_condition(old, b->conditions[i].kind, b->conditions[i].risk);
        if (j < old->condition_count)
            t->known[i] = from->known[j];
    }
}

static void fill(struct board *b, struct config *c, const struct board *old)
{
    b->config = config_ref(c);
    watch_all(b, c);
    take_over_conditions(b, old);
    for (size_t i = 0; i < c->alerts.target_count && i < BOARD_TARGETS; i++) {
        b->targets[i].config = &c->alerts.targets[i];
        take_over_target(b, &b->targets[i], old);
        b->target_count++;
    }
}

struct board *board_new(struct config *c)
{
    struct board *b = calloc(1, sizeof(*b)), *none = calloc(1, sizeof(*none));
    if (b && none) {
        fill(b, c, none);
    } else {
        free(b);
        b = NULL;
    }
    free(none);
    return b;
}

void board_free(struct board *b)
{
    if (!b)
        return;
    config_unref(b->config);
    free(b);
}

void board_configure(struct board *b, struct config *c)
{
    struct board *old = malloc(sizeof(*old));
    if (!old)
        return; /* what was configured goes on */
    *old = *b;
    b->condition_count = b->target_count = 0;
    memset(b->conditions, 0, sizeof(b->conditions));
    memset(b->targets, 0, sizeof(b->targets));
    fill(b, c, old);
    config_unref(old->config);
    free(old);
}

/* --- looking --- */

/* How many came in the last minute. The first look is the beginning. */
static uint64_t in_a_minute(struct board_window *w, uint64_t total, uint64_t now_us)
{
    unsigned newest = (w->next + BOARD_SAMPLES - 1) % BOARD_SAMPLES;
    if (w->count == 0 || now_us >= w->samples[newest].at_us + SECOND_US ||
        now_us < w->samples[newest].at_us) {
        w->samples[w->next].at_us = now_us;
        w->samples[w->next].total = total;
        w->next = (w->next + 1) % BOARD_SAMPLES;
        w->count += w->count < BOARD_SAMPLES;
    }
    /* From the newest that is a minute old, or the oldest that there is. */
    uint64_t base = total;
    for (unsigned i = 1; i <= w->count; i++) {
        unsigned at = (w->next + BOARD_SAMPLES - i) % BOARD_SAMPLES;
        base = w->samples[at].total;
        if (w->samples[at].at_us + MINUTE_US <= now_us)
            break;
    }
    return total > base ? total - base : 0;
}

static unsigned count_lines(struct span text)
{
    unsigned n = 0;
    struct span line;
    while (span_split(&text, '\n', &line))
        n += line.len > 0;
    return n;
}

static uint64_t read_value(struct board_condition *c, const struct board_reading *r,
                           uint64_t now_us)
{
    switch (c->kind) {
    case BOARD_RATE: {
        uint64_t total = r->intercepted ? r->intercepted(r->ctx, span_str(c->risk)) : 0;
        return in_a_minute(&c->window, total, now_us);
    }
    case BOARD_LOG_FAILED:
        return r->log_failed;
    case BOARD_LOG_DEGRADED:
        return r->log_degraded;
    case BOARD_DISK:
        return r->disk_percent;
    case BOARD_CANARY:
        return r->canary_missed;
    case BOARD_LIBRARY: {
        int64_t age = (int64_t)(now_us / SECOND_US) - r->library_s;
        return r->library_s > 0 && age > 0 ? (uint64_t)age / DAY_S : 0;
    }
    case BOARD_VERIFY:
        return r->finding.len > 0;
    case BOARD_WEAKENED:
        return count_lines(r->weakened);
    case BOARD_FILING:
        return count_lines(r->overdue);
    default:
        return 0;
    }
}

/* The first line of it, and whether all of it is another than before. */
static bool take_detail(struct board_condition *c, struct span text)
{
    uint64_t hash = 14695981039346656037ull; /* FNV-1a */
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * 1099511628211ull;
    struct span line = SPAN_LIT("");
    while (line.len == 0 && span_split(&text, '\n', &line))
        ;
    size_t len = line.len < sizeof(c->detail) ? line.len : utf8_floor(line, sizeof(c->detail) - 1);
    if (len)
        memcpy(c->detail, line.data, len);
    c->detail[len] = '\0';
    bool other = hash != c->detail_hash;
    c->detail_hash = hash;
    return other;
}

static struct board_item item_of(const struct board_condition *c, enum board_event event)
{
    struct board_item i = {
        .event = event,
        .kind = c->kind,
        .critical = c->critical,
        .value = c->active ? c->value : c->worst,
        .threshold = c->threshold,
        .since_us = c->since_us,
        .ended_us = c->active ? 0 : c->ended_us,
        .active = c->active,
        .turn = c->turn,
        .change = c->change,
        .recent = c->recent,
    };
    memcpy(i.risk, c->risk, sizeof(i.risk));
    memcpy(i.detail, c->detail, sizeof(i.detail));
    return i;
}

static void note(struct board *b, struct board_condition *c, enum board_event event,
                 uint64_t now_us)
{
    uint64_t number = ++b->recent_count;
    c->recent = number;
    b->recent[number % BOARD_RECENT] =
        (struct board_recent){.number = number, .at_us = now_us, .item = item_of(c, event)};
}

static unsigned begin(struct board *b, struct board_condition *c, uint64_t now_us)
{
    c->active = true;
    c->since_us = now_us;
    c->ended_us = c->calm_us = 0;
    c->worst = c->value;
    c->turn++;
    note(b, c, BOARD_BEGUN, now_us);
    return 1;
}

static unsigned look_at(struct board *b, struct board_condition *c, const struct board_reading *r,
                        uint64_t now_us)
{
    c->value = read_value(c, r, now_us);
    uint64_t stays = c->kind == BOARD_DISK && c->threshold > DISK_MARGIN
                         ? c->threshold - DISK_MARGIN
                         : c->threshold;
    bool past = c->value >= c->threshold;
    struct span text = c->kind == BOARD_VERIFY     ? r->finding
                       : c->kind == BOARD_WEAKENED ? r->weakened
                       : c->kind == BOARD_FILING   ? r->overdue
                                                   : SPAN_LIT("");
    bool other = c->value >= stays && take_detail(c, text);
    if (!c->active)
        return past ? begin(b, c, now_us) : 0;
    if (c->value >= stays) {
        c->calm_us = 0;
        c->worst = c->value > c->worst ? c->value : c->worst;
        if (!other)
            return 0;
        c->change++;
        note(b, c, BOARD_CHANGED, now_us);
        return 1;
    }
    if (c->calm_us == 0 || now_us < c->calm_us)
        c->calm_us = now_us;
    if (now_us - c->calm_us < b->config->alerts.calm_ms * 1000ull)
        return 0;
    c->active = false;
    c->ended_us = now_us;
    note(b, c, BOARD_OVER, now_us);
    return 1;
}

unsigned board_look(struct board *b, const struct board_reading *r, uint64_t now_us)
{
    unsigned n = 0;
    for (size_t i = 0; i < b->condition_count; i++)
        n += look_at(b, &b->conditions[i], r, now_us);
    return n;
}

/* --- telling --- */

/* BOARD_EVENTS: nothing. */
static enum board_event due(const struct board *b, const struct board_condition *c,
                            const struct board_known *k, uint64_t now_us)
{
    uint64_t remind_us = b->config->alerts.remind_ms * 1000ull;
    if (!c->active)
        return k->active ? BOARD_OVER : k->turn != c->turn ? BOARD_HAPPENED : BOARD_EVENTS;
    if (!k->active || k->turn != c->turn)
        return BOARD_BEGUN;
    if (k->change != c->change)
        return BOARD_CHANGED;
    return remind_us && now_us >= k->told_us + remind_us ? BOARD_LASTS : BOARD_EVENTS;
}

size_t board_plan(const struct board *b, size_t target, uint64_t now_us,
                  struct board_item ret_items[BOARD_ITEMS])
{
    const struct board_target *t = &b->targets[target];
    bool quiet = board_quiet(t->config, (int64_t)(now_us / SECOND_US));
    size_t n = 0;
    if (t->busy || (now_us < t->retry_us && t->retry_us <= now_us + RETRY_US))
        return 0;
    for (size_t i = 0; i < b->condition_count && n < BOARD_ITEMS; i++) {
        const struct board_condition *c = &b->conditions[i];
        if (quiet && (!c->critical || t->config->quiet_all))
            continue;
        enum board_event event = due(b, c, &t->known[i], now_us);
        if (event == BOARD_EVENTS)
            continue;
        ret_items[n] = item_of(c, event);
        ret_items[n].times = c->turn - t->known[i].turn;
        n++;
    }
    return n;
}

void board_told(struct board *b, struct span target, const struct board_item *items, size_t count,
                bool taken, uint64_t now_us)
{
    size_t k = find_target(b, target);
    struct board_target *t = k < b->target_count ? &b->targets[k] : NULL;
    if (t) {
        t->busy = false;
        t->retry_us = taken ? 0 : now_us + RETRY_US;
        t->sent += taken;
        t->failed += !taken;
    }
    for (size_t i = 0; i < count; i++) {
        struct board_recent *r = &b->recent[items[i].recent % BOARD_RECENT];
        if (items[i].recent && r->number == items[i].recent && items[i].event != BOARD_LASTS) {
            r->sent += taken;
            r->failed += !taken;
        }
        size_t j = find_condition(b, items[i].kind, items[i].risk);
        if (t && taken && j < b->condition_count)
            t->known[j] = (struct board_known){.active = items[i].active,
                                               .turn = items[i].turn,
                                               .change = items[i].change,
                                               .told_us = now_us};
    }
}
