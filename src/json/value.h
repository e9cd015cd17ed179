/*
 * JSON of our own making: records, the admin API, the command line. jansson behind a door of its
 * own, so that its types stay in the room. What is judged is read by json/walk.h instead. (jansson
 * exports its names to the linker: ours differ.)
 *
 * Values are counted by jansson; a struct json_value pointer borrowed from an object or array lives
 * as long as that does.
 */
#pragma once

#include "base/buf.h"

#include <stdint.h>

struct json_value;

/*
 * Reads one value; duplicate keys, NUL and trailing data are errors, as is a depth over 2048. NULL
 * with a message in *ret_error (owned by the caller, who may pass NULL). Freed with value_free().
 */
struct json_value *value_parse(struct span text, struct buf *ret_error);
void value_free(struct json_value *v);
/* Appends v without blanks, keys in the order they were set. 0, -EMSGSIZE, -ENOMEM. */
int value_dump(const struct json_value *v, struct buf *out);

/*
 * Builders; NULL when memory is out or a text is not UTF-8. The setters and value_append() take
 * `value` over in any case, also when they fail, and take NULL for a failure of its builder: only
 * their own result needs a look. 0, -EINVAL, -ENOMEM.
 */
struct json_value *value_object(void);
struct json_value *value_array(void);
struct json_value *value_string(struct span text);
struct json_value *value_integer(int64_t value);
struct json_value *value_real(double value);
struct json_value *value_boolean(bool value);
struct json_value *value_null(void);
int value_set(struct json_value *object, struct span key, struct json_value *value);
int value_append(struct json_value *array, struct json_value *value);

bool value_is_object(const struct json_value *v);
bool value_is_array(const struct json_value *v);
bool value_is_string(const struct json_value *v);
bool value_is_null(const struct json_value *v);
/* All take NULL, and give false (or 0, or NULL) for a value of another type. */
bool value_get_string(const struct json_value *v, struct span *ret_text);
bool value_get_integer(const struct json_value *v, int64_t *ret_value);
/* An integer, too. */
bool value_get_real(const struct json_value *v, double *ret_value);
bool value_get_boolean(const struct json_value *v, bool *ret_value);
/* The member of an object, or NULL. */
const struct json_value *value_get(const struct json_value *object, struct span key);
/* Elements of an array, or members of an object. */
size_t value_count(const struct json_value *v);
const struct json_value *value_at(const struct json_value *array, size_t index);
/* Nonzero stops and is returned. In the order of setting. */
typedef int (*value_member_fn)(void *ctx, struct span key, const struct json_value *value);
int value_each(const struct json_value *object, value_member_fn fn, void *ctx);
