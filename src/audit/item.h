/*
 * One event on its way to the file: everything it needs in a single allocation, written in the
 * worker's thread so that the writer only adds number, hash and salt. Shared by the writer's queue
 * and the port's list of completions, hence counted.
 */
#pragma once

#include "audit/originals.h"
#include "audit/port.h"
#include "audit/record.h"

#include <stdatomic.h>

/* A text for L1; offsets are bytes from the start of the item. */
struct item_text {
    uint32_t path, path_len;
    uint32_t text, text_len;
    uint32_t context, context_len;
    uint32_t folded, folded_len;
    uint32_t start, end; /* of the match in its context */
    uint32_t commit;     /* where the 64 digits of the commitment go */
};

struct item {
    struct item *next;      /* in the writer's queue */
    struct item *done_next; /* in the port's list */
    atomic_uint refs;
    struct audit_port *port; /* NULL: nobody is told */
    bool told;               /* its completion has been given to the port */
    struct audit_done done;
    uint64_t wall_us, mono_us;
    int weight;
    bool sample;   /* its texts are a sample's */
    uint32_t size; /* bytes allocated for it, as the queue's ceiling counts */
    uint32_t request, request_len;
    uint32_t body, body_len; /* the record behind its head */
    uint32_t texts, text_count;
    uint32_t wrapped, wrapped_len; /* the key of the original texts, and they themselves */
    uint32_t sealed, sealed_len;
    char key_id[TEXTKEY_ID_SIZE];     /* what the key is wrapped by */
    uint32_t offences, offence_count; /* struct audit_offence, unaligned */
    uint32_t strike, strike_len;      /* one struct strike_entry, unaligned, or nothing */
};

struct item_limits {
    size_t text_max;             /* bytes of a context */
    const struct textkeys *keys; /* NULL: no original texts */
};
/* 0 and an item with one reference, -ENOMEM, -EMSGSIZE, -EIO (nothing can be sealed). */
int item_new(const struct audit_event *event, uint64_t exchange, struct audit_port *port,
             struct item_limits limits, struct item **ret_item);
void item_unref(struct item *i);

static inline struct span item_span(const struct item *i, uint32_t at, uint32_t len)
{
    return span_from((const char *)i + at, len);
}

static inline const struct item_text *item_text(const struct item *i, size_t n)
{
    return (const struct item_text *)(const void *)((const char *)i + i->texts) + n;
}
