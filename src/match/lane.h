/*
 * Reads one text through one lens: keeps the places in the trie at which keywords may be growing.
 *
 * An item is one way of reading what was fed as the beginning of a word. There may be several for
 * one beginning (a character said twice may be a repeat, or be meant), and those that read alike
 * from here on are kept once, with the later start: a hit spans the shortest text that bears the
 * keyword. So there are never more than a few times as many items as a keyword has symbols,
 * whatever the text.
 */
#pragma once

#include "match/trie.h"

/* Where the reading of a word stands. */
struct lane_item {
    uint64_t start;  /* offset of its first character */
    uint32_t span;   /* bytes to the end of its last one */
    uint32_t place;  /* in the trie */
    uint32_t layers; /* LAYER_* seen through so far */
    uint32_t print;  /* trie_print() of what was read, where the lens changes symbols */
    uint32_t seen;   /* number of its first character, for near rules */
    uint16_t symbol; /* the last one */
    uint16_t flags;  /* ITEM_* */
    uint8_t kind;    /* of the last one */
    uint8_t gap;     /* since */
    uint8_t tag;     /* waits for the end of an HTML tag: 1 and the characters of it so far */
    uint8_t length;  /* keys read */
};

enum {
    ITEM_OPEN = 1 << 0,      /* complete, if the word ends here */
    ITEM_FIRST = 1 << 1,     /* one symbol so far */
    ITEM_JOINED = 1 << 2,    /* began before a join: no allow phrase any more */
    ITEM_APART = 1 << 3,     /* all its letters stand apart so far */
    ITEM_SPELLED = 1 << 4,   /* a gap was read as nothing because of that */
    ITEM_BROKEN = 1 << 5,    /* a gap of odd separators within a word was read as nothing */
    ITEM_REPEAT = 1 << 6,    /* the last symbol was said again, and read as once */
    ITEM_DOUBTFUL = 1 << 7,  /* a letter said twice was, as many ordinary words have it */
    ITEM_EVIDENT = 1 << 8,   /* a letter said three times, or in two styles, was */
    ITEM_GENUINE = 1 << 9,   /* has a letter that is no look-alike */
    ITEM_LOOKALIKE = 1 << 10 /* has one that is */
};

/* Most ordinary texts have one or two at a time; a cursor must be small. */
#define LANE_INLINE 2
#define LANE_ITEMS  128

/*
 * The last Han character, and the beginning of a word that it goes on with, when that is all that
 * may be growing: most of Chinese text. They are made items only when a word may end, or two may
 * grow.
 */
struct lane_lone {
    uint64_t start;  /* of the last one */
    uint64_t before; /* of the word that goes on, with `pair` */
    uint32_t cp;
    uint32_t seen, before_seen; /* characters before them */
    uint32_t pair;              /* the place that the word has come to, or PLACE_NONE */
    uint32_t layers, print;     /* of that word, see struct lane_item */
    uint16_t symbol;            /* of the last one, 0 for one of no word */
    uint8_t length;             /* of the word */
    uint8_t gap;                /* behind the last one; not with a word that goes on */
    bool on; /* then the lane has no items, and what follows in it is out of date */
};

struct lane {
    const struct trie *trie;
    struct lane_lone lone;
    struct lane_item *items; /* `own`, or on the heap */
    uint16_t count, cap;
    uint16_t frozen; /* of them, waiting for the end of a tag */
    uint16_t symbol; /* the last one of the text, 0 for one of no keyword */
    uint32_t cp;     /* and its raw code point */
    uint32_t gap_layers;
    uint8_t kind;  /* of the last symbol */
    uint8_t run;   /* how often it was said in a row, at most 3 */
    bool mixed;    /* in different styles */
    bool adjacent; /* no separator since */
    bool plain;    /* only one U+0020 since */
    bool bare;     /* only a join since */
    struct lane_item own[LANE_INLINE];
};

/* A word that is complete, before it is known whether it counts. */
struct found {
    uint64_t start, end;
    uint64_t from, to; /* characters; of a covered one the offsets of the allow phrase */
    uint32_t ref;      /* a struct output's */
    uint32_t place;
    uint32_t layers;
    uint8_t length, lane;
    bool covered;
    uint8_t moment; /* the number of the one that brought it */
};

/* What one moment of the text brings. */
struct moment {
    struct found *found;
    uint32_t count, cap;
    uint64_t before, now; /* characters until the moment, and with it; see moment_distance() */
    int error;            /* 0, -ENOMEM, -EOVERFLOW */
    uint8_t number;       /* tells it from others near by */
    bool paused;          /* no character has been counted since the end of a sentence */
    uint64_t lost;        /* with an error: the least start of what could not be kept */
};

/* What the end of a sentence counts, in characters: the next one is often about something else. */
#define MOMENT_SENTENCE 8

/*
 * How far near rules count it to be over the code point. `counted`: it is a letter, digit or Han
 * character. The end of a sentence, or of a line, counts once, however it is marked; a number
 * behind it counts as much again: the next point of a list is about something else still more
 * often.
 */
static inline unsigned moment_distance(uint32_t cp, bool counted, bool *paused)
{
    if (counted) {
        bool listed = *paused && cp >= '0' && cp <= '9';
        *paused = false;
        return listed ? 1 + MOMENT_SENTENCE : 1;
    }
    bool ends = cp == '\n' || cp == '!' || cp == '?' || cp == ';' || cp == 0x3002 || cp == 0xFF01 ||
                cp == 0xFF1B || cp == 0xFF1F;
    if (!ends || *paused)
        return 0;
    *paused = true;
    return MOMENT_SENTENCE;
}

static inline void moment_fail(struct moment *m, int error, uint64_t start)
{
    m->error = error;
    m->lost = start < m->lost ? start : m->lost;
}

void lane_init(struct lane *l, const struct trie *t);
void lane_deinit(struct lane *l);

/*
 * The next code point, folded to `cps`. Complete words are added to *m.
 */
void lane_point(struct lane *l, const struct fold_point *p, struct moment *m);
/* A join mark: words end, keywords may go on. */
void lane_join(struct lane *l, struct moment *m);
/* Words end here, and nothing goes on. */
void lane_end(struct lane *l, struct moment *m);

/* Puts an item that is a lone character to sleep. */
void lane_sleep(struct lane *l);
/* Makes items of what sleeps; before anything else is done with the lane. */
void lane_wake(struct lane *l);

/* Is nothing going on but perhaps one Han character that began at `from` or behind it? */
static inline bool lane_is_idle(const struct lane *l, uint64_t from)
{
    const struct lane_item *item = l->items;
    return l->count == 0 || (l->count == 1 && (item->flags & ITEM_FIRST) &&
                             item->kind == SYMBOL_HAN && !item->tag && item->start >= from);
}
/* Text was passed over that ends no word and is in none that is still growing. */
void lane_reset(struct lane *l);

/* What the lone character, or the pair, would be as an item. */
struct lane_item lane_lone_item(const struct lane *l, bool pair);
/* The growth that a gap allows, made longer by `more`. */
static inline enum growth gap_growth(unsigned gap, unsigned more)
{
    unsigned run = (gap & GAP_RUN) + more;
    if (run == 0)
        return GROWTH_ANY;
    if (gap & GAP_MARK)
        return GROWTH_MARK;
    return run < SYMBOL_RUN_MAX ? GROWTH_OPEN : GROWTH_FULL;
}
/* That of an item; where it waits for the end of a tag, once that has come. */
static inline enum growth lane_growth(const struct lane_item *item)
{
    return gap_growth(item->gap, item->tag != 0);
}
/* WHO_* bits of the words that the item may still become. */
unsigned lane_grows(const struct lane *l, const struct lane_item *item);
/* Does it count by its letters for that output? */
bool lane_counts(const struct lane_item *item, uint32_t ref);
/* The text's last letter was said again, and that is over: was it a disguise? Notes it in the item.
 */
void lane_settle_repeat(const struct lane *l, struct lane_item *item);
/* Were repeats of its letters a disguise, if it ended here? */
bool lane_convinces(const struct lane *l, const struct lane_item *item);
/* Is there an item that begins at `start` or before and may become an allow phrase? */
bool lane_may_allow(const struct lane *l, uint64_t start);
/* Would a complete allow phrase cover the complete word, both ending here? */
bool lane_covers(const struct lane *l, const struct lane_item *item);
