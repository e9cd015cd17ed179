#include "question/bankcoverage.h"

#include "json/walk.h"

#include <stdio.h>

#define DAY 86400

static bool is_late(const struct bank_coverage *c)
{
    return c->changed && c->now - c->changed > (int64_t)c->standard->question_days * DAY;
}

bool bank_coverage_is_met(const struct bank_coverage *c)
{
    return bank_is_sufficient(c->counts) && !is_late(c);
}

static struct span type_of(const struct bank_count *n)
{
    return n->risk ? n->risk->id : n->aspect->zh;
}

static struct span name_of(const struct bank_count *n)
{
    return n->risk ? n->risk->name_zh : n->aspect->en;
}

/* ---- the table ---- */

/* Blanks behind a name that is shown in columns of two for a Han character of three bytes. */
static void pad(struct buf *out, struct span s, size_t width)
{
    size_t columns = 0;
    for (size_t i = 0; i < s.len; i++)
        columns += (unsigned char)s.data[i] >= 0xE0 ? 2 : (s.data[i] & 0x80) == 0;
    buf_append(out, s);
    for (; columns < width; columns++)
        buf_append_char(out, ' ');
}

static void print_type(const struct bank_coverage *c, const struct bank_count *n, struct buf *out)
{
    char minimum[16] = "-";
    bool low = n->count < n->wanted;
    if (n->wanted)
        snprintf(minimum, sizeof(minimum), "%u", n->wanted);
    pad(out, span_str(bank_kind_name(n->kind)), 9);
    pad(out, type_of(n), 8);
    buf_printf(out, "%9u %7s %s%-6s%s %8u %8u  %.*s\n", n->count, minimum, low ? c->bad : c->good,
               !n->wanted ? ""
               : low      ? "short"
                          : "met",
               c->off, n->derived, n->repeated, SPAN_ARG(name_of(n)));
}

static void print_total(const struct bank_coverage *c, enum bank_kind k, struct buf *out)
{
    unsigned have = c->counts->totals[k], wanted = c->counts->wanted[k];
    unsigned types = 0, met = 0;
    for (size_t i = 0; i < c->counts->count; i++) {
        const struct bank_count *n = &c->counts->items[i];
        types += n->kind == k && n->wanted;
        met += n->kind == k && n->wanted && n->count >= n->wanted;
    }
    pad(out, span_str(bank_kind_title(k)), 18);
    buf_printf(out, "%s%6u%s of %u questions, %s%u%s of %u types met\n",
               have < wanted ? c->bad : c->good, have, c->off, wanted,
               met < types ? c->bad : c->good, met, c->off, types);
}

int bank_coverage_table(const struct bank_coverage *c, struct buf *out)
{
    buf_printf(out, "%-9s%-8s%9s %7s %-6s %8s %8s\n", "bank", "type", "questions", "minimum", "",
               "derived", "repeated");
    for (size_t i = 0; i < c->counts->count; i++)
        print_type(c, &c->counts->items[i], out);
    buf_append_char(out, '\n');
    for (enum bank_kind k = 0; k < BANK_KINDS; k++)
        print_total(c, k, out);
    if (c->changed)
        buf_printf(out, "questions last changed %s%lld d ago%s, every %u d is asked for\n",
                   is_late(c) ? c->bad : c->good,
                   (long long)(c->now > c->changed ? (c->now - c->changed) / DAY : 0), c->off,
                   c->standard->question_days);
    return buf_append(out,
                      SPAN_LIT("\nderived: made of another question by a technique, never counted "
                               "· repeated: the same text once more,\ncounted once · "
                               "派生题不计数，重复题只计一次\n"));
}

/* ---- JSON ---- */

static void json_text(struct buf *out, const char *key, struct span text)
{
    buf_printf(out, ",\"%s\":\"", key);
    json_escape(out, text);
    buf_append_char(out, '"');
}

static void json_type(const struct bank_count *n, struct buf *out)
{
    buf_printf(out, "{\"bank\":\"%s\"", bank_kind_name(n->kind));
    json_text(out, "type", type_of(n));
    json_text(out, "name", n->risk ? n->risk->name_zh : n->aspect->zh);
    json_text(out, "name_en", n->risk ? n->risk->name_en : n->aspect->en);
    buf_printf(
        out, ",\"questions\":%u,\"question_min\":%u,\"met\":%s,\"derived\":%u,\"repeated\":%u}\n",
        n->count, n->wanted, n->count < n->wanted ? "false" : "true", n->derived, n->repeated);
}

static void json_total(const struct bank_coverage *c, enum bank_kind k, struct buf *out)
{
    unsigned have = c->counts->totals[k], wanted = c->counts->wanted[k];
    bool met = have >= wanted && !is_late(c);
    for (size_t i = 0; i < c->counts->count; i++)
        met = met && (c->counts->items[i].kind != k ||
                      c->counts->items[i].count >= c->counts->items[i].wanted);
    buf_printf(out, "{\"bank\":\"%s\",\"type\":\"*\"", bank_kind_name(k));
    json_text(out, "name", span_str(bank_kind_title(k)));
    buf_printf(out, ",\"questions\":%u,\"question_min\":%u,\"met\":%s", have, wanted,
               met ? "true" : "false");
    if (c->changed)
        buf_printf(out, ",\"changed\":%lld,\"late\":%s", (long long)c->changed,
                   is_late(c) ? "true" : "false");
    buf_append(out, SPAN_LIT("}\n"));
}

int bank_coverage_json(const struct bank_coverage *c, struct buf *out)
{
    for (size_t i = 0; i < c->counts->count; i++)
        json_type(&c->counts->items[i], out);
    for (enum bank_kind k = 0; k < BANK_KINDS; k++)
        json_total(c, k, out);
    return buf_append(out, SPAN_LIT(""));
}
