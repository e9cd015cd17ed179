/* How an evaluation lies on disk. Private to the room's run*.c. */
#pragma once

#include "base/arena.h"
#include "evaluation/run.h"

#include <limits.h>
#include <sys/types.h>

#define RUN_FILE_MAX ((size_t)512 << 20) /* bytes of one file of a run */
#define RUN_LINE_MAX ((size_t)16 << 20)  /* and of a line in it */

struct run {
    struct arena arena; /* of all texts */
    char dir[PATH_MAX];
    int answers, events, lock; /* descriptors for writing; -1 */
    struct run_settings settings;
    struct run_question *questions;
    size_t count, question_cap;
    size_t *by_id;                         /* indexes, in the order of ids */
    struct run_answer *answer[RUN_ROUTES]; /* by question; time 0: not asked */
    struct run_judgement *judgements;
    size_t judgement_count, judgement_cap;
    struct run_event *event_list;
    size_t event_count, event_cap;
};

/* "state_dir/filing/runs/NAME"; false when the name can't be a run's, or is too long. */
bool runfile_dir(struct span state_dir, struct span name, char ret_dir[PATH_MAX]);
/* One more element in a growing array; NULL when memory is out. */
void *runfile_grow(void *array, size_t *cap, size_t count, size_t size);

/* One line each, with its end. 0, -ENOMEM, -EMSGSIZE. */
int runfile_write_settings(const struct run_settings *s, struct buf *out);
int runfile_write_question(const struct run_question *q, struct buf *out);
int runfile_write_answer(const struct run *r, const struct run_answer *a, struct buf *out);
int runfile_write_judgement(struct span question, const struct run_judgement *j, struct buf *out);
int runfile_write_event(const struct run_event *e, struct buf *out);

/*
 * Read all that is there into an empty run of that folder. 0; -EINVAL with messages; -ENOENT,
 * -ENOMEM, -errno. *ret_whole is the length of the whole lines of answers and events.
 */
int runfile_read(struct run *r, struct buf *messages, off_t ret_whole[2]);
/* Judgements alone, of a run whose questions are known. */
int runfile_read_judgements(struct run *r, struct buf *messages, off_t *ret_whole);
/* Makes room for the answers of its questions, and the index by id. 0 or -ENOMEM. */
int runfile_index(struct run *r);
/* Takes a copy of an answer's texts. False when memory is out. */
bool runfile_keep(struct arena *a, struct run_answer *answer);

/*
 * Opens (or creates) a file of the folder to append to it, and cuts off what stands behind `whole`
 * (-1: nothing is cut). The descriptor or -errno.
 */
int runfile_append_to(const char *dir, const char *name, off_t whole);
/* Appends and syncs; what can't be written whole is taken back. 0, -EFBIG, -errno. */
int runfile_append(int fd, struct span line);
/* Locks a file of the folder; without `wait` -EBUSY when somebody else has it. The descriptor or
 * -errno. Closing it unlocks. */
int runfile_lock(const char *dir, const char *name, bool wait);
