/* What the index finds is what reading the log finds, by each filter and all together. */
#include "madeup.h"

#include "audit/index.h"
#include "base/utf8.h"

static void random_filter(struct query_filter *f, char *needle)
{
    *f = (struct query_filter){.all = below(3) == 0, .oldest_first = below(3) == 0};
    f->admin = below(12) == 0;
    f->acts = below(12) == 0;
    f->any_purpose = below(2);
    f->admin = below(8) == 0;
    if (below(4) == 0)
        f->purpose = SPAN_LIT("regulator-observe");
    if (below(4) == 0)
        f->since_us = now_us - below(40) * (uint64_t)DAY_US;
    if (below(4) == 0)
        f->until_us = now_us - below(40) * (uint64_t)DAY_US;
    if (below(4) == 0)
        f->actions = 1 + below(31);
    if (below(4) == 0)
        f->risk = below(2) ? pick(risks, 3) : SPAN_LIT("A1");
    if (below(5) == 0)
        f->rule = below(5) ? pick(rules, 4) : SPAN_LIT("none/0");
    if (below(4) == 0)
        f->app = pick(apps, 3);
    if (below(4) == 0)
        f->end_user = pick(users, 4);
    else if (below(12) == 0)
        f->end_user_begins = SPAN_LIT("u");
    if (below(5) == 0)
        f->session = pick(sessions, 3);
    if (below(5) == 0)
        f->client_ip = pick(addresses, 2);
    if (below(5) == 0)
        f->model = pick(models, 2);
    if (below(5) == 0)
        f->direction = below(2) ? DIRECTION_PROMPT : DIRECTION_COMPLETION;
    if (below(6) == 0)
        f->after_seq = below(300);
    if (below(5) == 0)
        f->upto_seq = 100 + below(450);
    if (below(3) == 0) {
        struct span whole = random_text(needle, 3);
        size_t from = utf8_floor(whole, below((unsigned)whole.len));
        size_t to =
            utf8_floor(whole, from + 1 + below(9) < whole.len ? from + 1 + below(9) : whole.len);
        if (to > from)
            f->text = span_slice(whole, from, to);
    }
}

static void list_many(uint64_t with_seed, struct buf *out)
{
    char needle[256];
    uint64_t kept = seed;
    seed = with_seed;
    for (int i = 0; i < 150; i++) {
        struct query_filter f;
        random_filter(&f, needle);
        assert_int_equal(buf_printf(out, "%d: ", i), 0);
        list(&f, out);
    }
    seed = kept;
}

/* Of exchanges that pass from month to month, or are not at an end where the index is, it knows a
 * part only. JUYONG_INDEX_ROUNDS=100 looks longer. */
static void finds_what_reading_finds(void **state)
{
    struct buf read = BUF_INIT(1u << 24), indexed = BUF_INIT(1u << 24);
    const char *more = getenv("JUYONG_INDEX_ROUNDS");
    uint64_t rounds = more ? strtoull(more, NULL, 10) : 2;
    for (uint64_t round = 1; round <= rounds; round++) {
        begin(round, round % 2 ? 2 * HOUR_US : 20 * HOUR_US);
        struct store *s = open_store();
        write_random(s, 1000 * (unsigned)round, 120);
        assert_int_equal(indexer_run(span_str(dir)), 0);
        write_random(s, 1000 * (unsigned)round + 500, 30); /* the index does not speak of these */
        store_close(s);
        buf_clear(&read);
        buf_clear(&indexed);
        list_many(100 + round, &indexed);
        remove_index();
        list_many(100 + round, &read);
        assert_same(&indexed, &read);
        assert_true(read.len > 5000);
        assert_int_equal(indexer_run(span_str(dir)), 0);
        buf_clear(&indexed);
        list_many(100 + round, &indexed);
        assert_same(&indexed, &read);
        remove_dir(NULL);
        make_dir(NULL);
    }
    buf_deinit(&read);
    buf_deinit(&indexed);
}

/* Pages of any size, while more is written and indexed: each exchange once. */
static void pages_give_each_row_once(void **state)
{
    struct buf whole = BUF_INIT(1u << 20), paged = BUF_INIT(1u << 20);
    begin(21, 2 * HOUR_US);
    struct store *s = open_store();
    write_random(s, 0, 200);
    for (int round = 0; round < 12; round++) {
        struct query_filter f = {.any_purpose = true, .all = round % 3 == 2};
        if (round % 4 == 1)
            f.text = SPAN_LIT("世界");
        if (round % 4 == 3)
            f.rule = SPAN_LIT("A2-a/3");
        if (round > 5)
            assert_int_equal(indexer_run(span_str(dir)), 0);
        assert_int_equal(query_last_seq(span_str(dir), &f.upto_seq), 0);
        buf_clear(&whole);
        buf_clear(&paged);
        list(&f, &whole);
        whole.len--;
        f.limit = 1 + below(20);
        for (int page = 0; page < 1000; page++) {
            struct query *q = NULL;
            const struct query_row *row;
            size_t rows = 0;
            assert_int_equal(query_open(span_str(dir), &f, &q), 0);
            while (query_next(q, &row) == 1) {
                assert_int_equal(buf_printf(&paged, "%.*s/%d ", SPAN_ARG(row->entry.request_id),
                                            (int)row->entry.seq),
                                 0);
                rows++;
            }
            f.before_seq = query_position(q);
            query_close(q);
            if (rows < f.limit)
                break;
            if (page % 5 == 0) {
                write_random(s, 10000 + 1000 * (unsigned)round + 10 * (unsigned)page, 2);
                if (below(2))
                    assert_int_equal(indexer_run(span_str(dir)), 0);
            }
        }
        assert_same(&paged, &whole);
        assert_true(whole.len > 100);
    }
    store_close(s);
    buf_deinit(&whole);
    buf_deinit(&paged);
}

/* A query that has no time still gets on, and ends. */
static void gives_up_in_time(void **state)
{
    begin(3, 2 * HOUR_US);
    struct store *s = open_store();
    write_random(s, 0, 300);
    store_close(s);
    struct query_filter f = {.all = true, .any_purpose = true, .budget_us = 1};
    size_t rows = 0, calls = 0;
    bool complete = false;
    for (; !complete && calls < 5000; calls++) {
        struct query *q = NULL;
        const struct query_row *row;
        assert_int_equal(query_open(span_str(dir), &f, &q), 0);
        while (query_next(q, &row) == 1)
            rows++;
        complete = query_is_complete(q);
        f.before_seq = query_position(q);
        f.budget_us = 100 * (calls + 1);
        query_close(q);
    }
    assert_true(complete);
    assert_true(calls > 1);
    f = (struct query_filter){.all = true, .any_purpose = true};
    struct buf whole = BUF_INIT(1u << 20);
    list(&f, &whole);
    size_t want = 0;
    for (size_t i = 0; i < whole.len; i++)
        want += whole.data[i] == ' ';
    assert_int_equal(rows, want);
    buf_deinit(&whole);
}

/* Two exchanges with all that can be asked for, by which they differ; a sample of a third. */
static void write_three(struct store *s)
{
    struct audit_subject one = {.request_id = SPAN_LIT("one"),
                                .app = SPAN_LIT("shop"),
                                .end_user = SPAN_LIT("u1"),
                                .session = SPAN_LIT("s1"),
                                .client_ip = SPAN_LIT("10.0.0.1"),
                                .trace_id = SPAN_LIT("0af7651916cd43dd8448eb211c80319c"),
                                .model = SPAN_LIT("qwen"),
                                .upstream = SPAN_LIT("demo")};
    struct audit_subject two = {.request_id = SPAN_LIT("two"),
                                .app = SPAN_LIT("bank"),
                                .end_user = SPAN_LIT("u2"),
                                .session = SPAN_LIT("s2"),
                                .client_ip = SPAN_LIT("10.0.0.2"),
                                .model = SPAN_LIT("doubao"),
                                .upstream = SPAN_LIT("demo"),
                                .purpose = SPAN_LIT("regulator-observe")};
    struct audit_subject three = {.request_id = SPAN_LIT("three"), .app = SPAN_LIT("shop")};
    struct audit_hit hit = hit_example;
    hit.context = SPAN_LIT("说的是天地玄黄");
    hit.text = span_slice(hit.context, 9, 21);
    hit.context_start = 9;
    hit.context_end = 21;
    struct audit_event e = {
        .kind = AUDIT_ACT, .subject = &one, .hits = &hit, .hit_count = 1, .action = ACTION_BLOCK};
    write_event(s, &e);
    hit.risk = SPAN_LIT("A2-b");
    hit.rule = SPAN_LIT("A2-b/87654321");
    hit.direction = DIRECTION_COMPLETION;
    hit.action = e.action = ACTION_MASK;
    hit.context = hit.text = hit.folded = SPAN_LIT("Other Words");
    hit.context_start = hit.context_end = 0;
    e.subject = &two;
    write_event(s, &e);
    hit = (struct audit_hit){
        .direction = DIRECTION_PROMPT, .kept = true, .context = SPAN_LIT("说的是天气")};
    e = (struct audit_event){.kind = AUDIT_ACT,
                             .subject = &three,
                             .hits = &hit,
                             .hit_count = 1,
                             .sample = SPAN_LIT("quality")};
    write_event(s, &e);
    struct audit_subject *const all[] = {&one, &two, &three};
    for (size_t i = 0; i < 3; i++) {
        e = (struct audit_event){.kind = AUDIT_CLOSE,
                                 .subject = all[i],
                                 .action = i == 0   ? ACTION_BLOCK
                                           : i == 1 ? ACTION_MASK
                                                    : ACTION_ALLOW,
                                 .model_answered = i == 1 ? SPAN_LIT("doubao-1.5") : SPAN_NULL,
                                 .outcome = OUTCOME_COMPLETE};
        write_event(s, &e);
    }
}

static const struct {
    struct query_filter f;
    const char *want;
} each_filter[] = {
    {{0}, "two one"},
    {{.all = true}, "three two one"},
    {{.actions = 1u << ACTION_BLOCK}, "one"},
    {{.actions = 1u << ACTION_ALLOW, .all = true}, "three"},
    {{.risk = SPAN_LIT("A2")}, "two"},
    {{.risk = SPAN_LIT("A")}, "two one"},
    {{.risk = SPAN_LIT("A3")}, ""},
    {{.rule = SPAN_LIT("A2-b/87654321")}, "two"},
    {{.rule = SPAN_LIT("A2-b")}, ""},
    {{.app = SPAN_LIT("shop")}, "one"},
    {{.app = SPAN_LIT("shop"), .all = true}, "three one"},
    {{.end_user = SPAN_LIT("u2")}, "two"},
    {{.end_user = SPAN_LIT("u2"), .all = true}, "two"},
    {{.session = SPAN_LIT("s1")}, "one"},
    {{.session = SPAN_LIT("s1"), .all = true}, "one"},
    {{.client_ip = SPAN_LIT("10.0.0.2")}, "two"},
    {{.trace_id = SPAN_LIT("0af7651916cd43dd8448eb211c80319c")}, "one"},
    {{.model = SPAN_LIT("qwen")}, "one"},
    {{.model = SPAN_LIT("doubao")}, "two"},
    {{.model = SPAN_LIT("doubao-1.5")}, "two"},
    {{.request_id = SPAN_LIT("two")}, "two"},
    {{.direction = DIRECTION_PROMPT}, "one"},
    {{.direction = DIRECTION_COMPLETION}, "two"},
    {{.text = SPAN_LIT("玄黄")}, "one"},
    {{.text = SPAN_LIT("地")}, "one"},
    {{.text = SPAN_LIT("黄玄")}, ""},
    {{.text = SPAN_LIT("oTHER w")}, "two"},
    {{.text = SPAN_LIT("w")}, "two one"}, /* the folded form has it, too: "badword" */
    {{.text = SPAN_LIT("说的")}, "one"},
    {{.text = SPAN_LIT("说的"), .all = true}, "three one"},
    {{.text = SPAN_LIT("玄黄"), .rule = SPAN_LIT("A2-b/87654321")}, ""},
    {{.text = SPAN_LIT("玄黄"), .rule = SPAN_LIT("A1-a/12345678")}, "one"},
    {{.text = SPAN_LIT("玄黄"), .app = SPAN_LIT("bank")}, ""},
    {{.oldest_first = true}, "one two"},
    {{.upto_seq = 1}, "one"},
    {{.after_seq = 4}, "two"},
    {{.before_seq = 5}, "one"},
    {{.limit = 1}, "two"},
};

static void finds_by_each(void)
{
    struct buf got = BUF_INIT(4096), want = BUF_INIT(4096);
    for (size_t i = 0; i < sizeof(each_filter) / sizeof(each_filter[0]); i++) {
        struct query_filter f = each_filter[i].f;
        struct query *q = NULL;
        const struct query_row *row;
        f.any_purpose = true;
        buf_clear(&got);
        buf_clear(&want);
        assert_int_equal(buf_printf(&want, "%zu: %s", i, each_filter[i].want), 0);
        assert_int_equal(buf_printf(&got, "%zu: ", i), 0);
        assert_int_equal(query_open(span_str(dir), &f, &q), 0);
        for (int n = 0; query_next(q, &row) == 1; n++)
            assert_int_equal(
                buf_printf(&got, "%s%.*s", n ? " " : "", SPAN_ARG(row->entry.request_id)), 0);
        query_close(q);
        assert_span(buf_span(&got), buf_span(&want));
    }
    buf_deinit(&got);
    buf_deinit(&want);
}

static void finds_by_each_filter(void **state)
{
    begin(1, HOUR_US);
    struct store *s = open_store();
    write_three(s);
    store_close(s);
    finds_by_each();
    assert_int_equal(indexer_run(span_str(dir)), 0);
    finds_by_each();
    struct buf found = BUF_INIT(1024);
    struct query_filter f = {.purpose = SPAN_LIT("regulator-observe")};
    list(&f, &found);
    f = (struct query_filter){.since_us = now_us - 10 * DAY_US, .until_us = now_us + 1};
    list(&f, &found);
    f.until_us = f.since_us;
    list(&f, &found);
    assert_span(buf_span(&found), SPAN_LIT("two/2 \none/1 \n\n"));
    buf_deinit(&found);
}

/* What was said in one month and done in the next is one exchange. */
static void joins_what_a_months_end_parts(void **state)
{
    struct audit_subject who = subject_example;
    struct audit_hit first = hit_example, second = hit_example;
    struct buf found = BUF_INIT(1024);
    first.context = first.text = first.folded = SPAN_LIT("天地玄黄");
    first.context_start = first.context_end = 0;
    second.rule = SPAN_LIT("A3-c/later");
    second.direction = DIRECTION_COMPLETION;
    begin(1, 1);
    struct store *s = open_store();
    struct audit_event e = {
        .kind = AUDIT_ACT, .subject = &who, .hits = &first, .hit_count = 1, .action = ACTION_FLAG};
    write_event(s, &e);
    uint64_t first_us = now_us;
    now_us += 10 * DAY_US;
    e.hits = &second;
    e.action = ACTION_BLOCK;
    write_event(s, &e);
    e = (struct audit_event){.kind = AUDIT_CLOSE, .subject = &who, .action = ACTION_BLOCK};
    write_event(s, &e);
    store_close(s);
    for (int indexed = 0; indexed < 2; indexed++) {
        const struct query_filter all[] = {
            {.text = SPAN_LIT("玄黄"), .direction = DIRECTION_COMPLETION, .until_us = 0},
            {.rule = SPAN_LIT("A3-c/later"), .until_us = first_us + 1},
            {.actions = 1u << ACTION_BLOCK, .until_us = first_us + 1},
            {.actions = 1u << ACTION_FLAG, .until_us = first_us + 1},
            {.rule = SPAN_LIT("A1-a/12345678"), .since_us = first_us + 1},
            {.text = SPAN_LIT("玄黄"), .actions = 1u << ACTION_BLOCK},
        };
        buf_clear(&found);
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
            list(&all[i], &found);
        assert_span(buf_span(&found), SPAN_LIT("\nreq-1/1 \nreq-1/1 \n\nreq-1/1 \nreq-1/1 \n"));
        assert_int_equal(indexer_run(span_str(dir)), 0);
    }
    buf_deinit(&found);
}

/* Records in groups, for there are many. */
static void write_opens(struct store *s, unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++) {
        char request[24], user[24];
        struct audit_subject who = {.app = SPAN_LIT("shop")};
        struct audit_event e = {.kind = AUDIT_OPEN, .subject = &who};
        struct item *item = NULL;
        uint64_t seq;
        snprintf(request, sizeof(request), "c%06u", i);
        snprintf(user, sizeof(user), "u%u", i % 1000);
        who.request_id = span_str(request);
        who.end_user = span_str(user);
        if (i % 512 == 0)
            assert_int_equal(store_begin(s, now_us), 0);
        assert_int_equal(item_new(&e, 0, NULL, (struct item_limits){.text_max = 512}, &item), 0);
        item->wall_us = now_us;
        assert_int_equal(store_put(s, item, &seq), 0);
        item_unref(item);
        if (i % 512 == 511 || i + 1 == from + count)
            assert_int_equal(store_commit(s), 0);
    }
}

/* A person's records lie in several chunks of the table of people. */
static void finds_people_across_chunks(void **state)
{
    struct buf indexed = BUF_INIT(1u << 20), read = BUF_INIT(1u << 20);
    struct store *s = open_store();
    begin(1, 1);
    write_opens(s, 0, INDEX_CHUNK + 1024);
    assert_int_equal(indexer_run(span_str(dir)), 0);
    write_opens(s, INDEX_CHUNK + 1024, 1024);
    store_close(s);
    struct query_filter f = {.end_user = SPAN_LIT("u77"), .all = true};
    struct query_filter late = f, pages = f, nobody = f;
    late.after_seq = INDEX_CHUNK - 512;
    list(&f, &indexed);
    assert_true(span_starts(buf_span(&indexed), SPAN_LIT("c067077/")));
    assert_true(span_find(buf_span(&indexed), SPAN_LIT("c000077/78 \n")) < indexed.len);
    buf_clear(&indexed);
    for (int i = 0; i < 2; i++) {
        struct buf *into = i ? &read : &indexed;
        for (late.oldest_first = false;; late.oldest_first = true) {
            list(&late, into);
            if (late.oldest_first)
                break;
        }
        remove_index();
    }
    assert_same(&indexed, &read);
    assert_true(read.len > 50);
    assert_int_equal(indexer_run(span_str(dir)), 0);
    /* A page at a time, each of them where the one before ended. */
    for (unsigned page = 0; page < 10; page++) {
        struct query *q = NULL;
        const struct query_row *row;
        unsigned rows = 0;
        pages.limit = 7;
        assert_int_equal(query_open(span_str(dir), &pages, &q), 0);
        for (; query_next(q, &row) == 1; rows++)
            assert_int_equal(row->entry.seq, 67078 - 1000 * (7 * page + rows));
        assert_int_equal(rows, page < 9 ? 7 : 5);
        pages.before_seq = query_position(q);
        query_close(q);
    }
    buf_clear(&indexed);
    nobody.end_user = SPAN_LIT("u1001");
    list(&nobody, &indexed);
    assert_span(buf_span(&indexed), SPAN_LIT("\n"));
    buf_deinit(&indexed);
    buf_deinit(&read);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(finds_what_reading_finds),      CASE(finds_by_each_filter),
        CASE(joins_what_a_months_end_parts), CASE(finds_people_across_chunks),
        CASE(pages_give_each_row_once),      CASE(gives_up_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
