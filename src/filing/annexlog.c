/* The words for what is kept, looked at and brought up to date. */
#include "filing/annexwords.h"

void words_retention(struct paper *p, const struct dossier *d)
{
    const struct config *c = d->config;
    paper_say(p,
              "全部请求的元数据（时间、应用、密钥编号、终端用户散列、客户端地址与端口、设备、模型与"
              "备案号、规则库版本、"
              "处置与原因）保存 %u 天；被拦截内容的打码文本保存 %u 天；",
              c->audit.retention.records, c->audit.retention.texts);
    if (c->audit.originals)
        paper_say(p, "被拦截内容的原文加密保存 %u 天，查看须说明理由并留痕",
                  c->audit.retention.originals);
    else
        paper_say(p, "不保存原文");
    if (c->audit.samples.percent)
        paper_say(p, "；放行请求按 %u%% 抽样保存打码文本 %u 天（目的：%.*s）",
                  c->audit.samples.percent, c->audit.samples.days,
                  SPAN_ARG(paper_known(c->audit.samples.purpose)));
    else
        paper_say(p, "；放行请求的文本不保存");
    paper_say(p, "。到期自动删除，法定保全的除外");
}

void words_evidence(struct paper *p, const struct dossier *d)
{
    paper_say(p, "每条记录含前一条的散列值（SHA-256），定期形成签名检查点");
    if (d->config->audit.export_count)
        paper_say(p, "并送往 %zu 处另行保存", d->config->audit.export_count);
    else
        paper_say(p, "（未配置另行保存）");
    if (!d->log.known) {
        paper_say(p, "；日志当前不可读，状态" PAPER_PENDING);
        return;
    }
    paper_say(p, "；现有记录编号至 %llu", (unsigned long long)d->log.records);
    if (d->log.first_us) {
        paper_say(p, "，最早一条为 ");
        words_time(p, d->log.first_us);
    }
    if (d->log.checkpoint_us) {
        paper_say(p, "，最近检查点 ");
        words_time(p, d->log.checkpoint_us);
    } else {
        paper_say(p, "，尚无检查点");
    }
    paper_say(p, "；完整性校验：%s",
              d->log.verify == DOSSIER_WHOLE ? "生成本文件时已校验全部记录，未发现改动"
              : d->log.verify == DOSSIER_DAMAGED ? "发现异常，须先查明（juyong log verify）"
                                                 : "生成本文件时未校验完毕，" PAPER_PENDING
                                                   "（juyong log verify）");
}

static void say_count(struct paper *p, const char *what, int64_t n)
{
    if (n < 0)
        paper_say(p, "%s " PAPER_PENDING, what);
    else
        paper_say(p, "%s %lld", what, (long long)n);
}

void words_complaints(struct paper *p, const struct dossier *d)
{
    const struct config *c = d->config;
    paper_say(p, "投诉举报渠道：%.*s", SPAN_ARG(paper_known(c->service.complaint)));
    if (c->complaints.form)
        paper_say(p, "；网关提供在线投诉页面（/complaints）");
    paper_say(p, "；自收到之日起 ");
    words_duration(p, c->complaints.due_ms);
    paper_say(p, "内答复，逐件登记、计时、留痕");
    say_count(p, "；累计投诉", d->people.complaints);
    say_count(p, " 件，处理中", d->people.complaints_open);
    say_count(p, " 件，逾期", d->people.complaints_overdue);
    paper_say(p, " 件");
}

void words_reviews(struct paper *p, const struct dossier *d)
{
    const struct config *c = d->config;
    const struct dossier_people *n = &d->people;
    paper_say(p, "拦截记录的 %u%% 进入人工复核，其中 %u%% 由第二人再次复核；每日可签署复核结论",
              c->reviews.share, c->reviews.second);
    say_count(p, "；统计期内拦截", n->interceptions);
    say_count(p, " 件，已复核", n->reviewed);
    say_count(p, " 件（正确", n->correct);
    say_count(p, "、误拦", n->false_positive);
    say_count(p, "、存疑", n->unsure);
    paper_say(p, "）。监看人员姓名、数量与排班：" PAPER_PENDING);
}

void words_library(struct paper *p, const struct dossier *d)
{
    const struct standard *s = ruleset_standard(d->rules);
    char day[DOSSIER_DAY_SIZE];
    paper_say(p,
              "关键词 %u 个（去重，要求不少于 %u 个）；%u 类中 %u 类达到各类最低数量；"
              "版本 %.*s，自 %s 起生效；要求每 %u 天至少更新一次",
              d->library.total, s->keyword_min, d->library.asked, d->library.met,
              SPAN_ARG(ruleset_version(d->rules)), dossier_day(d->library_since, day),
              s->keyword_days);
    if (!d->filed_known)
        paper_say(p, "；报送情况" PAPER_PENDING);
    else if (d->filed.list.version.len == 0)
        paper_say(p, "；尚无登记为已报送的版本");
    else
        paper_say(p, "；上次报送版本 %.*s（%s），此后新增 %zu 个、移除 %zu 个",
                  SPAN_ARG(d->filed.list.version), dossier_day(d->filed.list.time, day),
                  d->filed.list.added_count, d->filed.list.removed_count);
}

void words_banks(struct paper *p, const struct dossier *d)
{
    char day[DOSSIER_DAY_SIZE];
    if (!d->bank) {
        paper_say(p, "测试题库：" PAPER_PENDING);
        return;
    }
    for (int k = 0; k < BANK_KINDS; k++)
        paper_say(p, "%s%s %u 题（要求不少于 %u 题）", k ? "；" : "", bank_kind_title(k),
                  d->banks.totals[k], d->banks.wanted[k]);
    paper_say(p, "；最近更新 %s，要求每 %u 天至少更新一次", dossier_day(d->bank_since, day),
              ruleset_standard(d->rules)->question_days);
}

void words_failure(struct paper *p, const struct dossier *d)
{
    const struct config *c = d->config;
    paper_say(p, "无法判定的请求一律拒绝；日志无法写入时%s",
              c->audit.mode == AUDIT_REQUIRED ? "停止受理新请求"
                                              : "短时间内仍受理（配置 audit.mode: degraded）");
    if (c->canary.every_ms) {
        paper_say(p, "；每 ");
        words_duration(p, c->canary.every_ms);
        paper_say(p, "以探针自检拦截链路，未拦截时%s", c->canary.ready ? "标记为不可用" : "仅告警");
    } else {
        paper_say(p, "；未启用定时自检");
    }
    paper_say(p, "；告警接收方 %zu 个；请求体、连接数、频次均有上限；日志与状态可在线备份和恢复",
              c->alerts.target_count);
}

void words_update(struct paper *p, const struct dossier *d)
{
    paper_say(p,
              "所调用模型及其备案号逐条登记，未登记的模型不予转发%"
              "s；回答方返回的模型名称与请求不一致时记录并告警；"
              "规则库按版本发布、可回滚%s；模型、规则或策略变更后以同一题库重新评测并比较前后结果"
              "（juyong filing evaluate）",
              d->config->allow_unfiled ? "（配置允许调用无备案号的模型）" : "",
              d->config->rules.two_person ? "，须双人提议与批准" : "，未要求双人批准");
}

void words_accounts(struct paper *p, const struct dossier *d)
{
    if (d->config->reviewers.port == 0) {
        paper_say(p, "尚未开设监管测试通道（配置 reviewers）");
        return;
    }
    paper_say(p,
              "监管测试通道单独监听，账号由双人开设、到期自动失效、不计入违规处置、全部内容留存");
    if (d->reviewers_known)
        paper_say(p, "；当前有效账号：附加审核策略 %u 个，不附加审核策略 %u 个",
                  d->reviewers.enforce, d->reviewers.observe);
    else
        paper_say(p, "；当前有效账号数 " PAPER_PENDING);
}
