#include "audit/forget.h"

#include "audit/entry.h"
#include "audit/files.h"
#include "db/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE         256
#define BUSY_MS      5000
#define ENTRY_MEMORY ((size_t)1 << 20)

struct forget {
    struct span app, end_user;
    char mark[80]; /* what only a record of this user has in it */
    struct db *l0, *l1;
    struct db_stmt *find, *remove;
    int64_t page[PAGE];
    size_t count;
    int64_t last; /* where the next page goes on */
    bool more;
    struct forget_result result;
};

static void close_month(struct forget *f)
{
    db_finalize(f->find);
    db_finalize(f->remove);
    db_close(f->l0);
    db_close(f->l1);
    f->find = f->remove = NULL;
    f->l0 = f->l1 = NULL;
}

static int open_month(struct forget *f, struct span dir, files_month month)
{
    char path[PATH_MAX];
    struct db_options reads = {.readonly = true, .busy_ms = BUSY_MS};
    struct db_options writes = {.busy_ms = BUSY_MS};
    int version = 0;
    int r =
        files_path(dir, 1, month, path) ? db_open(span_str(path), &writes, &f->l1) : -ENAMETOOLONG;
    if (r == 0)
        r = db_get_version(f->l1, &version);
    if (r == 0 && (version < 1 || version > FILES_SCHEMA))
        return version == 0 ? -ENOENT : -EPROTO; /* begun and never used; or newer than we are */
    if (r == 0) /* what is deleted is overwritten, not only let go */
        r = db_exec(f->l1, "PRAGMA secure_delete=ON");
    if (r == 0)
        r = db_prepare(f->l1, SPAN_LIT("DELETE FROM text WHERE seq = ?1"), &f->remove);
    if (r == 0)
        r = files_path(dir, 0, month, path) ? db_open(span_str(path), &reads, &f->l0)
                                            : -ENAMETOOLONG;
    if (r == 0)
        r = db_prepare(f->l0,
                       SPAN_LIT("SELECT seq, body FROM record WHERE weight > 0 AND seq > ?1 AND"
                                " instr(body, ?2) > 0 ORDER BY seq LIMIT 256"),
                       &f->find);
    return r;
}

/* The mark may stand in a text as well, so that the record itself is asked. */
static int is_his(const struct forget *f, struct span body, bool *ret)
{
    struct arena a;
    struct entry e;
    arena_init(&a, ENTRY_MEMORY);
    int r = entry_parse(body, &a, &e);
    *ret =
        r == 0 && span_eq(e.end_user, f->end_user) && (f->app.len == 0 || span_eq(e.app, f->app));
    arena_deinit(&a);
    /* A damaged record is for `log verify` to tell of. */
    return r == -ENOMEM ? r : 0;
}

static int read_page(struct forget *f)
{
    size_t seen = 0;
    int r = 0, step;
    db_bind_int(f->find, 1, f->last);
    db_bind_text(f->find, 2, span_str(f->mark));
    f->count = 0;
    while (r == 0 && (step = db_step(f->find)) != 0) {
        bool his = false;
        if (step < 0) {
            r = step;
            break;
        }
        f->last = db_column_int(f->find, 0);
        r = is_his(f, db_column_text(f->find, 1), &his);
        if (r == 0 && his)
            f->page[f->count++] = f->last;
        seen++;
    }
    db_reset(f->find);
    f->more = seen == PAGE;
    return r;
}

static int remove_page(struct forget *f)
{
    uint64_t texts = 0;
    if (f->count == 0)
        return 0;
    int r = db_begin(f->l1);
    for (size_t i = 0; r == 0 && i < f->count; i++) {
        db_bind_int(f->remove, 1, f->page[i]);
        r = db_run(f->remove);
        if (r == 0)
            texts += (uint64_t)db_changes(f->l1);
    }
    if (r == 0)
        r = db_commit(f->l1);
    else
        db_rollback(f->l1);
    if (r == 0) {
        f->result.records += f->count;
        f->result.texts += texts;
    }
    return r;
}

/* Old pages with the texts on them stay in the write-ahead log until it is emptied. */
static int empty_wal(struct forget *f)
{
    struct db_stmt *s = NULL;
    int r = db_prepare(f->l1, SPAN_LIT("PRAGMA wal_checkpoint(TRUNCATE)"), &s);
    if (r == 0)
        r = db_step(s);
    if (r == -EBUSY || (r == 1 && db_column_int(s, 0) != 0))
        f->result.left_in_wal = true;
    db_finalize(s);
    return r < 0 && r != -EBUSY ? r : 0;
}

static int forget_month(struct forget *f, struct span dir, files_month month)
{
    int r = open_month(f, dir, month);
    uint64_t before = f->result.texts;
    f->last = 0;
    f->more = true;
    while (r == 0 && f->more) {
        r = read_page(f);
        if (r == 0)
            r = remove_page(f);
    }
    if (r == 0 && f->result.texts > before)
        r = empty_wal(f);
    close_month(f);
    return r == -ENOENT ? 0 : r;
}

int forget_run(struct span dir, struct span app, struct span end_user,
               struct forget_result *ret_result)
{
    struct files *files = malloc(sizeof(*files));
    struct forget *f = calloc(1, sizeof(*f));
    int r = files && f ? files_list(dir, 0, files) : -ENOMEM;
    if (r == 0 && end_user.len != 64)
        r = -EINVAL;
    if (r == 0) {
        f->app = app;
        f->end_user = end_user;
        snprintf(f->mark, sizeof(f->mark), "\"end_user\":\"%.*s\"", SPAN_ARG(end_user));
        for (size_t i = 0; r == 0 && i < files->count; i++)
            r = forget_month(f, dir, files->months[i]);
        *ret_result = f->result;
    }
    free(files);
    free(f);
    return r;
}
