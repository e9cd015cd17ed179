#include "audit/forget.h"

#include "audit/entry.h"
#include "audit/files.h"
#include "audit/holds.h"
#include "audit/index.h"
#include "db/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGE         256
#define BUSY_MS      5000
#define ENTRY_MEMORY ((size_t)1 << 20)
#define HOLDS_MEMORY ((size_t)16 << 20)

struct forget {
    struct span dir, app, end_user;
    files_month month;
    int tier;      /* that is being gone through */
    char mark[80]; /* what only a record of this user has in it */
    struct holds holds;
    struct db *l0, *texts; /* texts: that tier */
    struct db_stmt *find, *body, *remove;
    int64_t page[PAGE];
    size_t count;
    int64_t last; /* where the next page goes on */
    bool more;
    uint64_t *counter; /* rows removed */
    struct forget_result result;
};

static void close_tier(struct forget *f)
{
    db_finalize(f->find);
    db_finalize(f->body);
    db_finalize(f->remove);
    db_close(f->l0);
    db_close(f->texts);
    f->find = f->body = f->remove = NULL;
    f->l0 = f->texts = NULL;
}

static int open_tier(struct forget *f, struct span dir, int tier, files_month month)
{
    static const char *const find[] = {
        NULL, "SELECT DISTINCT seq FROM text WHERE seq > ?1 ORDER BY seq LIMIT 256",
        "SELECT seq FROM original WHERE seq > ?1 ORDER BY seq LIMIT 256"};
    static const char *const remove[] = {NULL, "DELETE FROM text WHERE seq = ?1",
                                         "DELETE FROM original WHERE seq = ?1"};
    char path[PATH_MAX];
    struct db_options reads = {.readonly = true, .busy_ms = BUSY_MS};
    struct db_options writes = {.busy_ms = BUSY_MS};
    int version = 0;
    int r = files_path(dir, tier, month, path) ? db_open(span_str(path), &writes, &f->texts)
                                               : -ENAMETOOLONG;
    if (r == 0)
        r = db_get_version(f->texts, &version);
    if (r == 0 && (version < 1 || version > FILES_SCHEMA))
        return version == 0 ? -ENOENT : -EPROTO; /* begun and never used; or newer than we are */
    if (r == 0) /* what is deleted is overwritten, not only let go */
        r = db_exec(f->texts, "PRAGMA secure_delete=ON");
    if (r == 0)
        r = db_prepare(f->texts, span_str(find[tier]), &f->find);
    if (r == 0)
        r = db_prepare(f->texts, span_str(remove[tier]), &f->remove);
    if (r == 0)
        r = files_path(dir, 0, month, path) ? db_open(span_str(path), &reads, &f->l0)
                                            : -ENAMETOOLONG;
    if (r == 0)
        r = db_prepare(f->l0,
                       SPAN_LIT("SELECT body FROM record WHERE seq = ?1 AND instr(body, ?2) > 0"),
                       &f->body);
    return r;
}

/* The mark may stand in a text as well, so that the record itself is asked. */
static int is_his(struct forget *f, struct span body, bool *ret)
{
    struct arena a;
    struct entry e;
    arena_init(&a, ENTRY_MEMORY);
    int r = entry_parse(body, &a, &e);
    *ret =
        r == 0 && span_eq(e.end_user, f->end_user) && (f->app.len == 0 || span_eq(e.app, f->app));
    if (*ret && holds_cover(&f->holds, &e)) {
        f->result.held++;
        *ret = false;
    }
    arena_deinit(&a);
    /* A damaged record is for `log verify` to tell of. */
    return r == -ENOMEM ? r : 0;
}

static int ask_record(struct forget *f, int64_t seq, bool *ret)
{
    *ret = false;
    db_bind_int(f->body, 1, seq);
    db_bind_text(f->body, 2, span_str(f->mark));
    int r = db_step(f->body);
    if (r == 1)
        r = is_his(f, db_column_text(f->body, 0), ret);
    db_reset(f->body);
    return r;
}

static int read_page(struct forget *f)
{
    size_t seen = 0;
    int r = 0, step;
    db_bind_int(f->find, 1, f->last);
    f->count = 0;
    while (r == 0 && (step = db_step(f->find)) != 0) {
        bool his = false;
        if (step < 0) {
            r = step;
            break;
        }
        f->last = db_column_int(f->find, 0);
        r = ask_record(f, f->last, &his);
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
    uint64_t rows = 0;
    if (f->count == 0)
        return 0;
    /* First: a crash behind the removal must not leave an index that still knows the words. */
    int r = f->tier == 1 ? index_condemn(f->dir, f->month) : 0;
    if (r < 0)
        return r;
    r = db_begin(f->texts);
    for (size_t i = 0; r == 0 && i < f->count; i++) {
        db_bind_int(f->remove, 1, f->page[i]);
        r = db_run(f->remove);
        if (r == 0)
            rows += (uint64_t)db_changes(f->texts);
    }
    if (r == 0)
        r = db_commit(f->texts);
    else
        db_rollback(f->texts);
    if (r == 0)
        *f->counter += rows;
    return r;
}

/* Old pages with the texts on them stay in the write-ahead log until it is emptied. */
static int empty_wal(struct forget *f)
{
    int r = db_empty_wal(f->texts);
    f->result.left_in_wal = f->result.left_in_wal || r == -EBUSY;
    return r == -EBUSY ? 0 : r;
}

static int forget_tier(struct forget *f, struct span dir, int tier, files_month month)
{
    f->dir = dir;
    f->month = month;
    f->tier = tier;
    int r = open_tier(f, dir, tier, month);
    f->counter = tier == 1 ? &f->result.texts : &f->result.originals;
    f->last = 0;
    f->more = true;
    while (r == 0 && f->more) {
        r = read_page(f);
        if (r == 0)
            r = remove_page(f);
        if (r == 0 && tier == 1)
            f->result.records += f->count;
    }
    /* Also where nothing was removed: an earlier run may have had a reader in its way. */
    if (r == 0)
        r = empty_wal(f);
    close_tier(f);
    return r == -ENOENT ? 0 : r;
}

static int forget_month(struct forget *f, struct span dir, files_month month)
{
    uint64_t held = f->result.held, texts = f->result.texts;
    /* What was said before what is known of it: a crash in between leaves the lesser half. */
    int r = forget_tier(f, dir, 2, month);
    uint64_t held_originals = f->result.held - held;
    f->result.held = held;
    if (r == 0)
        r = forget_tier(f, dir, 1, month);
    /* A record has texts in one tier or in both. */
    if (f->result.held - held < held_originals)
        f->result.held = held + held_originals;
    /* Also where nothing was removed: an earlier run may have been in somebody's way. */
    if (r < 0)
        return r;
    r = f->result.texts > texts ? index_forget(dir, month) : index_settle(dir, month);
    f->result.left_in_wal = f->result.left_in_wal || r == -EBUSY;
    return r == -EBUSY ? 0 : r;
}

int forget_run(struct span dir, struct span app, struct span end_user,
               struct forget_result *ret_result)
{
    struct files *files = malloc(sizeof(*files));
    struct forget *f = calloc(1, sizeof(*f));
    struct arena arena;
    arena_init(&arena, HOLDS_MEMORY);
    int r = files && f ? files_list(dir, 0, files) : -ENOMEM;
    if (r == 0 && end_user.len != 64)
        r = -EINVAL;
    if (r == 0)
        r = holds_load(dir, &arena, &f->holds);
    if (r == 0) {
        f->app = app;
        f->end_user = end_user;
        snprintf(f->mark, sizeof(f->mark), "\"end_user\":\"%.*s\"", SPAN_ARG(end_user));
        for (size_t i = 0; r == 0 && i < files->count; i++)
            r = forget_month(f, dir, files->months[i]);
        *ret_result = f->result;
    }
    arena_deinit(&arena);
    free(files);
    free(f);
    return r;
}
