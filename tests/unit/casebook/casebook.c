/* Acts of reviewers: what they change, what the log holds of them, and what a crash leaves. */
#include "../audit/logdir.h"

#include "audit/query.h"
#include "audit/verify.h"
#include "base/clock.h"
#include "casebook/casebook.h"
#include "db/db.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

static struct audit *a;
static struct casebook *c;
static char state_dir[128], today[16];

static void put(const char *request, enum action action, const char *rule)
{
    struct audit_subject subject = subject_example;
    struct audit_hit hit = hit_example;
    subject.request_id = span_str(request);
    subject.app = SPAN_LIT("default");
    hit.rule = span_str(rule);
    hit.action = action;
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject,
                            .hits = &hit,
                            .hit_count = action != ACTION_ALLOW,
                            .action = action};
    if (action != ACTION_ALLOW)
        assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    e = (struct audit_event){.kind = AUDIT_CLOSE,
                             .subject = &subject,
                             .action = action,
                             .outcome = OUTCOME_COMPLETE,
                             .complete = true};
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
}

static uint64_t sample_us;

static void open_book(unsigned second)
{
    struct casebook_options o = {.state_dir = span_str(state_dir),
                                 .log_dir = span_str(dir),
                                 .audit = a,
                                 .share = 100,
                                 .second = second,
                                 .sample_us = sample_us,
                                 .due_us = 15 * 86400ull * 1000000};
    assert_int_equal(casebook_open(&o, &c), 0);
}

static void begin(unsigned second)
{
    a = open_log(AUDIT_REQUIRED);
    snprintf(state_dir, sizeof(state_dir), "%s/state", dir);
    mkdir(state_dir, 0700);
    casebook_day_text(clock_wall_us(), today);
    open_book(second);
}

static void end(void)
{
    casebook_close(c);
    audit_close(a);
    struct verify_options v = {.dir = span_str(dir)};
    struct verify_report report;
    assert_int_equal(verify_run(&v, &report), 0);
}

/* What was submitted before is durable once an act is. */
static void example(void)
{
    put("r1", ACTION_BLOCK, "A1-a/one");
    put("r2", ACTION_BLOCK, "A1-a/one");
    put("r3", ACTION_MASK, "pii-phone/cn");
    put("r4", ACTION_ALLOW, "");
    struct casebook_act act = {
        .verb = CASEBOOK_EXPORT, .author = SPAN_LIT("test"), .what = SPAN_LIT("nothing")};
    struct casebook_answer answer;
    assert_int_equal(casebook_do(c, &act, &answer), 0);
}

static struct casebook_act review(const char *who, enum casebook_verdict v, bool second,
                                  const struct span *ids, size_t n)
{
    return (struct casebook_act){.verb = CASEBOOK_REVIEW,
                                 .author = span_str(who),
                                 .verdict = v,
                                 .second = second,
                                 .requests = ids,
                                 .request_count = n};
}

static int decide(const struct casebook_act *act, struct casebook_answer *answer)
{
    return casebook_do(c, act, answer);
}

static int review_one(const char *who, enum casebook_verdict v, bool second, const char *id)
{
    struct span ids[] = {span_str(id)};
    struct casebook_act act = review(who, v, second, ids, 1);
    struct casebook_answer answer;
    int r = decide(&act, &answer);
    assert_true((r == 0) == (answer.error[0] == '\0'));
    return r;
}

static int add_due(void *ctx, const struct casebook_due *due)
{
    char *text = ctx;
    snprintf(text + strlen(text), 256 - strlen(text), "%s%.*s:%u", *text ? " " : "",
             SPAN_ARG(due->request_id), due->why);
    return 0;
}

/* "r2:1 r1:1": the ids with why they are there. */
static const char *queue(const char *who, bool mine, struct casebook_counts *counts)
{
    static char text[256];
    text[0] = '\0';
    usleep(1100000); /* a second refresh within a second is none */
    assert_int_equal(casebook_refresh(c), 0);
    struct casebook_queue q = {.who = span_str(who), .mine = mine, .limit = 50};
    assert_int_equal(casebook_each_due(c, &q, add_due, text, counts), 0);
    return text;
}

/* The newest admin record of that reason; its detail in a static buffer. */
static const char *record(const char *reason)
{
    static char text[65536];
    struct query_filter f = {.all = true};
    struct query *q;
    const struct query_row *row;
    text[0] = '\0';
    assert_int_equal(query_open(span_str(dir), &f, &q), 0);
    while (!text[0] && query_next(q, &row) == 1)
        if (span_eq(row->entry.reason, span_str(reason)))
            snprintf(text, sizeof(text), "%.*s", SPAN_ARG(row->entry.detail));
    query_close(q);
    return text;
}

static const char *json(int (*fn)(struct casebook *c, struct span what, struct buf *out),
                        const char *what)
{
    static char text[65536];
    struct buf out = BUF_INIT(sizeof(text) - 1);
    assert_int_equal(fn(c, span_str(what), &out), 0);
    memcpy(text, out.data, out.len);
    text[out.len] = '\0';
    buf_deinit(&out);
    return text;
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no %s in %s", part, text);
}

static void lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("%s in %s", part, text);
}

static void verdicts_are_on_record_and_in_the_book(void **state)
{
    struct casebook_counts counts;
    struct casebook_review found;
    begin(0);
    example();
    assert_string_equal(queue("Li", false, &counts), "r3:1 r2:1 r1:1");
    assert_int_equal(counts.open, 3);
    struct span ids[] = {SPAN_LIT("r1"), SPAN_LIT("r2"), SPAN_LIT("gone")};
    struct casebook_act act = review("Li", VERDICT_FALSE_POSITIVE, false, ids, 3);
    act.note = SPAN_LIT("他说 \"机密\"");
    struct casebook_answer answer;
    assert_int_equal(decide(&act, &answer), 0);
    assert_int_equal(answer.done, 2);
    assert_int_equal(answer.skipped, 1);
    const char *told = record("review");
    has(told, "\"author\":\"Li\"");
    has(told, "\"verdict\":\"false_positive\"");
    has(told, "\"requests\":2,\"ids\":\"r1 r2\"");
    has(told, "\"text_hash\":\"");
    lacks(told, "机密"); /* a note may quote a prompt */
    assert_int_equal(casebook_find_review(c, SPAN_LIT("r2"), &found), 0);
    assert_int_equal(found.verdict, VERDICT_FALSE_POSITIVE);
    assert_string_equal(found.reviewer, "Li");
    has(json(casebook_reviews, "r1"), "\"note\":\"他说 \\\"机密\\\"\"");
    has(json(casebook_verdicts, "r1"), "\"verdict\":\"false_positive\"");
    lacks(json(casebook_verdicts, "r1"), "note");
    assert_string_equal(queue("Li", false, &counts), "r3:1");
    /* One changes his mind; what he said before is kept. */
    assert_int_equal(review_one("Li", VERDICT_CORRECT, false, "r1"), 0);
    has(json(casebook_reviews, "r1"), "\"replaced\":true");
    assert_int_equal(casebook_find_review(c, SPAN_LIT("r1"), &found), 0);
    assert_int_equal(found.verdict, VERDICT_CORRECT);
    /* What was let through can be reviewed as well. */
    assert_int_equal(review_one("Li", VERDICT_UNSURE, false, "r4"), 0);
    assert_int_equal(review_one("Li", VERDICT_CORRECT, false, "unknown"), -ENOENT);
    end();
}

static void second_looks_agree_or_differ(void **state)
{
    struct casebook_counts counts;
    begin(100);
    example();
    assert_int_equal(review_one("Li", VERDICT_CORRECT, true, "r1"), -EEXIST); /* nothing yet */
    assert_int_equal(review_one("Li", VERDICT_CORRECT, false, "r1"), 0);
    assert_int_equal(review_one("Li", VERDICT_CORRECT, false, "r2"), 0);
    assert_int_equal(review_one("Wang", VERDICT_CORRECT, false, "r1"), -EEXIST);
    assert_int_equal(review_one("Li", VERDICT_CORRECT, true, "r1"), -EEXIST); /* his own */
    assert_string_equal(queue("Li", false, &counts), "r3:1");
    assert_string_equal(queue("Wang", false, &counts), "r3:1 r2:8 r1:8");
    assert_int_equal(review_one("Wang", VERDICT_CORRECT, true, "r1"), 0);
    assert_int_equal(review_one("Wang", VERDICT_FALSE_POSITIVE, true, "r2"), 0);
    assert_int_equal(review_one("Zhao", VERDICT_CORRECT, true, "r2"), -EEXIST);
    const char *summary = json(casebook_summary, today);
    has(summary, "\"interceptions\":3,\"reviewed\":2,\"correct\":2,\"false_positive\":0");
    has(summary, "\"second\":{\"agreed\":1,\"differed\":1,\"open\":0}");
    has(summary, "{\"reviewer\":\"Li\",\"reviewed\":2,\"second\":0,");
    has(summary, "{\"reviewer\":\"Wang\",\"reviewed\":0,\"second\":2,");
    has(summary, "{\"request_id\":\"r2\",\"reviewer\":\"Li\",\"verdict\":\"correct\","
                 "\"second_reviewer\":\"Wang\",\"second_verdict\":\"false_positive\"}");
    end();
}

static void days_are_assigned_sampled_and_signed(void **state)
{
    struct casebook_counts counts;
    struct casebook_answer answer;
    struct span ids[] = {SPAN_LIT("r1")};
    begin(0);
    example();
    struct casebook_act act = {.verb = CASEBOOK_ASSIGN,
                               .author = SPAN_LIT("Li"),
                               .to = SPAN_LIT("Wang"),
                               .requests = ids,
                               .request_count = 1};
    assert_int_equal(decide(&act, &answer), 0);
    has(record("review_assign"), "\"to\":\"Wang\",\"requests\":1,\"ids\":\"r1\"");
    assert_string_equal(queue("Wang", true, &counts), "r1:5");
    assert_int_equal(counts.mine, 1);
    /* All that was let through, too. */
    act = (struct casebook_act){.verb = CASEBOOK_SAMPLE,
                                .author = SPAN_LIT("Li"),
                                .since_us = clock_wall_us() - 60000000,
                                .until_us = clock_wall_us(),
                                .percent = 100,
                                .actions = 1u << ACTION_ALLOW};
    assert_int_equal(decide(&act, &answer), 0);
    assert_int_equal(answer.done, 1);
    has(record("review_sample"), "\"percent\":100");
    assert_string_equal(queue("Wang", false, &counts), "r4:2 r3:1 r2:1 r1:5");
    assert_int_equal(review_one("Wang", VERDICT_FALSE_POSITIVE, false, "r1"), 0);
    act = (struct casebook_act){.verb = CASEBOOK_SIGNOFF,
                                .author = SPAN_LIT("Li"),
                                .day = span_str(today),
                                .note = SPAN_LIT("quiet")};
    assert_int_equal(decide(&act, &answer), 0);
    has(record("signoff"), today);
    const char *summary = json(casebook_summary, today);
    has(summary, "\"signed\":[{\"who\":\"Li\",\"at_us\":");
    has(summary, "{\"rule\":\"A1-a/one\",\"risk\":\"A1-a\",\"count\":2,\"reviewed\":1,"
                 "\"false_positive\":1}");
    has(summary, "\"open\":3");
    assert_true(casebook_summary(c, SPAN_LIT("2026-02-30"), &(struct buf){.max = 99}) == -EINVAL);
    end();
}

/* Nobody else decides anything meanwhile. */
static void a_sample_is_not_looked_for_without_end(void **state)
{
    struct casebook_answer answer;
    struct casebook_counts counts;
    struct casebook_act act = {.verb = CASEBOOK_SAMPLE,
                               .author = SPAN_LIT("Li"),
                               .since_us = 1,
                               .until_us = clock_wall_us() + 60000000,
                               .percent = 100,
                               .actions = 1u << ACTION_ALLOW};
    sample_us = 1;
    begin(0);
    sample_us = 0;
    example();
    assert_int_equal(decide(&act, &answer), -EINVAL);
    has(answer.error, "a shorter one");
    assert_int_equal(answer.done, 0);
    assert_string_equal(queue("Li", false, &counts), "r3:1 r2:1 r1:1");
    assert_int_equal(review_one("Li", VERDICT_CORRECT, false, "r1"), 0);
    end();
}

static void shares_are_drawn_by_the_request_alone(void **state)
{
    char first[256];
    struct casebook_counts counts;
    a = open_log(AUDIT_REQUIRED);
    snprintf(state_dir, sizeof(state_dir), "%s/state", dir);
    mkdir(state_dir, 0700);
    struct casebook_options o = {
        .state_dir = span_str(state_dir), .log_dir = span_str(dir), .audit = a, .share = 30};
    assert_int_equal(casebook_open(&o, &c), 0);
    for (int i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof(id), "s%d", i);
        put(id, ACTION_BLOCK, "A1-a/one");
    }
    example();
    snprintf(first, sizeof(first), "%s", queue("Li", false, &counts));
    assert_in_range(counts.open, 1, 22);
    casebook_close(c);
    /* From nothing but the log the same ones come out. */
    char path[160];
    snprintf(path, sizeof(path), "%s/casebook.db", state_dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(casebook_open(&o, &c), 0);
    assert_string_equal(queue("Li", false, &counts), first);
    end();
}

static const char *numbered(int (*fn)(struct casebook *c, int64_t number, struct buf *out))
{
    static char text[65536];
    struct buf out = BUF_INIT(sizeof(text) - 1);
    assert_int_equal(fn(c, 1, &out), 0);
    memcpy(text, out.data, out.len);
    text[out.len] = '\0';
    buf_deinit(&out);
    return text;
}

static void complaints_become_tickets(void **state)
{
    struct casebook_answer answer;
    struct span ids[] = {SPAN_LIT("req_x")};
    begin(0);
    struct casebook_act act = {.verb = CASEBOOK_COMPLAINT,
                               .author = SPAN_LIT("public"),
                               .client_ip = SPAN_LIT("192.0.2.7"),
                               .kind = SPAN_LIT("content"),
                               .text = SPAN_LIT("你们的回答伤害了我"),
                               .contact = SPAN_LIT("13800138000"),
                               .requests = ids,
                               .request_count = 1};
    uint64_t now = clock_wall_us();
    assert_int_equal(decide(&act, &answer), 0);
    assert_int_equal(answer.number, 1);
    assert_true(answer.due_us >= now + 15 * 86400ull * 1000000);
    const char *told = record("complaint");
    has(told, "\"number\":1,\"kind\":\"content\",\"requests\":1,\"ids\":\"req_x\"");
    lacks(told, "伤害");
    lacks(told, "13800138000");
    act.kind = SPAN_LIT("weather");
    assert_int_equal(decide(&act, &answer), -EINVAL);
    act.kind = SPAN_LIT("other");
    act.text = SPAN_LIT(" \n ");
    assert_int_equal(decide(&act, &answer), -EINVAL);
    act = (struct casebook_act){.verb = CASEBOOK_TICKET,
                                .author = SPAN_LIT("Li"),
                                .number = 1,
                                .state = SPAN_LIT("answered"),
                                .note = SPAN_LIT("已电话致歉")};
    assert_int_equal(decide(&act, &answer), 0);
    const char *ticket = numbered(casebook_ticket);
    has(ticket, "\"state\":\"answered\",\"kind\":\"content\",\"text\":\"你们的回答伤害了我\"");
    has(ticket, "\"overdue\":false");
    has(ticket, "\"who\":\"Li\",\"state\":\"answered\",\"text\":\"已电话致歉\"");
    act.number = 2;
    assert_int_equal(decide(&act, &answer), -ENOENT);
    act.number = 1;
    act.state = SPAN_LIT("eaten");
    assert_int_equal(decide(&act, &answer), -EINVAL);
    end();
}

static void incidents_say_what_is_missing(void **state)
{
    struct casebook_answer answer;
    struct span ids[] = {SPAN_LIT("r1"), SPAN_LIT("r2")};
    begin(0);
    example();
    struct casebook_act act = {.verb = CASEBOOK_OPENING,
                               .author = SPAN_LIT("Li"),
                               .title = SPAN_LIT("集中拦截"),
                               .what = SPAN_LIT("同一账号反复输入"),
                               .requests = ids,
                               .request_count = 2};
    assert_int_equal(decide(&act, &answer), 0);
    assert_int_equal(answer.number, 1);
    const char *report = numbered(casebook_report);
    has(report, "二、现象\n同一账号反复输入\n涉及记录：风险 A1-a，处置 拦截，共 2 条");
    has(report, "\n状态：新建\n");
    has(report, "三、影响\n待补充\n");
    has(report, "六、责任人\n待补充\n");
    has(report, "待核实");
    act = (struct casebook_act){.verb = CASEBOOK_INCIDENT,
                                .author = SPAN_LIT("Li"),
                                .number = 1,
                                .state = SPAN_LIT("working"),
                                .measures = SPAN_LIT("暂停账号"),
                                .note = SPAN_LIT("已通知负责人")};
    assert_int_equal(decide(&act, &answer), 0);
    report = numbered(casebook_report);
    has(report, "四、处置\n暂停账号\n处置经过：\n- ");
    has(report, "Li：已通知负责人 → 处置中");
    const char *incident = numbered(casebook_incident);
    has(incident, "\"requests\":[\"r1\",\"r2\"]");
    has(incident, "\"clock\":[{\"hours\":1,\"due_us\":");
    lacks(record("incident"), "暂停");
    lacks(record("incident_open"), "集中");
    end();
}

/* ---- crashes ---- */

static void sql(const char *text)
{
    char path[160];
    struct db *db;
    struct db_options o = {.busy_ms = 1000};
    snprintf(path, sizeof(path), "%s/casebook.db", state_dir);
    assert_int_equal(db_open(span_str(path), &o, &db), 0);
    assert_int_equal(db_exec(db, text), 0);
    db_close(db);
}

static void a_crash_behind_the_record_is_made_good(void **state)
{
    struct casebook_review found;
    begin(0);
    example();
    assert_int_equal(review_one("Li", VERDICT_FALSE_POSITIVE, false, "r1"), 0);
    casebook_close(c);
    /* As it stood when the record was durable and nothing else had happened. */
    sql("UPDATE act SET state=0, seq=0 WHERE code='review'; DELETE FROM review");
    open_book(0);
    assert_int_equal(casebook_find_review(c, SPAN_LIT("r1"), &found), 0);
    assert_int_equal(found.verdict, VERDICT_FALSE_POSITIVE);
    assert_string_equal(found.reviewer, "Li");
    /* And only once. */
    casebook_close(c);
    open_book(0);
    assert_null(strstr(json(casebook_reviews, "r1"), "\"replaced\":true"));
    end();
}

static void a_crash_before_the_record_leaves_nothing(void **state)
{
    struct casebook_review found;
    begin(0);
    example();
    assert_int_equal(review_one("Li", VERDICT_FALSE_POSITIVE, false, "r1"), 0);
    casebook_close(c);
    /* Its record never was: no record has that token. */
    sql("UPDATE act SET state=0, seq=0, token='00' || substr(token,3,28) || 'zz' WHERE "
        "code='review'; DELETE FROM review");
    open_book(0);
    assert_int_equal(casebook_find_review(c, SPAN_LIT("r1"), &found), 0);
    assert_int_equal(found.verdict, VERDICT_NONE);
    assert_int_equal(review_one("Wang", VERDICT_CORRECT, false, "r1"), 0);
    end();
}

static void without_the_log_nothing_is_decided(void **state)
{
    char path[160];
    begin(0);
    example();
    casebook_close(c);
    struct audit *held = a;
    a = NULL;
    open_book(0);
    struct span ids[] = {SPAN_LIT("r1")};
    struct casebook_act act = review("Li", VERDICT_CORRECT, false, ids, 1);
    struct casebook_answer answer;
    assert_int_equal(casebook_do(c, &act, &answer), -EROFS);
    casebook_close(c);
    a = held;
    open_book(0);
    /* The log's file is gone from under the writer: it fails, and so does the act. */
    snprintf(path, sizeof(path), "rm -f %s/l0-*", dir);
    assert_int_equal(system(path), 0);
    act = (struct casebook_act){
        .verb = CASEBOOK_SIGNOFF, .author = SPAN_LIT("Li"), .day = span_str(today)};
    /* It looks from time to time. */
    int r = 0;
    for (int i = 0; r == 0 && i < 200; i++, usleep(50000)) {
        act.day = span_str(i % 2 ? "2026-01-01" : "2026-01-02");
        r = casebook_do(c, &act, &answer);
    }
    assert_int_equal(r, -EIO);
    assert_true(answer.error[0]);
    act.day = span_str(today);
    assert_int_equal(casebook_do(c, &act, &answer), -EIO);
    has(json(casebook_summary, today), "\"signed\":[]");
    casebook_close(c);
    audit_close(a);
}

static void what_is_newer_or_damaged_is_refused(void **state)
{
    begin(0);
    casebook_close(c);
    sql("PRAGMA user_version=99");
    struct casebook_options o = {
        .state_dir = span_str(state_dir), .log_dir = span_str(dir), .audit = a};
    assert_int_equal(casebook_open(&o, &c), -EPROTO);
    char path[160];
    struct stat st;
    snprintf(path, sizeof(path), "%s/casebook.db", state_dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    FILE *f = fopen(path, "w");
    assert_true(f && fputs("this is no database at all, and long enough to be read as one", f) > 0);
    fclose(f);
    snprintf(path, sizeof(path), "rm -f %s/casebook.db-*", state_dir);
    assert_int_equal(system(path), 0);
    assert_int_equal(casebook_open(&o, &c), -EBADMSG);
    audit_close(a);
}

/* ---- many at once ---- */

static atomic_int won, lost;

static void *rush(void *arg)
{
    for (int i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof(id), "c%d", i);
        int r = review_one(arg, VERDICT_CORRECT, false, id);
        atomic_fetch_add(r == 0 ? &won : &lost, 1);
        assert_true(r == 0 || r == -EEXIST);
    }
    return NULL;
}

static void of_two_reviewers_one_is_faster(void **state)
{
    pthread_t threads[3];
    static char names[][8] = {"Li", "Wang", "Zhao"};
    begin(0);
    for (int i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof(id), "c%d", i);
        put(id, ACTION_BLOCK, "A1-a/one");
    }
    example();
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, rush, names[i]), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(won, 8);
    assert_int_equal(lost, 16);
    end();
}

static void five_hundred_go_in_one_act(void **state)
{
    static char ids[501][32];
    static struct span spans[501];
    struct casebook_answer answer;
    begin(0);
    for (int i = 0; i < 501; i++) {
        snprintf(ids[i], sizeof(ids[i]), "req_%011d0000%05d", i, i);
        spans[i] = span_str(ids[i]);
        if (i < 500)
            put(ids[i], ACTION_BLOCK, "A1-a/one");
    }
    example();
    struct casebook_act act = review("Li", VERDICT_CORRECT, false, spans, 501);
    assert_int_equal(decide(&act, &answer), -EINVAL);
    act.request_count = 500;
    assert_int_equal(decide(&act, &answer), 0);
    assert_int_equal(answer.done, 500);
    has(record("review"), ids[0]);
    has(record("review"), ids[499]); /* whole, not clipped */
    has(record("review"), "\"}");
    end();
}

static void acts_read_as_they_were_written(void **state)
{
    struct span ids[] = {SPAN_LIT("r1"), SPAN_LIT("r\"2")};
    struct casebook_act act = review("Li \\", VERDICT_UNSURE, true, ids, 2), got;
    act.note = SPAN_LIT("居庸\n\"");
    act.since_us = 5;
    act.percent = 7;
    struct buf text = BUF_INIT(65536);
    struct arena arena;
    arena_init(&arena, 65536);
    assert_int_equal(casebook_write_act(&act, &text), 0);
    assert_int_equal(casebook_read_act(buf_span(&text), &arena, &got), 0);
    assert_int_equal(got.verb, CASEBOOK_REVIEW);
    assert_int_equal(got.verdict, VERDICT_UNSURE);
    assert_true(got.second);
    assert_span(got.author, act.author);
    assert_span(got.note, act.note);
    assert_int_equal(got.request_count, 2);
    assert_span(got.requests[1], ids[1]);
    assert_int_equal(got.since_us, 5);
    for (size_t n = 0; n < text.len; n++)
        assert_int_equal(casebook_read_act(span_slice(buf_span(&text), 0, n), &arena, &got),
                         -EBADMSG);
    static const char *const bad[] = {"[]",
                                      "{\"verb\":\"eat\"}",
                                      "{\"verb\":\"review\",\"verdict\":\"maybe\"}",
                                      "{\"verb\":\"review\",\"note\":5}",
                                      "{\"verb\":\"sample\",\"percent\":101}",
                                      "{\"verb\":\"review\",\"requests\":\"r1\"}",
                                      "{\"verb\":\"review\",\"requests\":[1]}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(casebook_read_act(span_str(bad[i]), &arena, &got), -EBADMSG);
    /* A buffer that is too small gives no torn text. */
    struct buf small = BUF_INIT(40);
    assert_true(casebook_write_act(&act, &small) < 0);
    buf_deinit(&small);
    arena_deinit(&arena);
    buf_deinit(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(verdicts_are_on_record_and_in_the_book),
        TEST(second_looks_agree_or_differ),
        TEST(days_are_assigned_sampled_and_signed),
        TEST(a_sample_is_not_looked_for_without_end),
        TEST(shares_are_drawn_by_the_request_alone),
        TEST(complaints_become_tickets),
        TEST(incidents_say_what_is_missing),
        TEST(a_crash_behind_the_record_is_made_good),
        TEST(a_crash_before_the_record_leaves_nothing),
        TEST(without_the_log_nothing_is_decided),
        TEST(what_is_newer_or_damaged_is_refused),
        TEST(of_two_reviewers_one_is_faster),
        TEST(five_hundred_go_in_one_act),
        TEST(acts_read_as_they_were_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
