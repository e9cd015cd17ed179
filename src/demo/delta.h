/* The steps in which a model's answer grows: what each stream event adds, in order. */
#pragma once

#include "json/value.h"

enum delta_kind {
    DELTA_ROLE,      /* the empty first event */
    DELTA_REASONING, /* text is added to … */
    DELTA_REFUSAL,
    DELTA_CONTENT,
    DELTA_TOOL,      /* a tool call opens: id and name */
    DELTA_ARGUMENTS, /* text is added to its arguments */
    DELTA_FINISH,    /* text is the finish reason */
};

struct delta {
    enum delta_kind kind;
    unsigned choice, tool; /* tool: index of the call within its choice */
    struct span text;      /* borrowed from the script */
    struct span id, name;  /* DELTA_TOOL */
};

struct delta_list {
    struct delta *items;
    size_t count, room;
};

void delta_list_deinit(struct delta_list *l);
/*
 * Appends the steps of one choice. Texts given as one string are cut every `chunk` code points
 * (0: not at all), texts given as an array of strings as the array has them. 0, -EINVAL, -ENOMEM.
 */
int delta_list_add(struct delta_list *l, unsigned choice, const struct json_value *script,
                   unsigned chunk);
/* Orders the steps as an upstream interleaves its choices: one step of each in turn. 0, -ENOMEM. */
int delta_list_interleave(struct delta_list *l, unsigned choices);
