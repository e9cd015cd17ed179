/* A reload on its helper thread: the loop goes on, one follows another, nothing is lost at the end.
 */
#include "../unit.h"

#include "base/clock.h"
#include "cli/reload.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/juyong-reload-XXXXXX";

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(name, 0600);
}

struct bed {
    struct loop *loop;
    struct loop_timer timer;
    struct reload *reload;
    pthread_t thread; /* the loop's */
    atomic_uint loads, renewals;
    sem_t go; /* a load waits for it */
    unsigned told, asked, ticks;
    unsigned want; /* the loop ends after so many are told */
    int result;
    size_t rules;
    const struct config *config;
    struct snapshot *snapshot; /* in force */
    struct buf messages;
    int manager; /* the service manager's socket */
};
static struct bed bed;

static int load(struct span file, struct buf *messages, struct snapshot **ret_snapshot)
{
    assert_false(pthread_equal(pthread_self(), bed.thread));
    atomic_fetch_add(&bed.loads, 1);
    while (sem_wait(&bed.go) < 0)
        ;
    return snapshot_load(file, messages, ret_snapshot);
}

static int renew(const struct snapshot *old, unsigned parts, struct buf *messages,
                 struct snapshot **ret_snapshot)
{
    assert_false(pthread_equal(pthread_self(), bed.thread));
    assert_ptr_equal(old, bed.snapshot);
    atomic_fetch_add(&bed.renewals, 1);
    while (sem_wait(&bed.go) < 0)
        ;
    return snapshot_renew(old, parts, messages, ret_snapshot);
}

static struct snapshot *snapshot_in_force(void *ctx)
{
    assert_true(pthread_equal(pthread_self(), bed.thread));
    return bed.snapshot;
}

static void done(void *ctx, int result, struct snapshot *next, struct buf *messages)
{
    assert_true(pthread_equal(pthread_self(), bed.thread));
    bed.told++;
    bed.result = result;
    /* Without the phrase of the canary, which every set that is to serve has. */
    bed.rules = next ? ruleset_count(snapshot_rules(next)) - 1 : 0;
    bed.config = next ? snapshot_config(next) : NULL;
    assert_int_equal(result == 0, next != NULL);
    buf_append(&bed.messages, buf_span(messages));
    snapshot_unref(next);
    if (bed.told == bed.want)
        loop_stop(bed.loop);
}

static void listen_as_manager(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "manager"};
    bed.manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_true(bed.manager >= 0);
    unlink("manager");
    assert_int_equal(bind(bed.manager, (struct sockaddr *)&a, sizeof(a)), 0);
    char path[256];
    snprintf(path, sizeof(path), "%s/manager", folder);
    setenv("NOTIFY_SOCKET", path, 1);
}

static void expect_state(const char *want)
{
    char text[256];
    ssize_t n = recv(bed.manager, text, sizeof(text) - 1, 0);
    if (!want) {
        assert_int_equal(n, -1);
        return;
    }
    assert_true(n > 0);
    text[n] = '\0';
    if (strcmp(want, "RELOADING") == 0) {
        unsigned long long at = 0;
        assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%llu", &at), 1);
        assert_true(at <= clock_mono_us() && at + 60000000 > clock_mono_us());
    } else {
        assert_string_equal(text, want);
    }
}

#define CONFIG                                                                                     \
    "rules_dir: rules\nupstreams: [{name: u, base_url: 'https://x/v1',\n"                          \
    "             models: [{id: m, filing_number: F}]}]\n"

static int begin(void **state)
{
    bed = (struct bed){.loop = loop_new(), .thread = pthread_self(), .want = 1};
    buf_init(&bed.messages, 65536);
    sem_init(&bed.go, 0, 0);
    listen_as_manager();
    write_file("c.yaml", CONFIG);
    write_file("rules/keywords/A1-a.txt", "坏词语\n");
    struct reload_options o = {.loop = bed.loop,
                               .file = SPAN_LIT("c.yaml"),
                               .load = load,
                               .renew = renew,
                               .in_force = snapshot_in_force,
                               .done = done};
    bed.reload = reload_new(&o);
    return bed.loop && bed.reload ? 0 : -1;
}

static int end(void **state)
{
    reload_free(bed.reload);
    loop_free(bed.loop);
    sem_destroy(&bed.go);
    buf_deinit(&bed.messages);
    close(bed.manager);
    return 0;
}

/* The loop answers while a load goes on: its own timer lets the load end. */
static void tick(struct loop_timer *t)
{
    assert_int_equal(bed.told, 0);
    if (++bed.ticks == 3)
        sem_post(&bed.go);
    else
        loop_timer_set(t, loop_now_ms(bed.loop) + 5);
}

static void test_beside(void **state)
{
    loop_timer_init(bed.loop, &bed.timer, tick);
    loop_timer_set(&bed.timer, loop_now_ms(bed.loop) + 5);
    reload_ask(bed.reload);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(bed.ticks, 3);
    assert_int_equal(bed.result, 0);
    assert_int_equal(bed.rules, 1);
    expect_state("RELOADING");
    expect_state("READY=1");
    expect_state(NULL);
    loop_timer_cancel(&bed.timer);
}

static void test_one_more(void **state)
{
    bed.want = 2;
    for (unsigned i = 0; i < 5; i++)
        reload_ask(bed.reload);
    for (unsigned i = 0; i < 5; i++)
        sem_post(&bed.go);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(atomic_load(&bed.loads), 2);
    expect_state("RELOADING");
    expect_state("READY=1");
    expect_state("RELOADING");
    /* The loop was stopped from within the second's end. */
    expect_state("READY=1");
    expect_state(NULL);
    /* And again afterwards. */
    bed.want = 3;
    reload_ask(bed.reload);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(bed.told, 3);
}

static void test_mistake(void **state)
{
    write_file("rules/keywords/A1-a.txt", "坏词语\tsee=all\n");
    sem_post(&bed.go);
    reload_ask(bed.reload);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(bed.result, -EINVAL);
    assert_true(span_starts(buf_span(&bed.messages), SPAN_LIT("rules/keywords/A1-a.txt:1:9: ")));
    expect_state("RELOADING");
    expect_state("READY=1");
    expect_state(NULL);
}

static void let_go(struct loop_timer *t)
{
    sem_post(&bed.go);
    if (++bed.ticks == 10)
        loop_stop(bed.loop);
    else
        loop_timer_set(t, loop_now_ms(bed.loop) + 10);
}

/* Of the rules alone: in whatever state the configuration is just now. */
static void test_rules_alone(void **state)
{
    assert_int_equal(snapshot_load(SPAN_LIT("c.yaml"), &bed.messages, &bed.snapshot), 0);
    write_file("c.yaml", "nonsense: [\n");
    write_file("rules/keywords/A1-a.txt", "坏词语\n另一句\n");
    sem_post(&bed.go);
    reload_ask_parts(bed.reload, SNAPSHOT_RULES);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(bed.result, 0);
    assert_int_equal(bed.rules, 2);
    assert_ptr_equal(bed.config, snapshot_config(bed.snapshot));
    /* Among wishes for the rules one for all: the next one is for all. */
    write_file("c.yaml", CONFIG);
    bed.want = 3;
    reload_ask_parts(bed.reload, SNAPSHOT_RULES);
    reload_ask(bed.reload);
    reload_ask_parts(bed.reload, SNAPSHOT_RULES);
    sem_post(&bed.go);
    sem_post(&bed.go);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(atomic_load(&bed.renewals), 2);
    assert_int_equal(atomic_load(&bed.loads), 1);
    assert_int_equal(bed.result, 0);
    assert_ptr_not_equal(bed.config, snapshot_config(bed.snapshot));
    bed.snapshot = snapshot_unref(bed.snapshot);
}

/* Nobody wants it any more: what was loaded is dropped, what was asked for besides never begins. */
static void test_stop(void **state)
{
    reload_ask(bed.reload);
    reload_ask(bed.reload);
    reload_stop(bed.reload);
    reload_ask(bed.reload);
    loop_timer_init(bed.loop, &bed.timer, let_go);
    loop_timer_set(&bed.timer, loop_now_ms(bed.loop) + 10);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(atomic_load(&bed.loads), 1);
    assert_int_equal(bed.told, 0);
    expect_state("RELOADING");
    expect_state(NULL);
}

/* The end waits for a load that goes on. */
static void test_end(void **state)
{
    reload_ask(bed.reload);
    sem_post(&bed.go);
    reload_free(bed.reload);
    bed.reload = NULL;
    assert_int_equal(bed.told, 0);
    assert_int_equal(atomic_load(&bed.loads), 1);
    reload_free(NULL);
}

static int set_up(void **state)
{
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    mkdir("rules", 0700);
    mkdir("rules/keywords", 0700);
    write_file("rules/risks.yaml", "groups: [{id: A1, zh: 组, en: g}]\n"
                                   "risks: [{id: A1-a, group: A1, zh: 甲类, en: kind a}]\n");
    return 0;
}

static int tear_down(void **state)
{
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_beside),      EACH(test_one_more), EACH(test_mistake),
        EACH(test_rules_alone), EACH(test_stop),     EACH(test_end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
