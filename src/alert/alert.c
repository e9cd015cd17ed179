#include "alert/alert.h"

#include "alert/message.h"
#include "alert/report.h"
#include "alert/robot.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

struct alerts {
    struct alerts_options options;
    struct board *board;
    struct http_client *client;
    struct courier *courier;
    struct loop_timer timer;
};

/* A message under way. By name, for a reload may replace its target meanwhile. */
struct dispatch {
    struct alerts *alerts;
    size_t count;
    struct board_item items[BOARD_ITEMS];
    struct span name; /* behind the struct */
};

static void delivered(void *ctx, bool taken)
{
    struct dispatch *d = ctx;
    board_told(d->alerts->board, d->name, d->items, d->count, taken, clock_wall_us());
    free(d);
}

static void tell(struct alerts *a, size_t target, uint64_t now_us)
{
    struct board_item items[BOARD_ITEMS];
    size_t n = board_plan(a->board, target, now_us, items);
    if (n == 0)
        return;
    struct board_target *t = &a->board->targets[target];
    struct span name = t->config->name;
    struct dispatch *d = malloc(sizeof(*d) + name.len);
    int r = d ? 0 : -ENOMEM;
    if (d) {
        char *kept = (char *)(d + 1);
        memcpy(kept, name.data, name.len);
        *d = (struct dispatch){.alerts = a, .count = n, .name = span_from(kept, name.len)};
        memcpy(d->items, items, n * sizeof(*items));
        t->busy = true;
        r = robot_send(a->courier, t->config, items, n, a->board->config,
                       a->board->config->alerts.tries, now_us, delivered, d);
    }
    if (r == 0)
        return;
    log_error("alerts: %.*s could not be told: %s", SPAN_ARG(name), strerror(-r));
    board_told(a->board, name, items, n, false, now_us);
    free(d);
}

/* What just began or ended stands in the gateway's own log, too, whoever else is told. */
static void log_news(const struct board *b, unsigned news, uint64_t now_us)
{
    for (unsigned i = news; i > 0; i--) {
        const struct board_recent *e = &b->recent[(b->recent_count - i + 1) % BOARD_RECENT];
        struct buf text = BUF_INIT(4096);
        struct span line = SPAN_LIT(""), rest;
        if (message_text(&e->item, 1, LANGUAGE_EN, SPAN_LIT(""), now_us, &text) == 0) {
            rest = buf_span(&text);
            while (span_split(&rest, '\n', &line)) /* the last one: behind the head */
                ;
            log_line(e->item.event == BOARD_OVER ? LOG_INFO : LOG_WARNING, "alert: %.*s",
                     SPAN_ARG(line));
        }
        buf_deinit(&text);
    }
}

static void arm(struct alerts *a, uint64_t in_ms)
{
    if (loop_timer_set(&a->timer, loop_now_ms(a->options.loop) + in_ms) < 0)
        log_error("alerts: no memory: nobody looks any more");
}

static void look(struct loop_timer *t)
{
    struct alerts *a = list_entry(t, struct alerts, timer);
    struct board_reading reading = {0};
    uint64_t now_us = clock_wall_us();
    a->options.read(a->options.ctx, &reading);
    unsigned news = board_look(a->board, &reading, now_us);
    log_news(a->board, news, now_us);
    for (size_t i = 0; i < a->board->target_count; i++)
        tell(a, i, now_us);
    arm(a, a->board->config->alerts.every_ms);
}

int alerts_new(const struct alerts_options *o, struct alerts **ret_alerts)
{
    struct alerts *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    a->options = *o;
    loop_timer_init(o->loop, &a->timer, look);
    a->board = board_new(o->config);
    int r = a->board ? 0 : -ENOMEM;
    if (r == 0)
        r = http_client_new(o->loop, BOARD_TARGETS, &a->client);
    if (r == 0)
        r = courier_new(o->loop, a->client, &a->courier);
    if (r < 0) {
        alerts_free(a);
        return r;
    }
    /* At once: what comes between the start and the first look would be in no minute. */
    arm(a, 0);
    *ret_alerts = a;
    return 0;
}

void alerts_reload(struct alerts *a, struct config *c)
{
    board_configure(a->board, c);
    arm(a, c->alerts.every_ms);
}

void alerts_free(struct alerts *a)
{
    if (!a)
        return;
    loop_timer_cancel(&a->timer);
    courier_free(a->courier);
    http_client_free(a->client);
    board_free(a->board);
    free(a);
}

int alerts_print(const struct alerts *a, struct buf *out)
{
    return report_json(a->board, clock_wall_us(), out);
}

int alerts_stats(const struct alerts *a, struct buf *out)
{
    return a ? report_stats(a->board, out) : 0;
}

/* --- a test --- */

struct test {
    struct loop *loop;
    size_t left;
    void (*told)(void *ctx, const struct config_alert_target *t, bool taken);
    void *ctx;
};

struct test_call {
    struct test *test;
    const struct config_alert_target *target;
};

static void tested(void *ctx, bool taken)
{
    struct test_call *call = ctx;
    struct test *t = call->test;
    t->told(t->ctx, call->target, taken);
    if (--t->left == 0)
        loop_stop(t->loop);
}

static int send_tests(struct test *t, struct courier *courier, struct config *c, struct span name,
                      struct test_call calls[BOARD_TARGETS])
{
    const struct board_item item = {.event = BOARD_TEST};
    int asked = 0;
    t->left = 1; /* the loop is not stopped before all are sent */
    for (size_t i = 0; i < c->alerts.target_count && i < BOARD_TARGETS; i++) {
        const struct config_alert_target *target = &c->alerts.targets[i];
        if (name.len && !span_eq(name, target->name))
            continue;
        calls[asked] = (struct test_call){t, target};
        t->left++;
        int r = robot_send(courier, target, &item, 1, c, 1, clock_wall_us(), tested, &calls[asked]);
        if (r < 0)
            return r;
        asked++;
    }
    t->left--;
    return asked;
}

int alerts_test(struct config *c, struct span name,
                void (*told)(void *ctx, const struct config_alert_target *t, bool taken), void *ctx)
{
    struct test_call calls[BOARD_TARGETS];
    struct http_client *client = NULL;
    struct courier *courier = NULL;
    struct test t = {.loop = loop_new(), .told = told, .ctx = ctx};
    int r = t.loop ? http_client_new(t.loop, BOARD_TARGETS, &client) : -ENOMEM;
    if (r == 0)
        r = courier_new(t.loop, client, &courier);
    if (r == 0)
        r = send_tests(&t, courier, c, name, calls);
    if (r > 0 && t.left) {
        int ran = loop_run(t.loop);
        r = ran < 0 ? ran : r;
    }
    courier_free(courier);
    http_client_free(client);
    loop_free(t.loop);
    return r;
}
