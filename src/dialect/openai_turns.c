/* The messages of a request as wholes, for taking some of them away. */
#include "dialect/openai.h"

#include <errno.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum role openai_role(const struct json_walk *w)
{
    static const struct {
        struct span name;
        enum role role;
    } roles[] = {
        {SPAN_LIT("user"), ROLE_USER},           {SPAN_LIT("assistant"), ROLE_ASSISTANT},
        {SPAN_LIT("system"), ROLE_SYSTEM},       {SPAN_LIT("tool"), ROLE_TOOL},
        {SPAN_LIT("developer"), ROLE_DEVELOPER}, {SPAN_LIT("function"), ROLE_TOOL},
    };
    char room[64];
    struct span name = json_unquote(json_walk_peek(w, SPAN_LIT("role")), room, sizeof(room));
    for (size_t i = 0; i < COUNT(roles); i++)
        if (span_eq(name, roles[i].name))
            return roles[i].role;
    return ROLE_NONE;
}

/* One element of the list, which the last item began. */
static int read_turn(struct json_walk *w, struct buf *ret_turns)
{
    struct dialect_turn t = {.role = openai_role(w), .from = json_walk_offset(w)};
    if (json_walk_skip(w) != 0)
        return -EINVAL;
    t.to = json_walk_offset(w) + 1;
    return buf_append(ret_turns, span_from((const char *)&t, sizeof(t)));
}

int openai_read_turns(struct json_walk *w, struct span body, struct buf *ret_turns)
{
    if (json_walk_tune(w, NULL, true) < 0)
        return -ENOMEM;
    json_walk_reset(w, body);
    bool listed = false;
    for (;;) {
        struct json_item item;
        if (json_walk_next(w, &item) != 0)
            return -EINVAL;
        if (item.token == JSON_END || (listed && item.token == JSON_ARRAY_END && item.depth == 1))
            return 0;
        if (item.token == JSON_KEY && item.depth == 1)
            listed = span_eq(item.text, SPAN_LIT("messages"));
        else if (item.token == JSON_OBJECT && item.depth == 2 && listed) {
            int rc = read_turn(w, ret_turns);
            if (rc < 0)
                return rc;
        }
    }
}

int openai_write_turn(enum role role, struct span text, struct buf *out)
{
    int rc = buf_printf(out, "{\"role\":\"%s\",\"content\":\"", role_name(role));
    if (rc == 0)
        rc = json_escape(out, text);
    return rc < 0 ? rc : buf_append(out, SPAN_LIT("\"}"));
}
