/*
 * state_dir/accounts.json: who may use the console. Written whole or not at all, under a lock that
 * commands and the gateway share; a gateway that runs takes over what others wrote at the next
 * look.
 */
#pragma once

#include "base/buf.h"
#include "console/roles.h"
#include "crypto/otp.h"
#include "crypto/scrypt.h"

#include <stdint.h>

#define ACCOUNTS_MAX      256
#define ACCOUNT_NAME_MAX  64 /* bytes */
#define ACCOUNT_SALT_SIZE 16
#define PASSWORD_MIN      10   /* characters */
#define PASSWORD_MAX      1024 /* bytes */

struct account {
    char name[ACCOUNT_NAME_MAX + 1];
    enum staff role;
    bool disabled;
    uint64_t epoch;                     /* another one from when on sessions of before are over */
    uint64_t created_us, last_login_us; /* wall clock; 0: never */
    struct scrypt_cost cost;
    unsigned char salt[ACCOUNT_SALT_SIZE], hash[SCRYPT_SIZE];
    bool has_totp;
    unsigned char totp[OTP_SECRET_SIZE];
    uint64_t totp_step; /* of the last code that was used */
};

/* Letters and digits of ASCII, '.', '-', '_', '@' and Han characters; 1 to 64 bytes, no dot alone.
 */
bool account_name_is_good(struct span name);
/* NULL when the password will do, else what is wrong with it. */
const char *account_password_fault(struct span name, struct span password);
/* Draws a salt and derives; ends sessions. A tenth of a second. 0, -EIO. */
int account_set_password(struct account *a, struct span password);
/* Is it his? A tenth of a second, also for NULL: nobody's, for the same time, false. */
bool account_check_password(const struct account *a, struct span password);
/* Sessions of before are over. 0 or -EIO. */
int account_end_sessions(struct account *a);

/* Reads the file's text. 0 with *ret_count accounts; -EBADMSG with one message; -ENOMEM. */
int accounts_parse(struct span text, struct buf *messages, struct account *ret, size_t *ret_count);
/* Appends what accounts_parse() reads. 0, -ENOMEM, -EMSGSIZE. */
int accounts_print(const struct account *list, size_t count, struct buf *out);

struct accounts;

/* A file that is absent holds nobody. 0; -EBADMSG with messages when it is damaged; -errno. */
int accounts_open(struct span state_dir, struct buf *messages, struct accounts **ret_accounts);
void accounts_close(struct accounts *a);
/*
 * These look at the file first, and read it when it has changed; one that can't be read is told by
 * a line on stderr and leaves the accounts as they were. Any thread.
 */
size_t accounts_count(struct accounts *a);
bool accounts_find(struct accounts *a, struct span name, struct account *ret_account);
size_t accounts_list(struct accounts *a, struct account ret[ACCOUNTS_MAX]);
/*
 * Changes the file: fn gets what it holds and may add (up to ACCOUNTS_MAX), change or remove; with
 * 0 it is written, durable on return; with anything else nothing is, and that is returned. Any
 * thread; fn runs under the file's lock: no scrypt in it.
 */
int accounts_edit(struct accounts *a, int (*fn)(void *ctx, struct account *list, size_t *count),
                  void *ctx);
