#include "audit/names.h"

#include <errno.h>

int names_open(struct names *n, struct db *db)
{
    int r = db_prepare(db, SPAN_LIT("SELECT id FROM name WHERE text = ?1"), &n->find);
    if (r == 0)
        r = db_prepare(db, SPAN_LIT("INSERT INTO name (text) VALUES (?1)"), &n->add);
    names_reset(n);
    return r;
}

void names_close(struct names *n)
{
    db_finalize(n->find);
    db_finalize(n->add);
    n->find = n->add = NULL;
}

void names_reset(struct names *n)
{
    for (size_t i = 0; i < NAMES_CACHE; i++)
        n->cache[i].len = 0;
}

static int look_up(struct names *n, struct span text, int64_t *ret_id)
{
    db_bind_text(n->find, 1, text);
    int r = db_step(n->find);
    if (r == 1)
        *ret_id = db_column_int(n->find, 0);
    db_reset(n->find);
    return r;
}

int names_id(struct names *n, struct span text, int64_t *ret_id)
{
    *ret_id = 0;
    if (text.len == 0)
        return 0;
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.data[i]) * 16777619u;
    size_t slot = (h ^ h >> 16) % NAMES_CACHE;
    if (span_eq(text, span_from(n->cache[slot].text, n->cache[slot].len))) {
        *ret_id = n->cache[slot].id;
        return 0;
    }
    int r = look_up(n, text, ret_id);
    if (r == 0) {
        db_bind_text(n->add, 1, text);
        r = db_run(n->add);
        if (r == 0)
            r = look_up(n, text, ret_id);
    }
    if (r == 1 && text.len <= sizeof(n->cache[slot].text)) {
        memcpy(n->cache[slot].text, text.data, text.len);
        n->cache[slot].len = (unsigned char)text.len;
        n->cache[slot].id = *ret_id;
    }
    return r == 1 ? 0 : r < 0 ? r : -EIO;
}
