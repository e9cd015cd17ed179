#include "filing/route.h"

#include "base/utf8.h"
#include "filing/routetable.h"
#include "yaml/yaml.h"

#include <errno.h>
#include <stdio.h>

/* ---- names ---- */

const char *route_mark_text(enum route_mark m)
{
    static const char *const texts[] = {"", "二手来源，使用前核对原文", "待核实"};
    return texts[m];
}

static const struct {
    const char *name, *zh, *en;
} kinds[ROUTE_KINDS] = {
    {"filing", "大模型备案", "filing of the model"},
    {"registration", "生成式人工智能服务登记",
     "registration of a service that calls a filed model"},
    {"algorithm", "算法备案", "algorithm filing"},
    {"none", "不在适用范围，无需备案", "outside the Measures, nothing to file"},
    {"ask", "先问属地省级网信部门", "ask the province first"},
};

static unsigned kind_index(unsigned bit)
{
    unsigned i = 0;
    while (i < ROUTE_KINDS - 1 && bit != 1u << i)
        i++;
    return i;
}

const char *route_kind_name(unsigned bit)
{
    return kinds[kind_index(bit)].name;
}

const char *route_kind_zh(unsigned bit)
{
    return kinds[kind_index(bit)].zh;
}

const char *route_kind_en(unsigned bit)
{
    return kinds[kind_index(bit)].en;
}

static const struct {
    const char *name, *zh, *en;
} parts[ROUTE_PARTS] = {
    [ROUTE_REASON] = {"reasons", "理由", "Why"},
    [ROUTE_PROVINCE] = {"province", "由属地省级网信部门决定的事项", "What the province decides"},
    [ROUTE_STEP] = {"steps", "步骤", "Steps"},
    [ROUTE_DOCUMENT] = {"documents", "材料", "Documents"},
    [ROUTE_DEADLINE] = {"deadlines", "期限", "Deadlines"},
    [ROUTE_DUTY] = {"duties", "其他义务", "What else follows"},
    [ROUTE_GAP] = {"gaps", "尚未就绪", "Not ready yet"},
};

const char *route_part_name(enum route_part p)
{
    return parts[p].name;
}

const char *route_part_zh(enum route_part p)
{
    return parts[p].zh;
}

const char *route_part_en(enum route_part p)
{
    return parts[p].en;
}

/* ---- answers ---- */

void route_begin(struct route_answers *ret_answers)
{
    *ret_answers = (struct route_answers){0};
    memset(ret_answers->chosen, ROUTE_UNANSWERED, sizeof(ret_answers->chosen));
}

static size_t choice_count(const struct route_question *q)
{
    size_t n = 0;
    while (n < ROUTE_CHOICES && q->choices[n].name)
        n++;
    return n;
}

/* The bit of what was answered; unanswered is as unsure. */
static unsigned answer_bit(const struct route_answers *a, enum route_key k)
{
    int chosen = a->chosen[k];
    if (chosen < 0)
        chosen = (int)choice_count(route_question(k)) - 1;
    return 1u << chosen;
}

static bool is(const struct route_answers *a, enum route_key k, unsigned bits)
{
    return (answer_bit(a, k) & bits) != 0;
}

bool route_is_asked(const struct route_answers *a, enum route_key k)
{
    if (k == ROUTE_PUBLIC)
        return true;
    if (is(a, ROUTE_PUBLIC, PUBLIC_NO))
        return false;
    switch (k) {
    case ROUTE_FILED:
    case ROUTE_ADDED:
        return is(a, ROUTE_MODEL, MODEL_CALLED);
    case ROUTE_SMALL: /* of a model that calls for a filing of its own */
        return !is(a, ROUTE_MODEL, MODEL_CALLED) || !is(a, ROUTE_FILED, FILED_YES);
    default:
        return true;
    }
}

const char *route_answer(const struct route_answers *a, enum route_key k)
{
    return a->chosen[k] < 0 ? "" : route_question(k)->choices[a->chosen[k]].name;
}

const char *route_detail(const struct route_answers *a, enum route_key k)
{
    if (!route_question(k)->detail || a->chosen[k] > 0) /* yes is the first choice */
        return "";
    return k == ROUTE_ONLINE ? a->online_since : a->model_number;
}

bool route_is_complete(const struct route_answers *a)
{
    for (enum route_key k = 0; k < ROUTE_KEYS; k++)
        if (route_is_asked(a, k) && a->chosen[k] < 0)
            return false;
    return true;
}

/* One line of UTF-8 without controls, that fits. */
static bool is_line(struct span text, size_t size)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return text.len < size && utf8_check(text) == text.len;
}

static int set_detail(struct route_answers *a, enum route_key k, struct span value)
{
    int64_t unused;
    if (k == ROUTE_ONLINE) {
        if (value.len && !day_end(value, &unused))
            return -EINVAL;
        snprintf(a->online_since, sizeof(a->online_since), "%.*s", SPAN_ARG(value));
        return 0;
    }
    if (!is_line(value, sizeof(a->model_number)))
        return -EINVAL;
    snprintf(a->model_number, sizeof(a->model_number), "%.*s", SPAN_ARG(value));
    return 0;
}

static int set_choice(struct route_answers *a, enum route_key k, struct span value)
{
    const struct route_question *q = route_question(k);
    for (size_t i = 0; i < choice_count(q); i++)
        if (span_eq(value, span_str(q->choices[i].name))) {
            a->chosen[k] = (signed char)i;
            return 0;
        }
    return -EINVAL;
}

int route_set(struct route_answers *a, struct span key, struct span value)
{
    for (enum route_key k = 0; k < ROUTE_KEYS; k++) {
        const struct route_question *q = route_question(k);
        if (span_eq(key, span_str(q->key)))
            return set_choice(a, k, value);
        if (q->detail && span_eq(key, span_str(q->detail)))
            return set_detail(a, k, span_trim(value));
    }
    return -ENOENT;
}

/* ---- as a file ---- */

static void complain(struct buf *messages, const struct yaml_node *n)
{
    for (enum route_key k = 0; k < ROUTE_KEYS; k++) {
        const struct route_question *q = route_question(k);
        if (q->detail && span_eq(n->key, span_str(q->detail))) {
            place_printf(messages, n->at,
                         k == ROUTE_ONLINE ? "'%s' takes a day: YYYY-MM-DD"
                                           : "'%s' takes one line of text",
                         q->detail);
            return;
        }
        if (!span_eq(n->key, span_str(q->key)))
            continue;
        struct buf names = BUF_INIT(1024);
        for (size_t i = 0; i < choice_count(q); i++)
            buf_printf(&names, "%s%s", i ? ", " : "", q->choices[i].name);
        place_printf(messages, n->at, "'%.*s' is no answer to '%s': %.*s", SPAN_ARG(n->text),
                     q->key, SPAN_ARG(buf_span(&names)));
        buf_deinit(&names);
        return;
    }
}

static bool read_one(const struct yaml_node *n, struct route_answers *a, struct buf *messages)
{
    if (n->kind != YAML_SCALAR) {
        place_printf(messages, n->at, "'%.*s' is %s, not a text", SPAN_ARG(n->key),
                     yaml_kind_name(n));
        return false;
    }
    if (yaml_is_null(n)) { /* left empty in the template */
        struct route_answers unused = *a;
        if (route_set(&unused, n->key, SPAN_LIT("unsure")) != -ENOENT)
            return true;
    }
    int r = route_set(a, n->key, n->text);
    if (r == -ENOENT)
        place_printf(messages, n->key_at, "unknown key '%.*s'", SPAN_ARG(n->key));
    else if (r < 0)
        complain(messages, n);
    return r == 0;
}

/* Since when it is online, and that it isn't: one of the two is a mistake. */
static bool are_details_right(const struct yaml_node *root, const struct route_answers *a,
                              struct buf *messages)
{
    bool good = true;
    for (enum route_key k = 0; root && k < ROUTE_KEYS; k++) {
        const struct route_question *q = route_question(k);
        if (!q->detail || strcmp(route_answer(a, k), "no") != 0)
            continue;
        for (const struct yaml_node *n = root->first; n; n = n->next)
            if (span_eq(n->key, span_str(q->detail)) && !yaml_is_null(n) && n->text.len) {
                place_printf(messages, n->key_at, "'%s' goes with '%s: yes', which is no",
                             q->detail, q->key);
                good = false;
            }
    }
    return good;
}

int route_read(struct span text, struct span file, struct buf *messages,
               struct route_answers *ret_answers)
{
    struct route_answers a;
    struct yaml_doc *doc = NULL;
    route_begin(&a);
    int r = yaml_read(text, file, messages, &doc);
    if (r < 0)
        return r;
    const struct yaml_node *root = yaml_root(doc);
    bool good = true;
    if (root && root->kind == YAML_MAP) {
        for (const struct yaml_node *n = root->first; n; n = n->next)
            good = read_one(n, &a, messages) && good;
    } else if (root && !yaml_is_null(root)) {
        place_printf(messages, root->at, "answers are a map of questions to choices, not %s",
                     yaml_kind_name(root));
        good = false;
    }
    good = good && are_details_right(root, &a, messages);
    yaml_free(doc);
    if (!good)
        return -EINVAL;
    *ret_answers = a;
    return 0;
}

/* A text that YAML reads back as it was. */
static void put_quoted(struct buf *out, const char *text)
{
    buf_append_char(out, '\'');
    for (const char *p = text; *p; p++) {
        if (*p == '\'')
            buf_append_char(out, '\'');
        buf_append_char(out, *p);
    }
    buf_append_char(out, '\'');
}

int route_template(const struct route_answers *a, struct buf *out)
{
    int r = buf_append(out,
                       SPAN_LIT("# 备案路径问卷 Questionnaire: juyong filing route --answers FILE\n"
                                "# 留空即不确定。 Left empty: not sure.\n"));
    for (enum route_key k = 0; k < ROUTE_KEYS && r == 0; k++) {
        const struct route_question *q = route_question(k);
        buf_printf(out, "\n# %s\n# %s\n# 为什么问：%s（%s）\n", q->zh, q->en, q->why_zh, q->source);
        for (size_t i = 0; i < choice_count(q); i++)
            buf_printf(out, "#   %-10s %s %s\n", q->choices[i].name, q->choices[i].zh,
                       q->choices[i].en);
        r = buf_printf(out, "%s:%s%s\n", q->key, a->chosen[k] < 0 ? "" : " ", route_answer(a, k));
        if (!q->detail)
            continue;
        buf_printf(out, "# %s %s\n%s:", q->detail_zh, q->detail_en, q->detail);
        const char *given = route_detail(a, k);
        if (*given) {
            buf_append_char(out, ' ');
            put_quoted(out, given);
        }
        r = buf_append_char(out, '\n');
    }
    return r;
}

/* ---- decisions ---- */

static bool fits(const struct route_answers *a, const unsigned short answers[ROUTE_KEYS])
{
    for (enum route_key k = 0; k < ROUTE_KEYS; k++)
        if (answers[k] && !(route_is_asked(a, k) && is(a, k, answers[k])))
            return false;
    return true;
}

static void apply(const struct route_answers *a, const struct route_decision *rows, size_t count,
                  struct route_advice *d)
{
    for (size_t i = 0; i < count; i++)
        if (fits(a, rows[i].answers)) {
            d->due |= rows[i].due;
            d->possible |= rows[i].possible;
            return;
        }
}

static bool is_said(const struct route_answers *a, unsigned routes, const struct route_when *w)
{
    if (w->lacks && *route_detail(a, w->lacks))
        return false;
    return (!w->routes || (w->routes & routes)) && fits(a, w->answers);
}

void route_decide(const struct route_answers *a, struct route_advice *ret_advice)
{
    struct route_advice d = {0};
    apply(a, route_decisions, route_decision_count, &d);
    if (!(d.due & ROUTE_NONE))
        apply(a, route_algorithm_decisions, route_algorithm_decision_count, &d);
    /* Nobody knows yet whether the measures apply at all: then all else hangs on that. */
    if (is(a, ROUTE_PUBLIC, PUBLIC_UNSURE)) {
        d.possible |= (d.due & ~(unsigned)ROUTE_ASK) | ROUTE_NONE;
        d.due = ROUTE_ASK;
    }
    d.possible &= ~d.due;
    for (size_t i = 0; i < route_line_count && d.count < ROUTE_LINES; i++)
        if (is_said(a, d.due | d.possible, &route_lines[i].when))
            d.lines[d.count++] = &route_lines[i];
    *ret_advice = d;
}
