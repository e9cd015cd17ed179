/* What matters of a filing goes on record in the decision log, as operators' acts do. */
#include "cli/desk.h"
#include "cli/filingcmd.h"
#include "cli/setup.h"

#include <errno.h>

int filing_record(const struct config *c, const char *act, struct span of, struct span why)
{
    char login[256];
    struct desk_answer answer = {0};
    setup_login(login, sizeof(login));
    struct desk_act wanted = {.verb = DESK_FILING,
                              .what = span_str(act),
                              .account = of,
                              .reason = why.len ? why : SPAN_LIT(""),
                              .app = SPAN_LIT(""),
                              .end_user = SPAN_LIT(""),
                              .author = span_str(login),
                              .login = span_str(login)};
    int r = desk_ask(c, &wanted, DESK_WAIT_MS, &answer);
    if (r == 0 && answer.error[0] == '\0')
        return 0;
    fprintf(stderr, "juyong filing: it can't be recorded, so it is not done: %s\n",
            r == 0            ? answer.error
            : r == -ETIMEDOUT ? "the running gateway did not take it"
            : r == -EACCES    ? "the state is not yours: run this as its owner"
            : r == -ENOENT    ? "there is no state_dir; the gateway makes it"
            : r == -EBUSY     ? "another command is at the log; try again"
                              : strerror(-r));
    return -EIO;
}
