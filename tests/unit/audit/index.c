/* The index: finds what reading the log finds, however much of the log it speaks of. */
#include "logdir.h"

#include "audit/grams.h"
#include "audit/index.h"
#include "audit/indexer.h"
#include "audit/query.h"
#include "audit/store.h"
#include "base/utf8.h"

#include <signal.h>
#include <sys/wait.h>

#define HOUR_US ((uint64_t)3600000000)
#define DAY_US  (24 * HOUR_US)

static uint64_t seed;
static uint64_t now_us;  /* of the log that is made up */
static uint64_t step_us; /* at most, from one record to the next */

static unsigned below(unsigned n)
{
    return (unsigned)(random_next(&seed) % n);
}

static const char *const words[] = {"你好", "世界",  "Hello", "bad word", "天地玄黄", "宇宙",
                                    "洪荒", "great", "é",     "1989",     "a",        "北"};

/* Few words, so that needles are found now and then, and nearly found more often. */
static struct span random_text(char *into, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        const char *w = words[below(12)];
        memcpy(into + len, w, strlen(w));
        len += strlen(w);
    }
    return span_from(into, len);
}

static struct span pick(const char *const *from, unsigned n)
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

static void write_event(struct store *s, const struct audit_event *e)
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

static void write_act(struct store *s, const struct audit_subject *subject, enum action action)
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
}

/* Exchanges that overlap, so that their records mix. */
struct open_one {
    char request[24];
    struct audit_subject subject;
    enum action action;
    unsigned left; /* acts, and then the close */
};

static struct open_one open_ones[5];

/* A log of its own that passes from one month into the next, the same on every day. */
static void begin(uint64_t with_seed, uint64_t step_at_most_us)
{
    seed = with_seed;
    step_us = step_at_most_us;
    now_us = 4081000000 * (uint64_t)1000000; /* 2099-04-27: the log does not go back in time */
    for (size_t i = 0; i < sizeof(open_ones) / sizeof(open_ones[0]); i++)
        open_ones[i].left = 0;
}

/* A text of an exchange that is allowed so far. */
static void write_sample(struct store *s, const struct audit_subject *subject)
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

/* Exchanges that are open at the end go on when more is written. */
static void write_random(struct store *s, unsigned from, unsigned count)
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
            if (below(5))
                write_event(s, &e);
        } else if (o->left > 1) {
            enum action a = (enum action)(1 + below(4));
            if (o->action == ACTION_ALLOW && below(6) == 0)
                write_sample(s, &o->subject);
            o->action = a > o->action ? a : o->action;
            write_act(s, &o->subject, a);
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
            if (below(20)) /* else the process died */
                write_event(s, &e);
            o->left = 0;
        }
    }
    struct audit_subject nobody = {.end_user = SPAN_LIT("u1")};
    struct audit_event e = {
        .kind = AUDIT_ADMIN, .subject = &nobody, .reason = SPAN_LIT("user_lookup")};
    write_event(s, &e);
}

static struct store *open_store(void)
{
    struct store *s = NULL;
    assert_int_equal(store_open(span_str(dir), SPAN_LIT("0123456789abcdef"), SPAN_LIT("n"), &s), 0);
    return s;
}

static void random_filter(struct query_filter *f, char *needle)
{
    *f = (struct query_filter){.all = below(3) == 0, .oldest_first = below(3) == 0};
    f->any_purpose = below(2);
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

/* What a filter finds, as text, appended. */
static void list(const struct query_filter *f, struct buf *out)
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

static void list_many(uint64_t with_seed, struct buf *out)
{
    char needle[256];
    uint64_t kept = seed;
    seed = with_seed;
    for (int i = 0; i < 300; i++) {
        struct query_filter f;
        random_filter(&f, needle);
        assert_int_equal(buf_printf(out, "%d: ", i), 0);
        list(&f, out);
    }
    seed = kept;
}

static void remove_index(void)
{
    char command[160];
    snprintf(command, sizeof(command), "rm -f %s/ix-* %s/tx-*", dir, dir);
    assert_int_equal(system(command), 0);
}

static void assert_same(const struct buf *got, const struct buf *want)
{
    struct span g = buf_span(got), w = buf_span(want), a, b;
    while (span_split(&g, '\n', &a) && span_split(&w, '\n', &b))
        assert_span(a, b);
    assert_int_equal(got->len, want->len);
}

/* Of exchanges that pass from month to month, or are not at an end where the index is, it knows a
 * part only. JUYONG_INDEX_ROUNDS=100 looks longer. */
static void finds_what_reading_finds(void **state)
{
    struct buf read = BUF_INIT(1u << 24), indexed = BUF_INIT(1u << 24);
    const char *more = getenv("JUYONG_INDEX_ROUNDS");
    uint64_t rounds = more ? strtoull(more, NULL, 10) : 4;
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

/* All that a file's tables hold, as text. */
static void dump(struct buf *out)
{
    static const char *const tables[] = {"interception", "hit",  "who",    "block",
                                         "roll",         "held", "caught", "state"};
    struct files *files = malloc(sizeof(*files));
    assert_non_null(files);
    assert_int_equal(files_list(span_str(dir), 0, files), 0);
    for (size_t m = 0; m < files->count; m++) {
        char path[PATH_MAX], sql[256];
        struct db *db = NULL;
        struct db_options o = {.readonly = true};
        assert_true(index_path(span_str(dir), INDEX_ROWS, files->months[m], path));
        assert_int_equal(db_open(span_str(path), &o, &db), 0);
        for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
            struct db_stmt *s = NULL;
            snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY 1, 2, 3", tables[t]);
            if (strcmp(tables[t], "who") == 0 || strcmp(tables[t], "state") == 0)
                snprintf(sql, sizeof(sql), "SELECT *, 0, 0 FROM %s ORDER BY 1, 2", tables[t]);
            assert_int_equal(db_prepare(db, span_str(sql), &s), 0);
            while (db_step(s) == 1) {
                for (int c = 0; c < 4; c++)
                    assert_int_equal(buf_printf(out, "%.*s ", SPAN_ARG(db_column_text(s, c))), 0);
                assert_int_equal(buf_append_char(out, '\n'), 0);
            }
            db_finalize(s);
        }
        db_close(db);
    }
    free(files);
}

static void grows_into_what_is_made_at_once(void **state)
{
    struct buf grown = BUF_INIT(1u << 24), made = BUF_INIT(1u << 24);
    begin(77, 2 * HOUR_US);
    struct store *s = open_store();
    for (unsigned i = 0; i < 40; i++) {
        write_random(s, 100 * i, 1 + below(8));
        if (below(3))
            assert_int_equal(indexer_run(span_str(dir)), 0);
    }
    assert_int_equal(indexer_run(span_str(dir)), 0);
    store_close(s);
    dump(&grown);
    remove_index();
    assert_int_equal(indexer_run(span_str(dir)), 0);
    dump(&made);
    assert_true(made.len > 10000);
    assert_same(&grown, &made);
    buf_deinit(&grown);
    buf_deinit(&made);
}

/* Killed at any moment it goes on from what it had committed. */
static void survives_kill(void **state)
{
    struct buf killed = BUF_INIT(1u << 24), made = BUF_INIT(1u << 24);
    begin(5, 2 * HOUR_US);
    struct store *s = open_store();
    write_random(s, 0, 3000);
    store_close(s);
    for (int round = 0; round < 8; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            indexer_run(span_str(dir));
            _exit(0);
        }
        usleep(1000u * (unsigned)(5 + 15 * round));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    assert_int_equal(indexer_run(span_str(dir)), 0);
    dump(&killed);
    remove_index();
    assert_int_equal(indexer_run(span_str(dir)), 0);
    dump(&made);
    assert_same(&killed, &made);
    buf_deinit(&killed);
    buf_deinit(&made);
}

/* An index of another log, a damaged one, one that somebody removes: made anew. */
static void begins_anew_where_it_does_not_fit(void **state)
{
    char path[PATH_MAX];
    struct buf want = BUF_INIT(1u << 20), got = BUF_INIT(1u << 20);
    struct query_filter f = {.end_user = SPAN_LIT("u1"), .any_purpose = true};
    begin(9, 2 * HOUR_US);
    struct store *s = open_store();
    write_random(s, 0, 60);
    store_close(s);
    list(&f, &want);
    assert_true(want.len > 20);
    for (int i = 0; i < 3; i++) {
        struct files files;
        assert_int_equal(indexer_run(span_str(dir)), 0);
        assert_int_equal(files_list(span_str(dir), 0, &files), 0);
        assert_true(index_path(span_str(dir), INDEX_ROWS, files.months[0], path));
        struct db *db = NULL;
        struct db_options o = {0};
        if (i < 2) {
            assert_int_equal(db_open(span_str(path), &o, &db), 0);
            assert_int_equal(db_exec(db, i == 0 ? "DELETE FROM interception; UPDATE state SET"
                                                  " hash = zeroblob(32)"
                                                : "DROP TABLE hit; DROP TABLE interception"),
                             0);
            db_close(db);
        } else {
            FILE *file = fopen(path, "r+");
            assert_non_null(file);
            for (int k = 0; k < 3000; k++)
                fputs("rubbish", file);
            fclose(file);
        }
        buf_clear(&got);
        list(&f, &got);
        assert_same(&got, &want);
        if (i == 0) {
            assert_int_equal(indexer_run(span_str(dir)), 0);
            buf_clear(&got);
            list(&f, &got);
            assert_same(&got, &want);
        }
        remove_index();
    }
    buf_deinit(&want);
    buf_deinit(&got);
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

/* The bytes of whole grams, as they stand in the file. */
static bool holds(const char *name, const char *bytes)
{
    char command[256];
    snprintf(command, sizeof(command), "cat %s/%s* | grep -aq '%s'", dir, name, bytes);
    return system(command) == 0;
}

static void forgets(void **state)
{
    struct buf gram = BUF_INIT(64);
    begin(4, 2 * HOUR_US);
    struct store *s = open_store();
    struct audit_hit hit = hit_example;
    hit.context = hit.text = SPAN_LIT("鑫淼");
    hit.context_start = hit.context_end = 0;
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject_example,
                            .hits = &hit,
                            .hit_count = 1,
                            .action = ACTION_BLOCK};
    write_event(s, &e);
    store_close(s);
    assert_int_equal(indexer_run(span_str(dir)), 0);
    /* FTS5 keeps words that follow each other as their ends: the last character of the pair. */
    assert_int_equal(grams_query(SPAN_LIT("淼"), &gram), 0);
    gram.data[gram.len - 1] = '\0';
    assert_true(holds("tx-", gram.data + 1));
    struct query_filter f = {.text = SPAN_LIT("鑫淼")};
    struct buf found = BUF_INIT(1024);
    list(&f, &found);
    assert_span(buf_span(&found), SPAN_LIT("req-1/1 \n"));
    struct files files;
    assert_int_equal(files_list(span_str(dir), 0, &files), 0);
    tamper(1, "DELETE FROM text");
    for (size_t i = 0; i < files.count; i++)
        assert_int_equal(index_forget(span_str(dir), files.months[i]), 0);
    assert_false(holds("tx-", gram.data + 1));
    assert_int_equal(indexer_run(span_str(dir)), 0);
    assert_false(holds("tx-", gram.data + 1));
    buf_clear(&found);
    list(&f, &found);
    assert_span(buf_span(&found), SPAN_LIT("\n"));
    for (size_t i = 0; i < files.count; i++)
        assert_int_equal(index_remove(span_str(dir), INDEX_TEXT, files.months[i]), 0);
    assert_int_equal(index_forget(span_str(dir), files.months[0]), 0);
    buf_deinit(&found);
    buf_deinit(&gram);
}

/* What was removed behind the indexer's back leaves no words behind. */
static void goes_with_what_it_speaks_of(void **state)
{
    char command[192];
    struct files files;
    begin(31, 2 * HOUR_US);
    struct store *s = open_store();
    write_random(s, 0, 150);
    store_close(s);
    assert_int_equal(indexer_run(span_str(dir)), 0);
    assert_int_equal(files_list(span_str(dir), 0, &files), 0);
    assert_true(files.count > 1);
    snprintf(command, sizeof(command), "rm %s/l[01]-%04d-%02d.db; rm %s/l1-*.db; ls %s/tx-*.db",
             dir, files.months[0] / 12, files.months[0] % 12 + 1, dir, dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(indexer_run(span_str(dir)), 0);
    snprintf(command, sizeof(command), "! ls %s | grep -e '^tx-' -e '^ix-%04d-%02d'", dir,
             files.months[0] / 12, files.months[0] % 12 + 1);
    assert_int_equal(system(command), 0);
    char path[PATH_MAX];
    assert_true(index_path(span_str(dir), INDEX_ROWS, files.months[1], path));
    assert_int_equal(access(path, F_OK), 0);
}

static bool has_word(struct span words_of, struct span word)
{
    struct span w;
    while (span_split(&words_of, ' ', &w))
        if (span_eq(w, word))
            return true;
    return false;
}

/* Every gram that is asked for is one of the text's, wherever the needle stands in it. */
static void grams_of_a_part_are_grams_of_the_whole(void **state)
{
    static const unsigned char bytes[] = {'a',  'B',  '9',  ' ',  '"',  0xe4, 0xbd, 0xa0,
                                          0xff, 0xc3, 0xa9, 0xf0, 0x9f, 0x98, 0x80};
    struct grams g = {0};
    struct buf document = BUF_INIT(1u << 20), query = BUF_INIT(1u << 16);
    seed = 8;
    for (int round = 0; round < 3000; round++) {
        char text[48];
        size_t len = 1 + below(sizeof(text));
        for (size_t i = 0; i < len; i++)
            text[i] = (char)bytes[below(sizeof(bytes))];
        if (round % 2)
            len = random_text(text, 3).len;
        size_t from = below((unsigned)len), to = from + 1 + below((unsigned)(len - from));
        buf_clear(&document);
        buf_clear(&query);
        grams_clear(&g);
        assert_int_equal(grams_add(&g, span_from(text, len)), 0);
        assert_int_equal(grams_write(&g, &document), 0);
        assert_int_equal(grams_query(span_from(text + from, to - from), &query), 0);
        struct span rest = buf_span(&query), part;
        while (span_split(&rest, ' ', &part))
            if (part.len > 4)
                assert_true(has_word(buf_span(&document), span_slice(part, 1, part.len - 1)));
    }
    buf_clear(&query);
    assert_int_equal(grams_query(SPAN_LIT("a"), &query), 0);
    assert_int_equal(query.len, 0);
    assert_int_equal(grams_query(SPAN_LIT("\xff\xfe"), &query), 0);
    assert_int_equal(query.len, 0);
    assert_int_equal(grams_query(SPAN_LIT("北"), &query), 0);
    assert_int_equal(query.len, 6);
    buf_deinit(&document);
    buf_deinit(&query);
    grams_deinit(&g);
}

/* The thread: follows while the log is written, and needs nobody to tell it. */
static void follows(void **state)
{
    struct indexer *i = NULL;
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_port *port;
    struct audit_done done;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(indexer_start(span_str(dir), &i), 0);
    assert_int_equal(submit(a, port, 1, AUDIT_ACT, "one"), 0);
    collect(port, &done, 1);
    struct files files;
    uint64_t seq = 0;
    assert_int_equal(files_list(span_str(dir), 0, &files), 0);
    for (int tries = 0; tries < 3000 && seq < done.seq; tries++) {
        char path[PATH_MAX];
        struct db *l0 = NULL, *ix = NULL;
        struct db_options o = {.readonly = true};
        assert_true(files_path(span_str(dir), 0, files.months[0], path));
        assert_int_equal(db_open(span_str(path), &o, &l0), 0);
        if (index_open_read(span_str(dir), INDEX_TEXT, files.months[0], l0, &ix, &seq) == 0)
            db_close(ix);
        db_close(l0);
        usleep(10000);
    }
    assert_int_equal(seq, done.seq);
    indexer_stop(i);
    audit_port_close(port);
    audit_close(a);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(finds_what_reading_finds),
        CASE(grows_into_what_is_made_at_once),
        CASE(survives_kill),
        CASE(begins_anew_where_it_does_not_fit),
        CASE(pages_give_each_row_once),
        CASE(gives_up_in_time),
        CASE(forgets),
        CASE(goes_with_what_it_speaks_of),
        cmocka_unit_test(grams_of_a_part_are_grams_of_the_whole),
        CASE(follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
