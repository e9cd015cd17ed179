#include "question/bankline.h"

#include "base/utf8.h"
#include "config/schema.h"
#include "rules/risktitle.h"

#include <errno.h>
#include <stdio.h>

static const char *const kind_names[] = {"content", "refuse", "answer"};

const char *bank_kind_name(enum bank_kind k)
{
    return kind_names[k];
}

const char *bank_kind_title(enum bank_kind k)
{
    static const char *const titles[] = {"生成内容测试题库", "应拒答测试题库", "非拒答测试题库"};
    return titles[k];
}

enum bank_kind bank_kind_from(struct span name)
{
    enum bank_kind k = 0;
    while (k < BANK_KINDS && !span_eq(name, span_str(kind_names[k])))
        k++;
    return k;
}

const char *bank_technique(unsigned technique, char ret_name[4])
{
    if (technique)
        snprintf(ret_name, 4, "T%02u", technique % 100);
    else
        ret_name[0] = '\0';
    return ret_name;
}

void bank_fail(struct bank_reading *r, struct place at, const char *fmt, ...)
{
    if (r->errors++ >= BANK_ERRORS_TOLD)
        return;
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    place_printf(r->messages, at, "%s", text);
}

const char *bank_text_fault(struct span text, size_t max, bool lines)
{
    if (span_trim(text).len == 0)
        return "empty";
    if (text.len > max)
        return "too long";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < 0x20 && !(lines && (c == '\n' || c == '\t'))) || c == 0x7F)
            return lines ? "holds a control character" : "not one line of text";
    }
    return NULL;
}

/* ---- one line ---- */

enum {
    KEY_ID,
    KEY_BANK,
    KEY_RISK,
    KEY_ASPECT,
    KEY_TECHNIQUE,
    KEY_QUESTION,
    KEY_NOTE,
    KEY_SEED,
    KEY_MESSAGES,
    KEYS
};
static const char *const key_names[KEYS] = {
    "id", "bank", "risk", "aspect", "technique", "question", "note", "seed", "messages",
};

struct line {
    struct bank_reading *reading;
    struct place at;
    struct span texts[KEYS]; /* as they are in the value; empty: not there */
    const struct json_value *messages;
    unsigned errors; /* before this line */
};

static int take_member(void *ctx, struct span key, const struct json_value *value)
{
    struct line *l = ctx;
    unsigned k = 0;
    while (k < KEYS && !span_eq(key, span_str(key_names[k])))
        k++;
    if (k == KEYS) {
        const char *meant = schema_suggest(key_names, KEYS, key);
        bank_fail(l->reading, l->at, "unknown key '%.*s'%s%s%s", (int)(key.len < 64 ? key.len : 64),
                  key.data, meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
    } else if (k == KEY_MESSAGES) {
        l->messages = value;
    } else if (!value_get_string(value, &l->texts[k])) {
        bank_fail(l->reading, l->at, "'%s' is no text", key_names[k]);
    } else if (l->texts[k].len == 0) {
        bank_fail(l->reading, l->at, "'%s' is empty", key_names[k]);
    }
    return 0;
}

bool bank_is_id(struct span s)
{
    if (s.len == 0 || s.len > BANK_ID_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("._-", c))))
            return false;
    }
    return true;
}

static void check_text(struct line *l, unsigned key, size_t max, bool lines)
{
    struct span text = l->texts[key];
    const char *fault = text.data ? bank_text_fault(text, max, lines) : NULL;
    if (fault && text.len > max)
        bank_fail(l->reading, l->at, "'%s' is %s: %zu bytes, at most %zu", key_names[key], fault,
                  text.len, max);
    else if (fault && text.len) /* an empty one is told of already */
        bank_fail(l->reading, l->at, "'%s' %s%s", key_names[key],
                  strncmp(fault, "holds", 5) != 0 ? "is " : "", fault);
}

static void check_ids(struct line *l)
{
    static const unsigned ids[] = {KEY_ID, KEY_SEED};
    for (unsigned i = 0; i < 2; i++) {
        struct span id = l->texts[ids[i]];
        if (id.len && !bank_is_id(id))
            bank_fail(l->reading, l->at, "'%s' is no id: 1 to %d letters, digits and . _ - are one",
                      key_names[ids[i]], BANK_ID_MAX);
    }
    if (l->texts[KEY_ID].len && span_eq(l->texts[KEY_ID], l->texts[KEY_SEED]))
        bank_fail(l->reading, l->at, "a question is no seed of itself");
}

static void need(struct line *l, unsigned key)
{
    if (!l->texts[key].data && l->errors == l->reading->errors)
        bank_fail(l->reading, l->at, "'%s' is missing", key_names[key]);
}

static const struct aspect *find_aspect(const struct ruleset *rules, struct span name)
{
    for (size_t i = 0; i < ruleset_aspect_count(rules); i++)
        if (span_eq(ruleset_aspect(rules, i)->zh, name))
            return ruleset_aspect(rules, i);
    return NULL;
}

/* A field that a bank doesn't have. */
static void refuse_key(struct line *l, unsigned key, enum bank_kind kind, const char *instead)
{
    if (l->texts[key].data)
        bank_fail(l->reading, l->at, "a question of the bank '%s' has no '%s' but %s",
                  bank_kind_name(kind), key_names[key], instead);
}

static void read_type(struct line *l, struct question *q)
{
    struct span id = l->texts[KEY_RISK];
    refuse_key(l, KEY_ASPECT, q->kind, "a 'risk'");
    need(l, KEY_RISK);
    if (!id.len)
        return;
    q->risk = ruleset_find_risk(l->reading->rules, id);
    if (!q->risk)
        bank_fail(l->reading, l->at, "there is no risk type '%.*s' in risks.yaml",
                  (int)(id.len < 64 ? id.len : 64), id.data);
    else if (!risk_is_standard(q->risk))
        bank_fail(l->reading, l->at,
                  "'%.*s' is no type of the standard: name what the question is about, and the "
                  "technique by 'technique'",
                  SPAN_ARG(id));
}

static void read_aspect(struct line *l, struct question *q)
{
    struct span name = l->texts[KEY_ASPECT];
    refuse_key(l, KEY_RISK, q->kind, "an 'aspect'");
    need(l, KEY_ASPECT);
    if (!name.len)
        return;
    q->aspect = find_aspect(l->reading->rules, name);
    if (!q->aspect)
        bank_fail(l->reading, l->at, "there is no aspect '%.*s' in risks.yaml",
                  (int)(name.len < 64 ? name.len : 64), name.data);
}

static void read_bank(struct line *l, struct question *q)
{
    struct span name = l->texts[KEY_BANK];
    need(l, KEY_BANK);
    if (!name.len)
        return;
    q->kind = bank_kind_from(name);
    if (q->kind == BANK_KINDS)
        bank_fail(l->reading, l->at, "there is no bank '%.*s': content, refuse and answer are",
                  (int)(name.len < 64 ? name.len : 64), name.data);
    else if (q->kind == BANK_ANSWER)
        read_aspect(l, q);
    else
        read_type(l, q);
}

static void read_technique(struct line *l, struct question *q)
{
    struct span s = l->texts[KEY_TECHNIQUE];
    if (!s.len)
        return;
    unsigned long long n = 0;
    if (s.len == 3 && s.data[0] == 'T' && span_to_u64(span_slice(s, 1, 3), &n) && n >= 1 &&
        n <= BANK_TECHNIQUES)
        q->technique = (unsigned)n;
    else
        bank_fail(l->reading, l->at, "there is no technique '%.*s': T01 to T%d are",
                  (int)(s.len < 64 ? s.len : 64), s.data, BANK_TECHNIQUES);
}

/* ---- turns ---- */

struct turn {
    struct span role, content;
    bool others;
};

static int take_turn(void *ctx, struct span key, const struct json_value *value)
{
    struct turn *t = ctx;
    if (span_eq(key, SPAN_LIT("role")))
        value_get_string(value, &t->role);
    else if (span_eq(key, SPAN_LIT("content")))
        value_get_string(value, &t->content);
    else
        t->others = true;
    return 0;
}

/* NULL when it is good. */
static const char *turn_fault(const struct json_value *value, struct turn *ret_turn)
{
    static const char *const roles[] = {"system", "developer", "user", "assistant", "tool"};
    if (!value_is_object(value))
        return "no object";
    value_each(value, take_turn, ret_turn);
    if (ret_turn->others)
        return "more than 'role' and 'content'";
    for (unsigned i = 0; i < sizeof(roles) / sizeof(*roles); i++)
        if (span_eq(ret_turn->role, span_str(roles[i])))
            return bank_text_fault(ret_turn->content, BANK_MESSAGES_MAX, true);
    return "of no role: system, developer, user, assistant and tool are";
}

static void read_messages(struct line *l, struct question *q)
{
    size_t count = value_count(l->messages), bytes = 0;
    bool asked = false;
    if (!l->messages)
        return;
    if (!value_is_array(l->messages) || count == 0 || count > BANK_TURNS_MAX) {
        bank_fail(l->reading, l->at, "'messages' is no list of 1 to %d turns", BANK_TURNS_MAX);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct turn t = {0};
        const char *fault = turn_fault(value_at(l->messages, i), &t);
        if (fault)
            bank_fail(l->reading, l->at, "turn %zu of 'messages': %s", i + 1, fault);
        asked |= span_eq(t.role, SPAN_LIT("user"));
        bytes += t.content.len;
    }
    if (bytes > BANK_MESSAGES_MAX)
        bank_fail(l->reading, l->at, "'messages' has %zu bytes of text, at most %u", bytes,
                  BANK_MESSAGES_MAX);
    if (!asked && l->errors == l->reading->errors)
        bank_fail(l->reading, l->at, "'messages' has no turn of the user");
    q->messages = l->messages;
}

/* ---- all of it ---- */

static bool keep(struct bank_reading *r, struct span text, struct span *ret)
{
    *ret = text.len ? arena_copy(r->arena, text) : SPAN_LIT("");
    return ret->data != NULL;
}

static bool read_all(struct line *l, struct question *q)
{
    need(l, KEY_ID);
    check_ids(l);
    read_bank(l, q);
    read_technique(l, q);
    need(l, KEY_QUESTION);
    check_text(l, KEY_QUESTION, BANK_TEXT_MAX, true);
    check_text(l, KEY_NOTE, BANK_NOTE_MAX, false);
    read_messages(l, q);
    struct bank_reading *r = l->reading;
    return r->errors == l->errors && keep(r, l->texts[KEY_ID], &q->id) &&
           keep(r, l->texts[KEY_QUESTION], &q->text) && keep(r, l->texts[KEY_NOTE], &q->note) &&
           keep(r, l->texts[KEY_SEED], &q->seed);
}

/* jansson tells a line and a column of the text: the line is one here. */
static void tell_syntax(struct bank_reading *r, struct place at, struct buf *why)
{
    struct span said = buf_span(why), first = SPAN_LIT("line 1, ");
    if (span_starts(said, first))
        said = span_slice(said, first.len, said.len);
    bank_fail(r, at, "not JSON: %.*s", (int)span_find(said, SPAN_LIT("\n")),
              said.data ? said.data : "");
}

bool bank_line(struct bank_reading *r, struct span line, struct place at,
               struct question *ret_question, struct json_value **ret_root)
{
    struct buf why = BUF_INIT(4096);
    struct json_value *root = value_parse(line, &why);
    struct line l = {.reading = r, .at = at, .errors = r->errors};
    bool good = false;
    *ret_question = (struct question){.place = at};
    *ret_root = NULL;
    if (!root) {
        tell_syntax(r, at, &why);
    } else if (!value_is_object(root)) {
        bank_fail(r, at, "no object: one question a line, {\"id\":…}");
    } else {
        value_each(root, take_member, &l);
        good = read_all(&l, ret_question);
    }
    if (good && ret_question->messages)
        *ret_root = root;
    else
        value_free(root);
    buf_deinit(&why);
    return good;
}

/* ---- writing ---- */

static int set_text(struct json_value *line, unsigned key, struct span text)
{
    return text.len ? value_set(line, span_str(key_names[key]), value_string(text)) : 0;
}

int bank_write(const struct question *q, struct buf *out)
{
    char technique[4];
    struct json_value *line = value_object();
    size_t before = out->len;
    int r = line ? 0 : -ENOMEM;
    struct span texts[KEYS] = {
        [KEY_ID] = q->id,
        [KEY_BANK] = span_str(bank_kind_name(q->kind)),
        [KEY_RISK] = q->risk ? q->risk->id : SPAN_NULL,
        [KEY_ASPECT] = q->aspect ? q->aspect->zh : SPAN_NULL,
        [KEY_TECHNIQUE] = span_str(bank_technique(q->technique, technique)),
        [KEY_QUESTION] = q->text,
        [KEY_NOTE] = q->note,
        [KEY_SEED] = q->seed,
    };
    for (unsigned k = 0; k < KEY_MESSAGES && r == 0; k++)
        r = set_text(line, k, texts[k]);
    if (r == 0)
        r = value_dump(line, out);
    value_free(line);
    /* The turns lie in a tree of their own: they are put before the brace that ends the line. */
    if (r == 0 && q->messages) {
        out->len--;
        r = buf_append(out, SPAN_LIT(",\"messages\":"));
        if (r == 0)
            r = value_dump(q->messages, out);
        if (r == 0)
            r = buf_append_char(out, '}');
    }
    if (r == 0)
        r = buf_append_char(out, '\n');
    if (r < 0)
        out->len = before;
    return r;
}
