#include "filing/pack.h"

#include "filing/packparts.h"
#include "sheet/zipwrite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INDEX_NAME "目录.txt"

const struct lint *pack_lint(const struct pack *p)
{
    return &p->lint;
}

const char *pack_digest(const struct pack *p)
{
    return p->digest;
}

const char *pack_key(const struct pack *p)
{
    return p->key;
}

const struct manifest *pack_manifest(const struct pack *p)
{
    return &p->manifest;
}

/* ---- the papers, as the linter reads them ---- */

static int look_at(struct pack *p, struct buf *messages)
{
    struct changes changes = {0};
    struct lint_document *documents = calloc(p->count + 1, sizeof(*documents));
    size_t count = 0;
    int r = documents ? 0 : -ENOMEM;
    for (size_t i = 0; i < p->count && r == 0; i++) {
        const struct part *part = &p->parts[i];
        if (!part->is_text && !part->is_closed)
            continue;
        documents[count++] = (struct lint_document){
            .name = part->name,
            .text = !part->is_text   ? SPAN_LIT("")
                    : part->said.len ? buf_span(&part->said)
                                     : buf_span(&part->content),
            .identifies = part->identifies,
            .closed = part->is_closed,
        };
    }
    const struct dossier *d = p->o.dossier;
    bool known =
        r == 0 && changes_read(d->config->state_dir, d->rules, d->o.now, messages, &changes) == 0;
    struct lint_question q = {.dossier = d,
                              .changes = known ? &changes : NULL,
                              .documents = documents,
                              .document_count = count,
                              .attachments = p->o.attachment_count};
    if (r == 0)
        r = lint_run(&q, &p->lint);
    if (known)
        changes_free(&changes);
    free(documents);
    return r;
}

int pack_new(const struct pack_options *o, struct buf *messages, struct pack **ret_pack)
{
    struct pack *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->o = *o;
    p->arena = (struct arena){.max = 16u << 20};
    p->manifest = MANIFEST_INIT;
    p->lint = LINT_INIT;
    p->text = BUF_INIT(MANIFEST_MAX);
    p->signature = BUF_INIT(4096);
    int r = parts_gather(p, messages);
    if (r == 0)
        r = facts_gather(o->dossier, &p->manifest.facts);
    if (r == 0)
        r = look_at(p, messages);
    if (r < 0) {
        pack_free(p);
        return r;
    }
    *ret_pack = p;
    return 0;
}

void pack_free(struct pack *p)
{
    if (!p)
        return;
    parts_forget(p);
    lint_deinit(&p->lint);
    manifest_deinit(&p->manifest);
    buf_deinit(&p->text);
    buf_deinit(&p->signature);
    arena_deinit(&p->arena);
    free(p);
}

/* ---- sealing ---- */

/* What the linter said goes along: who reads the pack sees what was known when it was made. */
static int add_findings(struct pack *p)
{
    struct buf text = BUF_INIT(4u << 20);
    int r = p->lint.count ? lint_text(&p->lint, &text)
                          : buf_append(&text, SPAN_LIT("未发现不一致。\n"));
    if (r == 0)
        r = parts_add_text(p, SPAN_LIT("证据/一致性检查.txt"), &text, false);
    buf_deinit(&text);
    return r;
}

static int add_index(struct pack *p)
{
    struct buf text = BUF_INIT(1u << 20);
    int r =
        buf_printf(&text, "备案材料目录（草稿，须由本单位人员核对后提交）\n\n"
                          "每个文件的大小与 SHA-256 见 " MANIFEST_NAME "，其签名见 " MANIFEST_SIG
                          "；\n核对：juyong filing pack --verify 本文件\n\n");
    for (size_t i = 0; i < p->count && r == 0; i++)
        r = buf_printf(&text, "%zu. %.*s\n", i + 1, SPAN_ARG(p->parts[i].name));
    if (r == 0)
        r = parts_add_text(p, SPAN_LIT(INDEX_NAME), &text, false);
    buf_deinit(&text);
    return r;
}

static int describe(struct pack *p, bool forced)
{
    struct manifest *m = &p->manifest;
    m->made = p->o.dossier->o.now;
    m->by = arena_copy(&m->arena, p->o.by);
    m->software = arena_copy(&m->arena, p->o.software);
    m->configuration = arena_copy(&m->arena, span_str(p->configuration));
    m->errors = p->lint.totals[LINT_ERROR];
    m->warnings = p->lint.totals[LINT_WARNING];
    m->forced = forced && m->errors;
    int r = m->by.data && m->software.data && m->configuration.data ? 0 : -ENOMEM;
    for (size_t i = 0; i < p->count && r == 0; i++) {
        const struct part *part = &p->parts[i];
        r = part->fd < 0 ? manifest_add(m, part->name, buf_span(&part->content))
                         : manifest_add_fd(m, part->name, part->fd);
    }
    return r;
}

int pack_seal(struct pack *p, bool forced)
{
    struct span state_dir = p->o.dossier->config->state_dir;
    int r = add_findings(p);
    if (r == 0)
        r = add_index(p);
    if (r == 0)
        r = describe(p, forced);
    if (r == 0)
        r = manifest_write(&p->manifest, &p->text);
    if (r == 0)
        r = manifest_digest(buf_span(&p->text), p->digest);
    if (r == 0)
        r = manifest_sign(state_dir, buf_span(&p->text), &p->signature);
    return r < 0 ? r : manifest_public(state_dir, p->key);
}

/* ---- the archive ---- */

int pack_write(struct pack *p, struct span path, struct buf *ret_error)
{
    struct zipwrite *w = NULL;
    int r = zipwrite_new(path, &w);
    if (r < 0) {
        buf_printf(ret_error, "%.*s: %s", SPAN_ARG(path), strerror(-r));
        return r;
    }
    for (size_t i = 0; i < p->count && r == 0; i++) {
        const struct part *part = &p->parts[i];
        r = part->fd < 0 ? zipwrite_add(w, part->name, buf_span(&part->content))
                         : zipwrite_add_fd(w, part->name, part->fd);
    }
    if (r == 0)
        r = zipwrite_add(w, SPAN_LIT(MANIFEST_NAME), buf_span(&p->text));
    if (r == 0)
        zipwrite_add(w, SPAN_LIT(MANIFEST_SIG), buf_span(&p->signature));
    r = zipwrite_finish(w, ret_error); /* the first error sticks */
    zipwrite_free(w);
    return r;
}
