/*
 * From what a list calls its categories to the ids of risks: by the operator's map, or as the
 * filing writes them: the exact names, with or without a letter before ("a) 煽动…"), a letter
 * beside the group's name, or an id in any punctuation ("A1-f", "A.1.f").
 */
#include "rules/importing.h"

#include <errno.h>

static struct span join_key(struct import *im, struct span group, struct span name)
{
    buf_clear(&im->key);
    buf_append(&im->key, group);
    buf_append_char(&im->key, '\x1f');
    buf_append(&im->key, name);
    return buf_span(&im->key);
}

/* ---- the map ---- */

int risks_map_open(struct import *im, struct buf *messages)
{
    if (im->request.map.len == 0)
        return 0;
    int r = yaml_load(im->request.map, messages, &im->map);
    if (r < 0)
        return r == -ENOMEM ? r : -EINVAL;
    const struct yaml_node *root = yaml_root(im->map);
    const struct yaml_node *categories = NULL;
    bool good = root->kind == YAML_MAP;
    if (!good)
        place_printf(messages, root->at, "expected a map with 'categories' and 'default'");
    for (const struct yaml_node *n = good ? root->first : NULL; n; n = n->next) {
        if (span_eq(n->key, SPAN_LIT("categories"))) {
            categories = n;
        } else if (span_eq(n->key, SPAN_LIT("default"))) {
            im->default_risk = n->text;
            if (n->kind != YAML_SCALAR || !ruleset_find_risk(im->library, n->text)) {
                place_printf(messages, n->at, "no risk is called '%.*s'", SPAN_ARG(n->text));
                good = false;
            }
        } else {
            place_printf(messages, n->key_at,
                         "unknown key '%.*s': there are 'categories' and 'default'",
                         SPAN_ARG(n->key));
            good = false;
        }
    }
    if (categories && categories->kind != YAML_MAP) {
        place_printf(messages, categories->at, "expected a map of categories, each with a risk");
        good = false;
        categories = NULL;
    }
    for (const struct yaml_node *n = categories ? categories->first : NULL; n; n = n->next) {
        if (n->kind == YAML_SCALAR && ruleset_find_risk(im->library, n->text))
            continue;
        place_printf(messages, n->at, "no risk is called '%.*s'", SPAN_ARG(n->text));
        good = false;
    }
    return good ? 0 : -EINVAL;
}

static const struct risk *by_map(struct import *im, struct span name)
{
    const struct yaml_node *categories =
        im->map ? yaml_get(yaml_root(im->map), SPAN_LIT("categories")) : NULL;
    const struct yaml_node *n =
        categories && categories->kind == YAML_MAP && name.len ? yaml_get(categories, name) : NULL;
    return n ? ruleset_find_risk(im->library, n->text) : NULL;
}

/* ---- the filing's own ways ---- */

/* Letters and digits alone, in lower case: "A.1-a)" is "a1a". False for what has others. */
static bool bare(struct span s, char ret_text[40], size_t *ret_len)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c >= 0x80 || n == 39)
            return false;
        if ((c >= 'A' && c <= 'Z'))
            c = (unsigned char)(c + 32);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            ret_text[n++] = (char)c;
    }
    *ret_len = n;
    return n > 0;
}

static bool same_bare(struct span a, struct span b)
{
    char x[40], y[40];
    size_t n, m;
    return bare(a, x, &n) && bare(b, y, &m) && n == m && memcmp(x, y, n) == 0;
}

/*
 * What stands before a name: a letter ("a) ", "（a）", "a、") or a group's number ("A.1 ", "A1：").
 * Gives the name behind, and the letters and digits before.
 */
static struct span cut_number(struct span s, struct span *ret_number)
{
    static const char *const wide[] = {"（", "）", "、", "．", "：", "　"};
    size_t i = 0;
    bool ended = false;
    for (;;) {
        size_t step = 0;
        for (size_t k = 0; k < sizeof(wide) / sizeof(*wide); k++)
            if (span_starts(span_slice(s, i, s.len), span_str(wide[k])))
                step = 3;
        if (!step && i < s.len && strchr("().:- ", s.data[i]))
            step = 1;
        ended = ended || (step && i > 0);
        if (!step && i < s.len && !ended && i < 5 &&
            ((s.data[i] | 32) >= 'a' && (s.data[i] | 32) <= 'z'))
            step = 1;
        else if (!step && i < s.len && i < 5 && s.data[i] >= '0' && s.data[i] <= '9')
            step = 1;
        if (!step)
            break;
        i += step;
    }
    *ret_number = span_slice(s, 0, i);
    return span_slice(s, i, s.len);
}

static bool named(struct span s, struct span zh, struct span en)
{
    return s.len && (span_eq(s, zh) || span_eq_nocase(s, en));
}

/* "A.1", "A1 包含违反…" or "包含违反…": the group of a risk, or not. */
static bool is_group(struct span s, const struct risk *r)
{
    struct span number, name = cut_number(s, &number);
    return named(s, r->group_zh, r->group_en) || named(name, r->group_zh, r->group_en) ||
           same_bare(s, r->group) || (name.len == 0 && same_bare(number, r->group));
}

/* "a)", "（a）": the letter of a risk within its group, such as A1-a. */
static bool is_letter(struct span s, const struct risk *r)
{
    struct span number, name = cut_number(s, &number);
    char letters[40], id[40];
    size_t n, m;
    /* Behind wide brackets only the ASCII between them counts. */
    size_t from = 0, to = number.len;
    while (from < to && (unsigned char)number.data[from] >= 0x80)
        from++;
    while (to > from && (unsigned char)number.data[to - 1] >= 0x80)
        to--;
    return name.len == 0 && bare(span_slice(number, from, to), letters, &n) && n == 1 &&
           bare(r->id, id, &m) && m == 3 && id[2] == letters[0];
}

static const struct risk *by_name(const struct ruleset *s, struct span group, struct span name)
{
    struct span number, behind = cut_number(name, &number);
    for (size_t i = 0; i < ruleset_risk_count(s); i++) {
        const struct risk *r = ruleset_risk(s, i);
        if (same_bare(name, r->id) || named(name, r->name_zh, r->name_en) ||
            named(behind, r->name_zh, r->name_en) ||
            (group.len && is_group(group, r) && is_letter(name, r)))
            return r;
    }
    return NULL;
}

/* ---- all of them ---- */

static const struct risk *find_risk(struct import *im, struct span group, struct span name)
{
    const struct risk *r = by_map(im, name);
    if (!r)
        r = by_map(im, group);
    if (!r)
        r = by_name(im->library, group, name);
    if (!r && name.len == 0)
        r = by_name(im->library, SPAN_LIT(""), group);
    if (!r && im->default_risk.len)
        r = ruleset_find_risk(im->library, im->default_risk);
    return r;
}

static struct category *find_category(struct import *im, struct span group, struct span name)
{
    bool new;
    struct span key = join_key(im, group, name);
    uint32_t *at = index_at(&im->by_category, key, false, NULL);
    if (at)
        return &im->categories[*at];
    key = import_keep(im, key);
    if (!key.data || import_grow((void **)&im->categories, im->category_count, &im->category_cap,
                                 sizeof(*im->categories)) < 0)
        return NULL;
    at = index_at(&im->by_category, key, true, &new);
    if (!at)
        return NULL;
    *at = (uint32_t)im->category_count;
    struct category *c = &im->categories[im->category_count++];
    *c = (struct category){.group = group, .name = name, .risk = find_risk(im, group, name)};
    return c;
}

const struct risk *risks_resolve(struct import *im, struct span group, struct span name)
{
    struct category *c = find_category(im, group, name);
    return c ? c->risk : NULL;
}

int risks_check(struct import *im, struct buf *messages)
{
    size_t unknown = 0;
    for (size_t i = 0; i < im->category_count; i++) {
        const struct category *c = &im->categories[i];
        if (c->risk || c->rows == 0)
            continue;
        unknown++;
        struct span slash = c->group.len && c->name.len ? SPAN_LIT(" / ") : SPAN_LIT("");
        if (c->group.len + c->name.len)
            import_fail(im, messages, c->first_row,
                        "no risk is known for the category '%.*s%.*s%.*s' (%zu rows)",
                        SPAN_ARG(c->group), SPAN_ARG(slash), SPAN_ARG(c->name), c->rows);
        else
            import_fail(im, messages, c->first_row, "%zu rows have no category", c->rows);
    }
    if (!unknown)
        return 0;
    buf_printf(messages, "give all words one risk with --risk ID, or write a file for --map: "
                         "'categories: {...: A1-f}', and 'default: A1-h' for the others\n");
    return -EINVAL;
}
