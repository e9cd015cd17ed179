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
