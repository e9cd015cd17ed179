/* Reading the log: exchanges folded, filtered, in order, while it is written. */
#include "logdir.h"

#include "audit/query.h"
#include "base/clock.h"

#include <sys/wait.h>
#include <unistd.h>

/* The request ids of all rows, separated by blanks, in a static buffer. */
static const char *list(const struct query_filter *f)
{
    static char text[8192];
    struct query *q = NULL;
    const struct query_row *row;
    size_t len = 0;
    text[0] = '\0';
    assert_int_equal(query_open(span_str(dir), f, &q), 0);
    int r;
    while ((r = query_next(q, &row)) == 1) {
        struct span id = row->entry.request_id.len ? row->entry.request_id : row->entry.reason;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s", len ? " " : "",
                                SPAN_ARG(id));
        assert_true(len < sizeof(text));
    }
    assert_int_equal(r, 0);
    query_close(q);
    return text;
}

static void put(struct audit *a, const char *request, enum action action, const char *app,
                const struct audit_hit *hit)
{
    struct audit_subject subject = subject_example;
    subject.request_id = span_str(request);
    subject.app = span_str(app);
    struct audit_event e = {.kind = AUDIT_OPEN, .subject = &subject};
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    if (hit) {
        e = (struct audit_event){
            .kind = AUDIT_ACT, .subject = &subject, .hits = hit, .hit_count = 1, .action = action};
        assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    }
    e = (struct audit_event){.kind = AUDIT_CLOSE,
                             .subject = &subject,
                             .action = action,
                             .outcome = hit ? OUTCOME_CUT : OUTCOME_COMPLETE,
                             .complete = !hit,
                             .total_us = 99};
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
}

static void write_example(struct audit *a)
{
    struct audit_hit flag = hit_example, mask = hit_example, block = hit_example;
    flag.risk = SPAN_LIT("A2-b");
    flag.action = ACTION_FLAG;
    flag.direction = DIRECTION_COMPLETION;
    mask.risk = SPAN_LIT("pii-phone");
    mask.rule = SPAN_LIT("pii-phone/cn");
    mask.action = ACTION_MASK;
    mask.text = mask.context = SPAN_LIT("手机 138****8000");
    mask.context_start = 0;
    mask.context_end = 6;
    put(a, "r1", ACTION_ALLOW, "default", NULL);
    put(a, "r2", ACTION_FLAG, "default", &flag);
    put(a, "r3", ACTION_MASK, "shop", &mask);
    put(a, "r4", ACTION_ALLOW, "shop", NULL);
    put(a, "r5", ACTION_BLOCK, "shop", &block);
}

static void folds_and_filters(void **state)
{
    struct query_filter f = {0};
    struct query *q = NULL;
    assert_int_equal(query_open(span_str(dir), &f, &q), -ENOENT);
    struct audit *a = open_log(AUDIT_REQUIRED);
    write_example(a);
    audit_close(a);
    assert_string_equal(list(&f), "r5 r3 r2");
    f.oldest_first = true;
    assert_string_equal(list(&f), "r2 r3 r5");
    f.limit = 2;
    assert_string_equal(list(&f), "r2 r3");
    f = (struct query_filter){.all = true};
    assert_string_equal(list(&f), "log_close r5 r4 r3 r2 r1 log_open");
    f.oldest_first = true;
    assert_string_equal(list(&f), "log_open r1 r2 r3 r4 r5 log_close");
    f = (struct query_filter){.actions = 1u << ACTION_MASK | 1u << ACTION_BLOCK};
    assert_string_equal(list(&f), "r5 r3");
    f = (struct query_filter){.risk = SPAN_LIT("A")};
    assert_string_equal(list(&f), "r5 r2");
    f = (struct query_filter){.rule = SPAN_LIT("pii-phone/cn")};
    assert_string_equal(list(&f), "r3");
    f = (struct query_filter){.direction = DIRECTION_COMPLETION};
    assert_string_equal(list(&f), "r2");
    f = (struct query_filter){.direction = DIRECTION_COMPLETION, .risk = SPAN_LIT("A1")};
    assert_string_equal(list(&f), "");
    f = (struct query_filter){.app = SPAN_LIT("shop")};
    assert_string_equal(list(&f), "r5 r3");
    f = (struct query_filter){.app = SPAN_LIT("shop"), .all = true};
    assert_string_equal(list(&f), "r5 r4 r3");
    f = (struct query_filter){.text = SPAN_LIT("手机")};
    assert_string_equal(list(&f), "r3");
    f = (struct query_filter){.text = SPAN_LIT("BAD w")};
    assert_string_equal(list(&f), "r5 r2");
    f = (struct query_filter){.request_id = SPAN_LIT("r4"), .all = true};
    assert_string_equal(list(&f), "r4");
    f = (struct query_filter){.model = SPAN_LIT("other")};
    assert_string_equal(list(&f), "");
    f = (struct query_filter){.end_user = SPAN_LIT("0123456789abcdef")};
    assert_string_equal(list(&f), "r5 r3 r2");
    f = (struct query_filter){.since_us = clock_wall_us()};
    assert_string_equal(list(&f), "");
    f = (struct query_filter){.since_us = clock_wall_us() - 60000000};
    assert_string_equal(list(&f), "r5 r3 r2");
    f.until_us = f.since_us;
    assert_string_equal(list(&f), "");
}

static void completes_rows(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    write_example(a);
    audit_close(a);
    struct query_filter f = {.request_id = SPAN_LIT("r5")};
    struct query *q;
    const struct query_row *row;
    assert_int_equal(query_open(span_str(dir), &f, &q), 0);
    assert_int_equal(query_next(q, &row), 1);
    assert_int_equal(row->record_count, 3);
    assert_int_equal(row->last_seq - row->entry.seq, 2);
    assert_int_equal(row->state, QUERY_DONE);
    assert_false(row->damaged);
    assert_span(row->entry.action, SPAN_LIT("block"));
    assert_span(row->entry.outcome, SPAN_LIT("cut"));
    assert_span(row->entry.filing_number, SPAN_LIT("Beijing-Demo-20250101"));
    assert_int_equal(row->entry.total_us, 99);
    assert_int_equal(row->entry.complete, ENTRY_FALSE);
    assert_int_equal(row->hit_count, 1);
    assert_ptr_equal(row->main_hit, row->hits);
    assert_true(row->main_hit->has_text);
    assert_span(row->main_hit->text, SPAN_LIT("bad word"));
    assert_span(span_slice(row->main_hit->context, row->main_hit->start, row->main_hit->end),
                SPAN_LIT("bad word"));
    assert_int_equal(query_next(q, &row), 0);
    query_close(q);
    /* Without its text and with a damaged record it is still listed. */
    tamper(1, "DELETE FROM text");
    tamper(0, "UPDATE record SET body = '{' WHERE seq = (SELECT max(seq) FROM record WHERE request"
              " = 'r5')");
    assert_int_equal(query_open(span_str(dir), &f, &q), 0);
    assert_int_equal(query_next(q, &row), 1);
    assert_true(row->damaged);
    assert_false(row->main_hit->has_text);
    query_close(q);
}

/* Pages: more rows than one lookup takes, several records each. */
static void reads_many(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    for (int i = 0; i < 700; i++) {
        char request[16];
        snprintf(request, sizeof(request), "q%d", i);
        put(a, request, i % 2 ? ACTION_BLOCK : ACTION_ALLOW, "default",
            i % 2 ? &hit_example : NULL);
    }
    audit_close(a);
    for (int backwards = 0; backwards < 2; backwards++) {
        struct query_filter f = {.oldest_first = !backwards};
        struct query *q;
        const struct query_row *row;
        char want[16];
        assert_int_equal(query_open(span_str(dir), &f, &q), 0);
        for (int i = 0; i < 350; i++) {
            assert_int_equal(query_next(q, &row), 1);
            snprintf(want, sizeof(want), "q%d", backwards ? 699 - 2 * i : 2 * i + 1);
            assert_span(row->entry.request_id, span_str(want));
        }
        assert_int_equal(query_next(q, &row), 0);
        query_close(q);
    }
}

/* Where the next page is read, the log has gone on. */
static void keeps_rows_that_go_on(void **state)
{
    enum { MANY = 600 };
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_subject subject = subject_example;
    char id[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "r%d", i);
        subject.request_id = span_str(id);
        struct audit_event e = {.kind = AUDIT_OPEN, .subject = &subject};
        assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    }
    audit_close(a);
    a = open_log(AUDIT_REQUIRED);
    struct query_filter f = {.all = true};
    struct query *q;
    const struct query_row *row;
    unsigned count = 0;
    assert_int_equal(query_open(span_str(dir), &f, &q), 0);
    do { /* the newest are operators' acts */
        assert_int_equal(query_next(q, &row), 1);
    } while (row->entry.request_id.len == 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "r%d", i);
        subject.request_id = span_str(id);
        struct audit_event e = {
            .kind = AUDIT_CLOSE, .subject = &subject, .outcome = OUTCOME_COMPLETE};
        assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    }
    audit_close(a);
    do
        count += row->entry.request_id.len > 0;
    while (query_next(q, &row) == 1);
    assert_int_equal(count, MANY);
    query_close(q);
}

static void follows(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    struct audit_done done[4];
    uint64_t seq = 0, next = 0;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(submit(a, port, 1, AUDIT_CLOSE, "old"), 0);
    collect(port, done, 1);
    assert_int_equal(query_last_seq(span_str(dir), &seq), 0);
    assert_int_equal(seq, done[0].seq);
    struct query_filter f = {.follow = true, .after_seq = seq, .all = true};
    assert_string_equal(list(&f), "");
    /* An interception shows at once, and only once. */
    assert_int_equal(submit(a, port, 1, AUDIT_OPEN, "one"), 0);
    assert_int_equal(submit(a, port, 2, AUDIT_OPEN, "two"), 0);
    assert_int_equal(submit(a, port, 1, AUDIT_ACT, "one"), 0);
    collect(port, done, 3);
    assert_int_equal(query_last_seq(span_str(dir), &next), 0);
    f.upto_seq = next;
    assert_string_equal(list(&f), "one");
    f = (struct query_filter){.follow = true, .after_seq = next, .all = true};
    assert_int_equal(submit(a, port, 1, AUDIT_CLOSE, "one"), 0);
    assert_int_equal(submit(a, port, 2, AUDIT_CLOSE, "two"), 0);
    collect(port, done, 2);
    assert_string_equal(list(&f), "two");
    audit_port_close(port);
    audit_close(a);
}

static enum query_state state_of(const char *request)
{
    struct query_filter f = {.request_id = span_str(request), .all = true};
    struct query *q;
    const struct query_row *row;
    assert_int_equal(query_open(span_str(dir), &f, &q), 0);
    assert_int_equal(query_next(q, &row), 1);
    enum query_state got = row->state;
    query_close(q);
    return got;
}

static void tells_interrupted_from_running(void **state)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct audit_options o = {.dir = span_str(dir)};
        struct audit *a;
        struct audit_port *port;
        struct pollfd p;
        if (audit_open(&o, &a) < 0 || audit_port_open(a, &port) < 0 ||
            submit(a, port, 1, AUDIT_OPEN, "lost") < 0)
            _exit(1);
        p = (struct pollfd){.fd = audit_port_fd(port), .events = POLLIN};
        poll(&p, 1, 10000);
        _exit(0); /* without closing: as killed */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(state_of("lost"), QUERY_INTERRUPTED);
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    struct audit_done done;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(submit(a, port, 1, AUDIT_OPEN, "now"), 0);
    collect(port, &done, 1);
    assert_int_equal(state_of("now"), QUERY_RUNNING);
    assert_int_equal(state_of("lost"), QUERY_INTERRUPTED);
    assert_int_equal(submit(a, port, 1, AUDIT_CLOSE, "now"), 0);
    collect(port, &done, 1);
    assert_int_equal(state_of("now"), QUERY_DONE);
    assert_int_equal(submit(a, port, 1, AUDIT_OPEN, "last"), 0);
    collect(port, &done, 1);
    audit_port_close(port);
    audit_close(a);
    assert_int_equal(state_of("last"), QUERY_INTERRUPTED);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(folds_and_filters),     CASE(completes_rows), CASE(reads_many),
        CASE(keeps_rows_that_go_on), CASE(follows),        CASE(tells_interrupted_from_running),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
