/* Complaints that are with their taker while the gate goes. */
#include "bed.h"

#include "gate/complaint.h"

#define FORM "complaints: { form: true }\n"
#define SAID "{\"kind\":\"privacy\",\"text\":\"it knows my name\",\"contact\":\"anna\"}"

static struct bed bed;
static struct bed_client clients[2];
static struct complaint *taken[2];
static size_t taken_count;

static int take(void *ctx, struct complaint *c)
{
    taken[taken_count++] = c;
    return 0;
}

static bool are_taken(struct bed *b)
{
    return taken_count == 2;
}

static bool is_answered(struct bed *b)
{
    return bed_whole(&clients[0]);
}

static void open_with_two(void)
{
    static const struct complaint_taker taker = {take, NULL};
    char request[512];
    taken_count = 0;
    bed_complaints = &taker;
    bed_open(&bed, FORM, true);
    snprintf(request, sizeof(request),
             "POST /v1/complaints HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             strlen(SAID), SAID);
    for (size_t i = 0; i < 2; i++) {
        bed_connect(&bed, &clients[i]);
        bed_send(&clients[i], span_str(request));
    }
    assert_true(bed_run(&bed, are_taken, NULL, 5000));
}

static void check(const struct complaint *c)
{
    assert_span(c->kind, SPAN_LIT("privacy"));
    assert_span(c->text, SPAN_LIT("it knows my name"));
    assert_span(c->contact, SPAN_LIT("anna"));
    assert_span(c->client_ip, SPAN_LIT("127.0.0.1"));
}

static void close_bed(void)
{
    bed.drained = true; /* at once, as after a second SIGTERM */
    for (size_t i = 0; i < 2; i++)
        bed_leave(&clients[i]);
    bed_close(&bed);
    bed_complaints = NULL;
}

static void it_outlives_the_gate(void **state)
{
    open_with_two();
    close_bed();
    for (size_t i = 0; i < 2; i++) {
        check(taken[i]);
        taken[i]->number = 7;
        taken[i]->done(taken[i]);
    }
}

/* One came back, and nobody has looked yet. */
static void it_is_back_when_the_gate_goes(void **state)
{
    open_with_two();
    taken[0]->number = 1;
    taken[0]->done(taken[0]);
    close_bed();
    check(taken[1]);
    taken[1]->done(taken[1]);
}

static void it_is_answered(void **state)
{
    open_with_two();
    for (size_t i = 0; i < 2; i++) {
        taken[i]->number = (int64_t)i + 1;
        taken[i]->done(taken[i]);
    }
    assert_true(bed_run(&bed, is_answered, NULL, 5000));
    assert_int_equal(bed_status(&clients[0]), 200);
    close_bed();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_outlives_the_gate),
        cmocka_unit_test(it_is_back_when_the_gate_goes),
        cmocka_unit_test(it_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
