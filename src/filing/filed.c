#include "filing/filed.h"

#include "rules/publish.h"
#include "rules/vault.h"

#include <errno.h>
#include <stdlib.h>

static int compare_rules(const void *a, const void *b)
{
    const struct rule *const *x = a, *const *y = b;
    return span_compare((*x)->id, (*y)->id);
}

/* The counted keywords, sorted by id; the caller frees. NULL when memory is out. */
static const struct rule **counted(const struct library *l, size_t *ret_count)
{
    const struct rule **list = calloc(l->count + 1, sizeof(*list));
    size_t n = 0;
    if (!list)
        return NULL;
    for (size_t i = 0; i < l->count; i++)
        if (l->entries[i].class == LIBRARY_COUNTED)
            list[n++] = l->entries[i].rule;
    qsort(list, n, sizeof(*list), compare_rules);
    *ret_count = n;
    return list;
}

/* Those of `a` that `b` doesn't have go to *to. */
static size_t without(const struct rule *const *a, size_t a_count, const struct rule *const *b,
                      size_t b_count, const struct rule **to)
{
    size_t n = 0;
    for (size_t i = 0, j = 0; i < a_count; i++) {
        while (j < b_count && span_compare(b[j]->id, a[i]->id) < 0)
            j++;
        if (j == b_count || !span_eq(b[j]->id, a[i]->id))
            to[n++] = a[i];
    }
    return n;
}

static int compare(const struct library *now, const struct library *then, struct filed *f)
{
    size_t now_count, then_count;
    const struct rule **a = counted(now, &now_count);
    const struct rule **b = counted(then, &then_count);
    f->changed = a && b ? calloc(now_count + then_count + 1, sizeof(*f->changed)) : NULL;
    if (f->changed) {
        size_t n = without(a, now_count, b, then_count, f->changed);
        f->list.added = f->changed;
        f->list.added_count = n;
        f->list.removed = f->changed + n;
        f->list.removed_count = without(b, then_count, a, now_count, f->changed + n);
    }
    free(a);
    free(b);
    return f->changed ? 0 : -ENOMEM;
}

static int read_version(struct span state_dir, struct span digest, struct buf *messages,
                        struct ruleset **ret_set)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct vault *vault = NULL;
    int r = vault_open(state_dir, messages, &vault);
    /* Compiled: what contains a shorter keyword is found by matching. */
    if (r == 0)
        r = vault_read(vault, digest, &(struct ruleset_source){0}, &report, ret_set);
    if (r < 0)
        buf_append(messages, buf_span(&report.text));
    buf_deinit(&report.text);
    vault_close(vault);
    return r;
}

int filed_read(struct span state_dir, const struct library *now_library,
               const struct config_app *app, int64_t now, struct buf *messages,
               struct filed *ret_filed)
{
    struct publish_status status;
    *ret_filed = (struct filed){0};
    int r = publish_status(state_dir, messages, &status);
    if (r < 0 || !status.filed[0])
        return r;
    r = read_version(state_dir, span_str(status.filed), messages, &ret_filed->rules);
    if (r < 0)
        return r;
    vault_name(span_str(status.filed), ret_filed->version);
    ret_filed->list.version = span_str(ret_filed->version);
    ret_filed->list.time = status.filed_us / 1000000;
    struct library then;
    r = library_read(ret_filed->rules, app, now, &then);
    if (r < 0)
        return r;
    r = compare(now_library, &then, ret_filed);
    library_free(&then);
    return r;
}

void filed_free(struct filed *f)
{
    free(f->changed);
    ruleset_unref(f->rules);
    *f = (struct filed){0};
}
