/*
 * Who changed the rules in force, when and why: state_dir/rules/journal.jsonl, one JSON object a
 * line, append-only, each line carrying the hash of the one before. The hash of a line is the
 * SHA-256 of its bytes before `,"hash":"`.
 *
 * A line that was only begun when the power went is no line: it is ignored, and cut off by the next
 * writer. Anything else that is wrong is damage.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "rules/ruleset.h"

enum journal_act {
    JOURNAL_AUTO,        /* nothing is published: the working copy, as a gateway took it */
    JOURNAL_PUBLISH,     /* the working copy */
    JOURNAL_PROPOSE,     /* the same, waiting for a second person */
    JOURNAL_APPROVE,     /* the second person; `of`: the proposal */
    JOURNAL_ROLLBACK,    /* a version that was in force before */
    JOURNAL_URGENT,      /* a word that can't wait */
    JOURNAL_CONFIRM,     /* the second person about such a word; `of` */
    JOURNAL_WITHDRAW,    /* such a word is taken back; `of` */
    JOURNAL_FILED,       /* a version was filed with the authority */
    JOURNAL_INTERRUPTED, /* `of` did not come into force: its writer died */
    JOURNAL_ACTS,
};
const char *journal_act_name(enum journal_act act);
/* Does it put its version in force? */
static inline bool journal_switches(enum journal_act act)
{
    return act == JOURNAL_PUBLISH || act == JOURNAL_APPROVE || act == JOURNAL_ROLLBACK ||
           act == JOURNAL_URGENT || act == JOURNAL_WITHDRAW;
}

struct journal_entry;
/* It was in force: by decision, or because nothing was published. */
bool journal_was_in_force(const struct journal_entry *e);
/* The same, by somebody who meant the library, not one word of it. */
bool journal_sets_library(const struct journal_entry *e);

/* Texts are borrowed from the journal, or from the caller of journal_append(). */
struct journal_entry {
    unsigned number; /* from 1 */
    enum journal_act act;
    int64_t time_us;      /* wall clock */
    struct span version;  /* 64 hex digits */
    struct span library;  /* the version without its urgent words: where the library came from */
    struct span previous; /* in force before; empty: none */
    struct span author;   /* as given */
    struct span login;    /* who the system says ran the command */
    struct span reason;
    struct span word, risk;           /* of urgent words */
    int64_t expires;                  /* likewise, Unix seconds */
    unsigned of;                      /* the number of the entry that this one is about; 0: none */
    bool compared;                    /* with the previous version: the counts hold */
    unsigned added, removed, changed; /* rules */
    unsigned files;                   /* other files that differ */
    struct span hash;                 /* 64 hex digits */
    bool interrupted;                 /* a later entry says so */
};

struct journal {
    struct arena arena;
    struct journal_entry *entries;
    size_t count, cap;
    int fd;          /* -1: there is none */
    long long whole; /* bytes of whole lines */
};

/*
 * Opens journal.jsonl in the folder `dir_fd`, which messages call `shown`; `write` creates it. 0;
 * -EBADMSG with a message when it is damaged; -errno. A journal that isn't there is empty.
 */
int journal_open(int dir_fd, struct span shown, bool write, struct buf *messages,
                 struct journal *ret_journal);
/*
 * Reads the lines of such a file behind those that *j has. 0 with `whole` set; -EBADMSG with a
 * message; -ENOMEM. O(text).
 */
int journal_read(struct journal *j, struct span text, struct span shown, struct buf *messages);
/*
 * Appends and syncs; number, time and hash are set here. *ret_entry (may be NULL) is valid until
 * the next append. 0 or -errno: then nothing was appended.
 */
int journal_append(struct journal *j, const struct journal_entry *e,
                   const struct journal_entry **ret_entry);
/*
 * Does what is in force (a digest, "" while nothing is published) follow from the journal: its last
 * act, or, should a writer have died in the midst of it, the one before? Else somebody changed
 * `current` or cut the journal.
 */
bool journal_explains(const struct journal *j, struct span current);
void journal_close(struct journal *j);
/* The entry of that number, or NULL. */
const struct journal_entry *journal_find(const struct journal *j, unsigned number);
/* The last act that was to put something in force, unless it is known that it didn't; or NULL. */
const struct journal_entry *journal_last_switch(const struct journal *j);
/* The last entry by which that version was in force, published or not; or NULL. */
const struct journal_entry *journal_in_force(const struct journal *j, struct span digest);
