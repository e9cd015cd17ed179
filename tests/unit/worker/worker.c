/* The pool's life: it starts, takes a new snapshot over, drains, and says when it can't listen. */
#include "../unit.h"

#include "worker/worker.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/juyong-worker-XXXXXX";
static sem_t drained;
static int drained_calls;

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int set_up(void **state)
{
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return -1;
    sem_init(&drained, 0, 0);
    mkdir("r", 0700);
    mkdir("r/keywords", 0700);
    write_file("r/risks.yaml", "groups: [{id: A1, zh: 一, en: one}]\n"
                               "risks:\n  - {id: A1-a, group: A1, zh: 甲, en: a}\n");
    write_file("r/keywords/A1-a.txt", "测试敏感词\n");
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int tear_down(void **state)
{
    sem_destroy(&drained);
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static struct snapshot *load(uint16_t port)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "listen: 127.0.0.1:%u\nstate_dir: state\nrules_dir: r\n"
             "upstreams:\n  - name: u\n    base_url: http://127.0.0.1:9/v1\n"
             "    models: [{id: m, filing_number: F}]\n",
             port);
    write_file("c.yaml", text);
    mkdir("state", 0700);
    struct buf messages = BUF_INIT(65536);
    struct snapshot *s = NULL;
    if (snapshot_load(SPAN_LIT("c.yaml"), &messages, &s) != 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&messages);
    return s;
}

/* A socket that listens on a port of the system's choice, so that nobody else can. */
static int take_port(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static uint16_t free_port(void)
{
    uint16_t port;
    close(take_port(&port));
    return port;
}

static void tell_drained(void *ctx)
{
    drained_calls++;
    sem_post(ctx);
}

static struct worker_pool *start(struct snapshot *s, unsigned count)
{
    struct worker_pool_options o = {
        .count = count, .snapshot = s, .drained = tell_drained, .ctx = &drained};
    struct worker_pool *p = NULL;
    drained_calls = 0;
    assert_int_equal(worker_pool_new(&o, &p), 0);
    assert_int_equal(worker_pool_count(p), count);
    return p;
}

static void end(struct worker_pool *p)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 10;
    worker_pool_drain(p);
    assert_int_equal(sem_timedwait(&drained, &limit), 0);
    worker_pool_free(p);
    assert_int_equal(drained_calls, 1); /* once for all of them */
}

/* Sends a request and gives the status of the answer, 0 when nobody listens, and its id. */
static int ask_id(uint16_t port, char ret_id[64])
{
    static const char request[] = "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = 8};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    char answer[4096];
    ssize_t n = 0;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
        send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
        n = recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL);
    close(fd);
    answer[n > 0 ? n : 0] = '\0';
    int status = 0;
    sscanf(answer, "HTTP/1.1 %d", &status);
    const char *id = strcasestr(answer, "\r\nx-request-id: ");
    ret_id[0] = '\0';
    if (id)
        sscanf(id + 16, "%63s", ret_id);
    return status;
}

static int ask(uint16_t port)
{
    char id[64];
    return ask_id(port, id);
}

static void a_pool_without_traffic_drains(void **state)
{
    uint16_t port = free_port();
    struct snapshot *s = load(port);
    for (unsigned count = 1; count <= 4; count++) {
        struct worker_pool *p = start(s, count);
        assert_int_equal(worker_pool_port(p), port);
        end(p);
    }
    /* Told twice, and told before it had a chance to do anything. */
    struct worker_pool *p = start(s, 2);
    worker_pool_drain(p);
    end(p);
    snapshot_unref(s);
    worker_pool_free(NULL);
}

static void all_listen_when_it_has_started(void **state)
{
    uint16_t port = free_port();
    struct snapshot *s = load(port);
    struct worker_pool *p = start(s, 3);
    uint64_t seen = 0;
    for (int i = 0; i < 12; i++)
        assert_int_equal(ask(port), 404);
    for (unsigned i = 0; i < 3; i++)
        seen += metrics_get(worker_pool_metrics(p, i), METRIC_REJECTED_ROUTE);
    assert_int_equal(seen, 12);
    end(p);
    assert_int_equal(ask(port), 0);
    snapshot_unref(s);
}

/* Two that drew the same random number would still give different ids. */
static void a_request_id_names_its_worker(void **state)
{
    uint16_t port = free_port();
    struct snapshot *s = load(port);
    struct worker_pool *p = start(s, 3);
    uint64_t before[3] = {0};
    for (int i = 0; i < 24; i++) {
        char id[64];
        unsigned number = 99, found = 3;
        assert_int_equal(ask_id(port, id), 404);
        assert_int_equal(strlen(id), 26);
        assert_int_equal(sscanf(id, "req_%*11[0-9a-f]%2x", &number), 1);
        for (unsigned w = 0; w < 3; w++)
            if (metrics_get(worker_pool_metrics(p, w), METRIC_REJECTED_ROUTE) > before[w]) {
                before[w]++;
                found = w;
            }
        assert_int_equal(number, found);
    }
    end(p);
    snapshot_unref(s);
}

static void a_reload_is_taken_over_by_every_worker(void **state)
{
    uint16_t port = free_port();
    struct snapshot *s = load(port);
    struct worker_pool *p = start(s, 3);
    for (int i = 0; i < 20; i++) { /* faster than they read: the last one counts, none leaks */
        struct snapshot *next = load(port);
        worker_pool_reload(p, next);
        snapshot_unref(s);
        s = next;
    }
    for (unsigned i = 0; i < 3; i++) {
        for (int wait = 0; wait < 5000 && !metrics_get(worker_pool_metrics(p, i), METRIC_RELOADS);
             wait++)
            usleep(1000);
        assert_in_range(metrics_get(worker_pool_metrics(p, i), METRIC_RELOADS), 1, 20);
    }
    assert_int_equal(ask(port), 404);
    /* A reload and a drain in the same moment. */
    worker_pool_reload(p, s);
    end(p);
    snapshot_unref(s);
}

static void a_taken_port_is_told(void **state)
{
    uint16_t port;
    int fd = take_port(&port);
    struct snapshot *s = load(port);
    log_set_level(LOG_ERROR);
    for (unsigned count = 1; count <= 3; count++) {
        struct worker_pool_options o = {
            .count = count, .snapshot = s, .drained = tell_drained, .ctx = &drained};
        struct worker_pool *p = NULL;
        drained_calls = 0;
        assert_int_equal(worker_pool_new(&o, &p), -EADDRINUSE);
        assert_null(p);
        assert_int_equal(drained_calls, 0);
    }
    close(fd);
    snapshot_unref(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_without_traffic_drains),
        cmocka_unit_test(all_listen_when_it_has_started),
        cmocka_unit_test(a_request_id_names_its_worker),
        cmocka_unit_test(a_reload_is_taken_over_by_every_worker),
        cmocka_unit_test(a_taken_port_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
