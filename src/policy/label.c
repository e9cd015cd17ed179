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

static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What may hide text, or strike it out, in what shows it: a tag, a comment, a link's definition. */
static void note_hiding(struct label_text *t, char c)
{
    if ((t->before == '<' && (is_letter((unsigned char)c) || is_one_of("!?/", c))) ||
        (t->before == ']' && c == ':') || (t->before == '~' && c == '~'))
        t->hides = true;
    t->before = c;
}

static void step(struct label_text *t, char c)
{
    note_hiding(t, c);
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

/* As if the text's last line had ended. */
static struct label_text ended(const struct label_text *t)
{
    struct label_text end = *t;
    if (end.state == LABEL_TICKS)
        end_ticks(&end);
    return end;
}

bool label_text_is_code(const struct label_text *t)
{
    struct label_text end = ended(t);
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
#define PHRASE_MAX 160

/* Who may be named as its maker, besides the models of the configuration. */
static const struct span makers[] = {
    SPAN_LIT("ChatGPT"),  SPAN_LIT("GPT"),      SPAN_LIT("OpenAI"),   SPAN_LIT("Claude"),
    SPAN_LIT("Gemini"),   SPAN_LIT("DeepSeek"), SPAN_LIT("深度求索"), SPAN_LIT("Qwen"),
    SPAN_LIT("通义千问"), SPAN_LIT("千问"),     SPAN_LIT("文心一言"), SPAN_LIT("豆包"),
    SPAN_LIT("Kimi"),     SPAN_LIT("智谱清言"), SPAN_LIT("GLM"),      SPAN_LIT("混元"),
    SPAN_LIT("讯飞星火"), SPAN_LIT("盘古"),
};

/* Is p what s begins with? Latin letters are whole words. */
static bool begins_with_word(struct span s, struct span p)
{
    return p.len && s.len >= p.len && span_eq_nocase(span_slice(s, 0, p.len), p) &&
           (!is_letter((unsigned char)p.data[p.len - 1]) || s.len == p.len ||
            !is_letter((unsigned char)s.data[p.len]));
}

static size_t word_at(struct span s, const struct span *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (begins_with_word(s, words[i]))
            return words[i].len;
    return 0;
}

/* A name of a model that is served here. */
static size_t model_at(struct span s, const struct config *c)
{
    for (size_t u = 0; u < c->upstream_count; u++)
        for (size_t m = 0; m < c->upstreams[u].model_count; m++) {
            const struct config_model *model = &c->upstreams[u].models[m];
            size_t n = word_at(s, &model->display_name, 1);
            n = n ? n : word_at(s, &model->id, 1);
            if (n)
                return n;
        }
    return 0;
}

/* Punctuation, blanks and emblems: no quotes, for what is quoted is not said; nothing invisible. */
static bool is_sign(uint32_t cp)
{
    if (cp < 0x80)
        return is_one_of(" \t\r\n,.;:-_*#>|/+", (char)cp);
    static const uint32_t signs[] = {
        0x00B7, 0x2013, 0x2014, 0x2015,  0x2022,  0x2026,  0x2139,  0x26A0,
        0x26A1, 0x2728, 0x3000, 0x3001,  0x3002,  0xFE0F,  0xFF01,  0xFF0C,
        0xFF1A, 0xFF1B, 0xFF5C, 0x1F4A1, 0x1F4CC, 0x1F4DD, 0x1F514, 0x1F916,
    };
    for (size_t i = 0; i < COUNT(signs); i++)
        if (signs[i] == cp)
            return true;
    return false;
}

/*
 * It names AI and generation, and is made of such words alone: whatever else it says may be that it
 * is not so.
 */
static bool is_phrase(struct span s, const struct config *c)
{
    if (s.len > PHRASE_MAX || !label_names_ai(s, true) || !label_names_generation(s))
        return false;
    for (size_t at = 0; at < s.len;) {
        struct span rest = span_slice(s, at, s.len);
        size_t n = word_at(rest, phrases, COUNT(phrases));
        n = n ? n : word_at(rest, makers, COUNT(makers));
        n = n ? n : model_at(rest, c);
        uint32_t cp;
        int length = n ? 0 : utf8_decode(rest, true, &cp);
        if (n == 0 && (length <= 0 || !is_sign(cp)))
            return false;
        at += n ? n : (size_t)length;
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

/* Does a sentence of its own begin at that place: may what stands before it not say "not"? */
static bool begins_sentence(struct span s, size_t at)
{
    static const struct span ends[] = {SPAN_LIT("。"), SPAN_LIT("！"), SPAN_LIT("…"),
                                       SPAN_LIT("；"), SPAN_LIT("）"), SPAN_LIT("】"),
                                       SPAN_LIT("—")};
    while (at > 0 && (s.data[at - 1] == ' ' || s.data[at - 1] == '\t'))
        at--;
    if (at == 0 || is_one_of("\r\n.;)*_>-", s.data[at - 1]))
        return true;
    for (size_t i = 0; i < COUNT(ends); i++)
        if (ends_with(span_slice(s, 0, at), ends[i]))
            return true;
    return false;
}

/* Words that may take back what was said just before. */
static bool may_deny(struct span s)
{
    static const struct span words[] = {
        SPAN_LIT("非"),    SPAN_LIT("不"),     SPAN_LIT("未"), SPAN_LIT("无"),    SPAN_LIT("没"),
        SPAN_LIT("勿"),    SPAN_LIT("否"),     SPAN_LIT("别"), SPAN_LIT("假"),    SPAN_LIT("伪"),
        SPAN_LIT("错"),    SPAN_LIT("吗"),     SPAN_LIT("？"), SPAN_LIT("?"),     SPAN_LIT("not"),
        SPAN_LIT("no"),    SPAN_LIT("never"),  SPAN_LIT("t"),  SPAN_LIT("false"), SPAN_LIT("fake"),
        SPAN_LIT("wrong"), SPAN_LIT("untrue"),
    };
    for (size_t at = 0; at < s.len; at++)
        if ((at == 0 || !is_letter((unsigned char)s.data[at - 1])) &&
            word_at(span_slice(s, at, s.len), words, COUNT(words)))
            return true;
    return false;
}

/* May what stands in a bracket that ends there be believed? In [x]: and [x](y) it isn't text. */
static bool ends_bracket(struct span s, size_t at)
{
    struct span rest = span_slice(s, at, s.len);
    return (rest.len == 0 || !is_one_of("([:", rest.data[0])) &&
           !may_deny(span_slice(rest, 0, span_find(rest, SPAN_LIT("\n"))));
}

static bool bracket_is_phrase(struct span s, bool end, const struct config *c)
{
    for (size_t i = 0; i < COUNT(brackets); i++) {
        size_t at, open = brackets[i].open.len, close = brackets[i].close.len;
        if (end && ends_with(s, brackets[i].close) && (at = find_last(s, brackets[i].open)) < s.len)
            return begins_sentence(s, at) && is_phrase(span_slice(s, at + open, s.len - close), c);
        if (!end && span_starts(s, brackets[i].open) &&
            (at = span_find(s, brackets[i].close)) < s.len)
            return ends_bracket(s, at + close) && is_phrase(span_slice(s, open, at), c);
    }
    return false;
}

/* Ours, as the model may have learnt it from the conversation: by itself, not part of a sentence.
 */
static bool has_ours(struct span head, struct span tail, const struct config *c)
{
    static const enum language languages[] = {LANGUAGE_BOTH, LANGUAGE_ZH, LANGUAGE_EN};
    char room[LABEL_WORDS_MAX];
    for (size_t i = 0; i < COUNT(languages); i++) {
        struct span label = label_words(c, languages[i], room);
        bool closed = false;
        for (size_t k = 0; k < COUNT(brackets); k++)
            closed = closed || ends_with(label, brackets[k].close);
        if (span_starts(head, label) &&
            (head.len == label.len || is_one_of("\r\n", head.data[label.len]) ||
             (closed && ends_bracket(head, label.len))))
            return true;
        if (ends_with(tail, label) && begins_sentence(tail, tail.len - label.len))
            return true;
    }
    return false;
}

/* What stands before a line of its own may announce it as a quotation. */
static bool announces(struct span s)
{
    s = span_trim(s);
    return ends_with(s, SPAN_LIT(":")) || ends_with(s, SPAN_LIT("："));
}

bool label_text_is_labelled(const struct label_text *t, const struct config *c)
{
    struct span head = head_of(t), tail = tail_of(t);
    /* Whether it is seen, and as a statement, only what shows the text can tell. */
    if (t->hides || ended(t).in_fence)
        return false;
    if (has_ours(head, tail, c))
        return true;
    /* Marks of emphasis around it don't count. */
    while (tail.len && is_one_of("*_`.", tail.data[tail.len - 1]))
        tail.len--;
    while (head.len && is_one_of("*_>#", head.data[0]))
        head = span_trim(span_slice(head, 1, head.len));
    if (bracket_is_phrase(tail, true, c) || bracket_is_phrase(head, false, c))
        return true;
    size_t line = span_find(head, SPAN_LIT("\n"));
    if (line < head.len && is_phrase(span_slice(head, 0, line), c))
        return true;
    /* A line of its own: an answer of one line is no label. */
    line = find_last(tail, SPAN_LIT("\n"));
    return line < tail.len && !announces(span_slice(tail, 0, line)) &&
           is_phrase(span_slice(tail, line + 1, tail.len), c);
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
