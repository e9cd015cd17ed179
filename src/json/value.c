#include "json/value.h"

#include <errno.h>
#include <jansson.h>

/* A struct json_value is a json_t; the name exists so that jansson's need not leave this file. */
static json_t *inner(const struct json_value *v)
{
    return (json_t *)(uintptr_t)v;
}

static struct json_value *outer(json_t *j)
{
    return (struct json_value *)j;
}

struct json_value *value_parse(struct span text, struct buf *ret_error)
{
    json_error_t error;
    json_t *j = json_loadb(text.data ? text.data : "", text.len,
                           JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!j && ret_error)
        (void)buf_printf(ret_error, "line %d, column %d: %s", error.line, error.column, error.text);
    return outer(j);
}

void value_free(struct json_value *v)
{
    json_decref(inner(v));
}

struct dump {
    struct buf *out;
    int error;
};

static int dump_piece(const char *data, size_t size, void *ctx)
{
    struct dump *d = ctx;
    if (d->error == 0)
        d->error = buf_append(d->out, span_from(data, size));
    return d->error;
}

int value_dump(const struct json_value *v, struct buf *out)
{
    size_t before = out->len;
    struct dump d = {.out = out};
    /* jansson goes on when a key of an object could not be written: what counts is our own error.
     */
    if (json_dump_callback(inner(v), dump_piece, &d, JSON_COMPACT | JSON_ENCODE_ANY) == 0 &&
        d.error == 0)
        return 0;
    out->len = before;
    return d.error < 0 ? d.error : -ENOMEM;
}

struct json_value *value_object(void)
{
    return outer(json_object());
}

struct json_value *value_array(void)
{
    return outer(json_array());
}

struct json_value *value_string(struct span text)
{
    return outer(json_stringn(text.data ? text.data : "", text.len));
}

struct json_value *value_integer(int64_t value)
{
    return outer(json_integer(value));
}

struct json_value *value_real(double value)
{
    return outer(json_real(value));
}

struct json_value *value_boolean(bool value)
{
    return outer(json_boolean(value));
}

struct json_value *value_null(void)
{
    return outer(json_null());
}

int value_set(struct json_value *object, struct span key, struct json_value *value)
{
    if (!value)
        return -ENOMEM;
    const char *name = key.data ? key.data : "";
    return json_object_setn_new(inner(object), name, key.len, inner(value)) < 0 ? -EINVAL : 0;
}

int value_append(struct json_value *array, struct json_value *value)
{
    if (!value)
        return -ENOMEM;
    return json_array_append_new(inner(array), inner(value)) < 0 ? -EINVAL : 0;
}

bool value_is_object(const struct json_value *v)
{
    return json_is_object(inner(v));
}

bool value_is_array(const struct json_value *v)
{
    return json_is_array(inner(v));
}

bool value_is_string(const struct json_value *v)
{
    return json_is_string(inner(v));
}

bool value_is_null(const struct json_value *v)
{
    return json_is_null(inner(v));
}

bool value_get_string(const struct json_value *v, struct span *ret_text)
{
    if (!value_is_string(v))
        return false;
    *ret_text = span_from(json_string_value(inner(v)), json_string_length(inner(v)));
    return true;
}

bool value_get_integer(const struct json_value *v, int64_t *ret_value)
{
    if (!json_is_integer(inner(v)))
        return false;
    *ret_value = json_integer_value(inner(v));
    return true;
}

bool value_get_real(const struct json_value *v, double *ret_value)
{
    if (!json_is_number(inner(v)))
        return false;
    *ret_value = json_number_value(inner(v));
    return true;
}

bool value_get_boolean(const struct json_value *v, bool *ret_value)
{
    if (!json_is_boolean(inner(v)))
        return false;
    *ret_value = json_is_true(inner(v));
    return true;
}

const struct json_value *value_get(const struct json_value *object, struct span key)
{
    return outer(json_object_getn(inner(object), key.data ? key.data : "", key.len));
}

size_t value_count(const struct json_value *v)
{
    return value_is_array(v) ? json_array_size(inner(v)) : json_object_size(inner(v));
}

const struct json_value *value_at(const struct json_value *array, size_t index)
{
    return outer(json_array_get(inner(array), index));
}

int value_each(const struct json_value *object, value_member_fn fn, void *ctx)
{
    json_t *j = inner(object);
    for (void *it = json_object_iter(j); it; it = json_object_iter_next(j, it)) {
        struct span key = span_from(json_object_iter_key(it), json_object_iter_key_len(it));
        int rc = fn(ctx, key, outer(json_object_iter_value(it)));
        if (rc)
            return rc;
    }
    return 0;
}
