/* Threads beside the loop: order, ceilings, errands, and an end with work left. */
#include "../unit.h"

#include "console/clerk.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

struct job {
    struct clerk_job job;
    struct clerk *clerk;
    struct loop *loop;
    atomic_int *worked;
    int *done;
    int expected;
    bool errand, hold;
    int errand_result;
    atomic_bool *open;
    pthread_t loop_thread, ran_on;
};

static void on_loop(void *arg)
{
    struct job *j = arg;
    j->ran_on = pthread_self();
}

static void work(struct clerk_job *job, unsigned thread)
{
    struct job *j = list_entry(job, struct job, job);
    while (j->hold && !atomic_load(j->open))
        usleep(1000);
    if (j->errand)
        j->errand_result = clerk_on_loop(j->clerk, on_loop, j);
    atomic_fetch_add(j->worked, 1);
}

static void done(struct clerk_job *job)
{
    struct job *j = list_entry(job, struct job, job);
    assert_true(pthread_equal(pthread_self(), j->loop_thread));
    if (++*j->done == j->expected)
        loop_stop(j->loop);
}

#define JOBS 40

struct fixture {
    struct loop *loop;
    struct clerk *clerk;
    struct job jobs[JOBS];
    atomic_int worked;
    atomic_bool open;
    int done;
};

static struct fixture f;

static void prepare(unsigned threads, size_t queue)
{
    memset(&f, 0, sizeof(f));
    f.loop = loop_new();
    assert_non_null(f.loop);
    assert_int_equal(clerk_new(f.loop, threads, queue, &f.clerk), 0);
    for (int i = 0; i < JOBS; i++)
        f.jobs[i] = (struct job){.job = {.work = work, .done = done},
                                 .clerk = f.clerk,
                                 .loop = f.loop,
                                 .worked = &f.worked,
                                 .done = &f.done,
                                 .expected = JOBS,
                                 .open = &f.open,
                                 .loop_thread = pthread_self()};
}

static void jobs_come_back_through_the_loop(void **state)
{
    prepare(2, JOBS);
    for (int i = 0; i < JOBS; i++) {
        f.jobs[i].errand = i % 3 == 0;
        assert_int_equal(clerk_submit(f.clerk, &f.jobs[i].job), 0);
    }
    assert_int_equal(loop_run(f.loop), 0);
    assert_int_equal(atomic_load(&f.worked), JOBS);
    for (int i = 0; i < JOBS; i += 3) {
        assert_int_equal(f.jobs[i].errand_result, 0);
        assert_true(pthread_equal(f.jobs[i].ran_on, pthread_self()));
    }
    clerk_free(f.clerk);
    loop_free(f.loop);
}

static void a_full_queue_takes_nothing(void **state)
{
    int taken = 0;
    prepare(1, 4);
    for (int i = 0; i < JOBS; i++) {
        f.jobs[i].hold = true;
        int r = clerk_submit(f.clerk, &f.jobs[i].job);
        assert_true(r == 0 || r == -EAGAIN);
        taken += r == 0;
    }
    assert_true(taken == 4 || taken == 5); /* one may already be at work */
    for (int i = 0; i < JOBS; i++)
        f.jobs[i].expected = taken;
    atomic_store(&f.open, true);
    assert_int_equal(loop_run(f.loop), 0);
    assert_int_equal(f.done, taken);
    clerk_free(f.clerk);
    loop_free(f.loop);
}

/* At the end nobody waits for the other: the loop does not run any more. */
static void an_end_gives_everything_back(void **state)
{
    prepare(2, JOBS);
    for (int i = 0; i < JOBS; i++) {
        f.jobs[i].errand = true;
        f.jobs[i].expected = JOBS + 1;
        assert_int_equal(clerk_submit(f.clerk, &f.jobs[i].job), 0);
    }
    usleep(20000); /* two of them wait for the loop by now, most likely */
    clerk_free(f.clerk);
    assert_int_equal(f.done, JOBS);
    for (int i = 0; i < JOBS; i++)
        assert_true(f.jobs[i].errand_result == 0 || f.jobs[i].errand_result == -ECANCELED);
    clerk_free(NULL);
    loop_free(f.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_come_back_through_the_loop),
        cmocka_unit_test(a_full_queue_takes_nothing),
        cmocka_unit_test(an_end_gives_everything_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
