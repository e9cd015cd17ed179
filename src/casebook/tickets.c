/* Complaints and incidents as they are shown. */
#include "casebook/book.h"

#include "base/clock.h"

#include <errno.h>

static int put_notes(struct casebook *c, const char *kind, int64_t number, struct buf *out)
{
    struct db_stmt *s = NULL;
    int r = book_prepare(c->reader,
                         "SELECT at_us,who,state,text FROM note WHERE kind=? AND number=? ORDER BY "
                         "act",
                         &s, "si", span_str(kind), number);
    buf_append(out, SPAN_LIT(",\"notes\":["));
    for (bool first = true; r == 0 && (r = db_step(s)) == 1; first = false) {
        buf_append(out, first ? SPAN_LIT("{") : SPAN_LIT(",{"));
        book_json_int(out, "at_us", db_column_int(s, 0));
        book_json(out, "who", db_column_text(s, 1));
        book_json_null(out, "state", db_column_text(s, 2));
        book_json(out, "text", db_column_text(s, 3));
        r = buf_append_char(out, '}');
    }
    db_finalize(s);
    return r < 0 ? r : buf_append_char(out, ']');
}

#define TICKET                                                                                     \
    "SELECT id,at_us,due_us,state,kind,text,contact,request_id,assigned,ended_us FROM ticket"

/* Without the closing brace. */
static void put_ticket(struct db_stmt *s, struct buf *out)
{
    int64_t due = db_column_int(s, 2), ended = db_column_int(s, 9);
    int64_t until = ended ? ended : (int64_t)clock_wall_us();
    buf_append_char(out, '{');
    book_json_int(out, "id", db_column_int(s, 0));
    book_json_int(out, "at_us", db_column_int(s, 1));
    book_json_int(out, "due_us", due);
    book_json(out, "state", db_column_text(s, 3));
    book_json(out, "kind", db_column_text(s, 4));
    book_json(out, "text", db_column_text(s, 5));
    book_json_null(out, "contact", db_column_text(s, 6));
    book_json_null(out, "request_id", db_column_text(s, 7));
    book_json_null(out, "to", db_column_text(s, 8));
    book_json_bool(out, "overdue", until > due);
}

/* Both lists: newest first, or the other way round; `put` gives an object without its end. */
static int list(struct casebook *c, const char *head, const struct casebook_page *p,
                void (*put)(struct db_stmt *s, struct buf *out), struct buf *out)
{
    struct db_stmt *s = NULL;
    char sql[512];
    struct buf text = BUF_INIT(sizeof(sql));
    int r = buf_printf(&text,
                       "%s WHERE (?1='' OR state=?1) AND (?2=0 OR id<?2) ORDER BY id %s LIMIT ?3",
                       head, p->oldest_first ? "" : "DESC");
    const char *all = r == 0 ? buf_cstr(&text) : NULL;
    pthread_mutex_lock(&c->read_lock);
    r = all ? book_prepare(c->reader, all, &s, "sii", p->state, p->before,
                           p->limit ? (int64_t)p->limit : INT64_MAX)
            : -ENOMEM;
    buf_append_char(out, '[');
    for (bool first = true; r == 0 && (r = db_step(s)) == 1; first = false) {
        if (!first)
            buf_append_char(out, ',');
        put(s, out);
        r = buf_append_char(out, '}');
    }
    db_finalize(s);
    pthread_mutex_unlock(&c->read_lock);
    buf_deinit(&text);
    return r < 0 ? r : buf_append_char(out, ']');
}

int casebook_tickets(struct casebook *c, const struct casebook_page *p, struct buf *out)
{
    return list(c, TICKET, p, put_ticket, out);
}

int casebook_ticket(struct casebook *c, int64_t number, struct buf *out)
{
    struct db_stmt *s = NULL;
    pthread_mutex_lock(&c->read_lock);
    int r = book_prepare(c->reader, TICKET " WHERE id=?", &s, "i", number);
    if (r == 0)
        r = db_step(s);
    if (r == 1)
        put_ticket(s, out);
    db_finalize(s);
    if (r == 1)
        r = put_notes(c, "t", number, out);
    else if (r == 0)
        r = -ENOENT;
    pthread_mutex_unlock(&c->read_lock);
    return r < 0 ? r : buf_append_char(out, '}');
}

/* ---- incidents ---- */

#define INCIDENT                                                                                   \
    "SELECT id,at_us,opened_us,title,state,(SELECT count(*) FROM incident_request r WHERE "        \
    "r.incident=id),what,impact,measures,remedy,responsible FROM incident"

static void put_incident(struct db_stmt *s, struct buf *out)
{
    buf_append_char(out, '{');
    book_json_int(out, "id", db_column_int(s, 0));
    book_json_int(out, "at_us", db_column_int(s, 1));
    book_json_int(out, "opened_us", db_column_int(s, 2));
    book_json(out, "title", db_column_text(s, 3));
    book_json(out, "state", db_column_text(s, 4));
    book_json_int(out, "request_count", db_column_int(s, 5));
    book_json(out, "what", db_column_text(s, 6));
    book_json(out, "measures", db_column_text(s, 8));
}

int casebook_incidents(struct casebook *c, const struct casebook_page *p, struct buf *out)
{
    return list(c, INCIDENT, p, put_incident, out);
}

/*
 * The hours in which an incident is to be reported. Which of them holds for which incident must be
 * verified in the measures in force: so it is said wherever they are shown.
 */
static int put_clock(uint64_t at_us, struct buf *out)
{
    static const unsigned hours[] = {1, 4};
    int r = buf_append(out, SPAN_LIT(",\"clock\":["));
    for (size_t i = 0; r == 0 && i < sizeof(hours) / sizeof(*hours); i++) {
        buf_append(out, i ? SPAN_LIT(",{") : SPAN_LIT("{"));
        book_json_int(out, "hours", hours[i]);
        book_json_int(out, "due_us", (int64_t)(at_us + hours[i] * 3600000000ull));
        book_json_bool(out, "to_be_verified", true);
        r = buf_append_char(out, '}');
    }
    return r < 0 ? r : buf_append_char(out, ']');
}

static int put_requests(struct casebook *c, int64_t number, struct buf *out)
{
    struct db_stmt *s = NULL;
    int r = book_prepare(c->reader,
                         "SELECT request_id FROM incident_request WHERE incident=? ORDER BY 1", &s,
                         "i", number);
    buf_append(out, SPAN_LIT(",\"requests\":["));
    for (bool first = true; r == 0 && (r = db_step(s)) == 1; first = false) {
        if (!first)
            buf_append_char(out, ',');
        book_json_text(out, db_column_text(s, 0));
        r = 0;
    }
    db_finalize(s);
    return r < 0 ? r : buf_append_char(out, ']');
}

int casebook_incident(struct casebook *c, int64_t number, struct buf *out)
{
    struct db_stmt *s = NULL;
    uint64_t at_us = 0;
    pthread_mutex_lock(&c->read_lock);
    int r = book_prepare(c->reader, INCIDENT " WHERE id=?", &s, "i", number);
    if (r == 0)
        r = db_step(s);
    if (r == 1) {
        at_us = (uint64_t)db_column_int(s, 1);
        put_incident(s, out);
        book_json(out, "impact", db_column_text(s, 7));
        book_json(out, "remedy", db_column_text(s, 9));
        book_json(out, "responsible", db_column_text(s, 10));
    }
    db_finalize(s);
    r = r < 0 ? r : r == 1 ? put_requests(c, number, out) : -ENOENT;
    if (r == 0)
        r = put_notes(c, "i", number, out);
    if (r == 0)
        r = put_clock(at_us, out);
    pthread_mutex_unlock(&c->read_lock);
    return r < 0 ? r : buf_append_char(out, '}');
}

/* ---- the report ---- */

/* What the report calls a state or an action; a word that it does not know stays. */
static struct span in_chinese(struct span word)
{
    static const struct {
        const char *word, *chinese;
    } words[] = {
        {"open", "新建"},   {"working", "处置中"}, {"reported", "已报告"},
        {"closed", "已结"}, {"allow", "放行"},     {"flag", "标记"},
        {"mask", "遮盖"},   {"answer", "代答"},    {"block", "拦截"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (span_eq(word, span_str(words[i].word)))
            return span_str(words[i].chinese);
    return word;
}

/* China's time, to the minute: who reads the report lives by it. */
static void put_time(struct buf *out, int64_t us)
{
    char text[CLOCK_TEXT_SIZE];
    clock_format((uint64_t)us + 8 * 3600000000ull, text);
    buf_printf(out, "%.10s %.5s", text, text + 11);
}

static int part(struct buf *out, const char *title, struct span text)
{
    return buf_printf(out, "\n%s\n%.*s\n", title, SPAN_ARG(text.len ? text : SPAN_LIT("待补充")));
}

static int put_figures(struct casebook *c, int64_t number, struct buf *out)
{
    struct db_stmt *s = NULL;
    int r = book_prepare(c->reader,
                         "SELECT i.risk,i.action,count(*),min(i.at_us),max(i.at_us) FROM "
                         "incident_request x JOIN item i ON i.request_id=x.request_id WHERE "
                         "x.incident=? GROUP BY 1,2 ORDER BY 3 DESC",
                         &s, "i", number);
    while (r == 0 && (r = db_step(s)) == 1) {
        struct span risk = db_column_text(s, 0);
        r = buf_printf(out, "涉及记录：风险 %.*s，处置 %.*s，共 %lld 条（",
                       SPAN_ARG(risk.len ? risk : SPAN_LIT("无")),
                       SPAN_ARG(in_chinese(db_column_text(s, 1))), (long long)db_column_int(s, 2));
        put_time(out, db_column_int(s, 3));
        buf_append(out, SPAN_LIT(" 至 "));
        put_time(out, db_column_int(s, 4));
        if (r == 0)
            r = buf_append(out, SPAN_LIT("）\n"));
    }
    db_finalize(s);
    return r;
}

static int put_timeline(struct casebook *c, int64_t number, struct buf *out)
{
    struct db_stmt *s = NULL;
    int r = book_prepare(c->reader,
                         "SELECT at_us,who,state,text FROM note WHERE kind='i' AND number=? ORDER "
                         "BY act",
                         &s, "i", number);
    for (bool first = true; r == 0 && (r = db_step(s)) == 1; first = false) {
        if (first)
            buf_append(out, SPAN_LIT("处置经过：\n"));
        buf_append(out, SPAN_LIT("- "));
        put_time(out, db_column_int(s, 0));
        r = buf_printf(out, " %.*s：%.*s%s%.*s\n", SPAN_ARG(db_column_text(s, 1)),
                       SPAN_ARG(db_column_text(s, 3)), db_column_text(s, 2).len ? " → " : "",
                       SPAN_ARG(in_chinese(db_column_text(s, 2))));
    }
    db_finalize(s);
    return r;
}

static int write_report(struct casebook *c, struct db_stmt *s, int64_t number, struct buf *out)
{
    int64_t at = db_column_int(s, 1);
    buf_printf(out, "网络安全事件报告（草稿）\n编号：%lld\n标题：%.*s\n状态：%.*s\n\n一、时间\n",
               (long long)number, SPAN_ARG(db_column_text(s, 3)),
               SPAN_ARG(in_chinese(db_column_text(s, 4))));
    buf_append(out, SPAN_LIT("发生或发现："));
    put_time(out, at);
    buf_append(out, SPAN_LIT("\n登记："));
    put_time(out, db_column_int(s, 2));
    buf_append(out, SPAN_LIT("\n报告时限（以现行办法为准，待核实）：1 小时至 "));
    put_time(out, at + 3600000000ll);
    buf_append(out, SPAN_LIT("，4 小时至 "));
    put_time(out, at + 4 * 3600000000ll);
    buf_append_char(out, '\n');
    int r = part(out, "二、现象", db_column_text(s, 6));
    if (r == 0)
        r = put_figures(c, number, out);
    part(out, "三、影响", db_column_text(s, 7));
    part(out, "四、处置", db_column_text(s, 8));
    if (r == 0)
        r = put_timeline(c, number, out);
    part(out, "五、整改", db_column_text(s, 9));
    return r < 0 ? r : part(out, "六、责任人", db_column_text(s, 10));
}

int casebook_report(struct casebook *c, int64_t number, struct buf *out)
{
    struct db_stmt *s = NULL;
    pthread_mutex_lock(&c->read_lock);
    int r = book_prepare(c->reader, INCIDENT " WHERE id=?", &s, "i", number);
    if (r == 0)
        r = db_step(s);
    r = r < 0 ? r : r == 1 ? write_report(c, s, number, out) : -ENOENT;
    db_finalize(s);
    pthread_mutex_unlock(&c->read_lock);
    return r;
}
