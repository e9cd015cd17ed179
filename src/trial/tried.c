#include "trial/tried.h"

#include "base/utf8.h"
#include "config/value.h"

#include <errno.h>
#include <string.h>

#define WORD_MAX 512 /* bytes */

int tried_begin(enum tried_kind kind, struct span risk, struct buf *out)
{
    return kind == TRIED_PHRASES ? buf_append(out, SPAN_LIT("#!why=being tried\n"))
                                 : buf_printf(out, "#!risk=%.*s\n", SPAN_ARG(risk));
}

int tried_add(struct span word, struct buf *out)
{
    if (span_trim(word).len == 0 || word.len > WORD_MAX || word.data[0] == '#' ||
        !value_is_printable(word) || utf8_check(word) < word.len ||
        memchr(word.data, '\t', word.len))
        return -EINVAL;
    return buf_printf(out, "%.*s\n", SPAN_ARG(word));
}

int tried_load(struct span rules_dir, enum tried_kind kind, struct span file,
               struct rule_report *report, struct ruleset **ret_set)
{
    struct ruleset_source source = {.dir = rules_dir,
                                    .replaced = kind == TRIED_PHRASES ? SPAN_LIT(TRIED_PHRASES_FILE)
                                                                      : SPAN_LIT(TRIED_WORDS_FILE),
                                    .replacement = file};
    return ruleset_read(&source, report, ret_set);
}

bool tried_is_rule(const struct rule *rule)
{
    struct span name = SPAN_LIT(TRIED_WORDS_FILE), file = rule->file;
    return file.len >= name.len && span_eq(span_slice(file, file.len - name.len, file.len), name);
}
