#include "trial/finding.h"

#include "base/utf8.h"
#include "text/fold.h"
#include "json/walk.h"

/* Characters of the text that are shown on either side of a hit, and of a long one at its ends. */
#define AROUND 40
/* Before the word that completes a near rule: the others stand there. */
#define AROUND_NEAR 100

/* What each layer is, by the number of its bit. */
static const char *const sentences[] = {
    "大小写: upper and lower case",
    "全角与兼容字形: full-width, circled, superscript and other styles of a character",
    "繁体异体: traditional or variant forms of Han characters",
    "不可见字符: zero-width, bidirectional and other characters that show nothing",
    "组合符号: accents and combining marks",
    "形近字母: letters of another script that look the same",
    "分隔符: spaces, punctuation or symbols between the characters",
    "跨段拼接: spread over two messages, parts or fields",
    "二次转义: escapes such as \\u6bd2",
    "重复字符: characters said more than once",
    "标记: HTML tags between the characters",
    "中文数字: Chinese numerals for digits",
    "拼音: pinyin for Han characters",
    "拼音首字母: the first letters of their pinyin",
    "同音字: other characters of the same sound",
    "形近字: other characters of nearly the same shape",
    "拆字: a character written as its parts",
    "倒写: written backwards",
    "数字符号代字母: digits and symbols for letters",
    "夹杂字符: letters or digits between Han characters",
    "竖排: read down the columns of several lines",
    "藏头: the first or last characters of several lines or clauses",
    "Base64 编码: text in Base64",
    "十六进制: text in hexadecimal digits",
    "URL 编码: text in percent encoding",
    "HTML 字符引用: text in HTML character references",
};
_Static_assert(sizeof(sentences) / sizeof(*sentences) == LAYER_COUNT, "a layer has no sentence");

/* Characters that would move the cursor, hide or turn text around on a terminal. */
static bool is_unseen(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x200b && cp <= 0x200f) ||
           (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff ||
           cp == 0xad || cp == 0x61c || (cp >= 0xe0000 && cp <= 0xe0fff) ||
           fold_entry_class(fold_entry(cp)) == FOLD_INVISIBLE;
}

/* Valid UTF-8 for people; `line_end` is shown for a newline, NULL: its number like the others'. */
static void print_text(struct buf *out, struct span text, const char *line_end)
{
    while (text.len) {
        uint32_t cp;
        int n = utf8_decode(text, false, &cp);
        if (n <= 0)
            return;
        if (cp == '\n' && line_end)
            buf_append(out, span_str(line_end));
        else if (is_unseen(cp))
            buf_printf(out, "<U+%04X>", (unsigned)cp);
        else
            buf_append(out, span_slice(text, 0, (size_t)n));
        text = span_slice(text, (size_t)n, text.len);
    }
}

static void print_layers(struct buf *out, uint32_t layers, bool json)
{
    bool first = true;
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        if (!(layers >> i & 1))
            continue;
        buf_printf(out, json ? "%s\"%s\"" : "%s%s", first ? "" : ",", layer_name(i));
        first = false;
    }
}

static struct span finding_text(const struct finding *f)
{
    return span_slice(f->text, (size_t)f->hit.start, (size_t)f->hit.end);
}

void finding_line(struct buf *out, const struct finding *f)
{
    buf_printf(out, "  %-6s %.*s  %llu..%llu  ", action_name(f->action), SPAN_ARG(f->rule->id),
               (unsigned long long)f->hit.start, (unsigned long long)f->hit.end);
    print_text(out, finding_text(f), NULL);
    if (f->hit.layers) {
        buf_append(out, SPAN_LIT("  through "));
        print_layers(out, f->hit.layers, false);
    }
    if (f->reason.observed && f->action > ACTION_FLAG)
        buf_append(out, SPAN_LIT("  only observed"));
    buf_append_char(out, '\n');
}

/* --- the text around it --- */

/* What is drawn over the character before it is cut off together with it. */
static bool is_mark(uint32_t cp)
{
    return fold_entry_class(fold_entry(cp)) == FOLD_MARK;
}

/* Marks count for nothing, up to a limit. */
#define MARKS(characters) (4 * (characters))

static size_t step_back(struct span text, size_t at, unsigned characters)
{
    for (unsigned most = MARKS(characters); at > 0 && characters && most; most--) {
        uint32_t cp = 0;
        at = utf8_floor(text, at - 1);
        utf8_decode(span_slice(text, at, text.len), false, &cp);
        characters -= !is_mark(cp);
    }
    return at;
}

static size_t step_on(struct span text, size_t at, unsigned characters)
{
    for (unsigned most = MARKS(characters); at < text.len && most; most--) {
        uint32_t cp = 0;
        int n = utf8_decode(span_slice(text, at, text.len), false, &cp);
        if (n <= 0 || (!is_mark(cp) && characters == 0))
            break;
        characters -= !is_mark(cp);
        at += (size_t)n;
    }
    return at;
}

static void print_part(struct buf *out, struct span text, size_t from, size_t to)
{
    print_text(out, span_slice(text, from, to), "⏎");
}

/*
 * The hit between brackets, which need no colour and no counting of columns; others where the text
 * has these itself.
 */
static void print_excerpt(struct buf *out, struct span text, size_t start, size_t end,
                          unsigned before, const struct looks *looks)
{
    size_t from = step_back(text, start, before), to = step_on(text, end, AROUND);
    struct span shown = span_slice(text, from, to);
    bool taken = span_find(shown, SPAN_LIT("【")) < shown.len ||
                 span_find(shown, SPAN_LIT("】")) < shown.len;
    if (from > 0)
        buf_append(out, SPAN_LIT("…"));
    print_part(out, text, from, start);
    buf_printf(out, "%s%s", taken ? "»" : "【", looks->mark);
    size_t head = step_on(text, start, AROUND), tail = step_back(text, end, AROUND);
    if (head < tail) {
        print_part(out, text, start, head);
        buf_append(out, SPAN_LIT(" … "));
        print_part(out, text, tail, end);
    } else {
        print_part(out, text, start, end);
    }
    buf_printf(out, "%s%s", looks->off, taken ? "«" : "】");
    print_part(out, text, end, to);
    if (to < text.len)
        buf_append(out, SPAN_LIT("…"));
    buf_append_char(out, '\n');
}

/* --- why --- */

static void print_reason(struct buf *out, const struct finding *f)
{
    const struct config_action *row = f->reason.row;
    char day[RULE_DAY_SIZE];
    switch (f->reason.by) {
    case REASON_ROW:
        if (row->origin == ORIGIN_BUILT_IN)
            buf_append(out, SPAN_LIT("by default"));
        else
            buf_printf(out, "by %.*s:%u", SPAN_ARG(row->at.file), row->at.line);
        buf_printf(out, " for %.*s", SPAN_ARG(row->risk));
        break;
    case REASON_RULE:
        buf_append(out, SPAN_LIT("by the rule itself"));
        break;
    case REASON_NO_ROW:
        buf_append(out, SPAN_LIT("for no policy names its risk"));
        break;
    case REASON_OTHER_APP:
        buf_printf(out, "for it is a rule for other apps than %.*s", SPAN_ARG(f->app));
        break;
    case REASON_EXPIRED:
        if (rule_last_day(f->rule, day))
            buf_printf(out, "for %s was its last day", day);
        else
            buf_printf(out, "for it expired at %s", day);
        break;
    }
    if (f->reason.near)
        buf_append(out, SPAN_LIT("; a near rule never masks"));
    if (f->reason.observed) {
        day_format(f->reason.observed, day);
        buf_printf(out, "; only observed up to %s", day);
    }
}

/* Begins a line of the explanation. */
static void label(struct buf *out, const struct looks *looks, const char *name)
{
    buf_printf(out, "         %s%-13s%s", looks->dim, name, looks->off);
}

/* The fold of what the hit was found in: raw, or decoded. */
static void fold_of(const struct finding *f, struct buf *ret_folded)
{
    const struct derived_part *d = f->derived;
    match_fold(d ? span_slice(d->text, d->start, d->end) : finding_text(f), ret_folded);
}

static void explain_text(struct buf *out, const struct finding *f, const struct looks *looks)
{
    const struct derived_part *d = f->derived;
    unsigned before = f->rule->kind == RULE_NEAR ? AROUND_NEAR : AROUND;
    label(out, looks, "text");
    print_excerpt(out, f->text, (size_t)f->hit.start, (size_t)f->hit.end, before, looks);
    if (d) {
        bool decoded = f->hit.layers & LAYERS_ENCODED;
        label(out, looks, decoded ? "decodes to" : "reads as");
        print_excerpt(out, d->text, d->start, d->end, before, looks);
    }
    struct buf folded = BUF_INIT(1u << 16);
    fold_of(f, &folded);
    label(out, looks, "folded");
    size_t shown = step_on(buf_span(&folded), 0, 2 * AROUND);
    print_part(out, buf_span(&folded), 0, shown);
    buf_append(out, shown < folded.len ? SPAN_LIT("…\n") : SPAN_LIT("\n"));
    buf_deinit(&folded);
    const char *name = "seen through";
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        if (!(f->hit.layers >> i & 1))
            continue;
        label(out, looks, name);
        buf_printf(out, "%s %s\n", layer_name(i), sentences[i]);
        name = "";
    }
}

static void explain_rule(struct buf *out, const struct finding *f, const struct looks *looks)
{
    const struct rule *rule = f->rule;
    label(out, looks, "rule");
    buf_append(out, span_str(rule_kind_name(rule->kind)));
    if (rule->source.len) {
        buf_append(out, SPAN_LIT(" '"));
        print_text(out, rule->source, NULL);
        buf_append_char(out, '\'');
    }
    buf_printf(out, ", %.*s", SPAN_ARG(rule->file));
    if (rule->line)
        buf_printf(out, ":%u", rule->line);
    buf_append_char(out, '\n');
    if (rule->kind == RULE_NEAR) {
        label(out, looks, "");
        buf_append(out, SPAN_LIT("the marked word completes it; words of its other lists stand "
                                 "nearby\n"));
    }
    if (rule->why.len) {
        label(out, looks, "why");
        print_text(out, rule->why, NULL);
        buf_append_char(out, '\n');
    }
    label(out, looks, "risk");
    buf_printf(out, "%.*s %.*s (%.*s)\n", SPAN_ARG(rule->risk->id), SPAN_ARG(rule->risk->name_zh),
               SPAN_ARG(rule->risk->name_en));
}

void finding_explain(struct buf *out, const struct finding *f, const struct looks *looks)
{
    buf_printf(out, "  %-6s %.*s  %llu..%llu\n", f->saved ? "saved" : action_name(f->action),
               SPAN_ARG(f->rule->id), (unsigned long long)f->hit.start,
               (unsigned long long)f->hit.end);
    if (f->saved) {
        const struct derived_part *d = f->derived;
        struct span phrase = span_slice(f->text, (size_t)f->saved->from, (size_t)f->saved->to);
        label(out, looks, "allow phrase");
        print_text(out, d ? span_slice(d->text, d->from, d->to) : phrase, "⏎");
        buf_append_char(out, '\n');
    }
    explain_text(out, f, looks);
    explain_rule(out, f, looks);
    label(out, looks, f->saved ? "otherwise" : "action");
    buf_printf(out, "%s, ", action_name(f->action));
    print_reason(out, f);
    buf_append_char(out, '\n');
}

/* --- for programs --- */

static void json_explain(struct buf *out, const struct finding *f)
{
    const struct rule *rule = f->rule;
    const struct derived_part *d = f->derived;
    struct buf reason = BUF_INIT(4096);
    json_member(out, "risk_name", rule->risk->name_zh);
    json_member(out, "source", rule->source);
    json_member(out, "why", rule->why);
    json_member(out, "file", rule->file);
    buf_printf(out, ",\"line\":%u", rule->line);
    json_member(out, "risk_name_en", rule->risk->name_en);
    json_member(out, "kind", span_str(rule_kind_name(rule->kind)));
    print_reason(&reason, f);
    json_member(out, "reason", buf_span(&reason));
    buf_deinit(&reason);
    if (d)
        json_member(out, "reads", span_slice(d->text, d->start, d->end));
    if (f->saved) {
        struct span phrase = span_slice(f->text, (size_t)f->saved->from, (size_t)f->saved->to);
        buf_printf(out, ",\"phrase\":{\"start\":%llu,\"end\":%llu",
                   (unsigned long long)f->saved->from, (unsigned long long)f->saved->to);
        json_member(out, "text", phrase);
        if (d)
            json_member(out, "reads", span_slice(d->text, d->from, d->to));
        buf_append_char(out, '}');
    }
}

void finding_json(struct buf *out, const struct finding *f, bool explain)
{
    struct buf folded = BUF_INIT(1u << 16);
    fold_of(f, &folded);
    buf_append_char(out, '{');
    json_member(out, "rule", f->rule->id);
    json_member(out, "risk", f->rule->risk->id);
    json_member(out, "action", span_str(action_name(f->action)));
    buf_printf(out, ",\"start\":%llu,\"end\":%llu", (unsigned long long)f->hit.start,
               (unsigned long long)f->hit.end);
    json_member(out, "text", finding_text(f));
    json_member(out, "folded", buf_span(&folded));
    buf_append(out, SPAN_LIT(",\"layers\":["));
    print_layers(out, f->hit.layers, true);
    buf_append_char(out, ']');
    if (f->reason.observed)
        buf_append(out, SPAN_LIT(",\"observed\":true"));
    if (explain)
        json_explain(out, f);
    buf_append_char(out, '}');
    buf_deinit(&folded);
}
