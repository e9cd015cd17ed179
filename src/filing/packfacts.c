#include "filing/packfacts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int facts_add(struct facts *f, struct span key, struct span value)
{
    if (f->count == f->cap) {
        size_t cap = f->cap ? 2 * f->cap : 64;
        struct fact *more = reallocarray(f->list, cap, sizeof(*more));
        if (!more)
            return -ENOMEM;
        f->list = more;
        f->cap = cap;
    }
    struct fact *new = &f->list[f->count];
    new->key = arena_copy(&f->arena, key);
    new->value = arena_copy(&f->arena, value);
    if (!new->key.data || !new->value.data)
        return -ENOMEM;
    f->count++;
    return 0;
}

const struct fact *facts_find(const struct facts *f, struct span key)
{
    for (size_t i = 0; i < f->count; i++)
        if (span_eq(f->list[i].key, key))
            return &f->list[i];
    return NULL;
}

void facts_deinit(struct facts *f)
{
    free(f->list);
    arena_deinit(&f->arena);
    f->list = NULL;
    f->count = f->cap = 0;
}

/* ---- gathering ---- */

struct pair {
    const char *key;
    struct span value;
};

static int add_pairs(struct facts *f, const char *prefix, const struct pair *pairs, size_t count)
{
    int r = 0;
    for (size_t i = 0; i < count && r == 0; i++) {
        struct span key = arena_printf(&f->arena, "%s%s", prefix, pairs[i].key);
        r = key.data ? facts_add(f, key, pairs[i].value) : -ENOMEM;
    }
    return r;
}
#define ADD_PAIRS(f, prefix, pairs) add_pairs(f, prefix, pairs, sizeof(pairs) / sizeof(*(pairs)))

static int add_number(struct facts *f, const char *key, unsigned long long value)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", value);
    return facts_add(f, span_str(key), span_str(text));
}

static int add_service(struct facts *f, const struct config *c)
{
    const struct pair pairs[] = {
        {"provider", c->service.provider},
        {"credit_code", c->service.credit_code},
        {"name", c->service.name},
        {"url", c->service.url},
        {"province", c->service.province},
        {"officer", c->service.officer},
        {"contact", c->service.contact},
        {"audience", c->service.audience},
        {"complaint", c->service.complaint},
        {"privacy_url", c->service.privacy_url},
        {"terms_url", c->service.terms_url},
        {"launch_number", c->service.launch_number},
        {"algorithm_number", c->service.algorithm_number},
        {"provider_code", c->service.provider_code},
    };
    return ADD_PAIRS(f, "service.", pairs);
}

static int add_model(struct facts *f, const struct config_upstream *u, const struct config_model *m)
{
    char prefix[300];
    const struct pair pairs[] = {
        {"name", dossier_model_name(m)}, {"filing_number", m->filing_number},
        {"vendor", m->vendor},           {"filing_entity", m->filing_entity},
        {"upstream", u->name},           {"contract_until", m->contract_until},
    };
    int n = snprintf(prefix, sizeof(prefix), "model.%.*s.", SPAN_ARG(m->id));
    return n < 0 || n >= (int)sizeof(prefix) ? -ENOMEM : ADD_PAIRS(f, prefix, pairs);
}

static int add_models(struct facts *f, const struct dossier *d)
{
    int r = 0;
    for (size_t i = 0; i < d->model_count && r == 0; i++)
        r = add_model(f, d->models[i].upstream, d->models[i].model);
    return r;
}

/* Rows that somebody wrote; what is built in changes with the software, which has its own fact. */
static int add_actions(struct facts *f, const struct config_policy *p)
{
    int r = 0;
    for (size_t i = 0; i < p->action_count && r == 0; i++) {
        const struct config_action *a = &p->actions[i];
        if (a->origin == ORIGIN_BUILT_IN)
            continue;
        struct span key = arena_printf(&f->arena, "policy.%s.%.*s",
                                       a->origin == ORIGIN_APP ? "app" : "all", SPAN_ARG(a->risk));
        struct span value =
            arena_printf(&f->arena, "%s/%s", action_name(a->prompt), action_name(a->completion));
        r = key.data && value.data ? facts_add(f, key, value) : -ENOMEM;
    }
    return r;
}

static int add_policy(struct facts *f, const struct dossier *d)
{
    const struct config_policy *p = &d->app->policy;
    struct buf sources = BUF_INIT(65536);
    int r = 0;
    for (size_t i = 0; i < p->asking_count && r == 0; i++)
        if (span_find(buf_span(&sources), p->askings[i].from) == sources.len)
            r = buf_printf(&sources, "%s%.*s", sources.len ? ", " : "",
                           SPAN_ARG(p->askings[i].from));
    const struct pair pairs[] = {
        {"app", d->app->name},
        {"mode", span_str(config_mode_name(config_mode_at(p, d->o.now)))},
        {"label", span_str(label_mode_name(p->label))},
        {"opinions", buf_span(&sources)},
    };
    if (r == 0)
        r = ADD_PAIRS(f, "policy.", pairs);
    buf_deinit(&sources);
    return r < 0 ? r : add_actions(f, p);
}

static int add_libraries(struct facts *f, const struct dossier *d)
{
    int r = facts_add(f, SPAN_LIT("library.standard"), ruleset_standard(d->rules)->name);
    if (r == 0)
        r = facts_add(f, SPAN_LIT("library.version"), ruleset_version(d->rules));
    if (r == 0)
        r = facts_add(f, SPAN_LIT("library.digest"), ruleset_digest(d->rules));
    if (r == 0)
        r = add_number(f, "library.keywords", d->library.total);
    if (r == 0)
        r = facts_add(f, SPAN_LIT("bank.digest"),
                      d->bank ? span_str(bank_digest(d->bank)) : SPAN_NULL);
    for (unsigned k = 0; k < BANK_KINDS && r == 0; k++) {
        char key[40];
        snprintf(key, sizeof(key), "bank.%s", bank_kind_name(k));
        r = add_number(f, key, d->banks.totals[k]);
    }
    return r;
}

int facts_gather(const struct dossier *d, struct facts *ret_facts)
{
    int r = add_service(ret_facts, d->config);
    if (r == 0)
        r = add_models(ret_facts, d);
    if (r == 0) /* the gateway judges texts; media pass unjudged where the policy says so */
        r = facts_add(ret_facts, SPAN_LIT("modality"),
                      d->app->policy.allow_media ? SPAN_LIT("文本；放行未经审核的图像等媒体")
                                                 : SPAN_LIT("文本"));
    if (r == 0)
        r = add_libraries(ret_facts, d);
    if (r == 0)
        r = add_policy(ret_facts, d);
    if (r == 0)
        r = facts_add(ret_facts, SPAN_LIT("run.name"),
                      d->run ? run_settings(d->run)->name : SPAN_NULL);
    return r < 0 ? r
                 : facts_add(ret_facts, SPAN_LIT("run.model"),
                             d->run ? run_settings(d->run)->model : SPAN_NULL);
}

/* ---- names ---- */

static const struct {
    const char *key, *title;
} titles[] = {
    {"service.provider", "服务提供者"},
    {"service.credit_code", "统一社会信用代码"},
    {"service.name", "服务（应用）名称"},
    {"service.url", "服务网址"},
    {"service.province", "属地"},
    {"service.officer", "责任人"},
    {"service.contact", "联系方式"},
    {"service.audience", "服务对象"},
    {"service.complaint", "投诉举报渠道"},
    {"service.privacy_url", "隐私政策网址"},
    {"service.terms_url", "服务协议网址"},
    {"service.launch_number", "上线编号"},
    {"service.algorithm_number", "算法备案号"},
    {"service.provider_code", "标识中的提供者编码"},
    {"modality", "模态"},
    {"library.standard", "依据标准"},
    {"library.version", "规则库版本"},
    {"library.digest", "规则库 SHA-256"},
    {"library.keywords", "拦截关键词数"},
    {"bank.digest", "题库 SHA-256"},
    {"bank.content", "生成内容测试题数"},
    {"bank.refuse", "应拒答题数"},
    {"bank.answer", "非拒答题数"},
    {"policy.app", "策略所属应用"},
    {"policy.mode", "执行方式"},
    {"policy.label", "标识方式"},
    {"policy.opinions", "第二意见来源"},
    {"run.name", "评估编号"},
    {"run.model", "被测模型"},
};

static const struct {
    const char *end, *title;
} model_titles[] = {
    {".name", "名称"},         {".filing_number", "备案号"},
    {".vendor", "服务商"},     {".filing_entity", "备案主体"},
    {".upstream", "调用通道"}, {".contract_until", "合同期限"},
};

static bool ends(struct span s, struct span end)
{
    return s.len > end.len && span_eq(span_slice(s, s.len - end.len, s.len), end);
}

int facts_title(struct span key, struct buf *out)
{
    for (size_t i = 0; i < sizeof(titles) / sizeof(*titles); i++)
        if (span_eq(key, span_str(titles[i].key)))
            return buf_append(out, span_str(titles[i].title));
    if (span_starts(key, SPAN_LIT("policy.")))
        return buf_printf(out, "处置策略 %.*s", SPAN_ARG(span_slice(key, 7, key.len)));
    for (size_t i = 0; i < sizeof(model_titles) / sizeof(*model_titles); i++) {
        struct span end = span_str(model_titles[i].end);
        if (span_starts(key, SPAN_LIT("model.")) && ends(key, end))
            return buf_printf(out, "模型 %.*s 的%s",
                              SPAN_ARG(span_slice(key, 6, key.len - end.len)),
                              model_titles[i].title);
    }
    return buf_append(out, key);
}
