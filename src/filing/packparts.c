#include "filing/packparts.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "evaluation/resultjson.h"
#include "filing/annex.h"
#include "filing/coverage.h"
#include "filing/disclosure.h"
#include "filing/packevidence.h"
#include "filing/workbook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX (64u << 20) /* bytes of a part in memory */

static int new_part(struct pack *p, struct span name, struct part **ret)
{
    for (size_t i = 0; i < p->count; i++)
        if (span_eq(p->parts[i].name, name))
            return -EEXIST;
    if (p->count == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 32;
        struct part *more = reallocarray(p->parts, cap, sizeof(*more));
        if (!more)
            return -ENOMEM;
        p->parts = more;
        p->cap = cap;
    }
    struct span copy = arena_copy(&p->arena, name);
    if (!copy.data)
        return -ENOMEM;
    *ret = &p->parts[p->count++];
    **ret = (struct part){.name = copy, .fd = -1, .content = BUF_INIT(TEXT_MAX)};
    return 0;
}

int parts_add_text(struct pack *p, struct span name, struct buf *text, bool identifies)
{
    struct part *part;
    if (secrets_are_in(p, buf_span(text)))
        return -ENOKEY;
    int r = new_part(p, name, &part);
    if (r < 0)
        return r;
    part->content = *text;
    part->is_text = true;
    part->identifies = identifies;
    *text = BUF_INIT(text->max);
    return 0;
}

/* What makes a text. */
typedef int (*make_fn)(const struct pack *p, struct buf *out);

static int make_text(struct pack *p, const char *name, bool identifies, make_fn make)
{
    struct buf text = BUF_INIT(TEXT_MAX);
    int r = make(p, &text);
    if (r == 0)
        r = parts_add_text(p, span_str(name), &text, identifies);
    buf_deinit(&text);
    return r;
}

/* ---- annexes ---- */

static int add_annex(struct pack *p, const struct annex *a, struct buf *messages)
{
    char name[256], file[128], path[PATH_MAX];
    struct buf html = BUF_INIT(TEXT_MAX);
    snprintf(name, sizeof(name), "附件/%s.html", a->title);
    int r = annex_html(a, p->o.dossier, &html);
    /* Of all papers it is the one about the models that must name each of them. */
    if (r == 0)
        r = parts_add_text(p, span_str(name), &html, !strcmp(a->name, "model"));
    buf_deinit(&html);
    if (r < 0 || !p->o.papers)
        return r;
    snprintf(file, sizeof(file), "%s.docx", a->file);
    snprintf(name, sizeof(name), "附件/%s.docx", a->title);
    r = parts_place(p, file, path);
    if (r == 0)
        r = annex_docx(a, p->o.dossier, span_str(path), messages);
    return r < 0 ? r : parts_add_file(p, span_str(name), path, false);
}

typedef int (*book_fn)(const struct dossier *d, struct span path, struct buf *ret_error);

static int add_book(struct pack *p, const char *file, struct span name, book_fn write,
                    struct buf *messages)
{
    char path[PATH_MAX];
    int r = parts_place(p, file, path);
    if (r == 0)
        r = write(p->o.dossier, span_str(path), messages);
    return r < 0 ? r : parts_add_file(p, name, path, false);
}

static int add_books(struct pack *p, struct buf *messages)
{
    int r = add_book(p, "annex4.xlsx", SPAN_LIT("附件/" WORKBOOK_KEYWORDS ".xlsx"),
                     workbook_keywords, messages);
    /* Banks that can't be read are the linter's. */
    if (r < 0 || !p->o.dossier->bank)
        return r;
    return add_book(p, "annex5.xlsx", SPAN_LIT("附件/" WORKBOOK_QUESTIONS ".xlsx"),
                    workbook_questions, messages);
}

static int add_annexes(struct pack *p, struct buf *messages)
{
    int r = 0;
    for (size_t i = 0; annex_at(i) && r == 0; i++)
        r = add_annex(p, annex_at(i), messages);
    if (r == 0 && p->o.papers)
        r = add_books(p, messages);
    return r;
}

/* ---- what users are shown, and evidence ---- */

static struct disclosure disclosure_of(const struct pack *p)
{
    return (struct disclosure){.config = p->o.dossier->config, .app = p->o.dossier->app};
}

static int make_disclosure_html(const struct pack *p, struct buf *out)
{
    struct disclosure d = disclosure_of(p);
    return disclosure_html(&d, out);
}

static int make_disclosure_json(const struct pack *p, struct buf *out)
{
    struct disclosure d = disclosure_of(p);
    return disclosure_json(&d, out);
}

static int make_configuration(const struct pack *p, struct buf *out)
{
    return evidence_configuration(p->o.dossier->config, out);
}

static int make_versions(const struct pack *p, struct buf *out)
{
    return evidence_versions(p->o.dossier, out);
}

static int make_figures(const struct pack *p, struct buf *out)
{
    return evidence_figures(p->o.dossier, out);
}

static int make_complaints(const struct pack *p, struct buf *out)
{
    return evidence_complaints(p->o.dossier, out);
}

static int make_incidents(const struct pack *p, struct buf *out)
{
    return evidence_incidents(p->o.dossier, out);
}

static int make_result(const struct pack *p, struct buf *out)
{
    int r = result_json(p->o.dossier->run, &p->o.dossier->result, out);
    return r < 0 ? r : buf_append_char(out, '\n');
}

/* With and without the gateway, where the evaluation took both ways. */
static int make_comparison(const struct pack *p, struct buf *out)
{
    struct result_routes routes;
    int r = result_routes(p->o.dossier->run, &routes);
    if (r < 0)
        return r;
    r = result_routes_json(p->o.dossier->run, &routes, out);
    result_routes_free(&routes);
    return r < 0 ? r : buf_append_char(out, '\n');
}

static int make_weakenings(const struct pack *p, struct buf *out)
{
    const struct buf *weak = &p->o.dossier->weak;
    return buf_append(out, weak->len ? buf_span(weak) : SPAN_LIT("无。\n"));
}

static int make_coverage(const struct pack *p, struct buf *out)
{
    const struct dossier *d = p->o.dossier;
    struct coverage c = {.library = &d->library,
                         .version = ruleset_version(d->rules),
                         .now = d->o.now,
                         .good = "",
                         .bad = "",
                         .off = ""};
    return coverage_table(&c, out);
}

static int add_evidence(struct pack *p)
{
    static const struct {
        const char *name;
        bool identifies;
        make_fn make;
    } texts[] = {
        {"公示信息/disclosure.html", true, make_disclosure_html},
        {"公示信息/disclosure.json", true, make_disclosure_json},
        {"配置快照.json", false, make_configuration},
        {"证据/规则库版本记录.csv", false, make_versions},
        {"证据/关键词库达标情况.txt", false, make_coverage},
        {"证据/日志统计.json", false, make_figures},
        {"证据/投诉.csv", false, make_complaints},
        {"证据/事件.csv", false, make_incidents},
        {"证据/削弱项.txt", false, make_weakenings},
    };
    int r = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && r == 0; i++)
        r = make_text(p, texts[i].name, texts[i].identifies, texts[i].make);
    if (r == 0 && p->o.dossier->run)
        r = make_text(p, "证据/评估结果.json", false, make_result);
    if (r == 0 && p->o.dossier->run && run_settings(p->o.dossier->run)->routes[RUN_GATEWAY] &&
        run_settings(p->o.dossier->run)->routes[RUN_BARE])
        r = make_text(p, "证据/附加与不附加审核策略的对比.json", false, make_comparison);
    return r;
}

/* ---- the operator's own ---- */

static struct span base_name(struct span path)
{
    size_t at = path.len;
    while (at > 0 && path.data[at - 1] != '/')
        at--;
    return span_slice(path, at, path.len);
}

static int add_own(struct pack *p, const char *folder, struct span file, struct buf *messages)
{
    char path[PATH_MAX];
    struct span base = base_name(file);
    int n = snprintf(path, sizeof(path), "%.*s", SPAN_ARG(file));
    int r = n < 0 || n >= (int)sizeof(path) || base.len == 0 ? -ENAMETOOLONG : 0;
    struct span name =
        r == 0 ? arena_printf(&p->arena, "随附材料/%s%.*s", folder, SPAN_ARG(base)) : SPAN_NULL;
    if (r == 0)
        r = name.data ? parts_add_file(p, name, path, true) : -ENOMEM;
    if (r == -ENOKEY)
        buf_printf(messages,
                   "%.*s: it holds a key or another secret: those are handed over apart from the "
                   "pack, never in it\n",
                   SPAN_ARG(file));
    else if (r == -EEXIST)
        buf_printf(messages, "%.*s: another attachment has the same name\n", SPAN_ARG(file));
    else if (r < 0 && r != -ENOMEM)
        buf_printf(messages, "%.*s: %s\n", SPAN_ARG(file), strerror(-r));
    return r < 0 && r != -ENOMEM ? -EINVAL : r;
}

/* The proofs that the configuration names; one that can't be read is the linter's. */
static int add_proofs(struct pack *p, struct buf *messages)
{
    const struct dossier *d = p->o.dossier;
    int r = 0;
    for (size_t i = 0; i < d->model_count && r == 0; i++) {
        struct span proof = d->models[i].model->proof;
        char path[PATH_MAX];
        bool again = false;
        for (size_t j = 0; j < i; j++)
            again = again || span_eq(d->models[j].model->proof, proof);
        if (proof.len == 0 || again ||
            snprintf(path, sizeof(path), "%.*s", SPAN_ARG(proof)) >= (int)sizeof(path) ||
            access(path, R_OK) < 0)
            continue;
        r = add_own(p, "调用证明/", proof, messages);
    }
    return r;
}

/* ---- all of it ---- */

static int digest_configuration(struct pack *p, struct buf *messages)
{
    struct span file = p->o.dossier->config->file;
    struct buf text = BUF_INIT(64u << 20);
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%.*s", SPAN_ARG(file));
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : file_read(fd, 0, &text);
    if (r == 0)
        r = manifest_digest(buf_span(&text), p->configuration);
    if (r < 0)
        buf_printf(messages, "%.*s: %s\n", SPAN_ARG(file), strerror(-r));
    buf_deinit(&text);
    return r;
}

int parts_gather(struct pack *p, struct buf *messages)
{
    int r = digest_configuration(p, messages);
    if (r == 0)
        r = secrets_read(p);
    if (r == 0)
        r = add_annexes(p, messages);
    if (r == 0)
        r = add_evidence(p);
    if (r == 0)
        r = add_proofs(p, messages);
    for (size_t i = 0; i < p->o.attachment_count && r == 0; i++)
        r = add_own(p, "", p->o.attachments[i], messages);
    if (r == -ENOKEY) {
        buf_printf(messages, "a secret of the configuration stands in one of the papers: nothing "
                             "is packed\n");
        r = -EINVAL;
    }
    return r;
}
