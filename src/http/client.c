#include "http/client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

#define CLIENT_HEADERS_MAX  24
#define CLIENT_HEADER_MAX   65536 /* bytes of one header of a request */
#define CLIENT_LINGER_MAX   65536
#define CLIENT_HANDLES_KEPT 64 /* idle easy handles: making one costs more than a small request */
#define CLIENT_WATCHES_EACH 3  /* sockets of one transfer: two addresses and the resolver */
#define CLIENT_WATCHES_KEPT 64

struct http_client {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer timer;
    struct list watches; /* of the library's sockets */
    struct list spares;  /* so many that no running transfer has to ask for memory */
    size_t watch_count;  /* both */
    size_t fetch_count;
    struct list lingering; /* fetches without owner, oldest first */
    struct loop_timer linger_timer;
    CURL *idle[CLIENT_HANDLES_KEPT];
    size_t idle_count;
};

struct socket_watch {
    struct loop_watch watch;
    struct list link;
    struct http_client *client;
};

struct kept_header {
    uint16_t name, name_len, value, value_len; /* within head */
};

struct http_fetch {
    struct http_client *client;
    CURL *easy;
    struct curl_slist *headers; /* see add_headers() */
    void (*event)(void *ctx, unsigned events);
    void *ctx;
    struct buf data;
    size_t consumed; /* of data, from the front: moved away only now and then */
    size_t buffer_max, body_len;
    struct buf head; /* kept headers, names in lower case */
    struct kept_header kept[CLIENT_HEADERS_MAX];
    size_t kept_count;
    unsigned lengths, encodings;
    int status;
    bool head_told, malformed, paused_full, paused_owner, done;
    enum http_fetch_result result;
    struct list link;         /* in the client's lingering ones */
    uint64_t linger_until_ms; /* 0: has an owner */
    size_t linger_bytes;
};

static void check_done(struct http_client *c);

/* --- the library within our loop --- */

static void socket_ready(struct loop_watch *w, uint32_t events)
{
    struct socket_watch *s = list_entry(w, struct socket_watch, watch);
    struct http_client *c = s->client;
    int mask = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    int running;
    curl_multi_socket_action(c->multi, w->fd, mask, &running);
    check_done(c);
}

static size_t watches_wanted(const struct http_client *c)
{
    size_t n = c->fetch_count * CLIENT_WATCHES_EACH;
    return n > CLIENT_WATCHES_KEPT ? n : CLIENT_WATCHES_KEPT;
}

/* Makes spares for one fetch more. */
static int reserve_watches(struct http_client *c)
{
    while (c->watch_count < (c->fetch_count + 1) * CLIENT_WATCHES_EACH) {
        struct socket_watch *s = calloc(1, sizeof(*s));
        if (!s)
            return -ENOMEM;
        s->client = c;
        list_append(&c->spares, &s->link);
        c->watch_count++;
    }
    return 0;
}

static void drop_watches(struct http_client *c)
{
    while (c->watch_count > watches_wanted(c)) {
        struct list *e = list_pop(&c->spares);
        if (!e)
            return;
        free(list_entry(e, struct socket_watch, link));
        c->watch_count--;
    }
}

static struct socket_watch *take_watch(struct http_client *c)
{
    struct list *e = list_pop(&c->spares);
    if (e)
        return list_entry(e, struct socket_watch, link);
    struct socket_watch *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    list_init(&s->link);
    s->client = c;
    c->watch_count++;
    return s;
}

/*
 * To answer -1 here or in timer_change() would end every transfer, now and ever after (libcurl's
 * multi handle is dead then). A socket that nobody watches ends one, at its deadline.
 */
static int socket_change(CURL *easy, curl_socket_t fd, int what, void *cls, void *per_socket)
{
    struct http_client *c = cls;
    struct socket_watch *s = per_socket;
    if (what == CURL_POLL_REMOVE) {
        if (s) {
            loop_watch_remove(c->loop, &s->watch);
            list_remove(&s->link);
            curl_multi_assign(c->multi, fd, NULL);
            list_append(&c->spares, &s->link);
            drop_watches(c);
        }
        return 0;
    }
    uint32_t events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                      (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
    if (s) {
        loop_watch_change(c->loop, &s->watch, events);
        return 0;
    }
    s = take_watch(c);
    if (!s)
        return 0;
    s->watch = (struct loop_watch){.fd = fd, .fn = socket_ready};
    if (loop_watch_add(c->loop, &s->watch, events) < 0) {
        list_append(&c->spares, &s->link);
        return 0;
    }
    list_append(&c->watches, &s->link);
    curl_multi_assign(c->multi, fd, s);
    return 0;
}

/* Stays in the heap: to arm it must not ask for memory. */
static int timer_rest(struct http_client *c)
{
    return loop_timer_set(&c->timer, UINT64_MAX);
}

static void timer_fired(struct loop_timer *t)
{
    struct http_client *c = list_entry(t, struct http_client, timer);
    int running;
    timer_rest(c); /* in the room that it has just left */
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    check_done(c);
}

static int timer_change(CURLM *multi, long ms, void *cls)
{
    struct http_client *c = cls;
    if (ms < 0)
        timer_rest(c);
    else
        loop_timer_set(&c->timer, loop_now_ms(c->loop) + (uint64_t)ms);
    return 0;
}

static enum http_fetch_result result_of(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_FETCH_OK;
    case CURLE_OUT_OF_MEMORY:
        return HTTP_FETCH_MEMORY;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_FETCH_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SEND_ERROR:
        return HTTP_FETCH_CONNECT;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return HTTP_FETCH_TRUNCATED;
    default:
        return HTTP_FETCH_PROTOCOL;
    }
}

static void check_done(struct http_client *c)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct http_fetch *f = NULL;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&f);
        f->result = result_of(m->data.result);
        f->done = true;
        if (f->linger_until_ms)
            http_fetch_free(f);
        else
            f->event(f->ctx, HTTP_FETCH_END);
    }
}

void http_client_setup(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_client_teardown(void)
{
    curl_global_cleanup();
}

static void linger_over(struct loop_timer *t)
{
    struct http_client *c = list_entry(t, struct http_client, linger_timer);
    uint64_t now = loop_now_ms(c->loop);
    list_for_each_safe (e, next, &c->lingering) {
        struct http_fetch *f = list_entry(e, struct http_fetch, link);
        if (f->linger_until_ms <= now)
            http_fetch_free(f);
    }
    if (!list_empty(&c->lingering))
        loop_timer_set(t, now + 1000);
}

int http_client_new(struct loop *l, unsigned connections, struct http_client **ret_client)
{
    struct http_client *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->loop = l;
    list_init(&c->watches);
    list_init(&c->spares);
    list_init(&c->lingering);
    loop_timer_init(l, &c->timer, timer_fired);
    loop_timer_init(l, &c->linger_timer, linger_over);
    c->multi = timer_rest(c) == 0 ? curl_multi_init() : NULL;
    if (!c->multi) {
        loop_timer_cancel(&c->timer);
        free(c);
        return -ENOMEM;
    }
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, socket_change);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, timer_change);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    /* The default of four times the running handles closes connections that the next burst needs.
     */
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)connections);
    *ret_client = c;
    return 0;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    list_for_each_safe (e, next, &c->lingering)
        http_fetch_free(list_entry(e, struct http_fetch, link));
    loop_timer_cancel(&c->linger_timer);
    for (size_t i = 0; i < c->idle_count; i++)
        curl_easy_cleanup(c->idle[i]);
    curl_multi_cleanup(c->multi);
    loop_timer_cancel(&c->timer);
    list_for_each_safe (e, next, &c->watches) {
        struct socket_watch *s = list_entry(e, struct socket_watch, link);
        loop_watch_remove(c->loop, &s->watch);
        free(s);
    }
    list_for_each_safe (e, next, &c->spares)
        free(list_entry(e, struct socket_watch, link));
    free(c);
}

/* --- callbacks of one transfer --- */

static size_t write_data(char *data, size_t size, size_t count, void *cls)
{
    struct http_fetch *f = cls;
    size_t n = size * count;
    if (f->linger_until_ms) {
        f->linger_bytes += n;
        return f->linger_bytes > CLIENT_LINGER_MAX ? 0 : n;
    }
    /* Decide before taking: what is taken can't be given back. */
    if (f->paused_owner || f->data.len - f->consumed > f->buffer_max) {
        f->paused_full = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (buf_append(&f->data, span_from(data, n)) < 0)
        return 0;
    unsigned events = HTTP_FETCH_DATA;
    if (!f->head_told) {
        f->head_told = true;
        events |= HTTP_FETCH_HEAD;
    }
    f->event(f->ctx, events);
    return n;
}

static bool keep(struct span name)
{
    static const char *const names[] = {"content-type",   "content-encoding", "retry-after",
                                        "retry-after-ms", "x-request-id",     "request-id",
                                        "x-should-retry", "x-juyong-action"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (span_eq_nocase(name, span_str(names[i])))
            return true;
    return name.len > 12 && span_eq_nocase(span_slice(name, 0, 12), SPAN_LIT("x-ratelimit-"));
}

static void keep_header(struct http_fetch *f, struct span name, struct span value)
{
    if (f->kept_count == CLIENT_HEADERS_MAX || name.len > 128 || value.len > 512)
        return;
    struct kept_header k = {(uint16_t)f->head.len, (uint16_t)name.len,
                            (uint16_t)(f->head.len + name.len), (uint16_t)value.len};
    size_t before = f->head.len;
    if (buf_append(&f->head, name) < 0 || buf_append(&f->head, value) < 0) {
        f->head.len = before;
        return;
    }
    for (size_t i = 0; i < name.len; i++)
        f->head.data[before + i] = (char)tolower((unsigned char)f->head.data[before + i]);
    f->kept[f->kept_count++] = k;
}

static size_t read_header(char *data, size_t size, size_t count, void *cls)
{
    struct http_fetch *f = cls;
    struct span line = span_from(data, size * count);
    size_t n = line.len;
    while (line.len && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
        line.len--;
    for (size_t i = 0; i < line.len; i++)
        if (((unsigned char)line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7f)
            f->malformed = true;
    if (span_starts(line, SPAN_LIT("HTTP/"))) { /* also of each interim response */
        f->kept_count = 0;
        f->head.len = 0;
        f->lengths = f->encodings = 0;
        return n;
    }
    const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
    if (!colon)
        return n;
    struct span name = span_from(line.data, (size_t)(colon - line.data));
    struct span value = span_trim(span_slice(line, name.len + 1, line.len));
    if (span_eq_nocase(name, SPAN_LIT("content-length")))
        f->lengths++;
    if (span_eq_nocase(name, SPAN_LIT("transfer-encoding")))
        f->encodings++;
    if (f->lengths > 1 || f->encodings > 1 || (f->lengths && f->encodings))
        f->malformed = true;
    if (keep(name))
        keep_header(f, name, value);
    return n;
}

/* --- a transfer --- */

/* libcurl sends lines as they are: a line break in one would forge a header. */
static bool is_plain(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < 0x20 && s.data[i] != '\t')
            return false;
    return true;
}

static char *put(char *at, struct span s)
{
    return s.len ? mempcpy(at, s.data, s.len) : at;
}

/* The library's list in one piece of memory, nodes before lines; it only reads it. */
static int add_headers(struct http_fetch *f, const struct http_header *headers, size_t count)
{
    static const char expect[] = "Expect:"; /* no waiting for 100 Continue */
    size_t size = (count + 1) * sizeof(struct curl_slist) + sizeof(expect);
    for (size_t i = 0; i < count; i++) {
        if (headers[i].name.len + headers[i].value.len > CLIENT_HEADER_MAX ||
            !is_plain(headers[i].name) || !is_plain(headers[i].value))
            return -EINVAL;
        size += headers[i].name.len + headers[i].value.len + sizeof(": ");
    }
    struct curl_slist *nodes = malloc(size);
    if (!nodes)
        return -ENOMEM;
    char *at = (char *)(nodes + count + 1);
    for (size_t i = 0; i < count; i++) {
        nodes[i] = (struct curl_slist){.data = at, .next = &nodes[i + 1]};
        at = put(at, headers[i].name);
        at = put(at, SPAN_LIT(": "));
        at = put(at, headers[i].value);
        *at++ = '\0';
    }
    nodes[count] = (struct curl_slist){.data = memcpy(at, expect, sizeof(expect))};
    f->headers = nodes;
    return 0;
}

static int set_options(struct http_fetch *f, const struct http_fetch_options *o)
{
    char url[2048];
    if (o->url.len >= sizeof(url))
        return -EINVAL;
    memcpy(url, o->url.data, o->url.len);
    url[o->url.len] = '\0';
    CURL *e = f->easy;
    curl_easy_setopt(e, CURLOPT_PRIVATE, f);
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->headers);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, write_data);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, read_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
    curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(e, CURLOPT_BUFFERSIZE, 16384L);
    if (span_eq(o->method, SPAN_LIT("POST"))) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, o->body.len ? o->body.data : "");
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->body.len);
    } else {
        curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    }
    return 0;
}

int http_fetch_start(struct http_client *c, const struct http_fetch_options *o,
                     struct http_fetch **ret_fetch)
{
    struct http_fetch *f = reserve_watches(c) == 0 ? calloc(1, sizeof(*f)) : NULL;
    if (!f)
        return -ENOMEM;
    f->client = c;
    list_init(&f->link);
    f->event = o->event;
    f->ctx = o->ctx;
    f->buffer_max = o->buffer_max;
    f->body_len = o->body.len;
    f->data.max = SIZE_MAX / 4; /* bounded by buffer_max and one read of the library */
    f->head.max = 16384;
    f->easy = c->idle_count ? c->idle[--c->idle_count] : curl_easy_init();
    int r = f->easy ? add_headers(f, o->headers, o->header_count) : -ENOMEM;
    if (r == 0)
        r = set_options(f, o);
    if (r == 0 && curl_multi_add_handle(c->multi, f->easy) != CURLM_OK)
        r = -ENOMEM;
    if (r < 0) {
        if (f->easy)
            curl_easy_cleanup(f->easy);
        free(f->headers);
        free(f);
        return r;
    }
    c->fetch_count++;
    *ret_fetch = f;
    return 0;
}

void http_fetch_free(struct http_fetch *f)
{
    if (!f)
        return;
    struct http_client *c = f->client;
    list_remove(&f->link);
    curl_multi_remove_handle(c->multi, f->easy);
    c->fetch_count--;
    drop_watches(c);
    if (c->idle_count < CLIENT_HANDLES_KEPT) {
        curl_easy_reset(f->easy);
        c->idle[c->idle_count++] = f->easy;
    } else {
        curl_easy_cleanup(f->easy);
    }
    free(f->headers);
    buf_deinit(&f->data);
    buf_deinit(&f->head);
    free(f);
}

void http_fetch_linger(struct http_fetch *f, unsigned ms)
{
    if (f->done || !http_fetch_sent(f)) { /* the body it still sends is its owner's */
        http_fetch_free(f);
        return;
    }
    struct http_client *c = f->client;
    f->linger_until_ms = loop_now_ms(c->loop) + ms;
    list_append(&c->lingering, &f->link);
    if (!c->linger_timer.index && loop_timer_set(&c->linger_timer, f->linger_until_ms) < 0) {
        http_fetch_free(f);
        return;
    }
    if (f->paused_full) {
        f->paused_full = false;
        curl_easy_pause(f->easy, CURLPAUSE_CONT);
        check_done(c);
    }
}

int http_fetch_status(const struct http_fetch *f)
{
    long status = 0;
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

bool http_fetch_header_at(const struct http_fetch *f, size_t index, struct http_header *ret_header)
{
    if (index >= f->kept_count)
        return false;
    const struct kept_header *k = &f->kept[index];
    ret_header->name = span_from(f->head.data + k->name, k->name_len);
    ret_header->value = span_from(f->head.data + k->value, k->value_len);
    return true;
}

struct span http_fetch_header(const struct http_fetch *f, const char *name)
{
    struct http_header h;
    for (size_t i = 0; http_fetch_header_at(f, i, &h); i++)
        if (span_eq(h.name, span_str(name)))
            return h.value;
    return SPAN_NULL;
}

bool http_fetch_malformed(const struct http_fetch *f)
{
    return f->malformed;
}

bool http_fetch_sent(const struct http_fetch *f)
{
    curl_off_t sent = 0;
    curl_easy_getinfo(f->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    return (size_t)sent >= f->body_len;
}

struct span http_fetch_data(const struct http_fetch *f)
{
    return span_from(f->data.data ? f->data.data + f->consumed : NULL, f->data.len - f->consumed);
}

static void go_on(struct http_fetch *f)
{
    if (!f->paused_full || f->paused_owner || f->done || f->data.len - f->consumed > f->buffer_max)
        return;
    f->paused_full = false;
    curl_easy_pause(f->easy, CURLPAUSE_CONT); /* may call write_data() at once */
    check_done(f->client);
}

void http_fetch_consume(struct http_fetch *f, size_t n)
{
    f->consumed += n;
    if (f->consumed == f->data.len) {
        /* An idle stream holds no buffer worth speaking of. */
        if (f->data.cap > 4096)
            buf_deinit(&f->data);
        f->data.len = f->consumed = 0;
    } else if (f->consumed > 65536) {
        buf_consume(&f->data, f->consumed);
        f->consumed = 0;
    }
    go_on(f);
}

void http_fetch_pause(struct http_fetch *f, bool pause)
{
    f->paused_owner = pause;
    if (!pause)
        go_on(f);
}

bool http_fetch_over(const struct http_fetch *f)
{
    return f->done && f->data.len == f->consumed;
}

enum http_fetch_result http_fetch_result(const struct http_fetch *f)
{
    return f->result;
}
