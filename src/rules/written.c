#include "rules/written.h"

#include "rules/attribute.h"

#include <stdlib.h>

const char *const written_directions[] = {"", "prompt", "completion", "both", NULL};
/* By number of enum action; a rule that allows would be no rule. */
const char *const written_actions[] = {"default", "flag", "mask", "answer", "block", "ask", NULL};
#define WRITTEN_ASK 5 /* its place there */

/* As keywords are named: someone's id must not meet one of these by chance or on purpose. */
static bool is_keyword_name(struct span name)
{
    if (name.len != 8 && name.len != 16)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!memchr("0123456789abcdef", name.data[i], 16))
            return false;
    return true;
}

static void check_id(struct loader *l, const struct written *w, struct place at)
{
    if (!span_starts(w->id, w->risk) || w->id.len < w->risk.len + 2 ||
        w->id.data[w->risk.len] != '/')
        loader_error(l, at, "the id must begin with '%.*s/'", SPAN_ARG(w->risk));
    else if (is_keyword_name(span_slice(w->id, w->risk.len + 1, w->id.len)))
        loader_error(l, at, "8 or 16 hex digits are the id of a keyword");
    else if (span_eq(w->id, SPAN_LIT(PAYLOAD_ID)))
        loader_error(l, at, "'" PAYLOAD_ID "' is built in");
}

/* FNV-1a (Fowler, Noll, Vo): tells texts apart that nobody chose to collide. */
static uint64_t mix(uint64_t h, struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.data[i]) * 0x100000001b3u;
    return (h ^ 0xff) * 0x100000001b3u; /* no text holds this byte: the end of one */
}

/* Of all that is written below the node, at most as deep as the reader goes. */
static uint64_t mix_node(uint64_t h, const struct yaml_node *node)
{
    h = mix(mix(h, node->key), node->text);
    h = mix(h, node->kind == YAML_SCALAR ? SPAN_LIT("=") : SPAN_LIT("("));
    for (const struct yaml_node *n = node->first; n; n = n->next)
        h = mix_node(h, n);
    return mix(h, SPAN_LIT(")"));
}

bool written_rule(struct loader *l, const struct written *w, const struct yaml_node *node,
                  struct span file, struct rule *ret_rule)
{
    unsigned errors = l->report->errors;
    struct place id_at = yaml_get(node, SPAN_LIT("id"))->at;
    *ret_rule = (struct rule){.id = w->id,
                              .risk = ruleset_find_risk(l->set, w->risk),
                              .why = w->why,
                              .from = w->from,
                              .file = file,
                              .line = node->at.line,
                              .column = node->at.column,
                              .direction = (enum direction)w->direction,
                              .action = w->action == WRITTEN_ASK ? ACTION_ASK
                                        : w->action              ? (enum action)w->action
                                                                 : ACTION_DEFAULT,
                              .apps = w->apps,
                              .app_count = w->app_count,
                              .written = mix_node(0xcbf29ce484222325u, node)};
    if (!ret_rule->risk)
        loader_error(l, yaml_get(node, SPAN_LIT("risk"))->at, "no risk is called '%.*s'",
                     SPAN_ARG(w->risk));
    check_id(l, w, id_at);
    if (w->app_count)
        for (const struct yaml_node *n = yaml_get(node, SPAN_LIT("apps"))->first; n; n = n->next)
            attribute_app(l, n->at, n->text);
    if (w->from.len)
        attribute_source(l, yaml_get(node, SPAN_LIT("source"))->at, w->from, &ret_rule->origin);
    if (w->expires.len)
        attribute_expires(l, yaml_get(node, SPAN_LIT("expires"))->at, w->expires,
                          &ret_rule->expires);
    if (w->hit_count == 0 || w->miss_count == 0)
        loader_error(l, node->at, "a rule needs samples: at least one hit and one miss");
    if (l->report->errors != errors)
        return false;
    if (!loader_grow(l, (void **)&l->names, l->name_count, &l->name_cap, sizeof(*l->names)))
        return false;
    l->names[l->name_count++] =
        (struct name){w->id, {file, id_at.line, id_at.column}, l->name_count};
    return true;
}

static void add_samples(struct loader *l, uint32_t rule, bool hit, const struct yaml_node *list)
{
    for (const struct yaml_node *n = list->first; n; n = n->next)
        loader_add_sample(l, rule, hit, reader_keep(&l->reader, n->text), n->at);
}

void written_samples(struct loader *l, uint32_t rule, const struct yaml_node *node)
{
    add_samples(l, rule, true, yaml_get(node, SPAN_LIT("hit")));
    add_samples(l, rule, false, yaml_get(node, SPAN_LIT("miss")));
}

static int compare_names(const void *a, const void *b)
{
    const struct name *x = a, *y = b;
    int c = span_compare(x->id, y->id);
    return c ? c : x->order < y->order ? -1 : 1;
}

void written_finish(struct loader *l)
{
    if (l->name_count < 2)
        return;
    qsort(l->names, l->name_count, sizeof(*l->names), compare_names);
    for (size_t i = 1; i < l->name_count; i++)
        if (span_eq(l->names[i].id, l->names[i - 1].id))
            loader_error(l, l->names[i].at, "two rules are called '%.*s'",
                         SPAN_ARG(l->names[i].id));
}
