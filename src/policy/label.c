#include "policy/label.h"

#include "base/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_one_of(const char *set, char c)
{
    return c != '\0' && strchr(set, c) != NULL;
}

void label_text_init(struct label_text *t)
{
    *t = (struct label_text){0};
}

/* --- fed with the text --- */

/* A line of three or more such characters opens a fence, and as many or more close it. */
static void end_ticks(struct label_text *t)
{
    if (t->ticks < 3) {
        t->prose = t->prose || !t->in_fence;
    } else if (!t->in_fence) {
        t->in_fence = t->fences = true;
        t->fence = t->ticks;
        t->fence_tick = t->tick;
    } else if (t->tick == t->fence_tick && t->ticks >= t->fence) {
        t->in_fence = false;
    }
}

static void step(struct label_text *t, char c)
{
    if (t->state == LABEL_TICKS && c == t->tick) {
        t->ticks++;
        return;
    }
    if (t->state == LABEL_TICKS) {
        bool fence = t->ticks >= 3;
        end_ticks(t);
        t->state = fence ? LABEL_REST : LABEL_TEXT;
    }
    if (c == '\n') {
        t->state = LABEL_LINE;
    } else if (t->state == LABEL_LINE && (c == '`' || c == '~')) {
        t->state = LABEL_TICKS;
        t->tick = c;
        t->ticks = 1;
    } else if (t->state != LABEL_REST && !is_blank(c)) {
        t->state = LABEL_TEXT;
        t->prose = t->prose || !t->in_fence;
    }
}

static void keep_tail(struct label_text *t, struct span piece)
{
    if (piece.len >= LABEL_EDGE) {
        memcpy(t->tail, piece.data + piece.len - LABEL_EDGE, LABEL_EDGE);
        t->tail_len = LABEL_EDGE;
        return;
    }
    size_t keep = LABEL_EDGE - piece.len;
    if (t->tail_len > keep)
        memmove(t->tail, t->tail + t->tail_len - keep, keep);
    else
        keep = t->tail_len;
    memcpy(t->tail + keep, piece.data, piece.len);
    t->tail_len = keep + piece.len;
}

void label_text_feed(struct label_text *t, struct span piece)
{
    size_t from = 0;
    while (!t->begun && from < piece.len && is_blank(piece.data[from]))
        from++;
    if (!t->begun && from < piece.len) {
        t->begun = true;
        t->first_at = t->bytes + from;
    }
    struct span head = span_slice(piece, from, piece.len);
    if (t->begun && t->head_len < LABEL_EDGE) {
        if (head.len > LABEL_EDGE - t->head_len)
            head.len = LABEL_EDGE - t->head_len;
        memcpy(t->head + t->head_len, head.data, head.len);
        t->head_len += head.len;
    }
    if (piece.len)
        keep_tail(t, piece);
    for (size_t i = 0; i < piece.len; i++)
        step(t, piece.data[i]);
    t->bytes += piece.len;
}

static struct span head_of(const struct label_text *t)
{
    return span_trim(span_from(t->head, t->head_len));
}

static struct span tail_of(const struct label_text *t)
{
    return span_trim(span_from(t->tail, t->tail_len));
}

/* --- code --- */

static bool is_json(const struct label_text *t)
{
    struct span head = head_of(t), tail = tail_of(t);
    if (head.len < 2 || tail.len == 0)
        return false;
    char last = tail.data[tail.len - 1];
    if (head.data[0] == '{')
        return last == '}';
    struct span inner = span_trim(span_slice(head, 1, head.len));
    /* Prose may begin with a bracket, too. */
    return head.data[0] == '[' && last == ']' && inner.len &&
           is_one_of("{[\"-0123456789]", inner.data[0]);
}

bool label_text_is_code(const struct label_text *t)
{
    struct label_text end = *t;
    if (end.state == LABEL_TICKS)
        end_ticks(&end);
    return (end.fences && !end.prose) || is_json(t);
}

/* --- labels --- */

struct span label_words(const struct config *c, enum language language, char *room)
{
    struct span zh = c->labels.zh, en = c->labels.en;
    if (language == LANGUAGE_ZH || language == LANGUAGE_EN)
        return language == LANGUAGE_ZH ? zh : en;
    memcpy(room, zh.data, zh.len);
    room[zh.len] = ' ';
    memcpy(room + zh.len + 1, en.data, en.len);
    return span_from(room, zh.len + 1 + en.len);
}

static bool ends_with(struct span text, struct span end)
{
    return text.len >= end.len && span_eq(span_slice(text, text.len - end.len, text.len), end);
}

bool label_find(const struct config *c, struct span text, size_t *ret_from, size_t *ret_to)
{
    char room[LABEL_WORDS_MAX];
    struct span inner = span_trim(text);
    size_t from = (size_t)(inner.data - text.data);
    /* The longest one first: it holds the others. */
    static const enum language languages[] = {LANGUAGE_BOTH, LANGUAGE_ZH, LANGUAGE_EN};
    for (size_t i = 0; inner.len && i < COUNT(languages); i++) {
        struct span label = label_words(c, languages[i], room);
        if (span_starts(inner, label)) {
            *ret_from = from + label.len;
            *ret_to = text.len;
            return true;
        }
        if (ends_with(inner, label)) {
            *ret_from = 0;
            *ret_to = from + inner.len - label.len;
            return true;
        }
    }
    return false;
}

/* What labels are made of, besides signs; longer ones before those that begin alike. */
static const struct span phrases[] = {
    SPAN_LIT("人工智能"),   SPAN_LIT("生成"),         SPAN_LIT("合成"),
    SPAN_LIT("大语言模型"), SPAN_LIT("大模型"),       SPAN_LIT("模型"),
    SPAN_LIT("助手"),       SPAN_LIT("技术"),         SPAN_LIT("算法"),
    SPAN_LIT("本"),         SPAN_LIT("以上"),         SPAN_LIT("上述"),
    SPAN_LIT("此"),         SPAN_LIT("该"),           SPAN_LIT("的"),
    SPAN_LIT("内容"),       SPAN_LIT("回答"),         SPAN_LIT("回复"),
    SPAN_LIT("答案"),       SPAN_LIT("文本"),         SPAN_LIT("文字"),
    SPAN_LIT("文章"),       SPAN_LIT("信息"),         SPAN_LIT("结果"),
    SPAN_LIT("均"),         SPAN_LIT("为"),           SPAN_LIT("是"),
    SPAN_LIT("系"),         SPAN_LIT("经"),           SPAN_LIT("使用"),
    SPAN_LIT("利用"),       SPAN_LIT("通过"),         SPAN_LIT("自动"),
    SPAN_LIT("辅助"),       SPAN_LIT("仅供参考"),     SPAN_LIT("请"),
    SPAN_LIT("注意"),       SPAN_LIT("仔细"),         SPAN_LIT("谨慎"),
    SPAN_LIT("自行"),       SPAN_LIT("核实"),         SPAN_LIT("甄别"),
    SPAN_LIT("使用"),       SPAN_LIT("参考"),         SPAN_LIT("提示"),
    SPAN_LIT("说明"),       SPAN_LIT("声明"),         SPAN_LIT("标识"),
    SPAN_LIT("artificial"), SPAN_LIT("intelligence"), SPAN_LIT("generated"),
    SPAN_LIT("content"),    SPAN_LIT("response"),     SPAN_LIT("answer"),
    SPAN_LIT("message"),    SPAN_LIT("text"),         SPAN_LIT("output"),
    SPAN_LIT("this"),       SPAN_LIT("above"),        SPAN_LIT("the"),
    SPAN_LIT("was"),        SPAN_LIT("is"),           SPAN_LIT("has"),
    SPAN_LIT("been"),       SPAN_LIT("by"),           SPAN_LIT("with"),
    SPAN_LIT("using"),      SPAN_LIT("an"),           SPAN_LIT("ai"),
    SPAN_LIT("a"),          SPAN_LIT("assistant"),    SPAN_LIT("model"),
    SPAN_LIT("language"),   SPAN_LIT("for"),          SPAN_LIT("reference"),
    SPAN_LIT("only"),       SPAN_LIT("please"),       SPAN_LIT("verify"),
    SPAN_LIT("check"),      SPAN_LIT("note"),         SPAN_LIT("由"),
};
#define NAME_MAX_BYTES 48 /* of the one who made it, behind 由 or by */
#define PHRASE_MAX     160

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The phrase at the beginning of s: a Latin one is a whole word. */
static struct span phrase_at(struct span s)
{
    for (size_t i = 0; i < COUNT(phrases); i++) {
        struct span p = phrases[i];
        if (s.len < p.len || !span_eq_nocase(span_slice(s, 0, p.len), p))
            continue;
        bool latin = is_letter((unsigned char)p.data[0]);
        if (!latin || s.len == p.len || !is_letter((unsigned char)s.data[p.len]))
            return p;
    }
    return SPAN_NULL;
}

/* A sign or an emblem, nothing that spells. */
static bool is_sign(uint32_t cp)
{
    if (cp < 0x80)
        return !is_letter((unsigned char)cp);
    return (cp >= 0xA0 && cp < 0xC0) || (cp >= 0x2000 && cp < 0x2E80) ||
           (cp >= 0x3000 && cp < 0x3005) || (cp >= 0x3008 && cp < 0x3021) || cp == 0xFE0F ||
           (cp >= 0xFF00 && cp < 0xFF10) || (cp >= 0xFF1A && cp < 0xFF21) ||
           (cp >= 0xFF3B && cp < 0xFF41) || (cp >= 0xFF5B && cp < 0xFF66) ||
           (cp >= 0x1F300 && cp < 0x1FB00);
}

static bool is_phrase(struct span s)
{
    if (s.len > PHRASE_MAX || !label_names_ai(s, true) || !label_names_generation(s))
        return false;
    size_t name = 0;
    bool maker = false; /* behind 由 or by */
    for (size_t at = 0; at < s.len;) {
        struct span p = phrase_at(span_slice(s, at, s.len));
        if (p.len) {
            maker = span_eq(p, SPAN_LIT("由")) || span_eq(p, SPAN_LIT("by"));
            at += p.len;
            continue;
        }
        uint32_t cp;
        int n = utf8_decode(span_slice(s, at, s.len), true, &cp);
        n = n > 0 ? n : 1;
        if (!is_sign(cp)) {
            name += (size_t)n;
            if (!maker || name > NAME_MAX_BYTES)
                return false;
        }
        at += (size_t)n;
    }
    return true;
}

static const struct {
    struct span open, close;
} brackets[] = {
    {SPAN_LIT("（"), SPAN_LIT("）")}, {SPAN_LIT("("), SPAN_LIT(")")},
    {SPAN_LIT("【"), SPAN_LIT("】")}, {SPAN_LIT("["), SPAN_LIT("]")},
    {SPAN_LIT("「"), SPAN_LIT("」")}, {SPAN_LIT("〔"), SPAN_LIT("〕")},
};

/* The last place of the needle, or s.len. */
static size_t find_last(struct span s, struct span needle)
{
    for (size_t at = s.len >= needle.len ? s.len - needle.len + 1 : 0; at-- > 0;)
        if (span_eq(span_slice(s, at, at + needle.len), needle))
            return at;
    return s.len;
}

static bool bracket_is_phrase(struct span s, bool end)
{
    for (size_t i = 0; i < COUNT(brackets); i++) {
        size_t at;
        if (end && ends_with(s, brackets[i].close) && (at = find_last(s, brackets[i].open)) < s.len)
            return is_phrase(span_slice(s, at, s.len));
        if (!end && span_starts(s, brackets[i].open) &&
            (at = span_find(s, brackets[i].close)) < s.len)
            return is_phrase(span_slice(s, 0, at));
    }
    return false;
}

bool label_text_is_labelled(const struct label_text *t, const struct config *c)
{
    struct span head = head_of(t), tail = tail_of(t);
    size_t from, to;
    if (label_find(c, head, &from, &to) && from > 0)
        return true;
    if (label_find(c, tail, &from, &to) && to < tail.len)
        return true;
    /* Marks of emphasis around it don't count. */
    while (tail.len && is_one_of("*_`~.", tail.data[tail.len - 1]))
        tail.len--;
    while (head.len && is_one_of("*_>#", head.data[0]))
        head = span_trim(span_slice(head, 1, head.len));
    if (bracket_is_phrase(tail, true) || bracket_is_phrase(head, false))
        return true;
    size_t line = span_find(head, SPAN_LIT("\n"));
    if (line < head.len && is_phrase(span_slice(head, 0, line)))
        return true;
    /* A line of its own: an answer of one line is no label. */
    line = find_last(tail, SPAN_LIT("\n"));
    return line < tail.len && is_phrase(span_slice(tail, line + 1, tail.len));
}

bool label_text_is_doubtful(const struct label_text *t, struct span label)
{
    uint32_t first, ours;
    struct span head = span_from(t->head, t->head_len);
    if (utf8_decode(head, true, &first) <= 0 || utf8_decode(label, false, &ours) <= 0)
        return true;
    return first == ours || (first < 0x80 && is_one_of("`~{[(<*_>#", (char)first)) ||
           first == 0xFF08 || first == 0x3010; /* （【 */
}
