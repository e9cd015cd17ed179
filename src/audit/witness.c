#include "audit/witness.h"

#include "audit/files.h"
#include "audit/head.h"
#include "base/cleanup.h"
#include "db/db.h"

#include <errno.h>
#include <stdlib.h>

#define BUSY_MS 5000
#define DAY_US  UINT64_C(86400000000)

/* Times of a file's first and last record. -ENOENT: it has none. */
static int read_ends(struct span dir, files_month month, uint64_t *ret_first, uint64_t *ret_last)
{
    char path[PATH_MAX];
    struct db_options o = {.readonly = true, .busy_ms = BUSY_MS};
    struct db *db = NULL;
    struct db_stmt *s = NULL;
    bool blank = false;
    int r = files_path(dir, 0, month, path) ? db_open(span_str(path), &o, &db) : -ENAMETOOLONG;
    if (r == 0)
        r = head_is_blank(db, &blank);
    if (r == 0 && blank)
        r = -ENOENT;
    if (r == 0)
        r = db_prepare(
            db,
            SPAN_LIT("SELECT (SELECT time FROM record ORDER BY seq LIMIT 1),"
                     " (SELECT time FROM record ORDER BY seq DESC LIMIT 1), count(*) FROM"
                     " (SELECT 1 FROM record LIMIT 1)"),
            &s);
    if (r == 0)
        r = db_step(s);
    if (r == 1) {
        *ret_first = (uint64_t)db_column_int(s, 0);
        *ret_last = (uint64_t)db_column_int(s, 1);
        r = db_column_int(s, 2) ? 0 : -ENOENT;
    }
    db_finalize(s);
    db_close(db);
    return r;
}

/* A record from beyond the present is a clock that was wrong then, and no time that passed. */
static uint64_t silence(uint64_t last, uint64_t next, uint64_t now_us)
{
    return last && next <= now_us && next > last + DAY_US ? next - last : 0;
}

int witness_clock(struct span dir, uint64_t now_us, uint64_t *ret_us)
{
    struct files *files cleanup(cleanup_free) = malloc(sizeof(*files));
    uint64_t first, last = 0, before = 0, silent = 0;
    int r = files ? files_list(dir, 0, files) : -ENOMEM;
    for (size_t i = 0; r == 0 && i < files->count; i++) {
        r = read_ends(dir, files->months[i], &first, &last);
        if (r == 0) {
            silent += silence(before, first, now_us);
            before = last;
        }
        r = r == -ENOENT ? 0 : r;
    }
    silent += silence(before, now_us, now_us);
    *ret_us = now_us > silent ? now_us - silent : 0;
    return r;
}
