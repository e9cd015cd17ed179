#include "filing/packlint.h"

#include "base/day.h"
#include "json/value.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_S          86400
#define CONTRACT_DAYS  90  /* a filing takes months: a contract that ends within is asked about */
#define RETENTION_DAYS 183 /* six months */

const char *lint_severity_name(enum lint_severity s)
{
    static const char *const names[] = {"note", "warning", "error"};
    return names[s];
}

const char *lint_severity_title(enum lint_severity s)
{
    static const char *const titles[] = {"提示", "警告", "错误"};
    return titles[s];
}

int lint_add(struct lint *l, enum lint_severity severity, const char *code, const char *fmt, ...)
{
    struct buf text = BUF_INIT(1u << 20);
    va_list ap;
    va_start(ap, fmt);
    int r = buf_vprintf(&text, fmt, ap);
    va_end(ap);
    if (r == 0 && l->count == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 32;
        struct lint_finding *more = reallocarray(l->list, cap, sizeof(*more));
        if (more) {
            l->list = more;
            l->cap = cap;
        }
    }
    if (r == 0 && l->count < l->cap) {
        struct span copy = arena_copy(&l->arena, buf_span(&text));
        if (copy.data) {
            l->list[l->count++] = (struct lint_finding){severity, code, copy};
            l->totals[severity]++;
            buf_deinit(&text);
            return 0;
        }
    }
    buf_deinit(&text);
    return r < 0 ? r : -ENOMEM;
}

void lint_deinit(struct lint *l)
{
    free(l->list);
    arena_deinit(&l->arena);
    *l = LINT_INIT;
}

/* ---- facts ---- */

static int check_service(const struct lint_question *q, struct lint *l)
{
    const struct config *c = q->dossier->config;
    const struct {
        const char *key, *title;
        struct span value;
        enum lint_severity severity;
    } wanted[] = {
        {"provider", "服务提供者名称", c->service.provider, LINT_ERROR},
        {"name", "服务（应用）名称", c->service.name, LINT_ERROR},
        {"complaint", "投诉举报渠道", c->service.complaint, LINT_ERROR},
        {"credit_code", "统一社会信用代码", c->service.credit_code, LINT_WARNING},
        {"url", "服务网址", c->service.url, LINT_WARNING},
        {"province", "属地", c->service.province, LINT_WARNING},
        {"officer", "责任人", c->service.officer, LINT_WARNING},
        {"contact", "联系方式", c->service.contact, LINT_WARNING},
        {"audience", "服务对象", c->service.audience, LINT_WARNING},
        {"terms_url", "服务协议网址", c->service.terms_url, LINT_WARNING},
        {"privacy_url", "隐私政策网址", c->service.privacy_url, LINT_WARNING},
        {"algorithm_number", "算法备案号", c->service.algorithm_number, LINT_WARNING},
        {"launch_number", "上线编号（登记完成后取得）", c->service.launch_number, LINT_NOTE},
    };
    int r = 0;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted) && r == 0; i++)
        if (wanted[i].value.len == 0)
            r = lint_add(l, wanted[i].severity, "fact-missing", "配置缺少%s（service.%s）",
                         wanted[i].title, wanted[i].key);
    return r;
}

/* 网信算备, 21 digits, 号: the form that is seen. */
static bool is_algorithm_number(struct span s)
{
    struct span begin = SPAN_LIT("网信算备"), end = SPAN_LIT("号");
    if (s.len != begin.len + 21 + end.len || !span_starts(s, begin) ||
        !span_eq(span_slice(s, s.len - end.len, s.len), end))
        return false;
    for (size_t i = begin.len; i < begin.len + 21; i++)
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    return true;
}

static int check_numbers(const struct lint_question *q, struct lint *l)
{
    const struct config *c = q->dossier->config;
    struct span number = c->service.algorithm_number, code = c->service.provider_code;
    struct span credit = c->service.credit_code;
    int r = 0;
    if (number.len && !is_algorithm_number(number))
        r = lint_add(l, LINT_WARNING, "algorithm-number",
                     "算法备案号“%.*s”不是常见的形式（网信算备 + 21 位数字 + 号），请核对",
                     SPAN_ARG(number));
    if (r == 0 && code.len && credit.len && span_find(code, credit) == code.len)
        r = lint_add(l, LINT_WARNING, "provider-code",
                     "标识中的提供者编码“%.*s”不含统一社会信用代码“%.*s”", SPAN_ARG(code),
                     SPAN_ARG(credit));
    return r;
}

/* ---- models ---- */

static int check_proof(const struct config_model *m, struct lint *l)
{
    char path[PATH_MAX];
    if (m->proof.len == 0)
        return lint_add(l, LINT_WARNING, "model-proof",
                        "模型 %.*s 没有调用证明（合同或控制台截图，proof）", SPAN_ARG(m->id));
    if (snprintf(path, sizeof(path), "%.*s", SPAN_ARG(m->proof)) < (int)sizeof(path) &&
        access(path, R_OK) == 0)
        return 0;
    return lint_add(l, LINT_ERROR, "model-proof", "模型 %.*s 的调用证明读不到：%.*s",
                    SPAN_ARG(m->id), SPAN_ARG(m->proof));
}

static int check_contract(const struct config_model *m, int64_t now, struct lint *l)
{
    int64_t end;
    if (!m->contract_until.len || !day_end(m->contract_until, &end))
        return lint_add(l, LINT_WARNING, "model-contract", "模型 %.*s 没有写合同期限",
                        SPAN_ARG(m->id));
    if (end <= now)
        return lint_add(l, LINT_ERROR, "model-contract", "模型 %.*s 的合同已于 %.*s 到期",
                        SPAN_ARG(m->id), SPAN_ARG(m->contract_until));
    if (end <= now + (int64_t)CONTRACT_DAYS * DAY_S)
        return lint_add(l, LINT_WARNING, "model-contract", "模型 %.*s 的合同将于 %.*s 到期",
                        SPAN_ARG(m->id), SPAN_ARG(m->contract_until));
    return 0;
}

static int check_model(const struct lint_question *q, const struct config_model *m, struct lint *l)
{
    int r = 0;
    if (m->filing_number.len == 0)
        r = lint_add(l, LINT_ERROR, "model-unfiled",
                     "模型 %.*s 没有备案号：登记只适用于调用已备案的模型", SPAN_ARG(m->id));
    if (r == 0 && m->display_name.len == 0)
        r = lint_add(l, LINT_WARNING, "fact-missing", "模型 %.*s 没有公示用的名称（display_name）",
                     SPAN_ARG(m->id));
    if (r == 0 && (m->vendor.len == 0 || m->filing_entity.len == 0))
        r = lint_add(l, LINT_WARNING, "fact-missing", "模型 %.*s 没有写服务商或备案主体",
                     SPAN_ARG(m->id));
    if (r == 0)
        r = check_proof(m, l);
    return r < 0 ? r : check_contract(m, q->dossier->o.now, l);
}

static int check_models(const struct lint_question *q, struct lint *l)
{
    const struct config *c = q->dossier->config;
    int r = 0;
    for (size_t i = 0; i < q->dossier->model_count && r == 0; i++)
        r = check_model(q, q->dossier->models[i].model, l);
    if (r == 0 && c->allow_unfiled)
        r = lint_add(l, LINT_ERROR, "allow-unfiled", "配置允许调用未备案的模型（allow_unfiled）");
    return r;
}

/* ---- policy ---- */

static int check_weakenings(const struct lint_question *q, struct lint *l)
{
    struct buf lines = BUF_INIT(1u << 20);
    config_weakenings(q->dossier->config, &lines);
    struct span rest = buf_span(&lines), line;
    int r = 0;
    while (r == 0 && span_split(&rest, '\n', &line))
        if (line.len)
            r = lint_add(l, LINT_WARNING, "weakening", "防护被削弱：%.*s", SPAN_ARG(line));
    buf_deinit(&lines);
    return r;
}

static int check_policy(const struct lint_question *q, struct lint *l)
{
    const struct dossier *d = q->dossier;
    int r = 0;
    for (size_t i = 0; i < d->config->app_count && r == 0; i++) {
        const struct config_app *a = &d->config->apps[i];
        if (config_observes(&a->policy, d->o.now))
            r = lint_add(l, LINT_ERROR, "observing", "应用 %.*s 当前为 %s：只记录，不拦截",
                         SPAN_ARG(a->name), config_mode_name(config_mode_at(&a->policy, d->o.now)));
    }
    if (r == 0 && d->app->policy.allow_media)
        r = lint_add(l, LINT_ERROR, "modality",
                     "材料写明模态为文本，而应用 %.*s 放行未经审核的图像等媒体（media: allow）",
                     SPAN_ARG(d->app->name));
    if (r == 0)
        r = check_weakenings(q, l);
    if (r == 0 && d->config->audit.retention.records < RETENTION_DAYS)
        r = lint_add(l, LINT_ERROR, "retention", "日志只保存 %u 天，不足六个月",
                     d->config->audit.retention.records);
    return r;
}

static int check_accounts(const struct lint_question *q, struct lint *l)
{
    int r = 0;
    if (!q->dossier->reviewers.enforce)
        r = lint_add(l, LINT_WARNING, "test-account",
                     "没有在用的“附加审核策略”测试账号（juyong reviewer）");
    if (r == 0 && !q->dossier->reviewers.observe)
        r = lint_add(l, LINT_WARNING, "test-account",
                     "没有在用的“不附加审核策略”测试账号（juyong reviewer）");
    if (r == 0 && q->dossier->reviewers.observe)
        r = lint_add(l, LINT_WARNING, "bypass-account",
                     "有 %u 个“不附加审核策略”测试账号在用：其流量不被拦截，请确认只供审核使用",
                     q->dossier->reviewers.observe);
    return r;
}

/* ---- libraries ---- */

static int check_keywords(const struct lint_question *q, struct lint *l)
{
    const struct library *lib = &q->dossier->library;
    const struct standard *st = ruleset_standard(q->dossier->rules);
    int r = 0;
    if (lib->total < st->keyword_min)
        r = lint_add(l, LINT_ERROR, "keyword-minimum", "拦截关键词 %u 个，少于要求的 %u 个",
                     lib->total, st->keyword_min);
    if (r == 0 && lib->met < lib->asked)
        r = lint_add(l, LINT_ERROR, "keyword-minimum",
                     "有 %u 个类别的拦截关键词少于要求（共 %u 个类别有要求）",
                     lib->asked - lib->met, lib->asked);
    if (r == 0 && span_starts(ruleset_version(q->dossier->rules), SPAN_LIT("auto-")))
        r = lint_add(l, LINT_WARNING, "library-unpublished",
                     "规则库还没有发布过，版本 %.*s 随改动而变（juyong rules publish）",
                     SPAN_ARG(ruleset_version(q->dossier->rules)));
    unsigned stale = 0;
    for (size_t i = 0; q->changes && i < ruleset_risk_count(q->dossier->rules); i++) {
        int64_t at = q->changes->times[i];
        stale += ruleset_risk(q->dossier->rules, i)->keyword_min > 0 && at > 0 &&
                 at + (int64_t)st->keyword_days * DAY_S < q->dossier->o.now;
    }
    if (r == 0 && stale)
        r = lint_add(l, LINT_WARNING, "library-stale", "有 %u 个类别的关键词超过 %u 天没有更新",
                     stale, st->keyword_days);
    return r;
}

static int check_banks(const struct lint_question *q, struct lint *l)
{
    const struct bank_counts *c = &q->dossier->banks;
    int r = 0;
    if (!q->dossier->bank)
        return lint_add(l, LINT_ERROR, "bank-unreadable",
                        "题库读不出来（juyong filing questions lint）");
    for (unsigned k = 0; k < BANK_KINDS && r == 0; k++) {
        unsigned short_types = 0, types = 0;
        for (size_t i = 0; i < c->count; i++)
            if (c->items[i].kind == (enum bank_kind)k && c->items[i].wanted) {
                types++;
                short_types += c->items[i].count < c->items[i].wanted;
            }
        if (c->totals[k] < c->wanted[k])
            r = lint_add(l, LINT_ERROR, "bank-minimum", "%s共 %u 题，少于要求的 %u 题",
                         bank_kind_title(k), c->totals[k], c->wanted[k]);
        if (r == 0 && short_types)
            r = lint_add(l, LINT_ERROR, "bank-minimum", "%s有 %u 个类别题数不足（共 %u 个类别）",
                         bank_kind_title(k), short_types, types);
    }
    return r;
}

/* What only the operator has, and reviewers ask for. */
static int check_attachments(const struct lint_question *q, struct lint *l)
{
    if (q->attachments)
        return 0;
    return lint_add(l, LINT_NOTE, "attachments",
                    "没有随附自备材料：营业执照、合同、%s拦截与投诉入口的界面截图、ICP "
                    "备案主体与服务提供者一致的证明等（--attach）",
                    q->dossier->policy->label == LABEL_UI ? "界面持续显示标识的截图、" : "");
}

/* ---- all of it ---- */

int lint_run(const struct lint_question *q, struct lint *ret_lint)
{
    int (*const rules[])(const struct lint_question *, struct lint *) = {
        check_service,  check_numbers,  check_attachments, check_models,    check_policy,
        check_accounts, check_keywords, check_banks,       lint_evaluation, lint_documents,
    };
    int r = 0;
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules) && r == 0; i++)
        r = rules[i](q, ret_lint);
    return r;
}

int lint_text(const struct lint *l, struct buf *out)
{
    int r = 0;
    for (int s = LINT_SEVERITIES; s-- > 0;)
        for (size_t i = 0; i < l->count && r == 0; i++)
            if (l->list[i].severity == (enum lint_severity)s)
                r = buf_printf(out, "%s %s [%s] %.*s\n", lint_severity_title(s),
                               lint_severity_name(s), l->list[i].code, SPAN_ARG(l->list[i].text));
    return r;
}

int lint_json(const struct lint *l, struct buf *out)
{
    struct json_value *list = value_array();
    int r = list ? 0 : -ENOMEM;
    for (int s = LINT_SEVERITIES; s-- > 0;)
        for (size_t i = 0; i < l->count && r == 0; i++) {
            if (l->list[i].severity != (enum lint_severity)s)
                continue;
            struct json_value *o = value_object();
            r = o ? value_set(o, SPAN_LIT("severity"),
                              value_string(span_str(lint_severity_name(s))))
                  : -ENOMEM;
            if (r == 0)
                r = value_set(o, SPAN_LIT("code"), value_string(span_str(l->list[i].code)));
            if (r == 0)
                r = value_set(o, SPAN_LIT("text"), value_string(l->list[i].text));
            if (r == 0)
                r = value_append(list, o);
            else
                value_free(o);
        }
    if (r == 0)
        r = value_dump(list, out);
    value_free(list);
    return r;
}
