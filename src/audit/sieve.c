#include "audit/sieve.h"

#include "audit/grams.h"
#include "audit/index.h"
#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>

/* Rows that are looked at in one page without an index over what is asked: some 50 ms. */
#define WINDOW 200000u
/* Chunks of people that are looked at in one page: a millisecond. */
#define CHUNKS 64

enum source {
    SOURCE_ROWS, /* interception, and what is joined to it */
    SOURCE_RULE, /* hit, by rule */
    SOURCE_WHO,
    SOURCE_TEXT,
};

struct sieve {
    const struct query_filter *f;
    struct db *ix, *tx;
    struct db_stmt *page;
    struct db_stmt *check; /* SOURCE_TEXT: does the interception fit the rest of the filter? */
    enum source source;
    bool backwards, windowed;
    bool nothing; /* of what is asked for, the index knows no name: the loose rows alone */
    uint64_t end, from, to;
    struct buf match; /* of SOURCE_TEXT */
};

int sieve_bounds(struct db *ix, uint64_t end, uint64_t since_us, uint64_t until_us,
                 uint64_t *ret_from, uint64_t *ret_to)
{
    struct db_stmt *s = NULL;
    *ret_from = 0;
    *ret_to = INT64_MAX;
    if (since_us == 0 && until_us == 0)
        return 0;
    int r = db_prepare(ix,
                       SPAN_LIT("SELECT min(block), max(block) FROM block WHERE high >= ?1 AND"
                                " low < ?2"),
                       &s);
    if (r < 0)
        return r;
    db_bind_int(s, 1, since_us > INT64_MAX ? INT64_MAX : (int64_t)since_us);
    db_bind_int(s, 2, until_us && until_us < INT64_MAX ? (int64_t)until_us : INT64_MAX);
    r = db_step(s);
    if (r == 1) {
        struct span any = db_column_text(s, 0);
        /* Nothing of what it speaks of is of that time; what is behind it may be. */
        *ret_from = any.len ? (uint64_t)db_column_int(s, 0) * INDEX_BLOCK : end + 1;
        *ret_to = any.len ? ((uint64_t)db_column_int(s, 1) + 1) * INDEX_BLOCK - 1 : end;
    }
    db_finalize(s);
    return r < 0 ? r : 0;
}

/* ---- the SQL ---- */

/* Numbers of names that are `name`, or begin with it; "" where there are none. */
static int write_names(struct db *ix, struct span name, bool prefix, struct buf *out)
{
    struct db_stmt *s = NULL;
    /* substr() counts characters, and so must we: compared as bytes. */
    int r = db_prepare(ix,
                       prefix ? SPAN_LIT("SELECT id FROM name WHERE"
                                         " substr(CAST(text AS BLOB), 1, ?2) = CAST(?1 AS BLOB)")
                              : SPAN_LIT("SELECT id FROM name WHERE text = ?1"),
                       &s);
    if (r < 0)
        return r;
    db_bind_text(s, 1, name);
    if (prefix)
        db_bind_int(s, 2, (int64_t)name.len);
    while ((r = db_step(s)) == 1) {
        r = buf_printf(out, "%s%lld", out->len ? "," : "", (long long)db_column_int(s, 0));
        if (r < 0)
            break;
    }
    db_finalize(s);
    return r;
}

/* What is asked of the table of hits, as conditions on the alias h. */
static int write_hit_terms(struct sieve *s, struct buf *out)
{
    struct buf ids = BUF_INIT(1u << 20);
    const struct query_filter *f = s->f;
    int r = 0;
    if (f->rule.len) {
        r = write_names(s->ix, f->rule, false, &ids);
        s->nothing |= r == 0 && ids.len == 0;
        if (r == 0 && ids.len)
            r = buf_printf(out, " AND h.rule = %.*s", SPAN_ARG(buf_span(&ids)));
    }
    buf_clear(&ids);
    if (r == 0 && f->risk.len) {
        r = write_names(s->ix, f->risk, true, &ids);
        s->nothing |= r == 0 && ids.len == 0;
        if (r == 0 && ids.len)
            r = buf_printf(out, " AND h.risk IN (%.*s)", SPAN_ARG(buf_span(&ids)));
    }
    if (r == 0 && f->direction)
        r = buf_printf(out, " AND h.direction = %d", (int)f->direction);
    buf_deinit(&ids);
    return r;
}

/* What is asked of the exchange, as conditions on the alias i. */
static int write_row_terms(const struct query_filter *f, struct buf *out)
{
    const struct {
        const char *column;
        char kind;
        struct span value;
    } codes[] = {
        {"user", INDEX_USER, f->end_user},
        {"session", INDEX_SESSION, f->session},
        {"ip", INDEX_IP, f->client_ip},
        {"app", INDEX_APP, f->app},
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].value.len)
            r = buf_printf(out, " AND i.%s = %lld", codes[i].column,
                           (long long)index_code(codes[i].kind, codes[i].value));
    long long model = (long long)index_code(INDEX_MODEL, f->model);
    if (r == 0 && model)
        r = buf_printf(out, " AND (i.model = %lld OR i.answered = %lld)", model, model);
    if (r == 0 && !f->any_purpose)
        r = buf_printf(out, " AND i.purpose = %lld",
                       (long long)index_code(INDEX_PURPOSE, f->purpose));
    if (r == 0 && f->actions)
        r = buf_printf(out, " AND i.action >= 0 AND (1 << i.action) & %u", f->actions);
    if (r == 0 && f->since_us)
        r = buf_printf(out, " AND i.time >= %lld", (long long)f->since_us);
    if (r == 0 && f->until_us)
        r = buf_printf(out, " AND i.time < %lld", (long long)f->until_us);
    return r;
}

#define BOUNDS(column) " AND " column " >= ?1 AND " column " <= ?2"

static int write_order(const struct sieve *s, struct buf *out)
{
    return buf_printf(out, " ORDER BY 1%s LIMIT ?3", s->backwards ? " DESC" : "");
}

/* The exchanges of which the index does not know all, in whatever else was selected. */
static int write_loose(const struct sieve *s, struct buf *out)
{
    return buf_printf(out,
                      "%sSELECT i.seq FROM interception i INDEXED BY interception_loose WHERE"
                      " i.loose = 1" BOUNDS("i.seq"),
                      s->nothing ? "" : " UNION ");
}

static const char *index_of(const struct query_filter *f)
{
    return f->session.len     ? " INDEXED BY interception_session"
           : f->end_user.len  ? " INDEXED BY interception_user"
           : f->client_ip.len ? " INDEXED BY interception_ip"
                              : " NOT INDEXED";
}

/* What is asked of the exchange and of its hits, on the alias i. */
static int write_terms(const struct query_filter *f, struct span hits, struct buf *out)
{
    int r = write_row_terms(f, out);
    if (r == 0 && hits.len)
        r = buf_printf(out, " AND EXISTS (SELECT 1 FROM hit h WHERE h.seq = i.seq%.*s)",
                       SPAN_ARG(hits));
    return r;
}

static int write_rows(struct sieve *s, struct span hits, struct buf *out)
{
    const struct query_filter *f = s->f;
    int r = buf_printf(out, "SELECT i.seq FROM interception i%s WHERE 1", index_of(f));
    s->windowed = f->session.len == 0 && f->end_user.len == 0 && f->client_ip.len == 0;
    if (r == 0)
        r = write_terms(f, hits, out);
    return r < 0 ? r : buf_append(out, SPAN_LIT(BOUNDS("i.seq")));
}

static int write_rule(struct sieve *s, struct span hits, struct buf *out)
{
    int r = buf_append(out, SPAN_LIT("SELECT h.seq FROM hit h INDEXED BY hit_rule CROSS JOIN"
                                     " interception i ON i.seq = h.seq WHERE 1"));
    if (r == 0)
        r = buf_append(out, hits);
    if (r == 0)
        r = write_row_terms(s->f, out);
    return r < 0 ? r : buf_append(out, SPAN_LIT(BOUNDS("h.seq")));
}

static int write_who(struct sieve *s, struct buf *out)
{
    const struct query_filter *f = s->f;
    int64_t code = f->session.len    ? index_code(INDEX_SESSION, f->session)
                   : f->end_user.len ? index_code(INDEX_USER, f->end_user)
                                     : index_code(INDEX_KIND, INDEX_ADMIN);
    return buf_printf(out,
                      "SELECT seq FROM who WHERE chunk = ?1 / %d AND code = %lld" BOUNDS("seq"),
                      INDEX_CHUNK, (long long)code);
}

static int write_text(struct buf *out)
{
    return buf_append(out, SPAN_LIT("SELECT rowid FROM gram WHERE gram MATCH ?4" BOUNDS("rowid")));
}

/* What gives the pages. */
static int write_page(struct sieve *s, struct span hits, struct buf *out)
{
    int r = 0;
    if (s->source == SOURCE_TEXT)
        r = write_text(out);
    else if (s->source == SOURCE_WHO)
        r = write_who(s, out);
    else if (!s->nothing)
        r = s->source == SOURCE_RULE ? write_rule(s, hits, out) : write_rows(s, hits, out);
    if (r == 0 && (s->source == SOURCE_RULE || s->source == SOURCE_ROWS))
        r = write_loose(s, out);
    return r < 0 ? r : write_order(s, out);
}

/* Whether an interception that has the text may be wanted. */
static int write_check(const struct sieve *s, struct span hits, struct buf *out)
{
    int r = buf_append(out, SPAN_LIT("SELECT 1 FROM interception i WHERE i.seq = ?1 AND"
                                     " (i.loose = 1"));
    if (r == 0 && !s->nothing)
        r = buf_append(out, SPAN_LIT(" OR (1"));
    if (r == 0 && !s->nothing)
        r = write_terms(s->f, hits, out);
    return r < 0 ? r : buf_append(out, s->nothing ? SPAN_LIT(")") : SPAN_LIT("))"));
}

/* ---- opening ---- */

static int prepare(struct sieve *s)
{
    struct buf hits = BUF_INIT(1u << 20), page = BUF_INIT(4u << 20), check = BUF_INIT(4u << 20);
    bool checked = s->source == SOURCE_TEXT && s->ix && !s->f->all;
    int r = s->ix ? write_hit_terms(s, &hits) : 0;
    if (r == 0)
        r = write_page(s, buf_span(&hits), &page);
    if (r == 0)
        r = db_prepare(s->tx ? s->tx : s->ix, buf_span(&page), &s->page);
    if (r == 0 && checked)
        r = write_check(s, buf_span(&hits), &check);
    if (r == 0 && checked)
        r = db_prepare(s->ix, buf_span(&check), &s->check);
    buf_deinit(&hits);
    buf_deinit(&page);
    buf_deinit(&check);
    return r;
}

/* False: reading the log itself is as good. */
static bool choose(struct sieve *s, struct span dir, files_month month, struct db *l0, int *ret_r)
{
    const struct query_filter *f = s->f;
    uint64_t ix_end = 0, tx_end = 0;
    int r = index_open_read(dir, INDEX_ROWS, month, l0, &s->ix, &ix_end);
    if (r == 0 || r == -ENOENT)
        r = f->text.len ? grams_query(f->text, &s->match) : 0;
    if (r == 0 && s->match.len)
        r = index_open_read(dir, INDEX_TEXT, month, l0, &s->tx, &tx_end);
    *ret_r = r == -ENOENT ? 0 : r;
    if (*ret_r < 0)
        return false;
    s->end = s->tx ? tx_end : ix_end;
    if (s->ix && ix_end < s->end)
        s->end = ix_end;
    if (s->tx)
        s->source = SOURCE_TEXT;
    else if (f->all || f->admin)
        s->source = SOURCE_WHO;
    else
        s->source = f->rule.len ? SOURCE_RULE : SOURCE_ROWS;
    /* What is not listed as interception is found by person and session only. */
    if (!s->ix && !s->tx)
        return false;
    if (s->source == SOURCE_WHO && !f->admin && f->end_user.len == 0 && f->session.len == 0)
        return false;
    if (s->ix)
        *ret_r = sieve_bounds(s->ix, ix_end, f->since_us, f->until_us, &s->from, &s->to);
    else
        s->to = INT64_MAX;
    return *ret_r == 0;
}

int sieve_open(struct span dir, files_month month, struct db *l0, const struct query_filter *f,
               bool backwards, struct sieve **ret_sieve)
{
    struct sieve *s = calloc(1, sizeof(*s));
    int r = 0;
    *ret_sieve = NULL;
    if (!s)
        return -ENOMEM;
    s->f = f;
    s->backwards = backwards;
    s->match = BUF_INIT(1u << 16);
    if (!choose(s, dir, month, l0, &r) || (r = prepare(s)) < 0) {
        sieve_close(s);
        return r == -ENOMEM ? r : 0; /* a damaged index is none; the indexer makes it anew */
    }
    *ret_sieve = s;
    return 0;
}

void sieve_close(struct sieve *s)
{
    if (!s)
        return;
    db_finalize(s->page);
    db_finalize(s->check);
    db_close(s->ix);
    db_close(s->tx);
    buf_deinit(&s->match);
    free(s);
}

uint64_t sieve_end(const struct sieve *s)
{
    return s->end;
}

/* ---- pages ---- */

/* 1: it may be wanted. */
static int check_text(struct sieve *s, uint64_t seq)
{
    if (!s->check)
        return 1;
    db_bind_int(s->check, 1, (int64_t)seq);
    int r = db_step(s->check);
    db_reset(s->check);
    return r;
}

static int read_rows(struct sieve *s, uint64_t low, uint64_t high, uint64_t *ret_seqs, size_t max,
                     size_t *ret_count, size_t *ret_seen, uint64_t *ret_last)
{
    int r;
    db_bind_int(s->page, 1, (int64_t)low);
    db_bind_int(s->page, 2, (int64_t)high);
    db_bind_int(s->page, 3, (int64_t)max);
    if (s->source == SOURCE_TEXT)
        db_bind_text(s->page, 4, buf_span(&s->match));
    while ((r = db_step(s->page)) == 1) {
        uint64_t seq = (uint64_t)db_column_int(s->page, 0);
        (*ret_seen)++;
        bool again = *ret_last == seq && *ret_seen > 1; /* two hits of one record */
        *ret_last = seq;
        int fits = again ? 0 : check_text(s, seq);
        if (fits < 0) {
            r = fits;
            break;
        }
        if (fits)
            ret_seqs[(*ret_count)++] = seq;
    }
    db_reset(s->page);
    return r;
}

/* What one statement looks at of what there is from *low to *high. True: not all of it. */
static bool narrow(const struct sieve *s, uint64_t *low, uint64_t *high)
{
    uint64_t from = *low, to = *high;
    if (s->source == SOURCE_WHO) {
        from = to - to % INDEX_CHUNK;
        to = *low - *low % INDEX_CHUNK + INDEX_CHUNK - 1;
    } else if (s->windowed) {
        from = to >= WINDOW ? to - WINDOW + 1 : 0;
        to = *low + WINDOW - 1;
    }
    if (s->backwards ? from <= *low : to >= *high)
        return false;
    *(s->backwards ? low : high) = s->backwards ? from : to;
    return true;
}

static int read_once(struct sieve *s, uint64_t *last, uint64_t *ret_seqs, size_t max,
                     size_t *ret_count, bool *ret_done)
{
    uint64_t low = s->backwards ? s->from : *last + 1, high = s->backwards ? *last - 1 : s->to;
    *ret_done = true;
    if (low < s->from)
        low = s->from;
    if (high > s->to)
        high = s->to;
    if (high > s->end)
        high = s->end;
    if ((*last == 0 && s->backwards) || low > high)
        return 0;
    bool cut = narrow(s, &low, &high);
    size_t seen = 0;
    uint64_t at = 0;
    int r = read_rows(s, low, high, ret_seqs, max, ret_count, &seen, &at);
    if (r < 0)
        return r;
    *ret_done = !cut && seen < max;
    *last = seen == max ? at : s->backwards ? low : high;
    return 0;
}

int sieve_page(struct sieve *s, uint64_t *last, uint64_t *ret_seqs, size_t max, size_t *ret_count,
               bool *ret_done)
{
    unsigned tries = s->source == SOURCE_WHO ? CHUNKS : 1;
    *ret_count = 0;
    int r = read_once(s, last, ret_seqs, max, ret_count, ret_done);
    while (r == 0 && *ret_count == 0 && !*ret_done && --tries)
        r = read_once(s, last, ret_seqs, max, ret_count, ret_done);
    return r;
}
