/*
 * What was handed in, and what is otherwise now. A pack that was filed is remembered by its
 * manifest, a file each in state_dir/filing/filed/ (0600), never changed afterwards; the newest one
 * is what the authority has.
 */
#pragma once

#include "filing/manifest.h"

struct packfiled {
    struct arena arena;
    struct span date;             /* YYYY-MM-DD, when it was handed in */
    struct span number;           /* that was given for it; may be empty */
    struct span by;               /* who noted it */
    int64_t noted;                /* when, Unix seconds */
    char digest[MANIFEST_DIGEST]; /* of the manifest */
    struct manifest manifest;
};
#define PACKFILED_INIT ((struct packfiled){.arena = {.max = 1u << 20}, .manifest = MANIFEST_INIT})

/*
 * Remembers f->manifest with what is said of it (`date` is a day, the others lines of text). 0;
 * -EINVAL for a date that is none; -errno: nothing is remembered.
 */
int packfiled_note(struct span state_dir, const struct packfiled *f);
/* The newest; *ret begins as PACKFILED_INIT and is freed in any case. 0; -ENOENT: none was noted;
 * -EBADMSG with a message: it is damaged; -errno. */
int packfiled_read(struct span state_dir, struct packfiled *ret_filed, struct buf *messages);
void packfiled_free(struct packfiled *f);

/* What a change asks for. */
enum pack_duty {
    DUTY_REPORT,  /* to the province, and as a change of the algorithm filing */
    DUTY_ASSESS,  /* to be assessed again; told at the next occasion */
    DUTY_ROUTINE, /* what is to be kept up to date anyway */
    DUTY_KINDS,
};
/* "report", "assess", "routine"; and what is to be done, with its source, in Chinese. */
const char *pack_duty_name(enum pack_duty d);
const char *pack_duty_text(enum pack_duty d);

struct packchange {
    struct span key, was, is; /* as in struct fact; borrowed from both */
    enum pack_duty duty;
};
struct packchanges {
    struct packchange *list; /* in the order of the facts now, then what is gone */
    size_t count;
    unsigned totals[DUTY_KINDS];
};
/* Compares the facts; both outlive the result. 0 or -ENOMEM. O(n * m) over some hundred facts. */
int packchanges_make(const struct facts *filed, const struct facts *now,
                     struct packchanges *ret_changes);
void packchanges_free(struct packchanges *c);

/* For those who only want to know: how many must be reported now. As packfiled_read(); *ret_date
 * gets the day of the filing. */
struct packchanges_summary {
    char date[16];
    unsigned totals[DUTY_KINDS];
};
int packchanges_summary(const struct dossier *d, struct buf *messages,
                        struct packchanges_summary *ret_summary);

/* One line a change: what, was → is, and what that asks for. 0, -ENOMEM, -EMSGSIZE. */
int packchanges_text(const struct packchanges *c, struct buf *out);
/* One JSON array. */
int packchanges_json(const struct packchanges *c, struct buf *out);
