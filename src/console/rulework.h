/*
 * What the areas of the rules share: reading what was asked strictly, the acts that change what is
 * in force, and their answers.
 */
#pragma once

#include "console/api.h"
#include "rules/publish.h"
#include "rules/serving.h"
#include "trial/fitness.h"

#define RULE_LINE_MAX 1000 /* bytes of a reason */

/* --- what was asked. False: api_error() has filled the answer. --- */

/*
 * The body has no other members than these; `names` ends with NULL. A misspelled one would be a
 * wish that nobody fulfils.
 */
bool rulework_only(const struct api_request *q, const char *const *names, struct api_answer *a);
/* One line of text, trimmed, of min to max bytes. */
bool rulework_line(const struct json_value *object, const char *name, size_t min, size_t max,
                   struct span *ret_text, struct api_answer *a);
/* true or false; false when it isn't given. */
bool rulework_flag(const struct api_request *q, const char *name, bool *ret_flag,
                   struct api_answer *a);
/* A whole number; *ret_number stays when it isn't given. */
bool rulework_number(const struct json_value *object, const char *name, int64_t min, int64_t max,
                     int64_t *ret_number, struct api_answer *a);
/* Is there a library? */
bool rulework_there(const struct api *api, struct api_answer *a);

/* --- acts --- */

struct rulework {
    const struct api *api;
    const struct api_request *q;
    struct fitness fitness;
    struct publish publish; /* for publish_…() */
    bool unrecorded;        /* the decision log did not take it */
};

/* Begins an act in the name of who asks. `w` stays where it is until rulework_end(). */
void rulework_begin(struct rulework *w, const struct api *api, const struct api_request *q,
                    struct span reason);
void rulework_end(struct rulework *w);
/*
 * Answers what publish_…() gave; of a version in force once this gateway serves it, or after
 * some seconds. 0 or negative, to be returned.
 */
int rulework_tell(struct rulework *w, int result, const struct publish_done *done, bool proposed,
                  struct api_answer *a);
/* Likewise an act that puts no version in force: {"state":…}. */
int rulework_tell_plain(struct rulework *w, int result, const char *state, struct api_answer *a);

/*
 * An error with its reasons: each line of `messages`. {"error":{code,message,reasons:[…]}}. 0 or
 * negative, to be returned.
 */
int rulework_refuse(struct api_answer *a, int status, const char *code, struct span messages);
/* The same by the negative error that a room below gave. */
int rulework_failed(struct api_answer *a, int error, bool unrecorded, struct span messages);
