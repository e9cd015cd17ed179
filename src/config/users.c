/* The keys about the people behind requests. */
#include "config/keys.h"

#define AT(type, field) .offset = offsetof(type, field)

static const char *const choices_field[] = {"auto", "anyone", "trusted", "ignore", NULL};
static const char *const choices_forward[] = {"keep", "remove", NULL};

const struct schema_key schema_end_users[] = {
    {"field", SCHEMA_CHOICE, "auto",
     "whose word the fields user and safety_identifier of a request's body are: anyone's (apps "
     "that "
     "call directly), those that trusted_proxies pass on, or nobody's; auto: trusted where "
     "trusted_proxies are listed, else anyone",
     AT(struct config, end_users.field), .choices = choices_field},
    {"forward", SCHEMA_SWITCH, "keep",
     "whether those two fields go on to the upstream, byte for byte, or are taken out of the body",
     AT(struct config, end_users.remove), .choices = choices_forward},
    {NULL},
};

#define SECOND 1000ull
#define DAY    (86400 * SECOND)

const struct schema_key schema_strikes[] = {
    {"enabled", SCHEMA_BOOL, "true", "whether strikes are counted and have effect",
     AT(struct config, strikes.enabled)},
    {"consecutive", SCHEMA_NUMBER, "3",
     "prompts of one end user intercepted in a row that suspend; 0: they never do",
     AT(struct config, strikes.consecutive), .max = 1000000},
    {"per_day", SCHEMA_NUMBER, "5",
     "prompts intercepted on one day (China time) that suspend; 0: they never do",
     AT(struct config, strikes.per_day), .max = 1000000},
    {"suspend_for", SCHEMA_DURATION, "24h", "how long no prompt of a suspended user is taken",
     AT(struct config, strikes.suspend_ms), .min = SECOND, .max = 45 * DAY},
    {"limit_consecutive", SCHEMA_NUMBER, "0",
     "prompts intercepted in a row that limit, before they suspend; 0: they never do",
     AT(struct config, strikes.limit_consecutive), .max = 1000000},
    {"limit_per_day", SCHEMA_NUMBER, "4", "prompts intercepted on one day that limit; 0: never",
     AT(struct config, strikes.limit_per_day), .max = 1000000},
    {"limit_for", SCHEMA_DURATION, "1h", "how long a user stays limited",
     AT(struct config, strikes.limit_ms), .min = SECOND, .max = 45 * DAY},
    {"limit_pace", SCHEMA_DURATION, "10s", "a limited user's prompts go on once in that time",
     AT(struct config, strikes.pace_ms), .min = SECOND, .max = DAY},
    {"answers", SCHEMA_BOOL, "false",
     "a prompt that a prepared answer was given to is a strike, too; a helpline's callers pay for "
     "it",
     AT(struct config, strikes.answers)},
    {"users", SCHEMA_COUNT, "65536",
     "end users whose strikes are remembered; the longest unchanged give way, suspended ones last",
     AT(struct config, strikes.users), .min = 16, .max = 4194304, .restart = true},
    {NULL},
};

/* Steps that can't be reached say less than they seem to. */
void read_strikes(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base)
{
    const struct config *c = base;
    if (!c->strikes.enabled)
        return;
    if (c->strikes.consecutive == 0 && c->strikes.per_day == 0)
        reader_warn(r, node->at, "with neither 'consecutive' nor 'per_day' nobody is suspended");
    if (c->strikes.consecutive && c->strikes.limit_consecutive >= c->strikes.consecutive)
        reader_warn(r, node->at, "'limit_consecutive' is never reached before 'consecutive'");
    if (c->strikes.per_day && c->strikes.limit_per_day >= c->strikes.per_day)
        reader_warn(r, node->at, "'limit_per_day' is never reached before 'per_day'");
}
