/* What is too old goes, announced; what is held stays; what went unannounced is found. */
#include "logdir.h"

#include "audit/forget.h"
#include "audit/holds.h"
#include "audit/item.h"
#include "audit/prune.h"
#include "audit/reveal.h"
#include "audit/store.h"
#include "audit/verify.h"
#include "audit/witness.h"
#include "base/clock.h"

#include <dirent.h>
#include <pthread.h>
#include <string.h>

#define ANNA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BEN  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define WHO  SPAN_LIT("\"author\":\"zhou\",\"why\":\"a test\"")
#define DAY  UINT64_C(86400000000)

static struct audit *open_it(void)
{
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(dir), .node = SPAN_LIT("n"), .originals = 65536};
    assert_int_equal(audit_open(&o, &a), 0);
    return a;
}

/* One interception with a masked and an original text. */
static void intercept(struct audit *a, const char *request, const char *user)
{
    struct audit_subject subject = subject_example;
    struct audit_original original = {
        .direction = DIRECTION_PROMPT,
        .role = ROLE_USER,
        .path = SPAN_LIT("messages[0].content"),
        .text = SPAN_LIT("here is a bad word to be seen, said by 13912345678"),
        .hits = 1,
    };
    subject.request_id = span_str(request);
    subject.end_user = span_str(user);
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject,
                            .hits = &hit_example,
                            .hit_count = 1,
                            .action = ACTION_BLOCK,
                            .originals = &original,
                            .original_count = 1};
    struct audit_port *port;
    struct audit_done done;
    assert_int_equal(audit_port_open(a, &port), 0);
    assert_int_equal(audit_submit(a, port, 1, &e), 0);
    collect(port, &done, 1);
    assert_int_equal(done.status, 0);
    audit_port_close(port);
}

static void age_files(int months)
{
    for (int tier = 0; tier < 3; tier++) {
        char path[192], older[192];
        int year, month;
        month_path(tier, path);
        assert_int_equal(sscanf(strrchr(path, '/') + 4, "%d-%d", &year, &month), 2);
        int at = year * 12 + month - 1 - months;
        snprintf(older, sizeof(older), "%s/l%d-%04d-%02d.db", dir, tier, at / 12, at % 12 + 1);
        assert_int_equal(rename(path, older), 0);
    }
}

/* Three months, two interceptions each; the last one is being written. */
static struct audit *write_three_months(void)
{
    for (int months = 2; months > 0; months--) {
        char one[16], two[16];
        snprintf(one, sizeof(one), "m%d-anna", months);
        snprintf(two, sizeof(two), "m%d-ben", months);
        struct audit *a = open_it();
        intercept(a, one, ANNA);
        intercept(a, two, BEN);
        audit_close(a);
        age_files(months);
    }
    struct audit *a = open_it();
    intercept(a, "m0-anna", ANNA);
    intercept(a, "m0-ben", BEN);
    return a;
}

static struct prune_options after(unsigned days)
{
    return (struct prune_options){.dir = span_str(dir),
                                  .records = 183,
                                  .texts = 60,
                                  .originals = 30,
                                  .samples = 30,
                                  .now_us = clock_wall_us() + days * DAY,
                                  .who = WHO};
}

static unsigned count_files(const char *pattern)
{
    char command[256];
    unsigned n = 0;
    snprintf(command, sizeof(command), "ls %s/%s 2>/dev/null | wc -l", dir, pattern);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%u", &n), 1);
    pclose(f);
    return n;
}

static int verify(struct verify_report *r)
{
    struct verify_options o = {.dir = span_str(dir)};
    return verify_run(&o, r);
}

/* How many original texts of an exchange can be read; *ret_absent: that can't any more. */
static size_t originals_of(const char *request, size_t *ret_absent)
{
    struct arena arena;
    struct originals got;
    arena_init(&arena, ORIGINALS_ARENA);
    assert_int_equal(originals_read(span_str(dir), span_str(request), &arena, &got), 0);
    arena_deinit(&arena);
    *ret_absent = got.absent;
    return got.count;
}

static void nothing_is_old_at_first(void **state)
{
    struct prune_report r;
    struct verify_report v;
    struct audit *a = write_three_months();
    struct prune_options o = after(1);
    o.originals = 100;
    assert_int_equal(prune_run(a, &o, &r), 0);
    assert_int_equal(r.file_count + r.texts + r.originals + r.samples, 0);
    o.records = 182;
    assert_int_equal(prune_run(a, &o, &r), -EINVAL);
    assert_int_equal(prune_plan(&o, &r), -EINVAL);
    audit_close(a);
    assert_int_equal(verify(&v), 0);
    assert_int_equal(v.texts, 6);
    assert_int_equal(v.originals, 6);
    assert_span(peek(0, "SELECT 'n' || count(*) FROM record WHERE body LIKE '%\"prune%'"),
                SPAN_LIT("n0"));
}

static void texts_go_before_records(void **state)
{
    struct prune_report plan, r;
    struct verify_report v;
    size_t absent;
    struct audit *a = write_three_months();
    struct prune_options o = after(100);
    assert_int_equal(prune_plan(&o, &plan), 0);
    assert_int_equal(count_files("l1-*.db"), 3);
    assert_int_equal(prune_run(a, &o, &r), 0);
    assert_int_equal(r.file_count, 4);
    assert_int_equal(plan.file_count, 4);
    assert_int_equal(r.texts, 2); /* of the month that is written */
    assert_int_equal(r.originals, 2);
    assert_int_equal(plan.texts, 2);
    assert_int_equal(count_files("l0-*.db"), 3);
    assert_int_equal(count_files("l1-*.db"), 1);
    assert_int_equal(count_files("l2-*.db"), 1);
    assert_int_equal(originals_of("m0-anna", &absent), 0);
    assert_int_equal(absent, 1);
    assert_int_equal(originals_of("m2-anna", &absent), 0);
    assert_int_equal(absent, 1);
    intercept(a, "later", ANNA);
    audit_close(a);
    assert_int_equal(verify(&v), 0);
    assert_int_equal(v.texts, 1);
    assert_int_equal(v.texts_absent, 6);
    assert_int_equal(v.originals_absent, 6);
}

static void records_go_by_file_and_announced(void **state)
{
    struct prune_report r;
    struct verify_report v;
    char command[256];
    struct audit *a = write_three_months();
    struct prune_options o = after(220);
    assert_int_equal(prune_run(a, &o, &r), 0);
    assert_int_equal(r.file_count, 6);
    assert_int_equal(count_files("l0-*.db"), 1);
    assert_int_equal(count_files("l?-*.db*"), 9); /* with what SQLite keeps beside them */
    audit_close(a);
    a = open_it(); /* starts on what is left */
    audit_close(a);
    assert_int_equal(verify(&v), 0);
    assert_int_equal(v.first_seq, 9);
    /* The announcement gone with the record that holds it, the beginning is missed. */
    snprintf(command, sizeof(command), "rm %s/checkpoints.jsonl", dir);
    assert_int_equal(system(command), 0);
    tamper(0, "DELETE FROM record WHERE seq >= (SELECT min(seq) FROM record WHERE body LIKE"
              " '%\"reason\":\"prune\"%');"
              "UPDATE head SET seq = (SELECT max(seq) FROM record), hash = (SELECT hash FROM"
              " record ORDER BY seq DESC LIMIT 1)");
    assert_int_equal(verify(&v), 1);
    assert_int_equal(v.seq, 8);
    assert_non_null(strstr(v.what, "no record says"));
}

static void finds_what_nobody_announced(void **state)
{
    static const struct {
        const char *file, *what;
    } cases[] = {{"l0", "no record says"}, {"l1", "no record says"}, {"l2", "no record says"}};
    for (size_t i = 0; i < 3; i++) {
        struct verify_report v;
        char command[256];
        audit_close(write_three_months());
        assert_int_equal(verify(&v), 0);
        snprintf(command, sizeof(command), "rm $(ls %s/%s-*.db | head -n 1)", dir, cases[i].file);
        assert_int_equal(system(command), 0);
        if (verify(&v) != 1 || !strstr(v.what, cases[i].what) ||
            strncmp(v.file, cases[i].file, 2) != 0)
            fail_msg("%s: %s: %s", cases[i].file, v.file, v.what);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

static void held_texts_stay(void **state)
{
    struct prune_report r;
    struct verify_report v;
    struct forget_result f;
    uint64_t number = 0, other = 0;
    size_t absent;
    struct audit *a = write_three_months();
    struct hold anna = {.end_user = SPAN_LIT(ANNA), .why = SPAN_LIT("a\tcase\n\"of\" hers")};
    struct hold nothing = {.why = SPAN_LIT("?")}, one = {.request_id = SPAN_LIT("m1-ben")};
    assert_int_equal(holds_add(a, &nothing, WHO, &number), -EINVAL);
    nothing = (struct hold){.why = SPAN_LIT("?"), .since_us = 9, .until_us = 9};
    assert_int_equal(holds_add(a, &nothing, WHO, &number), -EINVAL);
    assert_int_equal(holds_add(a, &anna, WHO, &number), 0);
    assert_int_equal(holds_add(a, &one, WHO, &other), 0);
    assert_true(number && other > number);

    struct prune_options o = after(220);
    assert_int_equal(prune_run(a, &o, &r), 0);
    assert_int_equal(r.file_count, 0); /* each month has a text of hers */
    assert_int_equal(r.originals, 2);
    assert_int_equal(r.texts, 2);
    assert_true(r.held > 0);
    assert_int_equal(originals_of("m2-anna", &absent), 1);
    assert_int_equal(originals_of("m1-ben", &absent), 1);
    assert_int_equal(originals_of("m2-ben", &absent), 0);
    assert_int_equal(originals_of("m0-ben", &absent), 0);

    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &f), 0);
    assert_int_equal(f.texts + f.originals, 0);
    assert_int_equal(f.held, 3);
    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(BEN), &f), 0);
    assert_int_equal(f.texts + f.originals, 0);
    assert_int_equal(f.held, 1);

    /* The list is no place to lift a hold: the records tell. */
    audit_close(a);
    assert_int_equal(verify(&v), 0);
    char command[256];
    snprintf(command, sizeof(command), "sed -i.bak 1d %s/holds.tsv", dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(verify(&v), 1);
    assert_int_equal(v.seq, number);
    snprintf(command, sizeof(command), "mv %s/holds.tsv.bak %s/holds.tsv", dir, dir);
    assert_int_equal(system(command), 0);
    a = open_it();

    assert_int_equal(holds_release(a, number, WHO), 0);
    assert_int_equal(holds_release(a, number, WHO), -ENOENT);
    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &f), 0);
    assert_int_equal(f.texts, 3);
    assert_int_equal(f.originals, 3);
    assert_int_equal(prune_run(a, &o, &r), 0);
    assert_int_equal(r.file_count, 3); /* the oldest month; the next one holds m1-ben */
    assert_int_equal(count_files("l0-*.db"), 2);
    assert_int_equal(originals_of("m1-ben", &absent), 1);
    audit_close(a);
    assert_int_equal(verify(&v), 0);
}

#define SECOND    UINT64_C(1000000)
#define APRIL     (4078684800 * SECOND) /* 2099-04-01 */
#define HALF_YEAR (190 * DAY)

static struct store *open_store(void)
{
    struct store *s = NULL;
    assert_int_equal(store_open(span_str(dir), SPAN_LIT("0011223344556677"), SPAN_LIT("n"), &s), 0);
    return s;
}

/* An interception as it is written when the clock says that. */
static void write_at(struct store *s, uint64_t wall_us)
{
    struct item *i = NULL;
    uint64_t seq;
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject_example,
                            .hits = &hit_example,
                            .hit_count = 1,
                            .action = ACTION_BLOCK};
    assert_int_equal(item_new(&e, 0, NULL, (struct item_limits){.text_max = 512}, &i), 0);
    i->wall_us = wall_us;
    assert_int_equal(store_begin(s, wall_us), 0);
    assert_int_equal(store_put(s, i, &seq), 0);
    assert_int_equal(store_commit(s), 0);
    item_unref(i);
}

/* A clock that was set back: each text is as old as its own record says, wherever it stands. */
static void a_clock_set_back_makes_nothing_old(void **state)
{
    struct prune_report r;
    struct store *s = open_store();
    write_at(s, APRIL + 27 * DAY);
    write_at(s, APRIL + 10 * DAY);
    write_at(s, APRIL + 11 * DAY);
    store_close(s);
    struct prune_options o = after(0);
    o.now_us = APRIL + 9 * DAY + 60 * DAY;
    assert_int_equal(prune_plan(&o, &r), 0);
    assert_int_equal(r.texts, 0);
    o.now_us += 2 * DAY - 1;
    assert_int_equal(prune_plan(&o, &r), 0);
    assert_int_equal(r.texts, 1);
    o.now_us += 10 * DAY;
    assert_int_equal(prune_plan(&o, &r), 0);
    assert_int_equal(r.texts, 2);
}

static void write_hold(uint64_t since_us, uint64_t until_us)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/holds.tsv", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "999999\t1\t%llu\t%llu\t\t\t\tcase 9\n", (unsigned long long)since_us,
            (unsigned long long)until_us);
    fclose(f);
}

static bool names(const struct prune_report *r, const char *file)
{
    bool named = false;
    for (size_t i = 0; i < r->file_count; i++)
        named = named || strcmp(r->files[i].name, file) == 0;
    return named;
}

/* Held is what says that it is of then, though it stands in a later month's file. */
static void a_hold_finds_what_a_wrong_clock_wrote(void **state)
{
    struct prune_report r;
    struct prune_options o = after(0);
    struct store *s = open_store();
    write_at(s, APRIL + 27 * DAY);
    write_at(s, APRIL - 100 * DAY);
    write_at(s, APRIL + 40 * DAY); /* the file that is being written never goes */
    store_close(s);
    o.now_us = APRIL + 400 * DAY;
    write_hold(APRIL - 200 * DAY, APRIL - 150 * DAY);
    assert_int_equal(prune_plan(&o, &r), 0);
    assert_true(names(&r, "l0-2099-04.db"));
    write_hold(APRIL - 101 * DAY, APRIL - 99 * DAY);
    assert_int_equal(prune_plan(&o, &r), 0);
    assert_false(names(&r, "l0-2099-04.db"));
    assert_true(r.held > 0);
}

/* A clock that stands ahead takes no record; time in which records came does. */
static void a_clock_set_ahead_takes_no_records(void **state)
{
    struct prune_report r;
    struct prune_options o = after(0);
    struct store *s = open_store();
    write_at(s, APRIL + 10 * DAY);
    write_at(s, APRIL + 10 * DAY + HALF_YEAR + 40 * DAY); /* the first record of such a start */
    o.now_us = APRIL + 10 * DAY + HALF_YEAR + 40 * DAY;
    assert_int_equal(prune_plan(&o, &r), 0);
    assert_true(names(&r, "l0-2099-04.db")); /* as the clock has it */
    assert_int_equal(witness_clock(o.dir, o.now_us, &o.witnessed_us), 0);
    assert_int_equal(o.witnessed_us, APRIL + 10 * DAY);
    assert_int_equal(prune_plan(&o, &r), 0);
    assert_false(names(&r, "l0-2099-04.db"));
    assert_true(names(&r, "l1-2099-04.db")); /* of texts nobody says how long */
    store_close(s);

    remove_dir(NULL);
    make_dir(NULL);
    s = open_store();
    for (unsigned day = 10; day <= 10 + 230; day++)
        write_at(s, APRIL + day * DAY);
    store_close(s);
    assert_int_equal(witness_clock(span_str(dir), o.now_us, &o.witnessed_us), 0);
    assert_int_equal(o.witnessed_us, o.now_us);
    o.dir = span_str(dir);
    assert_int_equal(prune_plan(&o, &r), 0);
    assert_true(names(&r, "l0-2099-04.db"));
    /* Off since then, whatever the clock says. */
    assert_int_equal(witness_clock(span_str(dir), o.now_us + 900 * DAY, &o.witnessed_us), 0);
    assert_int_equal(o.witnessed_us, o.now_us);
}

static struct hold first_hold(void)
{
    static struct arena arena;
    struct holds list;
    arena_deinit(&arena);
    arena_init(&arena, (size_t)16 << 20);
    assert_int_equal(holds_load(span_str(dir), &arena, &list), 0);
    struct hold none = {.number = UINT64_MAX};
    return list.count ? list.list[0] : none;
}

static void run_sed(const char *how)
{
    char command[256];
    snprintf(command, sizeof(command), "sed -i '%s' %s/holds.tsv", how, dir);
    assert_int_equal(system(command), 0);
}

/* A crash within the making of a hold: before its record, or between that and the list. */
static void a_hold_that_was_interrupted_is_settled(void **state)
{
    struct verify_report v;
    uint64_t number, later;
    struct hold anna = {.end_user = SPAN_LIT(ANNA), .why = SPAN_LIT("case 7")};
    struct audit *a = write_three_months();
    assert_int_equal(holds_add(a, &anna, WHO, &number), 0);
    audit_close(a);
    run_sed("s/^[0-9]*/0/");
    assert_int_equal(verify(&v), 0);
    a = open_it();
    assert_int_equal(first_hold().number, number);
    assert_span(first_hold().end_user, SPAN_LIT(ANNA));
    /* The next hold's list was written, its record never was. */
    assert_int_equal(holds_release(a, number, WHO), 0);
    assert_int_equal(holds_add(a, &anna, WHO, &later), 0);
    assert_int_equal(holds_release(a, later, WHO), 0);
    audit_close(a);
    char path[96];
    snprintf(path, sizeof(path), "%s/holds.tsv", dir);
    FILE *list = fopen(path, "w");
    fprintf(list, "0\t%llu\t0\t0\treq\t\t\tcase 8\n", (unsigned long long)clock_wall_us());
    fclose(list);
    a = open_it();
    assert_int_equal(first_hold().number, UINT64_MAX);
    audit_close(a);
    assert_int_equal(verify(&v), 0);
    /* Taking one off the list is not the same. What is not on record yet has no number to be
     * released by. */
    a = open_it();
    list = fopen(path, "w");
    fprintf(list, "0\t%llu\t0\t0\treq\t\t\tcase 8\n", (unsigned long long)clock_wall_us());
    fclose(list);
    assert_int_equal(holds_release(a, 0, WHO), -ENOENT);
    assert_int_equal(holds_add(a, &anna, WHO, &number), 0);
    audit_close(a);
    run_sed("1d");
    a = open_it();
    audit_close(a);
    assert_int_equal(verify(&v), 1);
    assert_int_equal(v.seq, number);
}

static void *unlock_soon(void *arg)
{
    usleep(200000);
    db_rollback(arg);
    return NULL;
}

/* One whose record still waits for the disk is not dropped. */
static void a_hold_waits_for_its_record(void **state)
{
    uint64_t number;
    char path[192];
    struct db *lock = NULL;
    struct db_options o = {0};
    pthread_t thread;
    struct hold anna = {.end_user = SPAN_LIT(ANNA), .why = SPAN_LIT("case 7")};
    struct audit *a = open_it();
    month_path(0, path);
    assert_int_equal(db_open(span_str(path), &o, &lock), 0);
    while (db_begin(lock) < 0) /* the writer may be at it */
        usleep(1000);
    char list[192];
    snprintf(list, sizeof(list), "%s/holds.tsv", dir);
    FILE *f = fopen(list, "w");
    assert_non_null(f);
    fprintf(f, "0\t%llu\t0\t0\treq\t\t\tcase 8\n", (unsigned long long)clock_wall_us());
    fclose(f);
    struct audit_event e = {
        .kind = AUDIT_ADMIN, .reason = SPAN_LIT("hold"), .detail = SPAN_LIT("{}")};
    assert_int_equal(audit_submit(a, NULL, 0, &e), 0);
    assert_int_equal(pthread_create(&thread, NULL, unlock_soon, lock), 0);
    assert_int_equal(holds_add(a, &anna, WHO, &number), 0);
    assert_span(first_hold().request_id, SPAN_LIT("req"));
    assert_true(first_hold().number > 0 && first_hold().number < number);
    pthread_join(thread, NULL);
    db_close(lock);
    audit_close(a);
}

static void damaged_holds_stop_everything(void **state)
{
    struct prune_report r;
    struct forget_result f;
    char path[96];
    struct audit *a = write_three_months();
    struct prune_options o = after(400);
    snprintf(path, sizeof(path), "%s/holds.tsv", dir);
    FILE *list = fopen(path, "w");
    fputs("9\t1\tnothing\n", list);
    fclose(list);
    assert_int_equal(prune_run(a, &o, &r), -EBADMSG);
    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &f), -EBADMSG);
    assert_int_equal(count_files("l0-*.db"), 3);
    audit_close(a);
}

/* Do these 24 bytes, given in hex, stand in one of the log's files? */
static bool is_in_a_file(const char *hex)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    unsigned char bytes[24];
    bool found = false;
    assert_non_null(d);
    for (size_t i = 0; i < sizeof(bytes); i++)
        assert_int_equal(sscanf(hex + 2 * i, "%2hhX", &bytes[i]), 1);
    while ((e = readdir(d))) {
        char path[400], piece[1 << 16];
        struct buf all = BUF_INIT(64u << 20);
        size_t n;
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        FILE *f = fopen(path, "r");
        while (f && (n = fread(piece, 1, sizeof(piece), f)) > 0)
            assert_int_equal(buf_append(&all, span_from(piece, n)), 0);
        if (f)
            fclose(f);
        found = found || memmem(all.data ? all.data : "", all.len, bytes, sizeof(bytes));
        buf_deinit(&all);
    }
    closedir(d);
    return found;
}

/* Neither what was sealed nor the key that opened it is in any file afterwards. */
static void deletion_leaves_no_bytes(void **state)
{
    struct forget_result f;
    struct verify_report v;
    char sealed[128];
    struct audit *a = open_it();
    intercept(a, "anna", ANNA);
    intercept(a, "ben", BEN);
    struct span hex = peek(2, "SELECT hex(substr(wrapped, 1, 24)) || hex(substr(sealed, 1, 24))"
                              " FROM original ORDER BY seq LIMIT 1");
    assert_int_equal(hex.len, 96);
    memcpy(sealed, hex.data, hex.len);
    sealed[hex.len] = '\0';
    for (int half = 0; half < 2; half++)
        assert_true(is_in_a_file(sealed + 48 * half));
    assert_int_equal(forget_run(span_str(dir), SPAN_NULL, SPAN_LIT(ANNA), &f), 0);
    assert_int_equal(f.originals, 1);
    assert_int_equal(f.texts, 1);
    assert_false(f.left_in_wal);
    for (int half = 0; half < 2; half++)
        assert_false(is_in_a_file(sealed + 48 * half));
    audit_close(a);
    assert_int_equal(verify(&v), 0);
    assert_int_equal(v.originals, 1);
    assert_int_equal(v.originals_absent, 1);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_old_at_first),
        CASE(texts_go_before_records),
        CASE(records_go_by_file_and_announced),
        CASE(finds_what_nobody_announced),
        CASE(held_texts_stay),
        CASE(a_hold_that_was_interrupted_is_settled),
        CASE(a_hold_waits_for_its_record),
        CASE(damaged_holds_stop_everything),
        CASE(deletion_leaves_no_bytes),
        CASE(a_clock_set_back_makes_nothing_old),
        CASE(a_hold_finds_what_a_wrong_clock_wrote),
        CASE(a_clock_set_ahead_takes_no_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
