/*
 * `service:`, and what a filing needs to know of a model: who files, and whose model it calls. All
 * of it may be missing; documents then say 待补充.
 */
#include "config/keys.h"

#include "base/clock.h"
#include "base/day.h"

#include <string.h>
#include <unistd.h>

#define AT(field) .offset = offsetof(struct config, service.field)

static const struct span *field_of(const struct schema_key *key, const void *base)
{
    return (const struct span *)(const void *)((const char *)base + key->offset);
}

/* A day that may be missing. False after a message, or when nothing is written. */
static bool check_day(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                      const void *base, int64_t *ret_end)
{
    struct span text = *field_of(key, base);
    if (text.len == 0)
        return false;
    if (day_end(text, ret_end))
        return true;
    reader_error(r, node->at, "'%s': '%.*s' is no date such as 2026-12-31", key->name,
                 SPAN_ARG(text));
    return false;
}

static void read_service_day(struct reader *r, const struct schema_key *key,
                             const struct yaml_node *node, void *base)
{
    int64_t end;
    check_day(r, key, node, base, &end);
}

/* Days of a list: of the calendar, and not more than anybody needs. */
static void read_days(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                      void *base)
{
    if (node->count > CONFIG_HOLIDAYS_MAX)
        reader_error(r, node->at, "'%s' takes at most %d days", key->name, CONFIG_HOLIDAYS_MAX);
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        int64_t end;
        if (n->kind == YAML_SCALAR && !day_end(n->text, &end))
            reader_error(r, n->at, "'%s': '%.*s' is no date such as 2026-12-31", key->name,
                         SPAN_ARG(n->text));
    }
}

void read_past_day(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base)
{
    int64_t end;
    if (check_day(r, key, node, base, &end) && end - 86400 > clock_wall_s())
        reader_warn(r, node->at, "'%s' is a day to come", key->name);
}

void read_last_day(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base)
{
    int64_t end;
    if (check_day(r, key, node, base, &end) && end <= clock_wall_s())
        reader_warn(r, node->at, "'%s' is over: %.*s", key->name, SPAN_ARG(*field_of(key, base)));
}

void read_proof(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                void *base)
{
    char path[1024];
    struct span text = *field_of(key, base);
    if (text.len == 0)
        return;
    memcpy(path, text.data, text.len); /* shorter: the row says so */
    path[text.len] = '\0';
    if (access(path, R_OK) < 0)
        reader_warn(r, node->at, "'%s': %s can't be read", key->name, path);
}

static void read_link(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                      void *base)
{
    struct span text = *field_of(key, base);
    bool good = text.len == 0 || span_starts(text, SPAN_LIT("https://")) ||
                span_starts(text, SPAN_LIT("http://"));
    for (size_t i = 0; good && i < text.len; i++)
        good = (unsigned char)text.data[i] > 0x20;
    if (!good)
        reader_error(r, node->at, "'%s' must begin with https:// or http://, without blanks",
                     key->name);
}

/* GB 32100-2015: 18 characters, the last a check over the others, modulo 31. */
static const char credit_digits[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

static bool is_credit_code(struct span text, bool *ret_checks)
{
    unsigned sum = 0, weight = 1, value = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.data[i] ? strchr(credit_digits, text.data[i]) : NULL;
        if (!at)
            return false;
        value = (unsigned)(at - credit_digits);
        if (i < 17)
            sum += value * weight;
        weight = weight * 3 % 31;
    }
    *ret_checks = (sum + value) % 31 == 0;
    return text.len == 18;
}

static void read_credit_code(struct reader *r, const struct schema_key *key,
                             const struct yaml_node *node, void *base)
{
    struct span text = *field_of(key, base);
    bool checks;
    if (text.len == 0)
        return;
    if (!is_credit_code(text, &checks))
        reader_error(r, node->at, "'%s' must be 18 digits and capitals, without I, O, S, V and Z",
                     key->name);
    else if (!checks)
        reader_warn(r, node->at, "'%s': the last character doesn't fit the others", key->name);
}

const struct schema_key schema_service[] = {
    {"provider", SCHEMA_TEXT, "", "who offers the service, as it is registered", AT(provider),
     .max = 256},
    {"name", SCHEMA_TEXT, "", "what the service is called, the same everywhere", AT(name),
     .max = 256},
    {"url", SCHEMA_TEXT, "", "where it is found", AT(url), .max = 1024, .read = read_link},
    {"credit_code", SCHEMA_TEXT, "", "the provider's 统一社会信用代码", AT(credit_code), .max = 64,
     .read = read_credit_code},
    {"province", SCHEMA_TEXT, "", "whose cyberspace administration is responsible", AT(province),
     .max = 64},
    {"launched", SCHEMA_TEXT, "",
     "the day it was, or will be, opened to the public (YYYY-MM-DD): deadlines count from it",
     AT(launched), .max = 32, .read = read_service_day},
    {"holidays", SCHEMA_TEXTS, NULL,
     "public holidays that are no weekend (YYYY-MM-DD), as the State Council announces them: "
     "working days are Monday to Friday without them",
     AT(holidays), .offset2 = offsetof(struct config, service.holiday_count), .read = read_days},
    {"workdays", SCHEMA_TEXTS, NULL,
     "weekends on which people work to make up for holidays (YYYY-MM-DD)", AT(workdays),
     .offset2 = offsetof(struct config, service.workday_count), .read = read_days},
    {"officer", SCHEMA_TEXT, "", "the person named responsible for algorithms and safety",
     AT(officer), .max = 128},
    {"contact", SCHEMA_TEXT, "", "how the authority reaches that person", AT(contact), .max = 512},
    {"audience", SCHEMA_TEXT, "", "who it is for, and what for", AT(audience), .max = 1024},
    {"privacy_url", SCHEMA_TEXT, "", "where its privacy policy stands", AT(privacy_url),
     .max = 1024, .read = read_link},
    {"terms_url", SCHEMA_TEXT, "", "where its terms of service stand", AT(terms_url), .max = 1024,
     .read = read_link},
    {"launch_number", SCHEMA_TEXT, "", "its 上线编号", AT(launch_number), .max = 256},
    {"algorithm_number", SCHEMA_TEXT, "", "its 算法备案号", AT(algorithm_number), .max = 256},
    {"provider_code", SCHEMA_TEXT, "",
     "code of the provider in content labels: ASCII without blanks, never a name",
     AT(provider_code), .max = 128, .read = read_provider_code},
    {"complaint", SCHEMA_TEXT, "", "where users complain: a phone number, address or URL",
     AT(complaint), .max = 1024},
    {NULL},
};
