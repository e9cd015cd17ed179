/*
 * What a text says to whoever decodes it or reads it another way: texts derived from it, each with
 * a map back to the raw bytes. They need the end of the text, so that they are made of prompts and
 * of unstreamed answers only. Pure: bytes in, texts out.
 *
 * Two kinds:
 *
 * Decoded (derive_decoded, for every rule). The text with every encoded run replaced in its place
 * by what it says, so that a word of which only half is encoded is whole again. Decoded are
 *   - escapes: \u6731 \u{6731} \U00006731 %u6731 U+6731 u6731u9555 \346\234\261, behind any
 *     number of backslashes                                            LAYER_ESCAPE
 *   - \n \t \r, everyday in the text of programs                       LAYER_SEPARATOR
 *   - HTML character references: &#x6731; &#26417 &lt;                 LAYER_ENTITY
 *   - percent encoding, and quoted-printable of what is not ASCII      LAYER_PERCENT
 *   - hex: \xE6\x9C\xB1, and E6 9C B1, 0xE6,0x9C,0xB1, e69cb1 where their bytes are text; UTF-8, or
 *     UTF-16 for the last                                              LAYER_HEX
 *   - base64 in both alphabets, padded or not, over line ends, blanks and joined strings, with
 *     other letters grown onto it; where its bytes are text, as above  LAYER_BASE64
 *   - tag characters, which show nothing, as the ASCII they spell, and
 *     variation selectors as the bytes they spell                      LAYER_INVISIBLE
 *   - what stands behind a right-to-left override, as it is shown      LAYER_REVERSED|_INVISIBLE
 * What was decoded is decoded again, DERIVE_ROUNDS_MAX times in all.
 *
 * "Are text" means: no controls, at least half of the characters letters, digits or Han, and
 * DERIVE_TEXT_MIN bytes or more: fewer where padding or a list shows what is meant, an eighth of
 * the run (up to 24 bytes) where it is long, because in much noise something always looks like
 * text. An innocent word or number that happens to spell text costs the time to judge it, nothing
 * else: only a hit in what it spells counts. Two readings of one run that overlap are not both
 * made: the one with more Han characters, then the longer one.
 *
 * A text comes in windows: the decoded runs with up to DERIVE_CONTEXT bytes around them. So a web
 * address in a long text doesn't make all of it be judged twice.
 *
 * Read another way (derive_readings, for rules that ask):
 *   - LAYER_ACROSTIC: the first character of each line; the last of each; the first of each clause.
 *     A character is a letter, digit or Han character; list marks in front of it are skipped. Of
 *     texts with three lines or clauses, or more
 *   - LAYER_VERTICAL: blocks of two or more lines of at most DERIVE_LINE_MAX characters, read down
 *     their columns, from left to right and from right to left
 *
 * Time and memory are linear in the text: each window is no longer than the part of the text it was
 * made from (UTF-16: an eighth longer), so all rounds together give at most DERIVE_ROUNDS_MAX times
 * the text; readings at most five times. Text beyond those ceilings is none: the raw text has been
 * judged in any case.
 */
#pragma once

#include "base/buf.h"
#include "terms/terms.h"

/* Rounds of decoding: what is encoded more often than that stays encoded. */
#define DERIVE_ROUNDS_MAX 4
/* Bytes kept before and behind a decoded run: the reach of near rules and of patterns. */
#define DERIVE_CONTEXT 2048
/* Bytes that a run of hex or base64 must decode to, and characters of such a run. */
#define DERIVE_TEXT_MIN 6
#define DERIVE_RUN_MIN  8
/* Characters of a line that may stand in a block. */
#define DERIVE_LINE_MAX 64
/* Longer texts are not read another way nor decoded; nothing that is judged comes near it. */
#define DERIVE_BYTES_MAX (1u << 30)

/*
 * One derived text. Lent for the call.
 *
 *   raw       ──┬─────────┬──────┬───────── text that `from` was made from, or the raw text
 *               │ same    │ run  │ same
 *   text      ──┴─────────┴──┬───┴──
 *                            a segment each, in the order of `text`
 */
struct derived {
    struct span text;
    const struct derived *from; /* what it was made from; NULL: the raw text */
    const struct derive_segment *segments;
    size_t count;
    uint32_t layers; /* of all its segments */
};

/* What it answers other than 0 ends the making, and is the answer. */
typedef int (*derive_fn)(void *ctx, const struct derived *d);

/* Tells every window of decoded text. 0, the answer of fn, -ENOMEM. A text without runs costs one
 * fast look. */
int derive_decoded(struct span text, derive_fn fn, void *ctx);
/* Tells every other reading for the layers in `asked`; each is one text. As derive_decoded(). */
int derive_readings(struct span text, uint32_t asked, derive_fn fn, void *ctx);

/*
 * Where start..end of the derived text (not empty, at character boundaries) stands in the raw text:
 * from the first raw byte of its characters to the last, at character boundaries of the raw text.
 * *ret_layers: those that it is seen through. False when none of it was made in this text: it
 * stands in the text that this one was made from, and was told of there.
 */
bool derive_locate(const struct derived *d, size_t start, size_t end, size_t *ret_start,
                   size_t *ret_end, uint32_t *ret_layers);
