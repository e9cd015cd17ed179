/* Acts as changes of the tables. */
#include "casebook/book.h"

#include <errno.h>

struct deed {
    struct db *db;
    const struct casebook_act *act;
    int64_t row, at, due;
};

/* The verdict that stood there before is kept. */
static int review_one(const struct deed *d, struct span id)
{
    int64_t slot = d->act->second ? 2 : 1;
    int r = book_run(d->db,
                     "INSERT OR IGNORE INTO review_before(request_id,act,slot,reviewer,verdict,"
                     "note,at_us) SELECT request_id,act,slot,reviewer,verdict,note,at_us FROM "
                     "review WHERE request_id=? AND slot=? AND act<>?",
                     "sii", id, slot, d->row);
    if (r == 0)
        r = book_run(d->db,
                     "INSERT INTO review(request_id,slot,reviewer,verdict,note,at_us,act)"
                     " VALUES(?,?,?,?,?,?,?) ON CONFLICT(request_id,slot) DO UPDATE SET"
                     " reviewer=excluded.reviewer,verdict=excluded.verdict,note=excluded.note,"
                     " at_us=excluded.at_us,act=excluded.act",
                     "sisisii", id, slot, d->act->author, (int64_t)d->act->verdict, d->act->note,
                     d->at, d->row);
    return r;
}

static int assign_one(const struct deed *d, struct span id)
{
    return book_run(d->db, "UPDATE item SET assigned=?, why=why|? WHERE request_id=?", "sis",
                    d->act->to, (int64_t)WHY_ASSIGNED, id);
}

static int sample_one(const struct deed *d, struct span id)
{
    return book_run(d->db, "UPDATE item SET why=why|? WHERE request_id=?", "is",
                    (int64_t)WHY_SAMPLE, id);
}

static int each(const struct deed *d, int (*fn)(const struct deed *d, struct span id))
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < d->act->request_count; i++)
        r = fn(d, d->act->requests[i]);
    return r;
}

static int sign_off(const struct deed *d)
{
    return book_run(d->db,
                    "INSERT INTO signoff(day,who,at_us,note) VALUES(?,?,?,?) ON CONFLICT(day,who)"
                    " DO UPDATE SET at_us=excluded.at_us, note=excluded.note",
                    "ssis", d->act->day, d->act->author, d->at, d->act->note);
}

static int complain(const struct deed *d)
{
    const struct casebook_act *a = d->act;
    struct span request = a->request_count ? a->requests[0] : SPAN_NULL;
    return book_run(d->db,
                    "INSERT OR IGNORE INTO ticket(id,at_us,due_us,state,kind,text,contact,"
                    "request_id) VALUES(?,?,?,'open',?,?,?,?)",
                    "iiissss", a->number, d->at, d->at + d->due, a->kind, a->text, a->contact,
                    request);
}

static int add_note(const struct deed *d, const char *kind)
{
    return book_run(d->db,
                    "INSERT OR REPLACE INTO note(kind,number,act,at_us,who,state,text)"
                    " VALUES(?,?,?,?,?,?,?)",
                    "siiisss", span_str(kind), d->act->number, d->row, d->at, d->act->author,
                    d->act->state, d->act->note);
}

static int set_text(const struct deed *d, const char *sql, struct span value)
{
    return value.len ? book_run(d->db, sql, "si", value, d->act->number) : 0;
}

static int change_ticket(const struct deed *d)
{
    const struct casebook_act *a = d->act;
    bool ends = span_eq(a->state, SPAN_LIT("answered")) || span_eq(a->state, SPAN_LIT("closed"));
    int r = set_text(d, "UPDATE ticket SET state=? WHERE id=?", a->state);
    if (r == 0 && a->state.len) /* the first answer is what the deadline asks for */
        r = ends ? book_run(d->db, "UPDATE ticket SET ended_us=? WHERE id=? AND ended_us=0", "ii",
                            d->at, a->number)
                 : book_run(d->db, "UPDATE ticket SET ended_us=0 WHERE id=?", "i", a->number);
    if (r == 0)
        r = set_text(d, "UPDATE ticket SET assigned=? WHERE id=?", a->to);
    return r < 0 ? r : add_note(d, "t");
}

static int belong(const struct deed *d, struct span id)
{
    return book_run(d->db, "INSERT OR IGNORE INTO incident_request VALUES(?,?)", "is",
                    d->act->number, id);
}

static int open_incident(const struct deed *d)
{
    const struct casebook_act *a = d->act;
    int r = book_run(d->db,
                     "INSERT OR IGNORE INTO incident(id,opened_us,at_us,state,title,what,impact,"
                     "measures,remedy,responsible) VALUES(?,?,?,?,?,?,?,?,?,?)",
                     "iiisssssss", a->number, d->at, a->at_us ? (int64_t)a->at_us : d->at,
                     a->state.len ? a->state : SPAN_LIT("open"), a->title, a->what, a->impact,
                     a->measures, a->remedy, a->responsible);
    if (r == 0)
        r = each(d, belong);
    return r == 0 && a->note.len ? add_note(d, "i") : r;
}

static int change_incident(const struct deed *d)
{
    const struct casebook_act *a = d->act;
    int r = set_text(d, "UPDATE incident SET state=? WHERE id=?", a->state);
    if (r == 0)
        r = set_text(d, "UPDATE incident SET title=? WHERE id=?", a->title);
    if (r == 0)
        r = set_text(d, "UPDATE incident SET what=? WHERE id=?", a->what);
    if (r == 0)
        r = set_text(d, "UPDATE incident SET impact=? WHERE id=?", a->impact);
    if (r == 0)
        r = set_text(d, "UPDATE incident SET measures=? WHERE id=?", a->measures);
    if (r == 0)
        r = set_text(d, "UPDATE incident SET remedy=? WHERE id=?", a->remedy);
    if (r == 0)
        r = set_text(d, "UPDATE incident SET responsible=? WHERE id=?", a->responsible);
    if (r == 0 && a->at_us)
        r = book_run(d->db, "UPDATE incident SET at_us=? WHERE id=?", "ii", (int64_t)a->at_us,
                     a->number);
    if (r == 0)
        r = each(d, belong);
    return r == 0 && (a->note.len || a->state.len) ? add_note(d, "i") : r;
}

int apply_act(struct db *db, const struct casebook_act *act, int64_t row, uint64_t at_us,
              uint64_t due_us)
{
    struct deed d = {db, act, row, (int64_t)at_us, (int64_t)due_us};
    switch (act->verb) {
    case CASEBOOK_REVIEW:
        return each(&d, review_one);
    case CASEBOOK_ASSIGN:
        return each(&d, assign_one);
    case CASEBOOK_SAMPLE:
        return each(&d, sample_one);
    case CASEBOOK_SIGNOFF:
        return sign_off(&d);
    case CASEBOOK_COMPLAINT:
        return complain(&d);
    case CASEBOOK_TICKET:
        return change_ticket(&d);
    case CASEBOOK_OPENING:
        return open_incident(&d);
    case CASEBOOK_INCIDENT:
        return change_incident(&d);
    case CASEBOOK_EXPORT: /* the record is all there is to it */
        return 0;
    case CASEBOOK_VERBS:
        break;
    }
    return -EINVAL;
}
