#include "filing/calendar.h"

#include "base/day.h"

#include <stdio.h>

#define CHINA_SECONDS (8 * 3600)
#define DAY           CALENDAR_DAY_SECONDS
#define MONTH_DAYS    31

/* ---- names ---- */

static const struct {
    const char *name, *zh;
} states[CALENDAR_STATES] = {
    [CALENDAR_GOOD] = {"good", "正常"},       [CALENDAR_SOON] = {"soon", "需注意"},
    [CALENDAR_OVERDUE] = {"overdue", "逾期"}, [CALENDAR_UNKNOWN] = {"unknown", "未知"},
    [CALENDAR_OFF] = {"off", "不适用"},
};

const char *calendar_state_name(enum calendar_state s)
{
    return states[s].name;
}

const char *calendar_state_zh(enum calendar_state s)
{
    return states[s].zh;
}

static const struct {
    const char *name, *zh, *en, *source;
} items[CALENDAR_ITEMS] = {
    [CALENDAR_LIBRARY] = {"library", "关键词库更新", "keyword library",
                          "GB/T 45654-2025：每周（二手来源，使用前核对原文）"},
    [CALENDAR_BANKS] = {"banks", "测试题库更新", "question banks",
                        "GB/T 45654-2025：每月（二手来源，使用前核对原文）"},
    [CALENDAR_DISPLAY] = {"display", "公示信息", "what users are shown",
                          "国家网信办备案与登记公告；算法推荐管理规定第二十六条"},
    [CALENDAR_RETENTION] = {"retention", "日志留存", "log retention",
                            "网络安全法：不少于六个月（条号待核实）"},
    [CALENDAR_ALGORITHM] = {"algorithm", "算法备案", "algorithm filing",
                            "算法推荐管理规定第二十四条：提供服务之日起十个工作日内"},
    [CALENDAR_CHANGES] = {"changes", "变更报备", "changes to report",
                          "算法推荐管理规定第二十四条：变更之日起十个工作日内"},
    [CALENDAR_EVALUATION] = {"evaluation", "评估测试", "evaluation",
                             "随测试题库每月更新（本单位节奏，待核实）"},
    [CALENDAR_CONTRACTS] = {"contracts", "模型合同", "contracts with vendors",
                            "配置 contract_until"},
    [CALENDAR_COMPLAINTS] = {"complaints", "投诉举报", "complaints",
                             "生成式人工智能服务管理暂行办法第十五条；配置 complaints.due"},
    [CALENDAR_INCIDENTS] = {"incidents", "安全事件", "incidents",
                            "国家网络安全事件报告管理办法（时限待核实）"},
};

const char *calendar_item_name(enum calendar_item_id id)
{
    return items[id].name;
}

const char *calendar_item_zh(enum calendar_item_id id)
{
    return items[id].zh;
}

const char *calendar_item_en(enum calendar_item_id id)
{
    return items[id].en;
}

const char *calendar_item_source(enum calendar_item_id id)
{
    return items[id].source;
}

/* ---- days ---- */

static bool has(const int64_t *days, size_t count, int64_t day)
{
    for (size_t i = 0; i < count; i++)
        if (days[i] == day)
            return true;
    return false;
}

static bool is_working(const struct calendar_facts *f, int64_t day_end)
{
    if (has(f->holidays, f->holiday_count, day_end))
        return false;
    if (has(f->workdays, f->workday_count, day_end))
        return true;
    int64_t days = (day_end - 1 + CHINA_SECONDS) / DAY; /* since 1970-01-01, a Thursday */
    unsigned weekday = (unsigned)((days + 4) % 7);      /* 0: Sunday */
    return weekday != 0 && weekday != 6;
}

int64_t calendar_working_days(const struct calendar_facts *f, int64_t day_end, unsigned n)
{
    /* A list of nothing but holidays must not keep us. */
    for (unsigned guard = 0; n && guard < 10000; guard++) {
        day_end += DAY;
        n -= is_working(f, day_end);
    }
    return day_end;
}

/* ---- judging ---- */

__attribute__((format(printf, 3, 4))) static void tell(char *to, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(to, size, fmt, ap);
    va_end(ap);
}
#define ZH(item, ...) tell((item)->zh, sizeof((item)->zh), __VA_ARGS__)
#define EN(item, ...) tell((item)->en, sizeof((item)->en), __VA_ARGS__)

/* By a time: overdue from its second on, soon within `warn` days before. */
static void by_time(struct calendar_item *i, int64_t now, unsigned warn)
{
    i->state = now >= i->due                         ? CALENDAR_OVERDUE
               : i->due - now <= (int64_t)warn * DAY ? CALENDAR_SOON
                                                     : CALENDAR_GOOD;
}

/* What is to be renewed every so many days. */
static void judge_rhythm(struct calendar_item *i, int64_t since, unsigned days, int64_t now,
                         unsigned warn)
{
    if (!days || !since) {
        i->state = days ? CALENDAR_UNKNOWN : CALENDAR_OFF;
        return;
    }
    i->since = since;
    i->due = since + (int64_t)days * DAY;
    by_time(i, now, warn);
}

static void judge_library(const struct calendar_facts *f, int64_t now, struct calendar_item *i)
{
    judge_rhythm(i, f->library_changed, f->library_days, now, 2);
    if (i->state == CALENDAR_UNKNOWN) {
        ZH(i, "没有发布记录，无法得知上次更新时间");
        EN(i, "nothing was published: the last update is not known");
    } else if (i->state != CALENDAR_OFF) {
        ZH(i, "以已生效版本的变化为准，每 %u 天更新一次", f->library_days);
        EN(i, "by what changed in force; every %u days", f->library_days);
    }
}

static void judge_banks(const struct calendar_facts *f, int64_t now, struct calendar_item *i)
{
    judge_rhythm(i, f->bank_changed, f->bank_days, now, 5);
    if (i->state == CALENDAR_UNKNOWN) {
        ZH(i, "没有题库文件（rules/questions）");
        EN(i, "there are no question files");
    } else if (i->state != CALENDAR_OFF) {
        ZH(i, "以题目内容的变化为准（首次按文件日期），每 %u 天更新一次", f->bank_days);
        EN(i, "by what is asked, at first by the files' dates; every %u days", f->bank_days);
    }
}

static void judge_display(const struct calendar_facts *f, int64_t now, struct calendar_item *i)
{
    i->count = f->display_missing;
    if (!f->display_missing) {
        i->state = CALENDAR_GOOD;
        ZH(i, "应公示的信息齐全");
        EN(i, "all that must be shown is there");
        return;
    }
    i->state = f->display_due ? CALENDAR_OVERDUE : CALENDAR_SOON;
    ZH(i, "缺 %u 项：%s", f->display_missing, f->display_first);
    EN(i,
       f->display_due ? "%u missing: juyong filing disclosure"
                      : "%u missing, due with the start of service: juyong filing disclosure",
       f->display_missing);
}

static void judge_retention(const struct calendar_facts *f, int64_t now, struct calendar_item *i)
{
    char day[DAY_TEXT_SIZE];
    int64_t floor = now - (int64_t)CALENDAR_LOG_DAYS * DAY;
    i->since = f->log_since;
    if (f->retention_days < CALENDAR_LOG_DAYS) {
        i->state = CALENDAR_OVERDUE;
        ZH(i, "配置只保留 %u 天，不足六个月", f->retention_days);
        EN(i, "only %u days are configured", f->retention_days);
        return;
    }
    if (!f->log_since) {
        i->state = CALENDAR_UNKNOWN;
        ZH(i, "配置保留 %u 天；日志中还没有记录", f->retention_days);
        EN(i, "%u days are configured; the log is empty", f->retention_days);
        return;
    }
    day_format(f->log_since + 1, day);
    /* Online for longer than the log reaches, and that less than it must. */
    bool gap = f->log_since > floor && f->launched && f->launched <= f->log_since;
    i->state = gap ? CALENDAR_SOON : CALENDAR_GOOD;
    ZH(i, "配置保留 %u 天；记录始于 %s%s", f->retention_days, day,
       gap ? "，晚于上线日期且不足六个月：更早的日志须另行保存" : "");
    EN(i, "%u days are configured; the log begins on %s%s", f->retention_days, day,
       gap ? ", after the start of service: keep what is older elsewhere" : "");
}

#define NO_HOLIDAYS_ZH "按周一至周五计，未知法定节假日与调休"
#define NO_HOLIDAYS_EN "Monday to Friday; public holidays are not known"
#define HOLIDAYS_ZH    "按周一至周五及本单位所列节假日、调休计"
#define HOLIDAYS_EN    "Monday to Friday, with the holidays that are configured"

static bool knows_holidays(const struct calendar_facts *f)
{
    return f->holiday_count || f->workday_count;
}

static void judge_algorithm(const struct calendar_facts *f, int64_t now, struct calendar_item *i)
{
    i->state = CALENDAR_GOOD;
    i->since = f->launched;
    if (f->algorithm_numbered) {
        ZH(i, "已有算法备案编号");
        EN(i, "it has its number");
    } else if (f->algorithm_submitted) {
        char day[DAY_TEXT_SIZE];
        day_format(f->algorithm_submitted, day);
        ZH(i, "已于 %s 提交，待取得编号", day);
        EN(i, "handed in on %s; waiting for the number", day);
    } else if (f->algorithm_off) {
        i->state = CALENDAR_OFF;
        ZH(i, "按问卷答案不需要");
        EN(i, "not needed, by the answers");
    } else if (!f->launched) {
        i->state = CALENDAR_UNKNOWN;
        ZH(i, "未写上线日期（service.launched），期限无法计算");
        EN(i, "service.launched is not told");
    } else {
        i->due = calendar_working_days(f, f->launched, CALENDAR_WORKING_DAYS);
        by_time(i, now, 7);
        ZH(i, "%s；属地通常要求上线前办理（待核实）",
           knows_holidays(f) ? HOLIDAYS_ZH : NO_HOLIDAYS_ZH);
        EN(i, "%s", knows_holidays(f) ? HOLIDAYS_EN : NO_HOLIDAYS_EN);
    }
}

static void judge_changes(const struct calendar_facts *f, int64_t now, struct calendar_item *i)
{
    i->count = f->changes_open;
    i->state = CALENDAR_GOOD;
    if (!f->changes_open) {
        ZH(i, "没有未报备的变更");
        EN(i, "no noted change is unreported");
        return;
    }
    i->since = f->change_from;
    i->due = calendar_working_days(f, f->change_from, CALENDAR_WORKING_DAYS);
    by_time(i, now, 7);
    ZH(i, "%u 项变更未报备；%s", f->changes_open, knows_holidays(f) ? HOLIDAYS_ZH : NO_HOLIDAYS_ZH);
    EN(i, "%u unreported; %s", f->changes_open, knows_holidays(f) ? HOLIDAYS_EN : NO_HOLIDAYS_EN);
}

static void judge_evaluation(const struct calendar_facts *f, int64_t now, struct calendar_item *i)
{
    judge_rhythm(i, f->evaluated, MONTH_DAYS, now, 5);
    if (i->state == CALENDAR_UNKNOWN) {
        ZH(i, "没有完成的评估");
        EN(i, "no evaluation has ended");
    } else {
        ZH(i, "以最近一次完成的评估为准");
        EN(i, "by the newest one that ended");
    }
}

static void judge_contracts(const struct calendar_facts *f, int64_t now, struct calendar_item *i)
{
    i->count = f->contracts_untold;
    if (!f->contract_until) {
        i->state = CALENDAR_UNKNOWN;
        ZH(i, "配置未写合同期限（contract_until）");
        EN(i, "no contract_until is told");
        return;
    }
    i->due = f->contract_until;
    by_time(i, now, 30);
    ZH(i, "最早到期：%s%s", f->contract_model, f->contracts_untold ? "；另有模型未写期限" : "");
    EN(i, "the first to end: %s%s", f->contract_model,
       f->contracts_untold ? "; of others nothing is told" : "");
}

static void judge_complaints(const struct calendar_facts *f, int64_t now, struct calendar_item *i)
{
    i->state = CALENDAR_UNKNOWN;
    if (!f->book_known) {
        ZH(i, "没有投诉与事件记录");
        EN(i, "there is no casebook");
        return;
    }
    i->count = f->complaints_overdue ? f->complaints_overdue : f->complaints_open;
    i->due = f->complaint_due;
    i->state = CALENDAR_GOOD;
    if (f->complaints_overdue)
        i->state = CALENDAR_OVERDUE;
    else if (i->due)
        by_time(i, now, 1);
    ZH(i, "未答复 %u 件，其中逾期 %u 件", f->complaints_open, f->complaints_overdue);
    EN(i, "%u unanswered, %u of them overdue", f->complaints_open, f->complaints_overdue);
}

static void judge_incidents(const struct calendar_facts *f, int64_t now, struct calendar_item *i)
{
    i->state = !f->book_known      ? CALENDAR_UNKNOWN
               : f->incidents_open ? CALENDAR_SOON
                                   : CALENDAR_GOOD;
    if (!f->book_known) {
        ZH(i, "没有投诉与事件记录");
        EN(i, "there is no casebook");
        return;
    }
    i->count = f->incidents_open;
    ZH(i, "未关闭 %u 起", f->incidents_open);
    EN(i, "%u not closed", f->incidents_open);
}

void calendar_judge(const struct calendar_facts *f, int64_t now, struct calendar *ret_calendar)
{
    static void (*const judges[CALENDAR_ITEMS])(const struct calendar_facts *f, int64_t now,
                                                struct calendar_item *i) = {
        [CALENDAR_LIBRARY] = judge_library,       [CALENDAR_BANKS] = judge_banks,
        [CALENDAR_DISPLAY] = judge_display,       [CALENDAR_RETENTION] = judge_retention,
        [CALENDAR_ALGORITHM] = judge_algorithm,   [CALENDAR_CHANGES] = judge_changes,
        [CALENDAR_EVALUATION] = judge_evaluation, [CALENDAR_CONTRACTS] = judge_contracts,
        [CALENDAR_COMPLAINTS] = judge_complaints, [CALENDAR_INCIDENTS] = judge_incidents,
    };
    *ret_calendar = (struct calendar){.now = now};
    for (unsigned i = 0; i < CALENDAR_ITEMS; i++)
        judges[i](f, now, &ret_calendar->items[i]);
}

unsigned calendar_overdue(const struct calendar *c)
{
    unsigned n = 0;
    for (unsigned i = 0; i < CALENDAR_ITEMS; i++)
        n += c->items[i].state == CALENDAR_OVERDUE;
    return n;
}
