#include "audit/known.h"

#include "audit/index.h"
#include "terms/terms.h"

#include <errno.h>

#define ENTRY_MEMORY ((size_t)1 << 20)

int known_open(struct known_set *s, struct db *l0, struct db *before)
{
    struct span sql = SPAN_LIT("SELECT seq, weight, body FROM record WHERE request = ?1 AND"
                               " request <> '' AND seq < ?2 ORDER BY seq LIMIT 256");
    known_reset(s);
    int r = db_prepare(l0, sql, &s->here);
    return r == 0 && before ? db_prepare(before, sql, &s->there) : r;
}

void known_close(struct known_set *s)
{
    db_finalize(s->here);
    db_finalize(s->there);
    s->here = s->there = NULL;
}

void known_reset(struct known_set *s)
{
    for (size_t i = 0; i < KNOWN_SLOTS; i++)
        s->slots[i].request_len = 0;
}

void known_clear(struct known *k)
{
    *k = (struct known){.action = ACTION_DEFAULT};
}

void known_drop(struct known *k)
{
    k->request_len = 0;
}

static void set_code(int64_t *code, char kind, struct span value)
{
    if (value.len)
        *code = index_code(kind, value);
}

static void set_name(char *name, unsigned char *len, struct span value)
{
    if (value.len == 0)
        return;
    *len = (unsigned char)(value.len < KNOWN_NAME ? value.len : KNOWN_NAME);
    memcpy(name, value.data, *len);
}

void known_add(struct known *k, const struct entry *e)
{
    set_code(&k->app, INDEX_APP, e->app);
    set_code(&k->model, INDEX_MODEL, e->model);
    set_code(&k->answered, INDEX_MODEL, e->model_answered);
    set_code(&k->user, INDEX_USER, e->end_user);
    set_code(&k->session, INDEX_SESSION, e->session);
    set_code(&k->ip, INDEX_IP, e->client_ip);
    set_code(&k->purpose, INDEX_PURPOSE, e->purpose);
    set_name(k->app_name, &k->app_len, e->app);
    if (e->upstream.len)
        set_name(k->model_name, &k->model_len, e->model);
    k->kept |= e->hit_count > 0 && entry_weight(e) == 0;
    k->closed |= span_eq(e->kind, SPAN_LIT("close"));
    int action = (int)action_from(e->action);
    if (action > k->action)
        k->action = action;
}

static int read_records(struct db_stmt *s, struct span request, uint64_t seq, struct known *k,
                        bool here)
{
    db_bind_text(s, 1, request);
    db_bind_int(s, 2, (int64_t)seq);
    int r;
    while ((r = db_step(s)) == 1) {
        struct arena a;
        struct entry e;
        if (here && k->first == 0 && db_column_int(s, 1) > 0)
            k->first = (uint64_t)db_column_int(s, 0);
        k->before |= !here;
        arena_init(&a, ENTRY_MEMORY);
        r = entry_parse(db_column_text(s, 2), &a, &e);
        if (r == 0)
            known_add(k, &e);
        arena_deinit(&a);
        if (r == -ENOMEM)
            break;
    }
    db_reset(s);
    return r < 0 && r != -EBADMSG && r != -EPROTO ? r : 0;
}

int known_find(struct known_set *s, struct span request, uint64_t seq, struct known **ret_known)
{
    uint64_t h = (uint64_t)index_code('r', request);
    struct known *k = request.len <= KNOWN_REQUEST ? &s->slots[h % KNOWN_SLOTS] : &s->spare;
    *ret_known = k;
    if (k->request_len && span_eq(request, span_from(k->request, k->request_len)))
        return 0;
    known_clear(k);
    int r = s->there ? read_records(s->there, request, seq, k, false) : 0;
    if (r == 0)
        r = read_records(s->here, request, seq, k, true);
    if (r == 0 && request.len <= KNOWN_REQUEST) {
        memcpy(k->request, request.data, request.len);
        k->request_len = (unsigned char)request.len;
    }
    return r;
}
