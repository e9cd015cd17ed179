#include "filing/workbook.h"

#include "filing/annex5.h"
#include "filing/keywordlist.h"

#include <errno.h>

int workbook_keywords(const struct dossier *d, struct span path, struct buf *ret_error)
{
    struct keywordlist k = {
        .library = &d->library,
        .version = ruleset_version(d->rules),
        .digest = ruleset_digest(d->rules),
        .filed = d->filed_known ? &d->filed.list : NULL,
        .provider = d->config->service.provider,
        .now = d->o.now,
    };
    return keywordlist_write(&k, KEYWORDLIST_XLSX, path, ret_error);
}

int workbook_questions(const struct dossier *d, struct span path, struct buf *ret_error)
{
    struct annex5 a = {
        .bank = d->bank,
        .rules = d->rules,
        .run = d->run,
        .route = annex5_route(d->run),
        .provider = d->config->service.provider,
        .now = d->o.now,
    };
    if (!d->bank) {
        buf_append(ret_error, SPAN_LIT("the question banks can't be read"));
        return -EINVAL;
    }
    return annex5_write(&a, path, ret_error);
}
