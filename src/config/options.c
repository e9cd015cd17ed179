/* The manual of the configuration, printed from the tables. */
#include "config/keys.h"

#include "config/value.h"

#include <stdio.h>

static int print_type(struct buf *out, const struct schema_key *k)
{
    switch (k->type) {
    case SCHEMA_BOOL:
        return buf_append(out, SPAN_LIT("true or false"));
    case SCHEMA_CHOICE:
    case SCHEMA_SWITCH:
    case SCHEMA_WORD: {
        int r = 0;
        for (const char *const *c = k->choices; *c && r == 0; c++)
            r = buf_printf(out, "%s%s", c == k->choices ? "" : " | ", *c);
        return r;
    }
    case SCHEMA_NUMBER:
    case SCHEMA_COUNT:
        return buf_printf(out, "number %llu to %llu", (unsigned long long)k->min,
                          (unsigned long long)k->max);
    case SCHEMA_DAYS:
        return buf_printf(out, "days %llud to %llud", (unsigned long long)k->min,
                          (unsigned long long)k->max);
    case SCHEMA_SIZE:
    case SCHEMA_DURATION: {
        int (*print)(struct buf *, uint64_t) =
            k->type == SCHEMA_SIZE ? value_print_size : value_print_duration;
        int r = buf_append(out, k->type == SCHEMA_SIZE ? SPAN_LIT("size ") : SPAN_LIT("time "));
        if (r == 0)
            r = print(out, k->min);
        if (r == 0)
            r = buf_append(out, SPAN_LIT(" to "));
        return r < 0 ? r : print(out, k->max);
    }
    case SCHEMA_TEXT:
        return buf_append(out, SPAN_LIT("text"));
    case SCHEMA_ADDRESS:
        return buf_append(out, SPAN_LIT("address:port"));
    case SCHEMA_MAP:
        return buf_append(out, SPAN_LIT("map"));
    case SCHEMA_LIST:
        return buf_append(out, SPAN_LIT("list of maps"));
    case SCHEMA_TEXTS:
        return buf_append(out, SPAN_LIT("list of texts"));
    case SCHEMA_OTHER:
        return buf_append(out, span_str(k->form));
    }
    return 0;
}

static int print_keys(struct buf *out, const struct schema_key *keys, const char *prefix)
{
    int r = 0;
    for (const struct schema_key *k = keys; k->name && r == 0; k++) {
        char path[128];
        snprintf(path, sizeof(path), "%s%s", prefix, k->name);
        r = buf_printf(out, "%s\n    ", path);
        if (r == 0)
            r = print_type(out, k);
        if (r == 0 && k->required)
            r = buf_append(out, SPAN_LIT("; required"));
        if (r == 0 && k->standard && *k->standard)
            r = buf_printf(out, "; default %s", k->standard);
        if (r == 0 && k->restart)
            r = buf_append(out, SPAN_LIT("; takes a restart"));
        if (r == 0)
            r = buf_printf(out, "\n    %s\n", k->help);
        if (r == 0 && k->keys) {
            bool list = k->type == SCHEMA_LIST || k->read == read_apps;
            char inner[128];
            snprintf(inner, sizeof(inner), "%.100s%s", path, list ? "[]." : ".");
            r = print_keys(out, k->keys, inner);
        }
    }
    return r;
}

int config_print_options(struct buf *out)
{
    return print_keys(out, schema_root, "");
}
