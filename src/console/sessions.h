/*
 * Who is logged in. A session is a cookie's 256 random bits, of which only the SHA-256 is kept, in
 * memory alone: a restart ends all. Times are monotonic milliseconds. Any thread.
 */
#pragma once

#include "console/accounts.h"

#define SESSION_ID_SIZE    65 /* hex digits and NUL */
#define SESSION_TOKEN_SIZE 33
#define SESSIONS_MAX       1024
#define SESSIONS_EACH      8 /* of one account; the longest unused gives way */

struct session {
    char name[ACCOUNT_NAME_MAX + 1];
    uint64_t epoch; /* the account's when it began */
    char token[SESSION_TOKEN_SIZE];
    bool has_secret;
    unsigned char secret[OTP_SECRET_SIZE]; /* a second factor that is being set up */
};

struct sessions;

struct sessions *sessions_new(void);
void sessions_free(struct sessions *s);
/* From now on; sessions that are too old by it end at their next use. */
void sessions_set_times(struct sessions *s, uint64_t idle_ms, uint64_t life_ms);
/* Begins one. 0, -EIO, -ENOMEM. */
int sessions_begin(struct sessions *s, const struct account *a, uint64_t now,
                   char ret_id[SESSION_ID_SIZE]);
/* Finds it; with `use` it has been used now. O(sessions). */
bool sessions_find(struct sessions *s, struct span id, uint64_t now, bool use,
                   struct session *ret_session);
void sessions_end(struct sessions *s, struct span id);
/* Keeps a secret that is not yet confirmed; NULL forgets it. */
void sessions_keep_secret(struct sessions *s, struct span id, const unsigned char *secret);
