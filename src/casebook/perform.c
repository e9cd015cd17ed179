/*
 * An act from its wish to its deed: checked, written down as pending, put on record, carried out.
 * A crash leaves it pending; whether its record made it into the log decides then what it was.
 */
#include "casebook/book.h"

#include "audit/query.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#define DETAIL_MAX 32768 /* 500 request ids fit */
#define SALT_SIZE  16
#define ARENA_MAX  (8u << 20)

struct performance {
    struct casebook *book;
    const struct casebook_act *act;
    struct casebook_answer *answer;
    uint64_t now;
    int64_t row; /* of the table `act` */
    char token[33];
    unsigned char salt[SALT_SIZE];
};

static int refuse(struct casebook_answer *ret, int error, const char *why)
{
    snprintf(ret->error, sizeof(ret->error), "%s", why);
    return error;
}

/* ---- which of the requests it is about ---- */

/* Whose verdict stands in that slot? -ENOENT: nobody's. */
static int holder(struct casebook *c, struct span id, int64_t slot, struct span who, bool *ret_his)
{
    struct db_stmt *s;
    int r = book_prepare(c->db, "SELECT reviewer FROM review WHERE request_id=? AND slot=?", &s,
                         "si", id, slot);
    if (r == 0)
        r = db_step(s);
    if (r == 1)
        *ret_his = span_eq(db_column_text(s, 0), who);
    db_finalize(s);
    return r < 0 ? r : r == 1 ? 0 : -ENOENT;
}

/*
 * May this reviewer give that verdict now? 1, or 0: somebody was faster, or the second look is
 * asked of the one who had the first.
 */
static int may_review(struct casebook *c, const struct casebook_act *a, struct span id)
{
    bool first = false, second = false;
    int one = holder(c, id, 1, a->author, &first), two = holder(c, id, 2, a->author, &second);
    if ((one < 0 && one != -ENOENT) || (two < 0 && two != -ENOENT))
        return one < 0 && one != -ENOENT ? one : two;
    if (!a->second)
        return one == -ENOENT || first;
    return one == 0 && !first && (two == -ENOENT || second);
}

/* Those that the act can be about, into the arena. */
static int choose(struct performance *p, struct arena *arena, struct casebook_act *ret)
{
    const struct casebook_act *a = p->act;
    struct span *ids = arena_alloc(arena, (a->request_count + 1) * sizeof(*ids));
    size_t n = 0, unknown = 0;
    if (!ids)
        return -ENOMEM;
    for (size_t i = 0; i < a->request_count; i++) {
        int r = items_ensure(p->book, a->requests[i]);
        unknown += r == 0;
        if (r == 1 && a->verb == CASEBOOK_REVIEW)
            r = may_review(p->book, a, a->requests[i]);
        if (r < 0)
            return r;
        if (r == 1)
            ids[n++] = a->requests[i];
    }
    *ret = *a;
    ret->requests = ids;
    ret->request_count = n;
    p->answer->skipped = a->request_count - n;
    if (n || !a->request_count)
        return 0;
    return unknown == a->request_count
               ? refuse(p->answer, -ENOENT, "the log has no such request")
               : refuse(p->answer, -EEXIST,
                        a->second ? "that is no second look: nobody reviewed it, you did, or "
                                    "somebody else was faster"
                                  : "somebody else reviewed it meanwhile");
}

static int number_new(struct performance *p, const char *sql, int64_t *ret)
{
    int r = book_int(p->book->db, sql, ret, "");
    p->answer->number = *ret;
    return r;
}

static int number_known(struct performance *p, const char *sql)
{
    int64_t there;
    int r = book_int(p->book->db, sql, &there, "i", p->act->number);
    p->answer->number = p->act->number;
    return r == -ENOENT ? refuse(p->answer, r, "there is none of that number") : r;
}

/* The act as it will be: with the requests that it is about and the number that it gets. */
static int prepare(struct performance *p, struct arena *arena, struct casebook_act *ret)
{
    struct span *ids = NULL;
    *ret = *p->act;
    int r = 0;
    switch (p->act->verb) {
    case CASEBOOK_SAMPLE:
        r = items_sample(p->book, p->act, arena, &ids, &ret->request_count);
        ret->requests = ids;
        if (r == -E2BIG)
            return refuse(p->answer, -EINVAL, "that sample has more than 10,000 requests");
        if (r == -ETIME)
            return refuse(p->answer, -EINVAL,
                          "that time holds too many records to draw from: name a shorter one");
        break;
    case CASEBOOK_COMPLAINT:
        r = number_new(p, "SELECT coalesce(max(id),0)+1 FROM ticket", &ret->number);
        p->answer->due_us = p->now + p->book->due_us;
        break;
    case CASEBOOK_OPENING:
        r = choose(p, arena, ret);
        if (r == 0)
            r = number_new(p, "SELECT coalesce(max(id),0)+1 FROM incident", &ret->number);
        break;
    case CASEBOOK_TICKET:
        r = number_known(p, "SELECT 1 FROM ticket WHERE id=?");
        break;
    case CASEBOOK_INCIDENT:
        r = number_known(p, "SELECT 1 FROM incident WHERE id=?");
        if (r == 0)
            r = choose(p, arena, ret);
        break;
    default:
        r = choose(p, arena, ret);
    }
    p->answer->done = ret->request_count;
    return r;
}

/* ---- on record ---- */

/* What a text said can be proven by who has it and the salt; the chain never holds it. */
static int put_hash(struct buf *out, const struct performance *p, const struct casebook_act *a)
{
    const struct span parts[] = {a->note,   a->text,     a->contact, a->what,
                                 a->impact, a->measures, a->remedy,  a->responsible};
    unsigned char digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    size_t bytes = 0;
    struct buf all = BUF_INIT(1u << 20);
    int r = buf_append(&all, SPAN_LIT("juyong.note.v1\0"));
    if (r == 0)
        r = buf_append(&all, span_from((const char *)p->salt, SALT_SIZE));
    for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(*parts); i++) {
        bytes += parts[i].len;
        r = buf_printf(&all, "%zu:", parts[i].len);
        if (r == 0)
            r = buf_append(&all, parts[i]);
    }
    if (r == 0 && bytes && (r = sha256_once(buf_span(&all), digest)) == 0) {
        codec_hex(span_from((const char *)digest, sizeof(digest)), hex);
        book_json(out, "text_hash", span_str(hex));
    }
    buf_deinit(&all);
    return r;
}

static int put_requests(struct buf *out, const struct casebook_act *a)
{
    struct buf ids = BUF_INIT(4u << 20);
    unsigned char digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    int r = 0;
    book_json_int(out, "requests", (int64_t)a->request_count);
    for (size_t i = 0; r == 0 && i < a->request_count; i++) {
        r = buf_append(&ids, a->requests[i]);
        if (r == 0)
            r = buf_append_char(&ids, ' ');
    }
    if (r == 0 && a->request_count <= CASEBOOK_REQUESTS_MAX)
        book_json(out, "ids", span_trim(buf_span(&ids)));
    else if (r == 0 && (r = sha256_once(buf_span(&ids), digest)) == 0) {
        codec_hex(span_from((const char *)digest, sizeof(digest)), hex);
        book_json(out, "ids_sha256", span_str(hex));
    }
    buf_deinit(&ids);
    return r;
}

static int write_detail(const struct performance *p, const struct casebook_act *a, struct buf *out)
{
    int r = buf_append_char(out, '{');
    book_json(out, "token", span_str(p->token));
    book_json(out, "author", a->author);
    if (a->login.len)
        book_json(out, "login", a->login);
    if (a->verdict)
        book_json(out, "verdict", span_str(casebook_verdict_name(a->verdict)));
    if (a->second)
        book_json_int(out, "second", 1);
    if (a->number)
        book_json_int(out, "number", a->number);
    if (a->to.len)
        book_json(out, "to", a->to);
    if (a->day.len)
        book_json(out, "day", a->day);
    if (a->state.len)
        book_json(out, "state", a->state);
    if (a->kind.len)
        book_json(out, "kind", a->kind);
    if (a->percent) {
        book_json_int(out, "since_us", (int64_t)a->since_us);
        book_json_int(out, "until_us", (int64_t)a->until_us);
        book_json_int(out, "percent", a->percent);
    }
    /* An export's description is ours, no text of a person. */
    if (a->verb == CASEBOOK_EXPORT)
        book_json(out, "what", a->what);
    if (a->request_count)
        r = put_requests(out, a);
    if (r == 0 && a->verb != CASEBOOK_EXPORT)
        r = put_hash(out, p, a);
    return r < 0 ? r : buf_append_char(out, '}');
}

static int await(struct casebook *c, uint64_t *ret_seq)
{
    struct pollfd fd = {.fd = audit_port_fd(c->port), .events = POLLIN};
    uint64_t end = clock_mono_ms() + c->wait_ms;
    struct audit_done done;
    for (;;) {
        /* An earlier one's late completion says nothing about this one. */
        if (audit_port_collect(c->port, &done, 1) > 0) {
            if (done.exchange != c->queued)
                continue;
            *ret_seq = done.seq;
            return done.status;
        }
        uint64_t now = clock_mono_ms();
        if (now >= end)
            return -ETIMEDOUT;
        if (poll(&fd, 1, (int)(end - now)) < 0 && errno != EINTR)
            return -errno;
    }
}

/* 0: durable. -ETIMEDOUT: nobody knows. Else it is not on record and never will be. */
static int record(const struct performance *p, const struct casebook_act *a, uint64_t *ret_seq)
{
    struct buf detail = BUF_INIT(DETAIL_MAX);
    struct audit_subject subject = {.client_ip = a->client_ip};
    struct audit_event event = {
        .kind = AUDIT_ADMIN, .subject = &subject, .reason = span_str(act_code(a->verb))};
    int r = write_detail(p, a, &detail);
    event.detail = buf_span(&detail);
    if (r == 0)
        r = audit_submit(p->book->audit, p->book->port, ++p->book->queued, &event);
    buf_deinit(&detail);
    return r < 0 ? r : await(p->book, ret_seq);
}

/* ---- pending, done ---- */

static int write_pending(struct performance *p, const struct casebook_act *a)
{
    struct db *db = p->book->db;
    struct db_stmt *s = NULL;
    struct buf body = BUF_INIT(CASEBOOK_ACT_MAX);
    int r = casebook_write_act(a, &body);
    if (r == 0)
        r = book_int(db, "SELECT coalesce(max(id),0)+1 FROM act", &p->row, "");
    if (r == 0)
        r = book_prepare(db,
                         "INSERT INTO act(id,token,at_us,code,author,due_us,body,state,salt)"
                         " VALUES(?,?,?,?,?,?,?,0,?)",
                         &s, "isissis", p->row, span_str(p->token), (int64_t)p->now,
                         span_str(act_code(a->verb)), a->author, (int64_t)p->book->due_us,
                         buf_span(&body));
    if (r == 0)
        r = db_bind_blob(s, 8, span_from((const char *)p->salt, SALT_SIZE));
    if (r == 0)
        r = db_run(s); /* a transaction of its own */
    db_finalize(s);
    buf_deinit(&body);
    return book_wrote(p->book, r);
}

static int drop(struct casebook *c, int64_t row)
{
    return book_wrote(c, book_run(c->db, "DELETE FROM act WHERE id=? AND state=0", "i", row));
}

static int carry_out(struct casebook *c, const struct casebook_act *a, int64_t row, uint64_t at_us,
                     uint64_t due_us, uint64_t seq)
{
    int r = db_begin(c->db);
    if (r < 0)
        return book_wrote(c, r);
    r = apply_act(c->db, a, row, at_us, due_us);
    if (r == 0)
        r = book_run(c->db, "UPDATE act SET state=1, seq=? WHERE id=?", "ii", (int64_t)seq, row);
    if (r == 0)
        return book_wrote(c, db_commit(c->db));
    db_rollback(c->db);
    return book_wrote(c, r);
}

static int perform(struct performance *p, const struct casebook_act *a)
{
    uint64_t seq = 0;
    unsigned char token[16];
    int r = secret_random(token, sizeof(token));
    if (r == 0)
        r = secret_random(p->salt, sizeof(p->salt));
    if (r < 0)
        return r;
    codec_hex(span_from((const char *)token, sizeof(token)), p->token);
    r = write_pending(p, a);
    if (r < 0)
        return r;
    r = record(p, a, &seq);
    p->book->awaiting = r == -ETIMEDOUT;
    if (r < 0 && r != -ETIMEDOUT) {
        if (drop(p->book, p->row) < 0)
            p->book->unsettled = true;
        return refuse(p->answer, -EIO, "the log can't be written now, so that it is not done");
    }
    if (r == 0)
        r = carry_out(p->book, a, p->row, p->now, p->book->due_us, seq);
    if (r < 0) {
        p->book->unsettled = true;
        log_error("casebook: an act of %.*s is not carried out yet: %s", SPAN_ARG(a->author),
                  strerror(-r));
        return refuse(p->answer, -EINPROGRESS,
                      "it may be on record and is not carried out yet; the next one tries again");
    }
    book_tidy(p->book);
    return 0;
}

/* Can anything be decided, and is what was decided before carried out? */
static int ready(struct performance *p)
{
    struct casebook *c = p->book;
    uint64_t seq;
    if (book_check(c) < 0)
        return refuse(p->answer, -EIO, "the casebook can't be written until the gateway restarts");
    /* Before the log has answered nobody knows whether there is a record to settle by. */
    if (c->awaiting && await(c, &seq) == -ETIMEDOUT)
        return refuse(p->answer, -EAGAIN,
                      "the log can't be written now; the act before waits for it");
    c->awaiting = false;
    return c->unsettled ? book_settle(c) : 0;
}

int casebook_do(struct casebook *c, const struct casebook_act *act,
                struct casebook_answer *ret_answer)
{
    struct performance p = {.book = c, .act = act, .answer = ret_answer};
    struct casebook_act chosen;
    struct arena arena;
    *ret_answer = (struct casebook_answer){0};
    if (!c->audit)
        return refuse(ret_answer, -EROFS, "this process does not hold the log");
    int r = act_check(act, ret_answer);
    if (r < 0)
        return r;
    arena_init(&arena, ARENA_MAX);
    pthread_mutex_lock(&c->write_lock);
    p.now = clock_wall_us();
    r = ready(&p);
    if (r == 0)
        r = prepare(&p, &arena, &chosen);
    if (r == 0)
        r = perform(&p, &chosen);
    pthread_mutex_unlock(&c->write_lock);
    arena_deinit(&arena);
    if (r < 0 && !ret_answer->error[0])
        snprintf(ret_answer->error, sizeof(ret_answer->error), "%s", strerror(-r));
    if (r < 0)
        ret_answer->done = 0;
    return r;
}

/* ---- after a crash ---- */

/* Is there a record with that token? Its number; 0: no. */
static int find_record(struct casebook *c, struct span token, uint64_t at_us, uint64_t *ret_seq)
{
    /* The record's time was taken after the act's; clocks may have been set since. */
    struct query_filter f = {.all = true, .any_purpose = true, .since_us = at_us - BOOK_DAY_US};
    struct query *q = NULL;
    const struct query_row *row;
    int r = query_open(span_str(c->log_dir), &f, &q);
    *ret_seq = 0;
    while (r >= 0 && !*ret_seq && (r = query_next(q, &row)) == 1)
        if (span_eq(row->entry.kind, SPAN_LIT("admin")) &&
            span_find(row->entry.detail, token) < row->entry.detail.len)
            *ret_seq = row->entry.seq;
    query_close(q);
    return r < 0 && r != -ENOENT ? r : 0;
}

static int settle_one(struct casebook *c, int64_t row, struct span token, uint64_t at_us,
                      uint64_t due_us, struct span body)
{
    struct casebook_act act;
    struct arena arena;
    uint64_t seq;
    int r = find_record(c, token, at_us, &seq);
    if (r == 0 && seq == 0)
        return drop(c, row);
    arena_init(&arena, ARENA_MAX);
    if (r == 0)
        r = casebook_read_act(body, &arena, &act);
    if (r == 0)
        r = carry_out(c, &act, row, at_us, due_us, seq);
    if (r == 0)
        log_warning("casebook: an act of %.*s that is record %llu was left undone by a crash; now "
                    "it is carried out",
                    SPAN_ARG(act.author), (unsigned long long)seq);
    arena_deinit(&arena);
    return r;
}

int book_settle(struct casebook *c)
{
    struct db_stmt *s = NULL;
    int r = 0;
    /* One at a time: carrying out ends the statement's reading. */
    for (bool more = true; r == 0 && more;) {
        struct buf token = BUF_INIT(64), body = BUF_INIT(CASEBOOK_ACT_MAX);
        r = book_prepare(c->db, "SELECT id,token,at_us,due_us,body FROM act WHERE state=0 LIMIT 1",
                         &s, "");
        if (r == 0)
            r = db_step(s);
        more = r == 1;
        int64_t row = more ? db_column_int(s, 0) : 0;
        uint64_t at_us = more ? (uint64_t)db_column_int(s, 2) : 0;
        uint64_t due_us = more ? (uint64_t)db_column_int(s, 3) : 0;
        if (more)
            r = buf_append(&token, db_column_text(s, 1));
        if (more && r == 0)
            r = buf_append(&body, db_column_text(s, 4));
        db_finalize(s);
        if (more && r == 0)
            r = settle_one(c, row, buf_span(&token), at_us, due_us, buf_span(&body));
        buf_deinit(&token);
        buf_deinit(&body);
    }
    if (r == 0)
        c->unsettled = false;
    return r;
}
