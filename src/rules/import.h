/*
 * Brings a list of words that somebody else wrote into the library, as one file
 * keywords/<list>.txt.
 *
 * A raw list blocks ordinary prompts by the thousand, so that each word is judged first: everyday
 * words are quarantined, which keeps them in the file, with the reason, and lets them hit nothing.
 * They may be forced one by one, and stay forced when the list is imported again.
 *
 * All or nothing: the file is written when every row could be read, every category is known, and
 * the whole library loads with it; it appears under its name at once. Until then nothing is
 * changed.
 */
#pragma once

#include "rules/ruleset.h"
#include "sheet/table.h"

struct import;

/* Which column holds what: by its header or by its number, from 1; "none" for none at all. */
enum import_column {
    IMPORT_WORD,     /* 关键词 */
    IMPORT_CATEGORY, /* 二级分类, or the only one there is */
    IMPORT_GROUP,    /* 一级分类 */
    IMPORT_ACTION,   /* 处置 */
    IMPORT_NOTE,     /* 备注 */
    IMPORT_COLUMNS
};

/* All spans are borrowed for the time of the import; those that are empty ask for nothing. */
struct import_request {
    struct span dir;  /* the library */
    struct span list; /* what the file is to be called: letters, digits, _ and - */
    struct span file; /* the list */
    enum table_format format;
    struct span sheet; /* the only one to read */
    struct span risk;  /* of all words; else by their category */
    struct span map;   /* a YAML file: categories, and a default */
    struct span columns[IMPORT_COLUMNS];
    const struct span *forced; /* words */
    size_t forced_count;
    struct span day; /* of the import, such as 2026-12-31 */
};

enum import_fate {
    IMPORT_KEPT,        /* counts */
    IMPORT_FORCED,      /* counts because somebody said so */
    IMPORT_QUARANTINED, /* in the file, and hits nothing */
    IMPORT_REPEATED,    /* left out: the list has the word before, for the same risk */
    IMPORT_KNOWN,       /* left out: another file of the library has it, likewise */
    IMPORT_EMPTY,       /* left out: no letter, digit or Han character */
    IMPORT_TOO_LONG,    /* left out: more than MATCH_KEYWORD_MAX characters */
    IMPORT_FATES
};

/* Why a word is quarantined, or was but for being forced. */
enum import_reason {
    IMPORT_NO_REASON,
    IMPORT_SINGLE,  /* one Han character: never stands alone, and can't be forced */
    IMPORT_SHORT,   /* a few Latin letters or digits */
    IMPORT_COMMON,  /* an everyday word by the table, or a piece of some */
    IMPORT_BENIGN,  /* hits an ordinary text of benign/ */
    IMPORT_SAMPLE,  /* hits an ordinary text of the operator's */
    IMPORT_TRAFFIC, /* hits logged traffic that was let through */
    IMPORT_REASONS
};

struct import_word {
    struct span word;        /* as the file has it */
    struct span folded;      /* as it is matched */
    const struct risk *risk; /* NULL where it is left out before its risk matters */
    size_t row;              /* of the table */
    enum import_fate fate;
    enum import_reason reason;
    struct span why;    /* the reason in words; empty without one */
    struct span shadow; /* a word within it that already hits with the same effect, or empty */
    struct span note;   /* 备注 */
    enum action action; /* ACTION_DEFAULT: the policy's */
    bool grave;         /* means harm wherever it stands */
};

struct import_counts {
    size_t rows;    /* with a word, or where one should be */
    size_t skipped; /* rows that hold none: titles, headers, comments, sheets without words */
    size_t fates[IMPORT_FATES];
    size_t reasons[IMPORT_REASONS]; /* of the quarantined */
    size_t shadowed;                /* of those that count */
    size_t categories;              /* different ones */
    size_t samples;                 /* ordinary texts that were read */
};

/*
 * Reads the list, the library without it, and the map; gives each row its word and its risk. 0;
 * -EINVAL with the reasons in *messages; -ENOMEM. Nothing is written.
 */
int import_open(const struct import_request *request, struct import **ret_import,
                struct buf *messages);
/* Accepts NULL. */
void import_free(struct import *im);
static inline void cleanup_import(struct import **im)
{
    import_free(*im);
}

/*
 * Adds the operator's own ordinary texts: a line, or a row, each. Of a table with a header that is
 * called text, prompt, 文本 or the like only that column. As import_open().
 */
int import_add_sample(struct import *im, struct span path, struct buf *messages);
/* Adds a text of the log that was let through. 0, -ENOMEM. */
int import_add_traffic(struct import *im, struct span text);
/*
 * Judges every word: everyday words, shadows. 0; -EINVAL when a word is forced that the list
 * doesn't have, or that can't be; -ENOMEM. Linear in the words and the sample's bytes.
 */
int import_judge(struct import *im, struct buf *messages);
/*
 * Loads the whole library with the new file and, unless `dry`, writes it. 0; -EINVAL with the
 * reasons; -errno when it can't be written, with a message.
 */
int import_write(struct import *im, bool dry, struct buf *messages);

const struct import_counts *import_get_counts(const struct import *im);
size_t import_count(const struct import *im);
const struct import_word *import_get(const struct import *im, size_t index);
const struct table *import_table(const struct import *im);
/* The file's path in the library. */
struct span import_path(const struct import *im);
/* "kept", "forced", "quarantined", "repeated", "known", "empty", "too_long". */
const char *import_fate_name(enum import_fate fate);
/* "one_character", "short", "common", "benign", "sample", "traffic"; "" for none. */
const char *import_reason_name(enum import_reason reason);

/*
 * Takes words of an imported list out of quarantine. 0; -EINVAL with the reasons (no such list, no
 * such word, a word that is not quarantined); -errno. All or nothing, as an import.
 */
int import_force(struct span dir, struct span list, const struct span *words, size_t count,
                 struct span why, struct buf *messages);
