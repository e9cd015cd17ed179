/* A log that is made up at random, the same for the same seed: exchanges whose records mix, months
 * that pass, clocks that are set, processes that die. */
#pragma once

#include "logdir.h"

#include "audit/indexer.h"
#include "audit/query.h"
#include "audit/store.h"

#define HOUR_US ((uint64_t)3600000000)
#define DAY_US  (24 * HOUR_US)

static uint64_t seed;
static uint64_t now_us;  /* of the log that is made up */
static uint64_t step_us; /* at most, from one record to the next */

static inline unsigned below(unsigned n)
{
    return (unsigned)(random_next(&seed) % n);
}

static const char *const words[] = {"你好", "世界",  "Hello", "bad word", "天地玄黄", "宇宙",
                                    "洪荒", "great", "é",     "1989",     "a",        "北"};

/* Few words, so that needles are found now and then, and nearly found more often. */
static inline struct span random_text(char *into, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        const char *w = words[below(12)];
        memcpy(into + len, w, strlen(w));
        len += strlen(w);
    }
    return span_from(into, len);
}

static inline struct span pick(const char *const *from, unsigned n)
{
    return span_str(from[below(n)]);
}

static const char *const apps[] = {"default", "shop", "bank"};
static const char *const models[] = {"qwen", "doubao"};
static const char *const users[] = {"", "u1", "u2", "u3"};
static const char *const sessions[] = {"", "s1", "s2"};
static const char *const addresses[] = {"10.0.0.1", "10.0.0.2"};
static const char *const risks[] = {"A1-a", "A1-b", "A2-a"};
static const char *const rules[] = {"A1-a/1", "A1-b/2", "A2-a/3", "A2-a/4"};
static const char *const purposes[] = {"", "", "", "regulator-observe"};

/* What sums should be made of: an exchange's end, or a hit. */
struct counted {
    uint64_t time_us, held_us;
    struct span app, model, risk, rule; /* of a hit the last two, of an end the second */
    bool test, hit;
    unsigned record; /* hits of one record have the same number */
    enum direction direction;
    enum action action;
};

static struct counted counted[8192];
static size_t counted_count;

static inline void count_this(const struct counted *m)
{
    assert_true(counted_count < sizeof(counted) / sizeof(counted[0]));
    counted[counted_count] = *m;
    counted[counted_count++].time_us = now_us;
}

static inline void write_event(struct store *s, const struct audit_event *e)
{
    struct item *i = NULL;
    uint64_t seq;
    now_us += below(6) ? random_next(&seed) % step_us : 0;
    if (below(50) == 0)
        now_us -= 1000000; /* a clock that is set */
    assert_int_equal(item_new(e, 0, NULL, (struct item_limits){.text_max = 512}, &i), 0);
    i->wall_us = now_us;
    assert_int_equal(store_begin(s, now_us), 0);
    assert_int_equal(store_put(s, i, &seq), 0);
    assert_int_equal(store_commit(s), 0);
    item_unref(i);
}

static inline void write_act(struct store *s, const struct audit_subject *subject,
                             enum action action)
{
    char texts[3][256];
    struct audit_hit hits[3];
    size_t n = below(4);
    for (size_t i = 0; i < 3; i++) {
        hits[i] = hit_example;
        hits[i].direction = below(2) ? DIRECTION_PROMPT : DIRECTION_COMPLETION;
        hits[i].risk = pick(risks, 3);
        hits[i].rule = pick(rules, 4);
        hits[i].action = action;
        hits[i].observed = below(8) == 0;
        hits[i].old = below(8) == 0;
        hits[i].context = random_text(texts[i], 12);
        hits[i].text = span_slice(hits[i].context, 0, 0);
        hits[i].context_start = hits[i].context_end = 0;
        hits[i].kept = below(10) == 0;
    }
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = subject,
                            .hits = hits,
                            .hit_count = n,
                            .reason = n || below(2) ? SPAN_NULL : SPAN_LIT(AUDIT_OLD_OFFENCE),
                            .action = action};
    write_event(s, &e);
    static unsigned record;
    record++;
    for (size_t i = 0; i < n; i++)
        if (!hits[i].old && !hits[i].kept)
            count_this(&(struct counted){.hit = true,
                                         .record = record,
                                         .app = subject->app,
                                         .test = subject->purpose.len > 0,
                                         .risk = hits[i].risk,
                                         .rule = hits[i].rule,
                                         .direction = hits[i].direction,
                                         .action = hits[i].observed ? ACTION_FLAG : action});
}

/* Exchanges that overlap, so that their records mix. */
struct open_one {
    char request[24];
    struct audit_subject subject;
    enum action action;
    unsigned left; /* acts, and then the close */
    bool known;    /* a record says who it is: the close does not */
};

static struct open_one open_ones[5];

/* A log of its own that passes from one month into the next, the same on every day. */
static inline void begin(uint64_t with_seed, uint64_t step_at_most_us)
{
    seed = with_seed;
    step_us = step_at_most_us;
    now_us = 4081000000 * (uint64_t)1000000; /* 2099-04-27: the log does not go back in time */
    for (size_t i = 0; i < sizeof(open_ones) / sizeof(open_ones[0]); i++)
        open_ones[i].left = 0;
    counted_count = 0;
}

/* A text of an exchange that is allowed so far. */
static inline void write_sample(struct store *s, const struct audit_subject *subject)
{
    char text[256];
    struct audit_hit hit = {.direction = DIRECTION_PROMPT, .role = ROLE_USER, .kept = true};
    hit.context = random_text(text, 12);
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = subject,
                            .hits = &hit,
                            .hit_count = 1,
                            .reason = SPAN_LIT("sample"),
                            .sample = SPAN_LIT("quality")};
    write_event(s, &e);
}

/* So many more exchanges, numbered from there; what is open at the end goes on when more is
 * written. */
static inline void write_random(struct store *s, unsigned from, unsigned count)
{
    struct open_one *open = open_ones;
    for (unsigned done = 0; done < count;) {
        struct open_one *o = &open[below(5)];
        if (o->left == 0) {
            snprintf(o->request, sizeof(o->request), "r%06u", from + done++);
            o->subject = subject_example;
            o->subject.request_id = span_str(o->request);
            o->subject.app = pick(apps, 3);
            o->subject.model = pick(models, 2);
            o->subject.end_user = pick(users, 4);
            o->subject.session = pick(sessions, 3);
            o->subject.client_ip = pick(addresses, 2);
            o->subject.purpose = pick(purposes, 4);
            o->action = ACTION_ALLOW;
            o->left = 1 + below(4);
            struct audit_event e = {.kind = AUDIT_OPEN, .subject = &o->subject};
            o->known = below(5);
            if (o->known)
                write_event(s, &e);
        } else if (o->left > 1) {
            enum action a = (enum action)(1 + below(4));
            if (o->action == ACTION_ALLOW && below(6) == 0)
                write_sample(s, &o->subject);
            o->action = a > o->action ? a : o->action;
            write_act(s, &o->subject, a);
            o->known = true;
            o->left--;
        } else {
            struct audit_event e = {.kind = AUDIT_CLOSE,
                                    .subject = &o->subject,
                                    .action = o->action,
                                    .model_answered = below(3) ? SPAN_NULL : pick(models, 2),
                                    .provider_refusal =
                                        below(9) ? SPAN_NULL : SPAN_LIT("finish_reason:x"),
                                    .outcome = OUTCOME_COMPLETE,
                                    .held_us = below(100000)};
            o->left = 0;
            if (below(20) == 0)
                continue; /* the process died */
            write_event(s, &e);
            count_this(&(struct counted){.app = o->known ? o->subject.app : SPAN_NULL,
                                         .model = o->known ? o->subject.model : SPAN_NULL,
                                         .test = o->known && o->subject.purpose.len > 0,
                                         .action = o->action,
                                         .held_us = e.held_us});
        }
    }
    struct audit_subject nobody = {.end_user = SPAN_LIT("u1")};
    struct audit_event e = {
        .kind = AUDIT_ADMIN, .subject = &nobody, .reason = SPAN_LIT("user_lookup")};
    write_event(s, &e);
}

static inline struct store *open_store(void)
{
    struct store *s = NULL;
    assert_int_equal(store_open(span_str(dir), SPAN_LIT("0123456789abcdef"), SPAN_LIT("n"), &s), 0);
    return s;
}

/* What a filter finds, as text, appended. */
static inline void list(const struct query_filter *f, struct buf *out)
{
    struct query *q = NULL;
    const struct query_row *row;
    int r;
    assert_int_equal(query_open(span_str(dir), f, &q), 0);
    while ((r = query_next(q, &row)) == 1)
        assert_int_equal(
            buf_printf(out, "%.*s/%d ", SPAN_ARG(row->entry.request_id), (int)row->entry.seq), 0);
    assert_int_equal(r, 0);
    assert_true(query_is_complete(q));
    query_close(q);
    assert_int_equal(buf_append_char(out, '\n'), 0);
}

static inline void remove_index(void)
{
    char command[160];
    snprintf(command, sizeof(command), "rm -f %s/ix-* %s/tx-*", dir, dir);
    assert_int_equal(system(command), 0);
}

static inline void assert_same(const struct buf *got, const struct buf *want)
{
    struct span g = buf_span(got), w = buf_span(want), a, b;
    while (span_split(&g, '\n', &a) && span_split(&w, '\n', &b))
        assert_span(a, b);
    assert_int_equal(got->len, want->len);
}
