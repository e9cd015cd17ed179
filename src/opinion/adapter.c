#include "opinion/adapter.h"

#include "json/walk.h"

#include <errno.h>

const struct opinion_adapter *opinion_adapter(const struct config_opinion *source)
{
    static const struct opinion_adapter *const all[] = {
        [OPINION_MODERATIONS] = &opinion_moderations,
        [OPINION_QWEN3GUARD] = &opinion_qwen3guard,
        [OPINION_LLAMAGUARD] = &opinion_llamaguard,
        [OPINION_WEBHOOK] = &opinion_webhook,
    };
    return all[source->kind];
}

int opinion_add(struct opinion_verdict *v, struct span category, double score)
{
    /* Written so that what is no number fails too. */
    if (!(score >= 0 && score <= 1) || category.len == 0 || category.len >= OPINION_CATEGORY_MAX)
        return -EBADMSG;
    unsigned percent = (unsigned)(score * 100 + 0.5);
    if (percent == 0)
        return 0;
    if (v->count == OPINION_SCORES_MAX)
        return -EBADMSG;
    struct opinion_score *s = &v->scores[v->count++];
    memcpy(s->category, category.data, category.len);
    s->category[category.len] = '\0';
    s->percent = percent;
    return 0;
}

int opinion_text(struct buf *out, struct span lead, struct span text)
{
    int r = buf_append(out, lead);
    if (r == 0)
        r = buf_append_char(out, '"');
    if (r == 0)
        r = json_escape(out, text);
    return r < 0 ? r : buf_append_char(out, '"');
}
