#include "bed.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/series.h"
#include "db/db.h"
#include "http/client.h"
#include "json/value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

int bed_busy;

/* --- sockets --- */

static int open_socket(uint16_t port, bool listening, uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof(a);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    if (listening) {
        assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
        assert_int_equal(listen(fd, 64), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
        *ret_port = ntohs(a.sin_port);
    } else if (connect(fd, (struct sockaddr *)&a, len) < 0) {
        assert_int_equal(errno, EINPROGRESS);
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void side_close(struct bed_side *s, bool reset)
{
    if (s->ended)
        return;
    s->ended = true;
    if (reset) {
        struct linger now = {.l_onoff = 1};
        setsockopt(s->watch.fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    loop_watch_remove(s->bed->loop, &s->watch);
    close(s->watch.fd);
}

/* Reads what is there. */
static void side_read(struct bed_side *s)
{
    for (;;) {
        assert_int_equal(buf_reserve(&s->in, 65536), 0);
        ssize_t n = recv(s->watch.fd, s->in.data + s->in.len, 65536, 0);
        if (n > 0) {
            s->in.len += (size_t)n;
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            s->gone = true;
        return;
    }
}

static bool is_request_whole(struct span in)
{
    size_t head = span_find(in, SPAN_LIT("\r\n\r\n"));
    size_t at = span_find(in, SPAN_LIT("Content-Length: "));
    unsigned long long length = 0;
    if (head == in.len)
        return false;
    if (at < head) {
        struct span line = span_slice(in, at + 16, in.len);
        span_to_u64(span_slice(line, 0, span_find(line, SPAN_LIT("\r"))), &length);
    }
    return in.len >= head + 4 + length;
}

/* --- the upstream --- */

static void peer_over(struct bed_side *s)
{
    if (s->bed->script.end == BED_STAY)
        loop_watch_change(s->bed->loop, &s->watch, EPOLLIN);
    else
        side_close(s, s->bed->script.end == BED_RESET);
}

static void peer_write(struct bed_side *s)
{
    struct bed *b = s->bed;
    const struct bed_script *script = &b->script;
    s->skipped = !s->skipped; /* every other turn, so that each write is read on its own */
    if (s->skipped)
        return;
    size_t end = s->cut < script->cut_count ? script->cuts[s->cut] : script->bytes.len;
    end = end < script->bytes.len ? end : script->bytes.len;
    if (script->hold_at && s->sent < script->hold_at && end > script->hold_at)
        end = script->hold_at;
    if (s->sent == script->hold_at && script->hold_at) {
        b->held_back = true;
        loop_watch_change(b->loop, &s->watch, EPOLLIN);
        return;
    }
    if (end > s->sent) {
        ssize_t n = send(s->watch.fd, script->bytes.data + s->sent, end - s->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            s->gone = true;
            side_close(s, false);
            return;
        }
        s->sent += (size_t)n;
    }
    while (s->cut < script->cut_count && script->cuts[s->cut] <= s->sent)
        s->cut++;
    if (s->sent == script->bytes.len)
        peer_over(s);
}

static void peer_turn(struct loop_watch *w, uint32_t events)
{
    struct bed_side *s = list_entry(w, struct bed_side, watch);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        side_read(s);
    if (s->gone) {
        side_close(s, false);
        return;
    }
    if (!s->asked && is_request_whole(buf_span(&s->in))) {
        s->asked = true;
        loop_watch_change(s->bed->loop, &s->watch, EPOLLIN | EPOLLOUT);
        return;
    }
    if (s->asked && events & EPOLLOUT)
        peer_write(s);
}

static void peer_event(struct loop_watch *w, uint32_t events)
{
    bed_busy++;
    peer_turn(w, events);
    bed_busy--;
}

static void accept_peer(struct bed *b)
{
    int fd = accept4(b->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    /* The oldest makes room. */
    struct bed_side *s = &b->peers[b->peer_count++ % BED_PEERS];
    if (s->bed) {
        side_close(s, false);
        buf_deinit(&s->in);
    }
    *s = (struct bed_side){.bed = b, .in = BUF_INIT(64u << 20)};
    s->watch = (struct loop_watch){.fd = fd, .fn = peer_event};
    assert_int_equal(loop_watch_add(b->loop, &s->watch, EPOLLIN), 0);
}

static void accepted(struct loop_watch *w, uint32_t events)
{
    bed_busy++;
    accept_peer(list_entry(w, struct bed, listener));
    bed_busy--;
}

void bed_go_on(struct bed *b)
{
    b->script.hold_at = 0;
    b->held_back = false;
    for (size_t i = 0; i < BED_PEERS; i++)
        if (b->peers[i].asked && !b->peers[i].ended)
            loop_watch_change(b->loop, &b->peers[i].watch, EPOLLIN | EPOLLOUT);
}

/* --- clients --- */

static void client_turn(struct loop_watch *w, uint32_t events)
{
    struct bed_side *s = list_entry(w, struct bed_side, watch);
    struct bed_client *c = list_entry(s, struct bed_client, side);
    if (events & EPOLLOUT && c->out.len) {
        ssize_t n = send(w->fd, c->out.data, c->out.len, MSG_NOSIGNAL);
        if (n > 0)
            buf_consume(&c->out, (size_t)n);
        if (n < 0 && errno != EAGAIN)
            s->gone = true;
    }
    if (!c->out.len)
        loop_watch_change(s->bed->loop, w, c->deaf ? 0 : EPOLLIN);
    if (!c->deaf && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        side_read(s);
    if (s->gone)
        side_close(s, false);
}

static void client_event(struct loop_watch *w, uint32_t events)
{
    bed_busy++;
    client_turn(w, events);
    bed_busy--;
}

void bed_connect(struct bed *b, struct bed_client *c)
{
    *c = (struct bed_client){.out = BUF_INIT(64u << 20)};
    c->side = (struct bed_side){.bed = b, .in = BUF_INIT(256u << 20)};
    c->side.watch =
        (struct loop_watch){.fd = open_socket(gate_port(b->gate), false, NULL), .fn = client_event};
    assert_int_equal(loop_watch_add(b->loop, &c->side.watch, EPOLLIN), 0);
}

void bed_send(struct bed_client *c, struct span bytes)
{
    assert_int_equal(buf_append(&c->out, bytes), 0);
    loop_watch_change(c->side.bed->loop, &c->side.watch, EPOLLOUT | (c->deaf ? 0 : EPOLLIN));
}

void bed_leave(struct bed_client *c)
{
    side_close(&c->side, false);
    buf_deinit(&c->side.in);
    buf_deinit(&c->out);
}

const char *bed_question(const char *text, const char *more)
{
    static char body[65536];
    int n =
        snprintf(body, sizeof(body),
                 "{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]%s%s}",
                 text, *more ? "," : "", more);
    assert_true(n > 0 && (size_t)n < sizeof(body));
    return body;
}

void bed_ask(struct bed *b, struct bed_client *c, const char *body)
{
    struct buf request = BUF_INIT(64u << 20);
    bed_connect(b, c);
    assert_int_equal(buf_printf(&request,
                                "POST /v1/chat/completions HTTP/1.1\r\nHost: gate\r\n"
                                "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                                strlen(body), body),
                     0);
    bed_send(c, buf_span(&request));
    buf_deinit(&request);
}

static struct span head_of(const struct bed_client *c)
{
    struct span in = buf_span(&c->side.in);
    size_t head = span_find(in, SPAN_LIT("\r\n\r\n"));
    return head < in.len ? span_slice(in, 0, head + 4) : SPAN_NULL;
}

int bed_status(const struct bed_client *c)
{
    struct span head = head_of(c);
    return head.len > 12
               ? (head.data[9] - '0') * 100 + (head.data[10] - '0') * 10 + (head.data[11] - '0')
               : 0;
}

struct span bed_header(const struct bed_client *c, const char *name)
{
    struct span head = head_of(c), line;
    while (span_split(&head, '\n', &line)) {
        size_t colon = span_find(line, SPAN_LIT(":"));
        if (colon < line.len && span_eq_nocase(span_slice(line, 0, colon), span_str(name)))
            return span_trim(span_slice(line, colon + 1, line.len));
    }
    return SPAN_NULL;
}

/* Walks the chunks; true when the last one was seen. */
static bool dechunk(struct span in, struct buf *out)
{
    for (;;) {
        size_t line = span_find(in, SPAN_LIT("\r\n"));
        if (line == in.len)
            return false;
        char size[20] = "";
        memcpy(size, in.data, line < 19 ? line : 19);
        size_t n = (size_t)strtoull(size, NULL, 16);
        in = span_slice(in, line + 2, in.len);
        size_t have = n < in.len ? n : in.len;
        if (out)
            assert_int_equal(buf_append(out, span_slice(in, 0, have)), 0);
        if (in.len < n + 2)
            return false;
        in = span_slice(in, n + 2, in.len);
        if (n == 0)
            return true;
    }
}

bool bed_whole(const struct bed_client *c)
{
    struct span head = head_of(c);
    if (!head.len)
        return false;
    struct span body = span_slice(buf_span(&c->side.in), head.len, c->side.in.len);
    unsigned long long length;
    if (span_to_u64(bed_header(c, "Content-Length"), &length))
        return body.len >= length;
    static const struct span last = SPAN_LIT("0\r\n\r\n");
    return span_eq_nocase(bed_header(c, "Transfer-Encoding"), SPAN_LIT("chunked")) &&
           body.len >= last.len && span_eq(span_slice(body, body.len - last.len, body.len), last) &&
           dechunk(body, NULL);
}

struct buf bed_body(const struct bed_client *c)
{
    struct buf out = BUF_INIT(256u << 20);
    struct span head = head_of(c);
    struct span body = span_slice(buf_span(&c->side.in), head.len, c->side.in.len);
    if (span_eq_nocase(bed_header(c, "Transfer-Encoding"), SPAN_LIT("chunked")))
        dechunk(body, &out);
    else if (head.len)
        assert_int_equal(buf_append(&out, body), 0);
    return out;
}

static bool is_answered(struct bed *b)
{
    struct bed_client *c = b->until_ctx;
    return c->side.ended || bed_whole(c);
}

void bed_answer(struct bed *b, struct bed_client *c)
{
    if (!bed_run(b, is_answered, c, 10000))
        fail_msg("no end to the answer \"%.*s\"", SPAN_ARG(buf_span(&c->side.in)));
}

/* --- running --- */

static void turn_over(struct loop_hook *h)
{
    struct bed *b = list_entry(h, struct bed, hook);
    bed_busy++;
    if (b->until && b->until(b))
        loop_stop(b->loop);
    bed_busy--;
}

static void too_late(struct loop_timer *t)
{
    struct bed *b = list_entry(t, struct bed, limit);
    b->late = true;
    loop_stop(b->loop);
}

bool bed_run(struct bed *b, bool (*until)(struct bed *b), void *ctx, unsigned ms)
{
    b->until = until;
    b->until_ctx = ctx;
    b->late = false;
    if (until && until(b))
        return true;
    bed_busy++;
    loop_timer_set(&b->limit, clock_mono_us() / 1000 + ms); /* no turn has set the time yet */
    bed_busy--;
    assert_int_equal(loop_run(b->loop), 0);
    loop_timer_cancel(&b->limit);
    b->until = NULL;
    return !b->late;
}

void bed_wait(struct bed *b, unsigned ms)
{
    bed_run(b, NULL, NULL, ms);
}

/* --- life --- */

struct snapshot *bed_load(struct bed *b, const char *yaml)
{
    char path[96];
    snprintf(path, sizeof(path), "%s/juyong.yaml", b->dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f,
            "listen: 127.0.0.1:%u\nconsole: { listen: 127.0.0.1:8081 }\nstate_dir: %s/state\n"
            "rules_dir: %s/rules\nworkers: 1\n"
            "upstreams:\n  - name: demo\n    base_url: http://127.0.0.1:%u/v1\n%s"
            "    models:\n      - { id: demo, filing_number: Beijing-Demo-20250101 }\n%s",
            b->port, b->dir, b->dir, b->upstream_port,
            strstr(yaml, "timeouts") ? ""
                                     : "    timeouts: { connect: 2s, first_byte: 5s, gap: 5s }\n",
            yaml);
    fclose(f);
    struct buf messages = BUF_INIT(1u << 20);
    struct snapshot *s = NULL;
    if (snapshot_load(span_str(path), &messages, &s) < 0)
        fail_msg("%.*s", SPAN_ARG(buf_span(&messages)));
    buf_deinit(&messages);
    return s;
}

/* A free port below those that the system hands out, so that no client's socket takes it. */
static uint16_t free_port(void)
{
    static unsigned next;
    for (int i = 0; i < 1000; i++) {
        struct sockaddr_in a = {.sin_family = AF_INET};
        uint16_t port = (uint16_t)(20000 + ((unsigned)getpid() * 37 + next++) % 12000);
        a.sin_port = htons(port);
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r = bind(fd, (struct sockaddr *)&a, sizeof(a));
        close(fd);
        if (r == 0)
            return port;
    }
    fail_msg("no free port");
    return 0;
}

const struct complaint_taker *bed_complaints;

void bed_open(struct bed *b, const char *yaml, bool with_log)
{
    char command[512];
    *b = (struct bed){0};
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_ERROR + 1);
    http_client_setup();
    snprintf(b->dir, sizeof(b->dir), "%s/juyong-gate-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(b->dir));
    snprintf(command, sizeof(command),
             "mkdir -m 700 %s/state && mkdir %s/rules && cp -r %s/rules/. %s/tests/e2e/rules/. "
             "%s/rules/",
             b->dir, b->dir, SOURCE_ROOT, SOURCE_ROOT, b->dir);
    assert_int_equal(system(command), 0);
    b->loop = loop_new();
    assert_non_null(b->loop);
    loop_timer_init(b->loop, &b->limit, too_late);
    loop_hook_add(b->loop, &b->hook, turn_over);
    b->listener =
        (struct loop_watch){.fd = open_socket(0, true, &b->upstream_port), .fn = accepted};
    assert_int_equal(loop_watch_add(b->loop, &b->listener, EPOLLIN), 0);
    b->port = free_port();
    b->snapshot = bed_load(b, yaml);
    if (with_log) {
        char dir[96], state[96];
        snprintf(dir, sizeof(dir), "%s/log", b->dir);
        snprintf(state, sizeof(state), "%s/state", b->dir);
        struct audit_options o = {
            .dir = span_str(dir), .node = SPAN_LIT("bed"), .state_dir = span_str(state)};
        assert_int_equal(audit_open(&o, &b->audit), 0);
    }
    b->limiter = limiter_new();
    struct gate_options o = {.loop = b->loop,
                             .audit = b->audit,
                             .limiter = b->limiter,
                             .metrics = &b->metrics,
                             .snapshot = b->snapshot,
                             .complaints = bed_complaints};
    assert_int_equal(gate_new(&o, &b->gate), 0);
}

static void on_drained(void *ctx)
{
    struct bed *b = ctx;
    b->drained = true;
}

static bool is_drained(struct bed *b)
{
    return b->drained;
}

void bed_close(struct bed *b)
{
    if (!b->drained)
        gate_drain(b->gate, on_drained, b);
    assert_true(bed_run(b, is_drained, NULL, 10000));
    assert_int_equal(metrics_get(&b->metrics, METRIC_ACTIVE), 0);
    assert_int_equal(metrics_get(&b->metrics, METRIC_STREAMS), 0);
    gate_free(b->gate);
    series_free(&b->metrics);
    limiter_free(b->limiter);
    audit_close(b->audit);
    snapshot_unref(b->snapshot);
    for (size_t i = 0; i < BED_PEERS; i++)
        if (b->peers[i].bed) {
            side_close(&b->peers[i], false);
            buf_deinit(&b->peers[i].in);
        }
    loop_watch_remove(b->loop, &b->listener);
    close(b->listener.fd);
    loop_hook_remove(&b->hook);
    loop_timer_cancel(&b->limit);
    loop_free(b->loop);
    http_client_teardown();
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", b->dir);
    assert_int_equal(system(command), 0);
}

const char *bed_peek(struct bed *b)
{
    static char text[256];
    char dir[96];
    struct query *q = NULL;
    const struct query_row *row;
    struct query_filter all = {.all = true, .limit = 1};
    text[0] = '\0';
    snprintf(dir, sizeof(dir), "%s/log", b->dir);
    if (query_open(span_str(dir), &all, &q) < 0)
        return text;
    if (query_next(q, &row) == 1) {
        const struct entry *e = &row->entry;
        snprintf(text, sizeof(text), "%s%.*s %.*s %.*s %d %s",
                 row->state == QUERY_DONE ? "" : "running ", SPAN_ARG(e->action),
                 SPAN_ARG(e->outcome), SPAN_ARG(e->reason), (int)e->status,
                 e->complete == ENTRY_TRUE ? "complete" : "incomplete");
    }
    query_close(q);
    return text;
}

size_t bed_records(struct bed *b, uint64_t *ret_left_out)
{
    char dir[96];
    struct query *q = NULL;
    const struct query_row *row;
    struct query_filter all = {.all = true, .limit = 1};
    snprintf(dir, sizeof(dir), "%s/log", b->dir);
    assert_int_equal(query_open(span_str(dir), &all, &q), 0);
    assert_int_equal(query_next(q, &row), 1);
    size_t n = row->record_count;
    *ret_left_out = row->entry.hits_left_out;
    query_close(q);
    return n;
}

static bool is_recorded(struct bed *b)
{
    const char *text = bed_peek(b);
    return *text && strncmp(text, "running", 7) != 0;
}

const char *bed_record(struct bed *b)
{
    for (int i = 0; i < 500 && !is_recorded(b); i++)
        bed_wait(b, 10);
    return bed_peek(b);
}

static struct db *locked;

void bed_lock_log(struct bed *b)
{
    char command[128], path[192];
    snprintf(command, sizeof(command), "ls %s/log/l0-*.db", b->dir);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_non_null(fgets(path, sizeof(path), f));
    pclose(f);
    path[strcspn(path, "\n")] = '\0';
    struct db_options o = {.busy_ms = 5000};
    assert_int_equal(db_open(span_str(path), &o, &locked), 0);
    assert_int_equal(db_exec(locked, "BEGIN IMMEDIATE"), 0);
}

void bed_unlock_log(void)
{
    assert_int_equal(db_exec(locked, "ROLLBACK"), 0);
    db_close(locked);
    locked = NULL;
}

/* --- answers --- */

void bed_event(struct buf *out, const char *payload)
{
    assert_int_equal(buf_printf(out, "data: %s\n\n", payload), 0);
}

void bed_delta(struct buf *out, unsigned choice, const char *field, struct span text)
{
    assert_int_equal(buf_printf(out,
                                "data: {\"id\":\"c-1\",\"object\":\"chat.completion.chunk\","
                                "\"created\":7,\"model\":\"demo\",\"choices\":[{\"index\":%u,"
                                "\"delta\":{\"%s\":\"%.*s\"},\"finish_reason\":null}]}\n\n",
                                choice, field, SPAN_ARG(text)),
                     0);
}

void bed_finish(struct buf *out, unsigned choice, const char *reason)
{
    assert_int_equal(buf_printf(out,
                                "data: {\"id\":\"c-1\",\"object\":\"chat.completion.chunk\","
                                "\"created\":7,\"model\":\"demo\",\"choices\":[{\"index\":%u,"
                                "\"delta\":{},\"finish_reason\":\"%s\"}]}\n\n",
                                choice, reason),
                     0);
}

void bed_stream(struct buf *out, struct span events)
{
    assert_int_equal(buf_printf(out,
                                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                                "Connection: close\r\n\r\n%.*s",
                                SPAN_ARG(events)),
                     0);
}

void bed_json(struct buf *out, int status, struct span body)
{
    assert_int_equal(buf_printf(out,
                                "HTTP/1.1 %d X\r\nContent-Type: application/json\r\n"
                                "Content-Length: %zu\r\n\r\n%.*s",
                                status, body.len, SPAN_ARG(body)),
                     0);
}

static void put_text(struct buf *b, const struct json_value *v)
{
    struct span s;
    if (value_get_string(v, &s))
        assert_int_equal(buf_append(b, s), 0);
}

static void read_choice(struct bed_reading *r, const struct json_value *choice)
{
    int64_t index = 0;
    struct span s;
    value_get_integer(value_get(choice, SPAN_LIT("index")), &index);
    assert_true(index >= 0 && index < 4);
    if (value_get_string(value_get(choice, SPAN_LIT("finish_reason")), &s)) {
        r->finishes[index]++;
        snprintf(r->finish[index], sizeof(r->finish[index]), "%.*s", SPAN_ARG(s));
    }
    const struct json_value *delta = value_get(choice, SPAN_LIT("delta"));
    put_text(&r->text[index], value_get(delta, SPAN_LIT("content")));
    put_text(&r->other, value_get(delta, SPAN_LIT("reasoning_content")));
    put_text(&r->other, value_get(delta, SPAN_LIT("refusal")));
    const struct json_value *calls = value_get(delta, SPAN_LIT("tool_calls"));
    for (size_t i = 0; i < value_count(calls); i++) {
        const struct json_value *f = value_get(value_at(calls, i), SPAN_LIT("function"));
        put_text(&r->other, value_get(f, SPAN_LIT("name")));
        put_text(&r->other, value_get(f, SPAN_LIT("arguments")));
    }
}

void bed_read(struct span body, struct bed_reading *ret_reading)
{
    struct bed_reading *r = ret_reading;
    *r = (struct bed_reading){.other = BUF_INIT(64u << 20)};
    for (int i = 0; i < 4; i++)
        r->text[i] = BUF_INIT(64u << 20);
    while (body.len) {
        size_t end = span_find(body, SPAN_LIT("\n\n"));
        if (end == body.len)
            return; /* an event that has no end is none */
        struct span event = span_slice(body, 0, end);
        body = span_slice(body, end + 2, body.len);
        if (!span_starts(event, SPAN_LIT("data: ")))
            continue;
        event = span_slice(event, 6, event.len);
        r->events++;
        r->after_done += r->done > 0;
        if (span_eq(event, SPAN_LIT("[DONE]"))) {
            r->done++;
            continue;
        }
        struct json_value *v = value_parse(event, NULL);
        if (!v)
            fail_msg("an event is no JSON: %.*s", SPAN_ARG(event));
        r->errors += value_get(v, SPAN_LIT("error")) != NULL;
        const struct json_value *choices = value_get(v, SPAN_LIT("choices"));
        for (size_t i = 0; i < value_count(choices); i++)
            read_choice(r, value_at(choices, i));
        value_free(v);
    }
}

void bed_reading_deinit(struct bed_reading *r)
{
    for (int i = 0; i < 4; i++)
        buf_deinit(&r->text[i]);
    buf_deinit(&r->other);
}
