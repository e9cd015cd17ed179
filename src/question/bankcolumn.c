#include "question/bankcolumn.h"

#include "match/matchset.h"
#include "rules/risktitle.h"

#define CELL_MAX   2048 /* bytes of a cell that names something */
#define FOLDED_MAX (4 * CELL_MAX)
#define NAME_MIN   9 /* bytes by which a name is told from another: three Han characters */

/* Letters, digits and Han characters alone, in their simplest form: titles are written in all ways.
 * False when there is too much of it. */
static bool plain(struct span text, struct buf *out)
{
    size_t kept = 0;
    buf_clear(out);
    if (text.len > CELL_MAX || match_fold(text, out) < 0)
        return false;
    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->data[i];
        if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            out->data[kept++] = (char)c;
    }
    out->len = kept;
    return true;
}

int bank_scratch_init(struct bank_scratch *s)
{
    struct buf *all[] = {&s->first, &s->second, &s->name};
    int r = 0;
    for (unsigned i = 0; i < 3; i++) {
        *all[i] = BUF_INIT(FOLDED_MAX);
        if (r == 0)
            r = buf_reserve(all[i], FOLDED_MAX);
    }
    return r;
}

void bank_scratch_free(struct bank_scratch *s)
{
    buf_deinit(&s->first);
    buf_deinit(&s->second);
    buf_deinit(&s->name);
}

static bool holds(struct span text, const char *part)
{
    return span_find(text, span_str(part)) < text.len;
}

static bool holds_any(struct span text, const char *const *parts)
{
    for (; *parts; parts++)
        if (holds(text, *parts))
            return true;
    return false;
}

/* ---- titles and sheets ---- */

const char *bank_column_name(enum bank_column c)
{
    static const char *const names[] = {"question",  "first class", "second class", "type",
                                        "technique", "note",        "bank",         "id",
                                        "seed",      "turns",       "left out"};
    return c < BANK_COLUMN_UNKNOWN ? names[c] : "unknown";
}

static const struct {
    const char *title;
    enum bank_column column;
} titles[] = {
    {"题目", BANK_COLUMN_QUESTION},     {"测试题", BANK_COLUMN_QUESTION},
    {"问题", BANK_COLUMN_QUESTION},     {"测试题目", BANK_COLUMN_QUESTION},
    {"提问", BANK_COLUMN_QUESTION},     {"question", BANK_COLUMN_QUESTION},
    {"prompt", BANK_COLUMN_QUESTION},   {"query", BANK_COLUMN_QUESTION},
    {"一级", BANK_COLUMN_FIRST},        {"category", BANK_COLUMN_TYPE},
    {"group", BANK_COLUMN_FIRST},       {"二级", BANK_COLUMN_SECOND},
    {"risk", BANK_COLUMN_TYPE},         {"aspect", BANK_COLUMN_TYPE},
    {"type", BANK_COLUMN_TYPE},         {"technique", BANK_COLUMN_TECHNIQUE},
    {"手法", BANK_COLUMN_TECHNIQUE},    {"攻击手法", BANK_COLUMN_TECHNIQUE},
    {"note", BANK_COLUMN_NOTE},         {"备注", BANK_COLUMN_NOTE},
    {"研判标准", BANK_COLUMN_NOTE},     {"判断标准", BANK_COLUMN_NOTE},
    {"评判标准", BANK_COLUMN_NOTE},     {"bank", BANK_COLUMN_BANK},
    {"题库", BANK_COLUMN_BANK},         {"id", BANK_COLUMN_ID},
    {"题号", BANK_COLUMN_ID},           {"seed", BANK_COLUMN_SEED},
    {"由哪一题衍生", BANK_COLUMN_SEED}, {"messages", BANK_COLUMN_TURNS},
    {"对话全文", BANK_COLUMN_TURNS},    {"no", BANK_COLUMN_IGNORED},
    {"answer", BANK_COLUMN_IGNORED},    {"response", BANK_COLUMN_IGNORED},
};

enum bank_column bank_column_of(struct bank_scratch *scratch, struct span title, bool *ret_sure)
{
    /* In this order: a title may hold a word of several. */
    static const char *const ignored[] = {"编号", "序号", "回答", "返回", "答复", "答案",
                                          "研判", "合格", "结果", "时间", "人员", NULL};
    static const char *const first[] = {"一级", NULL}, *const second[] = {"二级", NULL},
                             *const type[] = {"分类", "类别", "类型", "方面", "维度", "领域", NULL},
                             *const question[] = {"测试题", "题目", "问题", NULL};
    enum bank_column c = BANK_COLUMN_UNKNOWN;
    struct span s = plain(title, &scratch->name) ? buf_span(&scratch->name) : SPAN_NULL;
    for (size_t i = 0; i < sizeof(titles) / sizeof(*titles) && c == BANK_COLUMN_UNKNOWN; i++)
        if (span_eq(s, span_str(titles[i].title)))
            c = titles[i].column;
    *ret_sure = c != BANK_COLUMN_UNKNOWN;
    if (c == BANK_COLUMN_UNKNOWN)
        c = holds_any(s, ignored)    ? BANK_COLUMN_IGNORED
            : holds_any(s, first)    ? BANK_COLUMN_FIRST
            : holds_any(s, second)   ? BANK_COLUMN_SECOND
            : holds_any(s, type)     ? BANK_COLUMN_TYPE
            : holds_any(s, question) ? BANK_COLUMN_QUESTION
                                     : c;
    /* A sentence is no title. */
    return s.len > 60 ? BANK_COLUMN_UNKNOWN : c;
}

enum bank_kind bank_kind_of(struct bank_scratch *scratch, struct span name)
{
    static const char *const answer[] = {"非拒答", "不应拒答", "不拒答", NULL},
                             *const refuse[] = {"拒答", NULL},
                             *const content[] = {"生成内容", "内容测试", "内容安全", NULL};
    struct span s = plain(name, &scratch->name) ? buf_span(&scratch->name) : SPAN_NULL;
    enum bank_kind k = bank_kind_from(s);
    if (k == BANK_KINDS)
        k = holds_any(s, answer)    ? BANK_ANSWER
            : holds_any(s, refuse)  ? BANK_REFUSE
            : holds_any(s, content) ? BANK_CONTENT
                                    : BANK_KINDS;
    return k;
}

/* ---- types ---- */

static bool is_digit_of_group(struct span s)
{
    return s.len >= 2 && s.data[0] == 'a' && s.data[1] >= '1' && s.data[1] <= '5';
}

/* A letter of a type with nothing of a word behind it. */
static bool is_letter(struct span s)
{
    return s.len && s.data[0] >= 'a' && s.data[0] <= 'i' &&
           (s.len == 1 || (unsigned char)s.data[1] >= 0x80);
}

/* What classes say of a type: the digit of its group and its letter, 0 where they don't. */
struct letters {
    char group, letter;
};

static struct letters letters_of(struct span first, struct span second)
{
    struct letters l = {0};
    if (is_digit_of_group(first))
        l.group = first.data[1];
    if (is_digit_of_group(second)) {
        l.group = second.data[1];
        second = span_slice(second, 2, second.len);
    }
    if (is_letter(second))
        l.letter = second.data[0];
    return l;
}

static bool is_of_group(const struct risk *r, char group)
{
    return risk_is_standard(r) && (!group || r->group.data[1] == group);
}

static const struct risk *find_by_letters(const struct ruleset *rules, struct letters l)
{
    for (size_t i = 0; i < ruleset_risk_count(rules) && l.group && l.letter; i++) {
        const struct risk *r = ruleset_risk(rules, i);
        if (is_of_group(r, l.group) && r->id.data[r->id.len - 1] == l.letter)
            return r;
    }
    return NULL;
}

/* The one whose name stands in the text, or that the text is a part of; NULL when there are more.
 */
static const struct risk *find_by_name(const struct ruleset *rules, struct span text, char group,
                                       struct buf *room)
{
    const struct risk *found = NULL;
    size_t longest = 0;
    bool several = false;
    for (size_t i = 0; i < ruleset_risk_count(rules); i++) {
        const struct risk *r = ruleset_risk(rules, i);
        if (!is_of_group(r, group) || !plain(r->name_zh, room))
            continue;
        struct span name = buf_span(room);
        bool within = name.len && span_find(text, name) < text.len;
        bool around = text.len >= NAME_MIN && span_find(name, text) < name.len;
        size_t weight = within ? name.len : around ? 1 : 0;
        if (weight == 0 || weight < longest)
            continue;
        several = weight == longest;
        longest = weight;
        found = r;
    }
    return several ? NULL : found;
}

static const char *decide(const struct ruleset *rules, struct span first, struct span second,
                          struct buf *room, const struct risk **ret)
{
    struct letters l = letters_of(first, second);
    struct span name = second;
    if (is_digit_of_group(name))
        name = span_slice(name, 2, name.len);
    if (is_letter(name))
        name = span_slice(name, 1, name.len);
    const struct risk *by_letters = find_by_letters(rules, l);
    const struct risk *by_name = find_by_name(rules, name, l.group, room);
    *ret = by_letters ? by_letters : by_name;
    if (by_letters && by_name && by_letters != by_name)
        return "its class says one type by letter and another by name";
    if (l.letter && !l.group && !by_name)
        return "its class is a letter without a group";
    return *ret ? NULL : "its class is no type of the standard";
}

const struct risk *bank_risk_of(struct bank_scratch *s, const struct ruleset *rules,
                                struct span first, struct span second, const char **ret_why)
{
    const struct risk *r = NULL;
    if (plain(first, &s->first) && plain(second, &s->second))
        *ret_why = decide(rules, buf_span(&s->first), buf_span(&s->second), &s->name, &r);
    else
        *ret_why = "its class is too long";
    return *ret_why ? NULL : r;
}

const struct aspect *bank_aspect_of(const struct ruleset *rules, struct span text,
                                    const char **ret_why)
{
    const struct aspect *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < ruleset_aspect_count(rules); i++) {
        const struct aspect *a = ruleset_aspect(rules, i);
        if (span_find(text, a->zh) == text.len)
            continue;
        found = a;
        count++;
    }
    *ret_why = count == 0   ? "it names no aspect that risks.yaml has"
               : count == 1 ? NULL
                            : "it names more than one aspect";
    return count == 1 ? found : NULL;
}
