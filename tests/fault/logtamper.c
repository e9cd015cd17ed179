/*
 * Seeded random changes to the files of a log, each of them to be found by verify, and named by the
 * first record that it concerns. The log has four months, texts, original texts and signed
 * checkpoints, of which a copy left the machine. Whoever changes it here can do everything but
 * sign.
 *
 *   test-log-tamper [ROUNDS [SEED]]     1,000 rounds unless told; each takes some 6 ms
 */
#include "../unit/audit/logdir.h"

#include "audit/head.h"
#include "audit/holds.h"
#include "audit/verify.h"
#include "faults.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#define MONTHS      4
#define RUNS        2 /* of the log in each month, each ends with a checkpoint */
#define EXCHANGES   4 /* of each run */
#define RECORDS_MAX 256
#define FILES_MAX   64
#define ANYWHERE    UINT64_MAX

/* A file as it was before anybody touched it. */
struct kept {
    char name[64];
    char *bytes;
    size_t size;
    mode_t mode;
};
struct snapshot {
    struct kept files[FILES_MAX];
    size_t count;
    uint64_t last_seq;
};

static struct snapshot whole, earlier[MONTHS * RUNS];
static size_t earlier_count;
static uint64_t seed = 20261126;
static char copy[96]; /* of the checkpoints, elsewhere */
static uint64_t first_of[MONTHS + 1], marks[MONTHS * RUNS];
static size_t mark_count;
static bool has_text[RECORDS_MAX], has_original[RECORDS_MAX];
static char bodies[RECORDS_MAX][4096];

/*
 * What verify has to say. `with`: with the copy of the checkpoints; `alone`: with those that lie
 * beside the log, 0: it can't be seen there.
 */
static struct {
    const char *what;
    uint64_t alone, with, or_else; /* or_else: another record that may be named */
    bool hidden;                   /* verify alone finds a whole log */
    bool harmless;                 /* what is left says the same */
} want;

static uint64_t pick(uint64_t n)
{
    return random_next(&seed) % n;
}

static uint64_t last_seq(void)
{
    return first_of[MONTHS] - 1;
}

static int month_of(uint64_t seq)
{
    int m = 0;
    while (seq >= first_of[m + 1])
        m++;
    return m;
}

/* ---- files ---- */

static void file_path(const char *name, char ret_path[160])
{
    snprintf(ret_path, 160, "%.60s/%.90s", dir, name);
}

static void keep_file(struct snapshot *s, const char *name)
{
    char path[160];
    struct stat st;
    file_path(name, path);
    struct kept *k = &s->files[s->count++];
    assert_true(s->count < FILES_MAX);
    snprintf(k->name, sizeof(k->name), "%s", name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    k->size = (size_t)st.st_size;
    k->mode = st.st_mode & 07777;
    k->bytes = malloc(k->size + 1);
    assert_int_equal(read(fd, k->bytes, k->size), k->size);
    close(fd);
}

static void each_file(const char *below, void (*fn)(void *ctx, const char *name), void *ctx)
{
    char path[160], name[512];
    file_path(below, path);
    DIR *d = opendir(path);
    assert_non_null(d);
    struct dirent *e;
    while ((e = readdir(d))) {
        snprintf(name, sizeof(name), "%s%s%s", below, below[0] ? "/" : "", e->d_name);
        if (e->d_type == DT_REG)
            fn(ctx, name);
    }
    closedir(d);
}

static void keep_one(void *ctx, const char *name)
{
    keep_file(ctx, name);
}

static void take_snapshot(struct snapshot *s, uint64_t seq)
{
    s->last_seq = seq;
    each_file("", keep_one, s);
    each_file("keys", keep_one, s);
}

static const struct kept *find_kept(const struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->files[i].name, name) == 0)
            return &s->files[i];
    return NULL;
}

static void remove_strange(void *ctx, const char *name)
{
    char path[160];
    file_path(name, path);
    if (!find_kept(ctx, name))
        unlink(path);
}

static void put_file(const struct kept *k)
{
    char path[160];
    file_path(k->name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, k->mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, k->bytes, k->size), k->size);
    close(fd);
}

static void put_back(struct snapshot *s)
{
    each_file("", remove_strange, s);
    for (size_t i = 0; i < s->count; i++)
        put_file(&s->files[i]);
}

static void tier_name(int tier, int month, char ret_name[64])
{
    size_t n = 0;
    for (size_t i = 0; i < whole.count; i++) {
        const char *name = whole.files[i].name;
        /* Names sort by month, snapshots do not. */
        if (name[0] != 'l' || name[1] != '0' + tier || !strstr(name, ".db") ||
            strlen(name) != strlen("l0-2026-11.db"))
            continue;
        size_t before = 0;
        for (size_t k = 0; k < whole.count; k++)
            before += strncmp(whole.files[k].name, name, 3) == 0 &&
                      strlen(whole.files[k].name) == strlen(name) &&
                      strcmp(whole.files[k].name, name) < 0;
        if (before == (size_t)month) {
            snprintf(ret_name, 64, "%s", name);
            n++;
        }
    }
    assert_int_equal(n, 1);
}

/* ---- SQL behind the log's back ---- */

static struct db *open_month(int tier, int month)
{
    char name[64], path[160];
    struct db *db = NULL;
    struct db_options o = {.busy_ms = 1000};
    tier_name(tier, month, name);
    file_path(name, path);
    assert_int_equal(db_open(span_str(path), &o, &db), 0);
    return db;
}

__attribute__((format(printf, 3, 4))) static void change(int tier, int month, const char *sql, ...)
{
    char text[12000];
    va_list ap;
    va_start(ap, sql);
    vsnprintf(text, sizeof(text), sql, ap);
    va_end(ap);
    struct db *db = open_month(tier, month);
    if (db_exec(db, text) != 0)
        fail_msg("%s: %.*s", text, SPAN_ARG(db_message(db)));
    db_close(db);
}

static void put_body(int month, uint64_t seq, const char *body, size_t len)
{
    struct db *db = open_month(0, month);
    struct db_stmt *s = NULL;
    assert_int_equal(db_prepare(db, SPAN_LIT("UPDATE record SET body = ?2 WHERE seq = ?1"), &s), 0);
    db_bind_int(s, 1, (int64_t)seq);
    db_bind_text(s, 2, span_from(body, len));
    assert_int_equal(db_run(s), 0);
    db_finalize(s);
    db_close(db);
}

/* Another record in canonical form: one digit of its time of the monotonic clock differs. */
static void edit_body(uint64_t seq, char ret_body[4096])
{
    strcpy(ret_body, bodies[seq]);
    char *at = strstr(ret_body, "\"mono\":");
    assert_non_null(at);
    at += strlen("\"mono\":");
    at += strspn(at, "0123456789") - 1;
    *at = *at == '9' ? '1' : (char)(*at + 1);
}

/* Computes hashes, heads and anchors anew from that record on, as who can't sign. */
static void restamp(int month, bool alone)
{
    unsigned char hash[SHA256_SIZE] = {0};
    struct sha256 *h = sha256_new();
    for (int m = 0; m < MONTHS; m++) {
        struct db *db = open_month(0, m);
        struct db_stmt *get = NULL, *put = NULL;
        uint64_t seq = 0;
        assert_int_equal(db_begin(db), 0);
        if (m > month) {
            assert_int_equal(db_prepare(db, SPAN_LIT("UPDATE head SET anchor = ?1"), &put), 0);
            db_bind_blob(put, 1, span_from((char *)hash, sizeof(hash)));
            assert_int_equal(db_run(put), 0);
            db_finalize(put);
            put = NULL;
        }
        assert_int_equal(db_prepare(db,
                                    SPAN_LIT("SELECT seq, body FROM record WHERE seq > ?1 ORDER"
                                             " BY seq LIMIT 1"),
                                    &get),
                         0);
        assert_int_equal(
            db_prepare(db, SPAN_LIT("UPDATE record SET hash = ?2 WHERE seq = ?1"), &put), 0);
        for (;;) {
            db_bind_int(get, 1, (int64_t)seq);
            if (db_step(get) != 1)
                break;
            seq = (uint64_t)db_column_int(get, 0);
            assert_int_equal(head_chain(h, hash, db_column_text(get, 1), hash), 0);
            db_reset(get);
            db_bind_int(put, 1, (int64_t)seq);
            db_bind_blob(put, 2, span_from((char *)hash, sizeof(hash)));
            assert_int_equal(db_run(put), 0);
        }
        db_finalize(get);
        db_finalize(put);
        assert_int_equal(db_exec(db, "UPDATE head SET seq = (SELECT max(seq) FROM record), hash ="
                                     " (SELECT hash FROM record ORDER BY seq DESC LIMIT 1)"),
                         0);
        assert_int_equal(db_commit(db), 0);
        db_close(db);
        if (alone && m == month)
            break;
    }
    sha256_free(h);
}

/* The checkpoints beside the log, those of more than `seq` records left out. */
static void trim_marks(uint64_t seq)
{
    size_t lines = 0;
    const struct kept *k = find_kept(&whole, "checkpoints.jsonl");
    struct kept less = *k;
    while (lines < mark_count && marks[lines] <= seq)
        lines++;
    less.size = 0;
    while (lines > 0)
        lines -= k->bytes[less.size++] == '\n';
    put_file(&less);
}

/* The first checkpoint at or behind that record: where a chain that was computed anew ends. */
static uint64_t mark_behind(uint64_t seq)
{
    for (size_t i = 0; i < mark_count; i++)
        if (marks[i] >= seq)
            return marks[i];
    return 0;
}

static bool is_mark(uint64_t seq)
{
    return mark_behind(seq) == seq;
}

/* ---- what is done to a record ---- */

static void expect(uint64_t seq)
{
    want.alone = want.with = seq;
}

static uint64_t any_record(void)
{
    return 1 + pick(last_seq());
}

static uint64_t any_with(const bool *has)
{
    for (;;) {
        uint64_t seq = any_record();
        if (has[seq])
            return seq;
    }
}

static void flip_body(void)
{
    uint64_t seq = any_record();
    char body[4096];
    strcpy(body, bodies[seq]);
    size_t len = strlen(body);
    body[pick(len)] ^= (char)(1 + pick(255));
    put_body(month_of(seq), seq, body, len);
    expect(seq);
}

static void edit_bytes(void)
{
    uint64_t seq = any_record();
    size_t len = strlen(bodies[seq]), at = pick(len + 1);
    char body[8192];
    /* Cut short, made longer, or a byte taken out. */
    memcpy(body, bodies[seq], len + 1);
    switch (pick(3)) {
    case 0:
        len = pick(len);
        break;
    case 1:
        memmove(body + at + 1, body + at, len - at);
        body[at] = (char)(' ' + pick(90));
        len++;
        break;
    default:
        at = pick(len);
        memmove(body + at, body + at + 1, len - at);
        len--;
    }
    put_body(month_of(seq), seq, body, len);
    expect(seq);
}

static void flip_hash(void)
{
    uint64_t seq = any_record();
    char byte[8];
    unsigned at = (unsigned)pick(32);
    snprintf(byte, sizeof(byte), "%02x", (unsigned)pick(256));
    change(
        0, month_of(seq),
        "UPDATE record SET hash = CASE WHEN substr(hash, %u, 1) = x'%s' THEN zeroblob(32) ELSE"
        " CAST(substr(hash, 1, %u) || x'%s' || substr(hash, %u) AS BLOB) END WHERE seq = %" PRIu64,
        at + 1, byte, at, byte, at + 2, seq);
    expect(seq);
}

static void change_column(void)
{
    static const char *const columns[] = {"time = time + 1",
                                          "time = -time",
                                          "request = request || 'x'",
                                          "request = 'other'",
                                          "weight = weight+1",
                                          "weight = 9 - weight",
                                          "body = ''",
                                          "hash = x''",
                                          "request = CAST(request AS BLOB)",
                                          "time = CAST(time AS BLOB)",
                                          "weight = CAST(weight AS BLOB)",
                                          "body = CAST(body AS BLOB) || x'00'"};
    uint64_t seq = any_record();
    change(0, month_of(seq), "UPDATE record SET %s WHERE seq = %" PRIu64,
           columns[pick(sizeof(columns) / sizeof(columns[0]))], seq);
    expect(seq);
}

/* Edited, and its own hash made to fit: the next one's does not. */
static void edit_with_hash(void)
{
    uint64_t seq = any_record();
    char body[4096];
    int m = month_of(seq);
    edit_body(seq, body);
    put_body(m, seq, body, strlen(body));
    restamp(m, true);
    /* Those behind it in the month as they were. */
    const struct kept *k = NULL;
    char name[64], path[160];
    tier_name(0, m, name);
    file_path(name, path);
    k = find_kept(&whole, name);
    char older[170];
    snprintf(older, sizeof(older), "%s.old", path);
    int fd = open(older, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, k->bytes, k->size), k->size);
    close(fd);
    change(0, m,
           "ATTACH '%s' AS old; UPDATE record SET hash = (SELECT hash FROM old.record AS o WHERE"
           " o.seq = record.seq) WHERE seq > %" PRIu64 "; UPDATE head SET hash = (SELECT hash FROM"
           " old.head)",
           older, seq);
    unlink(older);
    expect(is_mark(seq) || seq + 1 == first_of[m + 1] ? seq : seq + 1);
}

static void delete_record(void)
{
    uint64_t seq = any_record();
    change(0, month_of(seq), "DELETE FROM record WHERE seq = %" PRIu64, seq);
    expect(seq);
}

/* A record that never was, with those behind it moved up, or behind the end. */
static void insert_record(void)
{
    uint64_t seq = any_record();
    int m = month_of(seq);
    if (pick(4) == 0) {
        seq = last_seq() + 1 + pick(3);
        change(0, MONTHS - 1,
               "INSERT INTO record SELECT %" PRIu64
               ", time, request, weight, body, hash FROM record"
               " WHERE seq = %" PRIu64,
               seq, last_seq());
        expect(last_seq() + 1);
        return;
    }
    change(0, m,
           "UPDATE record SET seq = -seq WHERE seq >= %" PRIu64 "; UPDATE record SET seq = 1 - seq"
           " WHERE seq < 0; INSERT INTO record SELECT %" PRIu64 ", time, request, weight,"
           " replace(body, '\"seq\":%" PRIu64 "', '\"seq\":%" PRIu64
           "'), hash FROM record WHERE seq"
           " = %" PRIu64,
           seq, seq, seq + 1, seq, seq + 1);
    expect(seq);
    want.or_else = seq + 1; /* the very record in its old place, if that is what was inserted */
}

static uint64_t other_of_month(uint64_t seq)
{
    int m = month_of(seq);
    for (;;) {
        uint64_t other = first_of[m] + pick(first_of[m + 1] - first_of[m]);
        if (other != seq)
            return other;
    }
}

static void swap_records(void)
{
    uint64_t a = any_record(), b = other_of_month(a);
    change(0, month_of(a),
           "UPDATE record SET seq = -1 WHERE seq = %" PRIu64 "; UPDATE record SET seq = %" PRIu64
           " WHERE seq = %" PRIu64 "; UPDATE record SET seq = %" PRIu64 " WHERE seq = -1",
           a, a, b, b);
    expect(a < b ? a : b);
}

static void duplicate_record(void)
{
    uint64_t a = any_record(), b = other_of_month(a);
    change(0, month_of(a),
           "INSERT OR REPLACE INTO record SELECT %" PRIu64
           ", time, request, weight, body, hash FROM"
           " record WHERE seq = %" PRIu64,
           b, a);
    expect(b);
}

/* ---- what is done to the chain ---- */

/* All hashes computed anew behind an edit: no checkpoint fits any more. */
static void restamp_edit(void)
{
    uint64_t seq = any_record();
    char body[4096];
    edit_body(seq, body);
    put_body(month_of(seq), seq, body, strlen(body));
    restamp(month_of(seq), false);
    expect(mark_behind(seq));
    /* And without those that lie beside the log nothing but the copy tells. */
    if (pick(2)) {
        trim_marks(seq - 1);
        want.hidden = true;
    }
}

/* The last month's records from some one on, with their texts, and a head that does not know them.
 */
static void truncate_tail(void)
{
    uint64_t first = first_of[MONTHS - 1], from = first + 1 + pick(last_seq() - first);
    change(0, MONTHS - 1,
           "DELETE FROM record WHERE seq >= %" PRIu64
           "; UPDATE head SET seq = (SELECT max(seq) FROM"
           " record), hash = (SELECT hash FROM record ORDER BY seq DESC LIMIT 1)",
           from);
    change(1, MONTHS - 1, "DELETE FROM text WHERE seq >= %" PRIu64, from);
    change(2, MONTHS - 1, "DELETE FROM original WHERE seq >= %" PRIu64, from);
    expect(from);
    if (pick(2)) {
        trim_marks(from - 1);
        want.hidden = true;
    }
}

static void roll_back(void)
{
    struct snapshot *s = &earlier[pick(earlier_count - 1)];
    put_back(s);
    expect(s->last_seq + 1);
    want.hidden = true;
}

static void remove_month(int tier, int m)
{
    char name[64], path[160];
    tier_name(tier, m, name);
    file_path(name, path);
    assert_int_equal(unlink(path), 0);
}

static void remove_file(void)
{
    int tier = (int)pick(3), m = (int)pick(MONTHS);
    remove_month(tier, m);
    if (tier > 0) {
        expect(0); /* the file is named: no record says that it went */
        want.or_else = 0;
    } else if (m == 0) {
        expect(first_of[1] - 1);
    } else {
        expect(first_of[m]);
    }
}

/* By what it was at some earlier time, or by another month's. */
static void replace_file(void)
{
    char name[64], from[64];
    int m = (int)pick(MONTHS);
    tier_name(0, m, name);
    if (pick(2)) {
        for (size_t i = 0; i < earlier_count; i++) {
            const struct kept *k = find_kept(&earlier[i], name);
            if (!k || earlier[i].last_seq + 1 >= first_of[m + 1])
                continue;
            put_file(k);
            expect(earlier[i].last_seq + 1);
            return;
        }
    }
    int other = (m + 1 + (int)pick(MONTHS - 1)) % MONTHS;
    tier_name(0, other, from);
    struct kept k = *find_kept(&whole, from);
    snprintf(k.name, sizeof(k.name), "%s", name);
    put_file(&k);
    if (m == 0)
        expect(first_of[other] - 1), want.or_else = ANYWHERE;
    else
        expect(first_of[m]);
}

static void change_head(void)
{
    static const char *const heads[] = {"seq = seq + 1", "seq = seq - 1",     "hash = zeroblob(32)",
                                        "hash = x''",    "first = first + 1", "first = 0",
                                        "anchor = x'00'"};
    size_t n = pick(sizeof(heads) / sizeof(heads[0]));
    int m = (int)pick(MONTHS);
    change(0, m, "UPDATE head SET %s", heads[n]);
    switch (n) {
    case 0:
    case 1:
        expect(first_of[m + 1]);
        break;
    case 2:
        expect(first_of[m + 1] - 1);
        break;
    case 4:
        expect(first_of[m]);
        want.or_else = m ? 0 : first_of[m] + 1;
        break;
    default:
        expect(0);
    }
}

/* With a key of their own whoever has the machine signs all of it anew. */
static void sign_anew(void)
{
    uint64_t seq = any_record();
    char body[4096], path[160];
    edit_body(seq, body);
    put_body(month_of(seq), seq, body, strlen(body));
    restamp(month_of(seq), false);
    file_path("checkpoints.jsonl", path);
    assert_int_equal(unlink(path), 0);
    file_path("keys/checkpoint.key", path);
    assert_int_equal(unlink(path), 0);
    file_path("keys/checkpoint.pub", path);
    assert_int_equal(unlink(path), 0);
    struct audit *a = open_log(AUDIT_REQUIRED);
    audit_close(a);
    expect(mark_behind(seq));
    want.hidden = true;
}

static void change_mark(void)
{
    const struct kept *k = find_kept(&whole, "checkpoints.jsonl");
    struct kept other = *k;
    other.bytes = malloc(k->size);
    memcpy(other.bytes, k->bytes, k->size);
    size_t at = pick(k->size);
    while (other.bytes[at] == '\n')
        at = pick(k->size);
    char c = other.bytes[at];
    do
        other.bytes[at] = (char)(c ^ (1 << pick(7)));
    while (other.bytes[at] == '\n' ||
           ((c | 0x20) == (other.bytes[at] | 0x20) && (c | 0x20) >= 'a' && (c | 0x20) <= 'f'));
    put_file(&other);
    free(other.bytes);
    expect(0);
    want.with = ANYWHERE; /* the copy is whole, and so is the log */
}

/* ---- what is done to texts ---- */

static void change_text(void)
{
    static const char *const columns[] = {
        "salt = randomblob(16)", "salt = x''",         "path = path || '.'",
        "text = 'good word'",    "text = text || ' '", "context = substr(context, 2)",
        "start = start + 1",     "end = end - 1",      "folded = ''",
        "at = at + 7",           "sample = 1 - sample"};
    uint64_t seq = any_with(has_text);
    change(1, month_of(seq), "UPDATE text SET %s WHERE seq = %" PRIu64 " AND at = 0",
           columns[pick(sizeof(columns) / sizeof(columns[0]))], seq);
    expect(seq);
}

static void add_text(void)
{
    uint64_t from = any_with(has_text), to = other_of_month(from);
    while (has_text[to])
        to = other_of_month(from);
    change(1, month_of(from),
           "INSERT INTO text SELECT %" PRIu64 ", at, salt, path, text, context, start, end, folded,"
           " sample FROM text WHERE seq = %" PRIu64 " AND at = 0",
           to, from);
    expect(to);
}

static void swap_texts(void)
{
    uint64_t a = any_with(has_text), b;
    do
        b = any_with(has_text);
    while (b == a || month_of(b) != month_of(a));
    change(1, month_of(a),
           "UPDATE text SET seq = -1 WHERE seq = %" PRIu64 "; UPDATE text SET seq = %" PRIu64
           " WHERE seq = %" PRIu64 "; UPDATE text SET seq = %" PRIu64 " WHERE seq = -1",
           a, a, b, b);
    expect(a < b ? a : b);
}

static void change_original(void)
{
    static const char *const columns[] = {"wrapped = randomblob(length(wrapped))",
                                          "sealed = randomblob(length(sealed))",
                                          "sealed = substr(sealed, 1, length(sealed) - 1)",
                                          "wrapped = x''",
                                          "sealed = x''",
                                          "key = '0123456789abcdef'",
                                          "key = ''"};
    uint64_t seq = any_with(has_original);
    change(2, month_of(seq), "UPDATE original SET %s WHERE seq = %" PRIu64,
           columns[pick(sizeof(columns) / sizeof(columns[0]))], seq);
    expect(seq);
}

static void move_original(void)
{
    uint64_t from = any_with(has_original), to = other_of_month(from);
    change(2, month_of(from),
           "INSERT OR REPLACE INTO original SELECT %" PRIu64 ", key, wrapped, sealed FROM original"
           " WHERE seq = %" PRIu64,
           to, from);
    expect(to);
}

/* ---- any byte of any file ---- */

static void flip_file(void)
{
    char name[64];
    tier_name((int)pick(3), (int)pick(MONTHS), name);
    const struct kept *k = find_kept(&whole, name);
    struct kept other = *k;
    other.bytes = malloc(k->size);
    memcpy(other.bytes, k->bytes, k->size);
    other.bytes[pick(k->size)] ^= (char)(1 << pick(8));
    put_file(&other);
    free(other.bytes);
    expect(ANYWHERE);
    want.harmless = true; /* indexes and free space are not read */
}

static void (*const attacks[])(void) = {
    flip_body,     edit_bytes,   flip_hash,        change_column, edit_with_hash, delete_record,
    insert_record, swap_records, duplicate_record, restamp_edit,  truncate_tail,  roll_back,
    remove_file,   replace_file, change_head,      sign_anew,     change_mark,    change_text,
    add_text,      swap_texts,   change_original,  move_original, flip_file,
};
static const char *const names[] = {
    "flip_body",       "edit_bytes",    "flip_hash",    "change_column",    "edit_with_hash",
    "delete_record",   "insert_record", "swap_records", "duplicate_record", "restamp_edit",
    "truncate_tail",   "roll_back",     "remove_file",  "replace_file",     "change_head",
    "sign_anew",       "change_mark",   "change_text",  "add_text",         "swap_texts",
    "change_original", "move_original", "flip_file",
};
#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

/* ---- the log ---- */

static void write_exchange(struct audit *a, int number)
{
    struct audit_subject subject = subject_example;
    struct audit_hit hit = hit_example;
    char request[32];
    snprintf(request, sizeof(request), "req-%d", number);
    subject.request_id = span_str(request);
    hit.start = 33;
    hit.end = 41;
    struct audit_original original = {.direction = DIRECTION_PROMPT,
                                      .role = ROLE_USER,
                                      .path = SPAN_LIT("messages[0].content"),
                                      .text =
                                          SPAN_LIT("call me and then ask for the bad word there"),
                                      .hits = 1};
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject,
                            .hits = &hit,
                            .hit_count = 1,
                            .action = ACTION_BLOCK,
                            .originals = &original,
                            .original_count = 1};
    assert_int_equal(submit(a, NULL, 1, AUDIT_OPEN, request), 0);
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    assert_int_equal(submit(a, NULL, 1, AUDIT_CLOSE, request), 0);
}

static void remember_bodies(int month)
{
    struct db *db = open_month(0, month);
    struct db_stmt *s = NULL;
    assert_int_equal(db_prepare(db, SPAN_LIT("SELECT seq, body FROM record ORDER BY seq"), &s), 0);
    while (db_step(s) == 1) {
        uint64_t seq = (uint64_t)db_column_int(s, 0);
        struct span body = db_column_text(s, 1);
        assert_true(seq < RECORDS_MAX && body.len < sizeof(bodies[0]));
        memcpy(bodies[seq], body.data, body.len);
        has_text[seq] = strstr(bodies[seq], "\"commit\"") != NULL;
        has_original[seq] = strstr(bodies[seq], "\"originals\"") != NULL;
        if (first_of[month] == 0)
            first_of[month] = seq;
        first_of[month + 1] = seq + 1;
    }
    db_finalize(s);
    db_close(db);
}

static void write_log(void)
{
    struct verify_report r;
    struct verify_options o = {.dir = span_str(dir)};
    int number = 0;
    for (int m = 0; m < MONTHS; m++) {
        fault_shift_clock((m - MONTHS) * 31ll * 86400 * 1000000);
        for (int run = 0; run < RUNS; run++) {
            struct audit *a = NULL;
            struct audit_options options = {
                .dir = span_str(dir), .node = SPAN_LIT("node-1"), .originals = 4096};
            assert_int_equal(audit_open(&options, &a), 0);
            for (int i = 0; i < EXCHANGES; i++)
                write_exchange(a, number++);
            if (run == 0 && m == 1) {
                uint64_t hold;
                struct hold anna = {.app = SPAN_LIT("default"), .until_us = 1};
                assert_int_equal(holds_add(a, &anna, SPAN_LIT("\"author\":\"Li\""), &hold), 0);
            }
            audit_close(a);
            assert_int_equal(verify_run(&o, &r), 0);
            assert_int_equal(r.checkpoint_size, r.last_seq);
            marks[mark_count++] = r.last_seq;
            take_snapshot(&earlier[earlier_count++], r.last_seq);
        }
    }
    fault_clear();
    take_snapshot(&whole, r.last_seq);
    for (int m = 0; m < MONTHS; m++)
        remember_bodies(m);
    put_back(&whole);
    assert_int_equal(first_of[MONTHS], r.last_seq + 1);
    char command[300];
    snprintf(command, sizeof(command),
             "cp %s/checkpoints.jsonl %s && cp %s/keys/checkpoint.pub %s.pub", dir, copy, dir,
             copy);
    assert_int_equal(system(command), 0);
}

/* ---- the test ---- */

static int verify_with(bool with, struct verify_report *r)
{
    char key[128];
    snprintf(key, sizeof(key), "%s.pub", copy);
    struct verify_options o = {.dir = span_str(dir)};
    if (with) {
        o.checkpoints = span_str(copy);
        o.public_key = span_str(key);
    }
    return verify_run(&o, r);
}

/* All that the files say, as one text. */
static void read_all(struct buf *out)
{
    static const char *const sql[] = {
        "SELECT group_concat(quote(seq) || quote(time) || quote(request) || quote(weight) ||"
        " quote(body) || quote(hash)) FROM (SELECT * FROM record NOT INDEXED ORDER BY seq)",
        "SELECT group_concat(quote(seq) || quote(at) || quote(salt) || quote(path) || quote(text) "
        "||"
        " quote(context) || quote(start) || quote(end) || quote(folded) || quote(sample)) FROM "
        "text",
        "SELECT group_concat(quote(seq) || quote(key) || quote(wrapped) || quote(sealed)) FROM"
        " original"};
    for (int m = 0; m < MONTHS; m++)
        for (int tier = 0; tier < 3; tier++) {
            char name[64], path[160];
            struct db *db = NULL;
            struct db_stmt *s = NULL;
            struct db_options o = {.readonly = true, .busy_ms = 1000};
            tier_name(tier, m, name);
            file_path(name, path);
            if (db_open(span_str(path), &o, &db) == 0 &&
                db_prepare(db, span_str(sql[tier]), &s) == 0 && db_step(s) == 1)
                buf_append(out, db_column_text(s, 0));
            buf_append(out, SPAN_LIT("\n"));
            db_finalize(s);
            db_close(db);
        }
}

/* A byte that verify may overlook: what the files say is what they said, but for removed texts. */
static void check_harmless(const struct buf *before, size_t round, const struct verify_report *r)
{
    struct buf now = BUF_INIT((size_t)64 << 20);
    read_all(&now);
    struct span a = buf_span(before), b = buf_span(&now);
    size_t at = 0;
    while (at < a.len && at < b.len && a.data[at] == b.data[at])
        at++;
    if (!span_eq(a, b))
        fail_msg(
            "round %zu: a byte of a file changed what it says, and verify found nothing (%" PRIu64
            " texts, %" PRIu64 " originals): %.*s instead of %.*s",
            round, r->texts, r->originals, (int)(b.len - at > 200 ? 200 : b.len - at), b.data + at,
            (int)(a.len - at > 200 ? 200 : a.len - at), a.data + at);
    buf_deinit(&now);
}

static bool fits(uint64_t found, uint64_t wanted)
{
    return wanted == ANYWHERE || found == wanted || found == want.or_else ||
           want.or_else == ANYWHERE;
}

static unsigned rounds = 1000;

static void finds_every_change(void **state)
{
    struct buf before = BUF_INIT((size_t)64 << 20);
    struct verify_report r;
    unsigned found[ATTACKS] = {0}, harmless = 0;
    write_log();
    read_all(&before);
    put_back(&whole);
    for (size_t i = 0; i < rounds; i++) {
        size_t n = i % ATTACKS;
        want = (typeof(want)){.what = names[n], .or_else = ANYWHERE - 1};
        uint64_t at = seed;
        attacks[n]();
        int alone = verify_with(false, &r);
        if (alone == 0 && want.harmless) {
            check_harmless(&before, i, &r);
            harmless++;
            put_back(&whole);
            continue;
        }
        if (alone != (want.hidden ? 0 : 1) || (alone == 1 && !fits(r.seq, want.alone)))
            fail_msg("round %zu (seed %" PRIu64 "), %s: verify gave %d, %s record %" PRIu64
                     " (%s) instead of %" PRIu64,
                     i, at, want.what, alone, r.file, r.seq, r.what, want.alone);
        int with = verify_with(true, &r);
        if ((with != 1 && want.with != ANYWHERE) || (with == 1 && !fits(r.seq, want.with)))
            fail_msg("round %zu (seed %" PRIu64 "), %s: verify with the copy gave %d, %s record"
                     " %" PRIu64 " (%s) instead of %" PRIu64,
                     i, at, want.what, with, r.file, r.seq, r.what, want.with);
        found[n]++;
        put_back(&whole);
        if (i % 50 == 0) {
            assert_int_equal(verify_with(false, &r), 0);
            assert_int_equal(verify_with(true, &r), 0);
            assert_int_equal(r.last_seq, last_seq());
        }
    }
    for (size_t n = 0; n < ATTACKS && rounds > ATTACKS; n++)
        assert_true(found[n] > 0);
    print_message("%u changes: %u found, %u of bytes that say nothing\n", rounds, rounds - harmless,
                  harmless);
    buf_deinit(&before);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10) | 1;
    snprintf(copy, sizeof(copy), "/tmp/juyong-tamper-%d", (int)getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_every_change, make_dir, remove_dir)};
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    char key[128];
    snprintf(key, sizeof(key), "%s.pub", copy);
    unlink(copy);
    unlink(key);
    return r;
}
