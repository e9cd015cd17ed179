#include "audit/fill.h"
#include "audit/grams.h"
#include "audit/index.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BUSY_MS   5000
#define WAL_PAGES 1000
#define DOC_MAX   ((size_t)64 << 20) /* bytes of grams of one record */

struct fill_text {
    char path[PATH_MAX];
    ino_t inode;
    struct db *l0, *l1, *db;
    struct db_stmt *head, *read, *mark, *put;
    struct grams grams;
    struct buf doc;
};

static int open_tier(struct span dir, int tier, files_month month, struct db **ret_db)
{
    char path[PATH_MAX];
    struct db_options o = {.readonly = true, .busy_ms = BUSY_MS};
    int version = 0;
    int r =
        files_path(dir, tier, month, path) ? db_open(span_str(path), &o, ret_db) : -ENAMETOOLONG;
    if (r == 0)
        r = db_get_version(*ret_db, &version);
    return r == 0 && version == 0 ? -ENOENT : r;
}

static int prepare(struct fill_text *f)
{
    int r = db_prepare(f->l0, SPAN_LIT("SELECT max(seq) FROM record"), &f->head);
    if (r == 0)
        r = db_prepare(f->l1,
                       SPAN_LIT("SELECT seq, text, context, folded FROM text WHERE seq > ?1 AND"
                                " seq <= ?2 ORDER BY seq, at"),
                       &f->read);
    if (r == 0)
        r = db_prepare(f->db, SPAN_LIT("SELECT seq FROM state"), &f->mark);
    if (r == 0)
        r = db_prepare(f->db, SPAN_LIT("INSERT INTO gram (rowid, t) VALUES (?1, ?2)"), &f->put);
    return r;
}

int fill_text_open(struct span dir, files_month month, struct fill_text **ret_fill)
{
    struct fill_text *f = calloc(1, sizeof(*f));
    struct stat st = {0};
    uint64_t seq;
    if (!f)
        return -ENOMEM;
    f->doc = BUF_INIT(DOC_MAX);
    int r = index_path(dir, INDEX_TEXT, month, f->path) ? 0 : -ENAMETOOLONG;
    if (r == 0)
        r = open_tier(dir, 0, month, &f->l0);
    if (r == 0)
        r = open_tier(dir, 1, month, &f->l1);
    if (r == -ENOENT)
        index_remove(dir, INDEX_TEXT, month);
    if (r == 0)
        r = index_open(dir, INDEX_TEXT, month, f->l0, &f->db, &seq);
    if (r == 0 && stat(f->path, &st) < 0)
        r = -errno;
    f->inode = st.st_ino;
    if (r == 0)
        r = prepare(f);
    if (r < 0)
        fill_text_close(f);
    else
        *ret_fill = f;
    return r;
}

void fill_text_close(struct fill_text *f)
{
    if (!f)
        return;
    db_finalize(f->head);
    db_finalize(f->read);
    db_finalize(f->mark);
    db_finalize(f->put);
    db_close(f->l0);
    db_close(f->l1);
    db_close(f->db);
    grams_deinit(&f->grams);
    buf_deinit(&f->doc);
    free(f);
}

static int read_number(struct db_stmt *s, uint64_t *ret_value)
{
    int r = db_step(s);
    if (r == 1)
        *ret_value = (uint64_t)db_column_int(s, 0);
    db_reset(s);
    return r == 1 ? 0 : r < 0 ? r : -EBADMSG;
}

static int put_document(struct fill_text *f, uint64_t seq)
{
    buf_clear(&f->doc);
    int r = grams_write(&f->grams, &f->doc);
    grams_clear(&f->grams);
    if (r < 0)
        return r;
    db_bind_int(f->put, 1, (int64_t)seq);
    db_bind_text(f->put, 2, buf_span(&f->doc));
    return db_run(f->put);
}

/* One document a record, of all its texts. *ret_seq: the last record that is done. 1: more. */
static int take_texts(struct fill_text *f, uint64_t from, uint64_t to, size_t max,
                      uint64_t *ret_seq)
{
    uint64_t seq = 0;
    size_t count = 0;
    int r;
    grams_clear(&f->grams);
    db_bind_int(f->read, 1, (int64_t)from);
    db_bind_int(f->read, 2, (int64_t)to);
    while ((r = db_step(f->read)) == 1) {
        uint64_t of = (uint64_t)db_column_int(f->read, 0);
        if (seq && of != seq) {
            r = put_document(f, seq);
            if (r < 0)
                break;
            *ret_seq = seq;
            if (++count == max) {
                r = 1;
                break;
            }
        }
        seq = of;
        for (int i = 1; r >= 0 && i < 4; i++)
            r = grams_add(&f->grams, db_column_text(f->read, i));
        if (r < 0)
            break;
    }
    db_reset(f->read);
    if (r == 0 && seq)
        r = put_document(f, seq);
    if (r == 0)
        *ret_seq = to;
    return r;
}

int fill_text_step(struct fill_text *f, size_t max)
{
    struct stat st;
    uint64_t to = 0, from = 0, done = 0;
    if (stat(f->path, &st) < 0 || st.st_ino != f->inode)
        return -ESTALE;
    /* L1 is committed before L0: up to here its texts are all there. */
    int r = read_number(f->head, &to);
    if (r == 0)
        r = db_begin(f->db);
    if (r < 0)
        return r;
    /* Only now, when nobody can empty the index any more, are position and texts read: what
     * index_forget() had removed before is not seen again. */
    r = read_number(f->mark, &from);
    if (r == 0 && to > from)
        r = take_texts(f, from, to, max, &done);
    int more = r;
    if (r >= 0 && to > from)
        r = index_mark(f->db, f->l0, done);
    if (r >= 0 && to > from)
        r = db_commit(f->db);
    else
        db_rollback(f->db);
    if (r == 0 && db_wal_pages(f->db) >= WAL_PAGES)
        r = db_checkpoint(f->db);
    return r < 0 ? r : more > 0;
}
