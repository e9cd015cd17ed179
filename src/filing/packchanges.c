#include "filing/packchanges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const char *pack_duty_name(enum pack_duty d)
{
    static const char *const names[] = {"report", "assess", "routine"};
    return names[d];
}

const char *pack_duty_text(enum pack_duty d)
{
    static const char *const texts[] = {
        "向属地网信部门报告；涉及算法备案信息的，变更之日起十个工作日内办理变更（算法推荐管理规定"
        "第二十四条）",
        "重要变更后重新开展安全自评估（GB/T 45654-2025 第7章，待核实条款号），并保留评估记录",
        "日常更新（关键词库每周、题库每月，GB/T "
        "45654-2025；合同续期后更新调用证明），保留记录，下次提交时"
        "附上",
    };
    return texts[d];
}

/* A change of these tells nothing: they say of when a pack is. */
static bool is_passing(struct span key)
{
    return span_starts(key, SPAN_LIT("run."));
}

static bool ends(struct span s, struct span end)
{
    return s.len >= end.len && span_eq(span_slice(s, s.len - end.len, s.len), end);
}

static enum pack_duty duty_of(struct span key)
{
    if (span_starts(key, SPAN_LIT("library.")) || span_starts(key, SPAN_LIT("bank.")))
        return DUTY_ROUTINE;
    if (ends(key, SPAN_LIT(".contract_until")))
        return DUTY_ROUTINE;
    if (span_starts(key, SPAN_LIT("policy.")) || ends(key, SPAN_LIT(".upstream")))
        return DUTY_ASSESS;
    return DUTY_REPORT;
}

static int add(struct packchanges *c, struct span key, struct span was, struct span is)
{
    struct packchange *more = reallocarray(c->list, c->count + 1, sizeof(*more));
    if (!more)
        return -ENOMEM;
    c->list = more;
    c->list[c->count] = (struct packchange){key, was, is, duty_of(key)};
    c->totals[c->list[c->count++].duty]++;
    return 0;
}

int packchanges_make(const struct facts *filed, const struct facts *now,
                     struct packchanges *ret_changes)
{
    const struct span nothing = SPAN_LIT("");
    int r = 0;
    *ret_changes = (struct packchanges){0};
    for (size_t i = 0; i < now->count && r == 0; i++) {
        const struct fact *is = &now->list[i], *was = facts_find(filed, is->key);
        if (is_passing(is->key) || (was ? span_eq(was->value, is->value) : is->value.len == 0))
            continue;
        r = add(ret_changes, is->key, was ? was->value : nothing, is->value);
    }
    for (size_t i = 0; i < filed->count && r == 0; i++) {
        const struct fact *was = &filed->list[i];
        if (!is_passing(was->key) && was->value.len && !facts_find(now, was->key))
            r = add(ret_changes, was->key, was->value, nothing);
    }
    if (r < 0)
        packchanges_free(ret_changes);
    return r;
}

void packchanges_free(struct packchanges *c)
{
    free(c->list);
    *c = (struct packchanges){0};
}

int packchanges_summary(const struct dossier *d, struct buf *messages,
                        struct packchanges_summary *ret_summary)
{
    struct packfiled filed = PACKFILED_INIT;
    struct packchanges changes = {0};
    struct facts now = FACTS_INIT;
    *ret_summary = (struct packchanges_summary){0};
    int r = packfiled_read(d->config->state_dir, &filed, messages);
    if (r == 0)
        r = facts_gather(d, &now);
    if (r == 0)
        r = packchanges_make(&filed.manifest.facts, &now, &changes);
    if (r == 0) {
        snprintf(ret_summary->date, sizeof(ret_summary->date), "%.*s", SPAN_ARG(filed.date));
        memcpy(ret_summary->totals, changes.totals, sizeof(changes.totals));
    }
    packchanges_free(&changes);
    facts_deinit(&now);
    packfiled_free(&filed);
    return r;
}

/* ---- for people and programs ---- */

static struct span shown(struct span value)
{
    return value.len ? value : SPAN_LIT("（无）");
}

int packchanges_text(const struct packchanges *c, struct buf *out)
{
    int r = 0;
    for (unsigned d = 0; d < DUTY_KINDS && r == 0; d++) {
        if (c->totals[d])
            r = buf_printf(out, "%s：\n", pack_duty_text(d));
        for (size_t i = 0; i < c->count && r == 0; i++) {
            const struct packchange *change = &c->list[i];
            if (change->duty != (enum pack_duty)d)
                continue;
            r = buf_append(out, SPAN_LIT("  "));
            if (r == 0)
                r = facts_title(change->key, out);
            if (r == 0)
                r = buf_printf(out, "：%.*s → %.*s\n", SPAN_ARG(shown(change->was)),
                               SPAN_ARG(shown(change->is)));
        }
    }
    return r;
}

static struct json_value *change_of(const struct packchange *c)
{
    struct buf title = BUF_INIT(65536);
    struct json_value *o = value_object();
    int r = o ? facts_title(c->key, &title) : -ENOMEM;
    if (r == 0)
        r = value_set(o, SPAN_LIT("key"), value_string(c->key));
    if (r == 0)
        r = value_set(o, SPAN_LIT("title"), value_string(buf_span(&title)));
    if (r == 0)
        r = value_set(o, SPAN_LIT("was"), value_string(c->was));
    if (r == 0)
        r = value_set(o, SPAN_LIT("is"), value_string(c->is));
    if (r == 0)
        r = value_set(o, SPAN_LIT("duty"), value_string(span_str(pack_duty_name(c->duty))));
    if (r == 0)
        r = value_set(o, SPAN_LIT("what"), value_string(span_str(pack_duty_text(c->duty))));
    buf_deinit(&title);
    if (r == 0)
        return o;
    value_free(o);
    return NULL;
}

int packchanges_json(const struct packchanges *c, struct buf *out)
{
    struct json_value *list = value_array();
    int r = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < c->count && r == 0; i++)
        r = value_append(list, change_of(&c->list[i]));
    if (r == 0)
        r = value_dump(list, out);
    value_free(list);
    return r;
}
