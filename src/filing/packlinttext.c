/* What the papers say: gaps, names that differ, numbers that nobody configured. */
#include "filing/packlint.h"

#include <string.h>

static unsigned count_of(struct span text, struct span needle)
{
    unsigned n = 0;
    for (size_t at = 0; at < text.len;) {
        size_t found = span_find(span_slice(text, at, text.len), needle);
        if (at + found >= text.len)
            break;
        n++;
        at += found + needle.len;
    }
    return n;
}

static bool has(struct span text, struct span needle)
{
    /* What HTML writes otherwise can't be looked for. */
    for (size_t i = 0; i < needle.len; i++)
        if (memchr("&<>\"'", needle.data[i], 5))
            return true;
    return needle.len == 0 || span_find(text, needle) < text.len;
}

/* ---- what must be there ---- */

static int miss(struct lint *l, const struct lint_document *d, const char *what, struct span value)
{
    if (has(d->text, value))
        return 0;
    return lint_add(l, LINT_ERROR, "name-differs", "%.*s没有写%s“%.*s”，与配置不一致",
                    SPAN_ARG(d->name), what, SPAN_ARG(value));
}

static int check_names(const struct lint_question *q, const struct lint_document *d, struct lint *l)
{
    int r = miss(l, d, "服务提供者", q->dossier->config->service.provider);
    for (size_t i = 0; i < q->dossier->model_count && r == 0; i++) {
        const struct config_model *m = q->dossier->models[i].model;
        r = miss(l, d, "模型名称", dossier_model_name(m));
        if (r == 0)
            r = miss(l, d, "模型备案号", m->filing_number);
    }
    return r;
}

/* ---- what must not be there ---- */

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/*
 * Is the last hyphen of a model's filing number, such as Beijing-YunQue-20230821, at `hyphen`?
 */
static bool filing_number_at(struct span text, size_t hyphen, struct span *ret_number)
{
    size_t end = hyphen + 1, begin = hyphen;
    while (end < text.len && is_digit(text.data[end]))
        end++;
    if (end - hyphen - 1 < 8 || end - hyphen - 1 > 12 || text.data[hyphen + 1] != '2' ||
        text.data[hyphen + 2] != '0' || (end < text.len && is_word(text.data[end])))
        return false;
    while (begin > 0 && is_word(text.data[begin - 1]))
        begin--;
    if (begin == hyphen || begin == 0 || text.data[begin - 1] != '-')
        return false;
    size_t first = --begin;
    while (begin > 0 && is_word(text.data[begin - 1]))
        begin--;
    /* A province begins with a capital and has no digits. */
    if (first - begin < 3 || text.data[begin] < 'A' || text.data[begin] > 'Z')
        return false;
    for (size_t i = begin; i < first; i++)
        if (is_digit(text.data[i]))
            return false;
    *ret_number = span_slice(text, begin, end);
    return true;
}

static bool is_configured(const struct config *c, struct span number)
{
    if (span_eq(c->service.launch_number, number))
        return true;
    for (size_t u = 0; u < c->upstream_count; u++)
        for (size_t m = 0; m < c->upstreams[u].model_count; m++)
            if (span_eq(c->upstreams[u].models[m].filing_number, number))
                return true;
    return false;
}

static int check_filing_numbers(const struct config *c, const struct lint_document *d,
                                struct lint *l)
{
    struct span last = SPAN_NULL;
    int r = 0;
    for (size_t i = 0; i < d->text.len && r == 0; i++) {
        struct span number = SPAN_LIT("");
        if (d->text.data[i] != '-' || !filing_number_at(d->text, i, &number) ||
            is_configured(c, number) || span_eq(number, last))
            continue;
        last = number;
        r = lint_add(l, LINT_ERROR, "number-differs", "%.*s写有备案号“%.*s”，配置里没有它",
                     SPAN_ARG(d->name), SPAN_ARG(number));
    }
    return r;
}

static int check_algorithm_numbers(const struct config *c, const struct lint_document *d,
                                   struct lint *l)
{
    struct span begin = SPAN_LIT("网信算备"), rest = d->text;
    int r = 0;
    while (r == 0 && rest.len) {
        size_t at = span_find(rest, begin), end = at + begin.len;
        if (at >= rest.len)
            break;
        while (end < rest.len && is_digit(rest.data[end]))
            end++;
        struct span number = span_from(rest.data + at, end - at);
        if (number.len >= begin.len + 15 && !span_starts(c->service.algorithm_number, number))
            r = lint_add(l, LINT_ERROR, "number-differs", "%.*s写有算法备案号“%.*s…”，与配置不一致",
                         SPAN_ARG(d->name), SPAN_ARG(number));
        rest = span_slice(rest, end, rest.len);
    }
    return r;
}

/* A paper that speaks of another modality than text, which is all that is judged here. */
static int check_modality(const struct lint_document *d, struct lint *l)
{
    static const char *const others[] = {"图像", "图片", "音频", "视频", "语音", "多模态"};
    struct span word = SPAN_LIT("模态："), rest = d->text;
    for (;;) {
        size_t at = span_find(rest, word);
        if (at >= rest.len)
            return 0;
        rest = span_slice(rest, at + word.len, rest.len);
        struct span said = rest;
        for (size_t i = 0; i < said.len; i++)
            if (said.data[i] == '\n' || said.data[i] == '<')
                said = span_slice(said, 0, i);
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
            if (span_find(said, span_str(others[i])) < said.len)
                return lint_add(l, LINT_ERROR, "modality", "%.*s写的模态含“%s”，而网关只审核文本",
                                SPAN_ARG(d->name), others[i]);
    }
}

int lint_documents(const struct lint_question *q, struct lint *l)
{
    int r = 0;
    for (size_t i = 0; i < q->document_count && r == 0; i++) {
        const struct lint_document *d = &q->documents[i];
        unsigned gaps = count_of(d->text, SPAN_LIT("待补充"));
        if (gaps)
            r = lint_add(l, LINT_WARNING, "pending", "%.*s有 %u 处待补充", SPAN_ARG(d->name), gaps);
        if (r == 0 && d->closed)
            r = lint_add(l, LINT_WARNING, "attachment-closed",
                         "%.*s有密码、已损坏或内含压缩包，无法检查其中是否有密钥",
                         SPAN_ARG(d->name));
        if (r == 0 && d->identifies)
            r = check_names(q, d, l);
        if (r == 0)
            r = check_filing_numbers(q->dossier->config, d, l);
        if (r == 0)
            r = check_algorithm_numbers(q->dossier->config, d, l);
        if (r == 0)
            r = check_modality(d, l);
    }
    return r;
}
