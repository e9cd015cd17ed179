/*
 * Judges the texts of one body or one stream: one channel for each continuous text (choice × field
 * × part), each with a cursor of its own; unknown fields alone. It tells hits as they become
 * certain and knows of each channel up to where it is clear.
 *
 * Of whole bodies each item's text is besides judged as it reads when it is decoded or read another
 * way (scan/derived.h), when nothing more comes; what is encoded also over the ends of two items.
 */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "scan/derived.h"
#include "terms/terms.h"

struct scanner;

/* Bytes kept before a hit for its record. */
#define CHANNEL_CONTEXT 240

struct mask {
    uint64_t start, end; /* channel offsets */
};

struct channel {
    struct list link;
    struct scanner *scanner;
    struct cursor *cursor; /* NULL once finished */
    struct inner *inner; /* of streamed tool arguments: the text behind its JSON escapes, or NULL */
    enum role role;
    enum field field;
    enum role speaker; /* of the last item */
    uint32_t turn;     /* likewise */
    uint32_t choice, part;
    bool path;            /* of unknown strings at one path (`part`: its hash), see scanner.c */
    uint64_t piece_start; /* of the piece of it that is being read */
    struct buf text;      /* decoded text from `base` to `fed` */
    uint64_t base, fed;
    uint64_t cut;     /* the text must end here: where the hold stood at a decisive hit */
    uint64_t passed;  /* up to where a slower gate has passed the text; UINT64_MAX: there is none */
    uint64_t wanted;  /* the text from here on is kept for a slower reader; UINT64_MAX: for none */
    uint64_t sealed;  /* up to where its owner has handed the text over; UINT64_MAX: nothing yet */
    uint64_t pending; /* a mask from here on is not yet recorded: nothing behind it may go out */
    const struct derived_part *derived; /* while a hit is told that was found in a derived text:
                                           where; NULL else */
    int stopped;        /* what the feed that ended judging answered; 0 while it goes on */
    bool pinned;        /* its owner still needs all of the text that is kept */
    struct buf starts;  /* of its items, uint64_t; whole bodies only */
    struct buf told;    /* the first hits, struct hit; likewise */
    struct mask *masks; /* sorted, not overlapping */
    size_t mask_count, mask_cap;
};

/* Where an item's text stands in its channel. */
struct piece {
    struct channel *channel; /* NULL: judged alone and clear */
    uint64_t start, end;
    uint32_t item; /* which item of its body or event, 0-based */
};

/*
 * Called in the moment a hit is certain. 0 goes on; 1 stops: the channel's text must end before the
 * hit. Negative errors are forwarded.
 */
typedef int (*scanner_hit_fn)(void *ctx, struct channel *channel, const struct hit *hit);

/*
 * `whole`: every channel keeps all of its text, for bodies; else a window for records, for streams.
 * The set is borrowed. NULL when memory is out.
 */
struct scanner *scanner_new(const struct matchset *set, enum direction direction, bool whole,
                            scanner_hit_fn fn, void *ctx);
void scanner_free(struct scanner *s);

/*
 * Before the first feed of a scanner of whole bodies: `fn` is told besides of each hit that does
 * not count because a longer allow phrase covers it; offsets are the channel's. For explaining.
 */
typedef void (*scanner_saved_fn)(void *ctx, const struct channel *channel,
                                 const struct saved *saved);
void scanner_tell_saved(struct scanner *s, scanner_saved_fn fn, void *ctx);

/*
 * Judges one item's text. 0, or 1 after a decisive hit (the channel's `cut` says where), with
 * *ret_piece telling the item's place; -EILSEQ, -EOVERFLOW (could not be judged), -ENOMEM, -EPROTO
 * when text comes for a channel that was finished. After anything but 0 a channel judges no more:
 * it answers the same again, and is clear no further than it was.
 */
int scanner_feed(struct scanner *s, const struct text_item *item, struct piece *ret_piece);
/* No more text comes for that choice (-1: for any). Returns as scanner_feed(); 0 the second time.
 */
int scanner_finish(struct scanner *s, int64_t choice);
/*
 * Judges one text as a message with nothing but it, for those who look at rules. 0, or 1 when `fn`
 * stopped it; as scanner_feed() when it can't be judged.
 */
int scanner_judge(const struct matchset *set, enum direction direction, struct span text,
                  scanner_hit_fn fn, void *ctx);
/* Bytes of text judged so far. */
uint64_t scanner_bytes(const struct scanner *s);
/* First channel, for walking; see channel_next(). */
struct channel *scanner_channels(const struct scanner *s);
struct channel *channel_next(const struct channel *c);

/*
 * Before the first feed of a stream's scanner: texts of the answer (content, reasoning, refusal,
 * transcripts, arguments) begin with these values for `passed` and `wanted`.
 */
void scanner_gate(struct scanner *s, uint64_t passed, uint64_t wanted);

/*
 * Before the first feed of a stream's scanner: each continuous text keeps its last `bytes`, beyond
 * CHANNEL_CONTEXT, up to twice of it in memory.
 */
void scanner_keep(struct scanner *s, size_t bytes);

/* Up to where the scanner itself is done with the channel's text, masks aside. */
uint64_t channel_judged(const struct channel *c);
/* Up to where the channel's text may be forwarded: the minimum over all gates. */
uint64_t channel_clear(const struct channel *c);
/* The text from..to, as far as it is still kept. Lent until the channel is fed again. */
struct span channel_text(const struct channel *c, uint64_t from, uint64_t to);
/*
 * Of a whole body's channel: which of its items the offset lies in, 0-based, and where that item's
 * text begins and ends. O(log items).
 */
size_t channel_item(const struct channel *c, uint64_t at, uint64_t *ret_start, uint64_t *ret_end);
/* Notes that from..to is to be masked and not yet recorded. 0, -ENOMEM. O(1) for masks in order. */
int channel_mask(struct channel *c, uint64_t start, uint64_t end);
/* All masks so far are on record. */
void channel_masks_recorded(struct channel *c);
