/* The bodies of complaints. */
#include "gate/complaint.h"

#include "gate/exchange.h"
#include "http/form.h"
#include "json/value.h"

#include <errno.h>
#include <stdio.h>

#define FIELDS_MAX 16

static int refuse(struct complaint *c, const char *why)
{
    snprintf(c->why, sizeof(c->why), "%s", why);
    return -EINVAL;
}

static int read_form(struct span body, char *room, struct complaint *ret)
{
    struct form_field fields[FIELDS_MAX];
    size_t n = 0;
    if (form_read(body, room, fields, FIELDS_MAX, &n) < 0)
        return refuse(ret, "the form can't be read");
    ret->kind = form_get(fields, n, "kind");
    ret->text = form_get(fields, n, "text");
    ret->contact = form_get(fields, n, "contact");
    ret->request_id = form_get(fields, n, "request_id");
    return 0;
}

/* Strings are never longer than what they were written as: all of them fit into the room. */
static bool keep(const struct json_value *v, const char *key, char **room, struct span *ret)
{
    const struct json_value *member = value_get(v, span_str(key));
    struct span text;
    if (!member || value_is_null(member))
        return true;
    if (!value_get_string(member, &text))
        return false;
    if (text.len)
        memcpy(*room, text.data, text.len);
    *ret = span_from(*room, text.len);
    *room += text.len;
    return true;
}

static int read_json(struct span body, char *room, struct complaint *ret)
{
    struct json_value *v = value_parse(body, NULL);
    bool good = value_is_object(v) && keep(v, "kind", &room, &ret->kind) &&
                keep(v, "text", &room, &ret->text) && keep(v, "contact", &room, &ret->contact) &&
                keep(v, "request_id", &room, &ret->request_id);
    value_free(v);
    return good ? 0
                : refuse(ret, "the body is a JSON object with the texts kind, text, contact "
                              "and request_id");
}

int complaint_read(struct span type, struct span body, char *room, struct complaint *ret)
{
    int r = gate_is_type(type, SPAN_LIT("application/json")) ? read_json(body, room, ret)
            : gate_is_type(type, SPAN_LIT("application/x-www-form-urlencoded"))
                ? read_form(body, room, ret)
                : refuse(ret, "the type is application/json or application/x-www-form-urlencoded");
    ret->kind = span_trim(ret->kind);
    ret->contact = span_trim(ret->contact);
    ret->request_id = span_trim(ret->request_id);
    if (r == 0 && span_trim(ret->text).len == 0)
        r = refuse(ret, "what is it about? 请填写内容");
    if (r == 0 && ret->kind.len == 0)
        ret->kind = SPAN_LIT("other");
    return r;
}
