/* The loop's order within a turn, its timers, and what may be taken away while it is pending. */
#include "../unit.h"

#include "base/clock.h"
#include "base/loop.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { THINGS = 64 };

/* One of many timers, tasks, hooks, watches; what they do is written to `story`. */
struct thing {
    struct loop_timer timer;
    struct loop_task task;
    struct loop_hook hook;
    struct loop_watch watch;
    char name;
    uint64_t fired_ms;
    struct thing *other;
    unsigned times;
};

static struct loop *loop;
static struct thing things[THINGS];
static char story[256];
static size_t story_len;

static void tell(char c)
{
    assert_true(story_len < sizeof(story) - 1);
    story[story_len++] = c;
    story[story_len] = '\0';
}

static int set_up(void **state)
{
    memset(things, 0, sizeof(things));
    story[story_len = 0] = '\0';
    loop = loop_new();
    return loop ? 0 : -1;
}

static int tear_down(void **state)
{
    loop_free(loop);
    return 0;
}

static void stop_timer(struct loop_timer *t)
{
    loop_stop(t->loop);
}

/* Runs the loop for that long. */
static void run_for(unsigned ms)
{
    struct loop_timer end;
    loop_timer_init(loop, &end, stop_timer);
    assert_int_equal(loop_timer_set(&end, clock_mono_ms() + ms), 0);
    assert_int_equal(loop_run(loop), 0);
    loop_timer_cancel(&end);
}

/* --- timers --- */

static void fire(struct loop_timer *t)
{
    struct thing *x = list_entry(t, struct thing, timer);
    x->fired_ms = loop_now_ms(loop);
    x->times++;
    assert_true(x->fired_ms >= t->due_ms);
    tell(x->name);
}

static void timers_are_moved(void **state)
{
    uint64_t now = clock_mono_ms();
    for (int i = 0; i < 4; i++) {
        things[i].name = (char)('a' + i);
        loop_timer_init(loop, &things[i].timer, fire);
        assert_int_equal(loop_timer_set(&things[i].timer, now + 10 + (unsigned)i), 0);
    }
    assert_int_equal(loop_timer_set(&things[0].timer, now + 30), 0); /* later */
    assert_int_equal(loop_timer_set(&things[0].timer, now + 20), 0); /* earlier than that */
    assert_int_equal(loop_timer_set(&things[3].timer, now + 2), 0);  /* earlier */
    loop_timer_cancel(&things[1].timer);
    loop_timer_cancel(&things[1].timer);
    run_for(40);
    assert_string_equal(story, "dca");
    assert_true(things[0].fired_ms >= now + 20);
    assert_int_equal(things[0].timer.index, 0);
    /* One that has fired may be armed again; one that is late fires at once. */
    assert_int_equal(loop_timer_set(&things[0].timer, now), 0);
    run_for(5);
    assert_string_equal(story, "dcaa");
}

static void timers_fire_in_order_whatever_happens(void **state)
{
    uint64_t seed = 3, due[THINGS];
    for (int round = 0; round < 8; round++) {
        uint64_t now = clock_mono_ms();
        memset(due, 0, sizeof(due));
        story_len = 0;
        for (int i = 0; i < THINGS; i++) {
            things[i] = (struct thing){.name = 'x'};
            loop_timer_init(loop, &things[i].timer, fire);
        }
        for (int step = 0; step < 600; step++) {
            unsigned i = (unsigned)(random_next(&seed) % THINGS);
            due[i] = random_next(&seed) % 4 ? now + random_next(&seed) % 30 : 0;
            if (due[i])
                assert_int_equal(loop_timer_set(&things[i].timer, due[i]), 0);
            else
                loop_timer_cancel(&things[i].timer);
        }
        run_for(35);
        for (int i = 0; i < THINGS; i++) {
            assert_int_equal(things[i].times, due[i] != 0);
            for (int k = 0; due[i] && k < THINGS; k++)
                if (due[k] > due[i])
                    assert_true(things[k].fired_ms >= things[i].fired_ms);
        }
    }
}

static void cancel_other(struct loop_timer *t)
{
    fire(t);
    loop_timer_cancel(&list_entry(t, struct thing, timer)->other->timer);
}

static void again(struct loop_timer *t)
{
    fire(t);
    if (list_entry(t, struct thing, timer)->times < 3)
        loop_timer_set(t, loop_now_ms(loop) + 1);
}

static void timers_change_timers(void **state)
{
    uint64_t now = clock_mono_ms();
    for (int i = 0; i < 3; i++)
        things[i].name = (char)('a' + i);
    things[0].other = &things[1];
    loop_timer_init(loop, &things[0].timer, cancel_other);
    loop_timer_init(loop, &things[1].timer, fire);
    loop_timer_init(loop, &things[2].timer, again);
    assert_int_equal(loop_timer_set(&things[0].timer, now), 0);
    assert_int_equal(loop_timer_set(&things[1].timer, now + 1), 0);
    assert_int_equal(loop_timer_set(&things[2].timer, now + 2), 0);
    usleep(3000); /* all are due in the same turn */
    run_for(10);
    assert_string_equal(story, "accc");
}

/* --- tasks and hooks --- */

static void run_task(struct loop_task *t)
{
    struct thing *x = list_entry(t, struct thing, task);
    tell(x->name);
    if (x->other)
        loop_task_post(loop, &x->other->task);
}

static void run_hook(struct loop_hook *h)
{
    struct thing *x = list_entry(h, struct thing, hook);
    tell(x->name);
    if (x->other && x->times++ == 0)
        loop_task_post(loop, &x->other->task);
    else
        loop_stop(loop);
}

static void tasks_run_until_none_is_left(void **state)
{
    for (int i = 0; i < 4; i++) {
        things[i].name = (char)('a' + i);
        loop_task_init(&things[i].task, run_task);
    }
    things[0].other = &things[3]; /* posted by a task: same turn */
    loop_task_post(loop, &things[0].task);
    loop_task_post(loop, &things[1].task);
    loop_task_post(loop, &things[0].task); /* twice runs once */
    loop_task_post(loop, &things[2].task);
    loop_task_cancel(&things[2].task);
    loop_task_cancel(&things[2].task);
    /* The hook posts once, which gives one more turn without sleep, then stops. */
    things[8] = (struct thing){.name = 'H', .other = &things[1]};
    loop_hook_add(loop, &things[8].hook, run_hook);
    assert_int_equal(loop_run(loop), 0);
    assert_string_equal(story, "abdHbH");
    loop_hook_remove(&things[8].hook);
    run_for(2);
    assert_string_equal(story, "abdHbH");
}

static void drop_hooks(struct loop_hook *h)
{
    tell('D');
    loop_hook_remove(h);
    loop_hook_remove(&things[1].hook);
    loop_hook_remove(&things[3].hook);
}

static void hooks_may_go_away_in_a_hook(void **state)
{
    for (int i = 0; i < 5; i++) {
        things[i].name = (char)('a' + i);
        loop_hook_add(loop, &things[i].hook, i == 2 ? drop_hooks : run_hook);
    }
    run_for(1);
    assert_true(story_len >= 4);
    assert_memory_equal(story, "abDe", 4);
    run_for(1);
    assert_memory_equal(story + story_len - 2, "ae", 2);
    assert_null(strchr(story, 'd'));
}

/* --- watches --- */

static void read_event(struct loop_watch *w, uint32_t events)
{
    struct thing *x = list_entry(w, struct thing, watch);
    uint64_t n;
    assert_true(events & EPOLLIN);
    assert_int_equal(read(w->fd, &n, sizeof(n)), sizeof(n));
    x->times++;
    tell(x->name);
    if (x->other)
        loop_watch_remove(loop, &x->other->watch);
}

static void add_watch(struct thing *x)
{
    x->watch = (struct loop_watch){.fd = eventfd(1, EFD_NONBLOCK), .fn = read_event};
    assert_true(x->watch.fd >= 0);
    assert_int_equal(loop_watch_add(loop, &x->watch, EPOLLIN), 0);
}

static void a_removed_watch_is_not_called(void **state)
{
    /* Both have events; whichever comes first removes the other, in the same batch. */
    for (int i = 0; i < 2; i++)
        things[i] = (struct thing){.name = 'x', .other = &things[1 - i]};
    add_watch(&things[0]);
    add_watch(&things[1]);
    run_for(5);
    assert_string_equal(story, "x");
    assert_int_equal(things[0].times + things[1].times, 1);
    struct thing *silent = &things[things[0].times ? 1 : 0];
    silent->other = NULL;
    assert_int_equal(loop_watch_add(loop, &silent->watch, EPOLLIN), 0);
    assert_int_equal(loop_watch_add(loop, &silent->watch, EPOLLIN), -EEXIST);
    run_for(5);
    assert_string_equal(story, "xx");
    assert_int_equal(loop_watch_change(loop, &silent->watch, 0), 0);
    uint64_t one = 1;
    assert_int_equal(write(silent->watch.fd, &one, sizeof(one)), sizeof(one));
    run_for(5);
    assert_string_equal(story, "xx");
    for (int i = 0; i < 2; i++) {
        loop_watch_remove(loop, &things[i].watch);
        close(things[i].watch.fd);
    }
}

static void event_then(struct loop_watch *w, uint32_t events)
{
    read_event(w, events);
    loop_task_post(loop, &things[1].task);
    loop_timer_set(&things[2].timer, loop_now_ms(loop));
}

static void a_turn_has_its_order(void **state)
{
    things[0].name = 'w';
    add_watch(&things[0]);
    things[0].watch.fn = event_then;
    things[1].name = 't';
    loop_task_init(&things[1].task, run_task);
    things[2].name = 'T';
    loop_timer_init(loop, &things[2].timer, fire);
    things[3].name = 'h';
    loop_hook_add(loop, &things[3].hook, run_hook);
    assert_int_equal(loop_run(loop), 0); /* the hook stops it */
    assert_string_equal(story, "wTth");
    loop_watch_remove(loop, &things[0].watch);
    close(things[0].watch.fd);
}

/* --- waking --- */

static void *wake_later(void *arg)
{
    usleep(20000);
    loop_wake(loop);
    return NULL;
}

static void another_thread_wakes(void **state)
{
    pthread_t thread;
    /* Turns end with the hook, which stops; without a timer the loop would sleep for ever. */
    things[0].name = 'h';
    loop_hook_add(loop, &things[0].hook, run_hook);
    uint64_t before = clock_mono_us();
    assert_int_equal(pthread_create(&thread, NULL, wake_later, NULL), 0);
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(clock_mono_us() - before >= 15000);
    assert_string_equal(story, "h");
    assert_true(loop_now_us(loop) >= before);
    assert_int_equal(loop_now_ms(loop), loop_now_us(loop) / 1000);
    /* A wake before the sleep is not lost, and many are as one. */
    loop_wake(loop);
    loop_wake(loop);
    assert_int_equal(loop_run(loop), 0);
    assert_string_equal(story, "hh");
}

int main(void)
{
#define LOOP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LOOP_TEST(timers_are_moved),
        LOOP_TEST(timers_fire_in_order_whatever_happens),
        LOOP_TEST(timers_change_timers),
        LOOP_TEST(tasks_run_until_none_is_left),
        LOOP_TEST(hooks_may_go_away_in_a_hook),
        LOOP_TEST(a_removed_watch_is_not_called),
        LOOP_TEST(a_turn_has_its_order),
        LOOP_TEST(another_thread_wakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
