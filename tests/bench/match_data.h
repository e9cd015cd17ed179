/*
 * Lists and texts for bench-match: from a folder of development data where there is one, else made
 * up from the commonest characters of Chinese and words of English.
 */
#pragma once

#include "base/arena.h"
#include "match_peers.h"

struct corpus {
    struct arena arena;
    struct buf zh, en;  /* each ordinary text once */
    struct words pool;  /* folded, unique, in random order; real keywords before made-up ones */
    struct words latin; /* the same for whole words of Latin letters */
    size_t real, real_latin, latin_letters; /* from files; those made of letters follow */
    size_t dropped, dropped_latin;          /* ordinary words */
    bool made_up;                           /* no folder: all of it is ours */
};

/* Of an ordinary word: more hits than this in the ordinary texts. */
#define ORDINARY_HITS 5

/* `most`: length of the longest list that will be asked for. `folder` may be NULL. */
void corpus_init(struct corpus *c, const char *folder, size_t most);
void corpus_deinit(struct corpus *c);

/* Texts of about `size` bytes, cut at a code point. */
void text_repeat(struct buf *out, struct span text, size_t size);
/* Han characters and their punctuation alone. */
void text_plain(struct buf *out, struct span text, size_t size);
/* A keyword of the list every 8 to 40 characters, one of four disguised. */
void text_dirty(struct buf *out, struct span text, const struct words *words, size_t size);
/* Lines of Chinese, English and code in turn. */
void text_mixed(struct buf *out, struct span zh, struct span en, size_t size);
