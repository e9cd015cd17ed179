#include "console/memo.h"

#include "base/clock.h"

#include <stdio.h>

void memo_init(struct memo *m, size_t ceiling)
{
    pthread_mutex_init(&m->lock, NULL);
    buf_init(&m->text, ceiling);
    m->key[0] = '\0';
}

void memo_deinit(struct memo *m)
{
    buf_deinit(&m->text);
    pthread_mutex_destroy(&m->lock);
}

int memo_get(struct memo *m, const char *key, struct buf *out)
{
    pthread_mutex_lock(&m->lock);
    bool kept = m->text.len && strcmp(m->key, key) == 0 && clock_mono_ms() < m->until_ms;
    int r = kept ? buf_append(out, buf_span(&m->text)) : 0;
    pthread_mutex_unlock(&m->lock);
    return r < 0 ? r : kept;
}

void memo_put(struct memo *m, const char *key, struct span text, uint64_t for_ms)
{
    pthread_mutex_lock(&m->lock);
    buf_clear(&m->text);
    if (snprintf(m->key, sizeof(m->key), "%s", key) >= (int)sizeof(m->key) ||
        buf_append(&m->text, text) < 0)
        buf_clear(&m->text);
    m->until_ms = clock_mono_ms() + for_ms;
    pthread_mutex_unlock(&m->lock);
}
