/* `juyong account`: who may use the console. The first administrator is made here. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/desk.h"
#include "cli/rulecmd.h"
#include "cli/setup.h"
#include "console/accounts.h"
#include "console/totp.h"
#include "crypto/secret.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { KEY_ROLE = 256, KEY_PASSWORD, KEY_JSON, KEY_REMOVE };

struct options {
    const char *file, *verb, *name, *role, *password_file, *author, *reason;
    bool json, remove;
    char login[64];
    struct setup setup;
    struct accounts *accounts;
    char password[PASSWORD_MAX + 2];
    size_t password_len;
};

static int fail(const char *why)
{
    fprintf(stderr, "juyong account: %s\n", why);
    return CLI_BAD;
}

/* --- the password, never from the command line, where all may read it --- */

static bool read_line(int fd, char *line, size_t size, size_t *ret_len)
{
    size_t len = 0;
    char c;
    while (read(fd, &c, 1) == 1 && c != '\n')
        if (len < size)
            line[len++] = c;
    *ret_len = len;
    return len > 0;
}

static bool ask_once(int tty, const char *prompt, char *line, size_t size, size_t *ret_len)
{
    struct termios before, silent;
    if (tcgetattr(tty, &before) < 0)
        return false;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(tty, TCSAFLUSH, &silent) < 0)
        return false;
    dprintf(tty, "%s", prompt);
    bool good = read_line(tty, line, size, ret_len);
    tcsetattr(tty, TCSAFLUSH, &before);
    dprintf(tty, "\n");
    return good;
}

static int ask_password(struct options *o)
{
    char again[sizeof(o->password)];
    size_t len = 0;
    cleanup(cleanup_close) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0)
        return fail("there is no terminal to ask for the password: give it with --password-file");
    bool good = ask_once(tty, "Password: ", o->password, sizeof(o->password), &o->password_len) &&
                ask_once(tty, "Again: ", again, sizeof(again), &len);
    bool same = good && span_eq(span_from(again, len), span_from(o->password, o->password_len));
    secret_cleanse(again, sizeof(again));
    if (!good)
        return fail("no password was given");
    return same ? CLI_GOOD : fail("the two passwords differ");
}

static int read_password(struct options *o)
{
    if (!o->password_file)
        return ask_password(o);
    bool input = strcmp(o->password_file, "-") == 0;
    cleanup(cleanup_close) int fd =
        input ? dup(STDIN_FILENO) : open(o->password_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "juyong account: %s can't be read: %s\n", o->password_file,
                strerror(errno));
        return CLI_BAD;
    }
    return read_line(fd, o->password, sizeof(o->password), &o->password_len)
               ? CLI_GOOD
               : fail("no password was given: it is the file's first line");
}

static int new_password(struct options *o, struct account *a)
{
    int r = read_password(o);
    struct span password = span_from(o->password, o->password_len);
    const char *fault = r == CLI_GOOD ? account_password_fault(span_str(o->name), password) : NULL;
    if (fault)
        return fail(fault);
    if (r == CLI_GOOD && account_set_password(a, password) < 0)
        return fail("the system has no randomness or no memory to give");
    return r;
}

/* --- changes: on record first, then done --- */

static int put_on_record(const struct options *o, const char *what, const char *how)
{
    struct desk_act act = {
        .verb = DESK_ACCOUNT,
        .account = span_str(o->name),
        .what = span_str(what),
        .reason = span_str(how         ? how
                           : o->reason ? o->reason
                                       : ""),
        .author = span_str(o->author ? o->author : o->login),
        .login = span_str(o->login),
    };
    struct desk_answer answer;
    int r = desk_ask(o->setup.config, &act, DESK_WAIT_MS, &answer);
    if (r == 0 && answer.error[0] == '\0')
        return CLI_GOOD;
    fprintf(stderr, "juyong account: it can't be recorded, so it is not done: %s\n",
            r == 0            ? answer.error
            : r == -ETIMEDOUT ? "the running gateway did not take it"
                              : strerror(-r));
    return CLI_BAD;
}

enum part { PASSWORD = 1, ROLE = 2, STATE = 4, TOTP = 8, ADD = 16, REMOVE = 32 };

struct change {
    struct account new;
    unsigned fields;
};

static int apply(void *ctx, struct account *list, size_t *count)
{
    const struct change *c = ctx;
    size_t i = 0;
    while (i < *count && strcmp(list[i].name, c->new.name) != 0)
        i++;
    if (c->fields & ADD) {
        if (i < *count)
            return -EEXIST;
        if (*count == ACCOUNTS_MAX)
            return -ENOSPC;
        list[(*count)++] = c->new;
        return 0;
    }
    if (i == *count)
        return -ENOENT;
    struct account *a = &list[i];
    if (c->fields & REMOVE) {
        memmove(a, a + 1, (--*count - i) * sizeof(*a));
        return 0;
    }
    if (c->fields & PASSWORD) {
        a->cost = c->new.cost;
        memcpy(a->salt, c->new.salt, sizeof(a->salt));
        memcpy(a->hash, c->new.hash, sizeof(a->hash));
    }
    if (c->fields & ROLE)
        a->role = c->new.role;
    if (c->fields & STATE)
        a->disabled = c->new.disabled;
    if (c->fields & TOTP) {
        a->has_totp = c->new.has_totp;
        memcpy(a->totp, c->new.totp, sizeof(a->totp));
        a->totp_step = 0;
    }
    return account_end_sessions(a);
}

static int change(struct options *o, struct change *c, const char *what, const char *how)
{
    struct account old;
    bool known = accounts_find(o->accounts, span_str(o->name), &old);
    if (known == !!(c->fields & ADD)) {
        fprintf(stderr, "juyong account: there is %s account '%s'\n", known ? "already an" : "no",
                o->name);
        return CLI_BAD;
    }
    int r = put_on_record(o, what, how);
    if (r != CLI_GOOD)
        return r;
    snprintf(c->new.name, sizeof(c->new.name), "%s", o->name);
    int e = accounts_edit(o->accounts, apply, c);
    if (e < 0)
        fprintf(stderr, "juyong account: %s\n",
                e == -ENOSPC ? "there are as many accounts as there can be" : strerror(-e));
    return e < 0 ? CLI_BAD : CLI_GOOD;
}

static int run_add(struct options *o)
{
    struct change c = {.fields = ADD, .new.created_us = clock_wall_us()};
    char how[64];
    struct account old;
    c.new.role = staff_from(span_str(o->role ? o->role : ""));
    if (c.new.role == STAFF_NONE) {
        fputs("juyong account: --role is viewer, reviewer, publisher, administrator or inspector\n",
              stderr);
        return CLI_USAGE;
    }
    if (accounts_find(o->accounts, span_str(o->name), &old))
        return change(o, &c, "add", NULL); /* says so, before anybody is asked for a password */
    snprintf(how, sizeof(how), "role: %s", o->role);
    int r = new_password(o, &c.new);
    if (r == CLI_GOOD)
        r = change(o, &c, "add", how);
    secret_cleanse(&c, sizeof(c));
    if (r == CLI_GOOD)
        printf("%s may use the console as %s\n", o->name, o->role);
    return r;
}

static int run_password(struct options *o)
{
    struct change c = {.fields = PASSWORD};
    int r = new_password(o, &c.new);
    if (r == CLI_GOOD)
        r = change(o, &c, "password", NULL);
    secret_cleanse(&c, sizeof(c));
    if (r == CLI_GOOD)
        printf("%s has another password; his sessions are over\n", o->name);
    return r;
}

static int run_role(struct options *o)
{
    struct change c = {.fields = ROLE, .new.role = staff_from(span_str(o->role ? o->role : ""))};
    char how[64];
    if (c.new.role == STAFF_NONE) {
        fputs("juyong account: --role is viewer, reviewer, publisher, administrator or inspector\n",
              stderr);
        return CLI_USAGE;
    }
    snprintf(how, sizeof(how), "role: %s", o->role);
    int r = change(o, &c, "role", how);
    if (r == CLI_GOOD)
        printf("%s is %s; his sessions are over\n", o->name, o->role);
    return r;
}

static int run_disable(struct options *o)
{
    struct change c = {.fields = STATE, .new.disabled = strcmp(o->verb, "disable") == 0};
    int r = change(o, &c, o->verb, NULL);
    if (r == CLI_GOOD)
        printf("%s %s\n", o->name,
               c.new.disabled ? "can't log in any more; his sessions are over"
                              : "can log in again");
    return r;
}

static int run_remove(struct options *o)
{
    struct change c = {.fields = REMOVE};
    int r = change(o, &c, "remove", NULL);
    if (r == CLI_GOOD)
        printf("%s is removed; his sessions are over\n", o->name);
    return r;
}

static int run_totp(struct options *o)
{
    struct change c = {.fields = TOTP, .new.has_totp = !o->remove};
    char text[TOTP_TEXT_SIZE];
    struct buf uri = BUF_INIT(2048);
    if (!o->remove && secret_random(c.new.totp, sizeof(c.new.totp)) < 0)
        return fail("the system has no randomness to give");
    int r = change(o, &c, "totp", o->remove ? "second factor removed" : "second factor set");
    if (r == CLI_GOOD && o->remove)
        printf("%s logs in with the password alone\n", o->name);
    if (r == CLI_GOOD && !o->remove) {
        totp_text(c.new.totp, text);
        totp_uri(&uri, span_str(o->name), o->setup.config->node, c.new.totp);
        printf("For the authenticator app of %s, shown once:\n%s\n%.*s\n", o->name, text,
               SPAN_ARG(buf_span(&uri)));
        secret_cleanse(text, sizeof(text));
    }
    secret_cleanse(&c, sizeof(c));
    buf_deinit(&uri);
    return r;
}

static int run_list(struct options *o)
{
    struct account *list = calloc(ACCOUNTS_MAX, sizeof(*list));
    size_t count = list ? accounts_list(o->accounts, list) : 0;
    if (!list)
        return fail("no memory");
    for (size_t i = 0; i < count; i++) {
        const struct account *a = &list[i];
        char last[CLOCK_TEXT_SIZE] = "never";
        if (a->last_login_us)
            clock_format(a->last_login_us, last);
        if (o->json)
            printf("{\"name\":\"%s\",\"role\":\"%.*s\",\"disabled\":%s,\"totp\":%s,"
                   "\"created_us\":%llu,\"last_login_us\":%llu}\n",
                   a->name, SPAN_ARG(staff_name(a->role)), a->disabled ? "true" : "false",
                   a->has_totp ? "true" : "false", (unsigned long long)a->created_us,
                   (unsigned long long)a->last_login_us);
        else
            printf("%-24s %-14.*s %-9s %-13s last login %s\n", a->name,
                   SPAN_ARG(staff_name(a->role)), a->disabled ? "disabled" : "",
                   a->has_totp ? "second factor" : "", last);
    }
    secret_cleanse(list, ACCOUNTS_MAX * sizeof(*list));
    free(list);
    return CLI_GOOD;
}

/* --- the command --- */

static const struct verb {
    const char *name;
    int (*run)(struct options *o);
    bool wants_name;
} verbs[] = {
    {"add", run_add, true},        {"list", run_list, false},    {"password", run_password, true},
    {"role", run_role, true},      {"totp", run_totp, true},     {"disable", run_disable, true},
    {"enable", run_disable, true}, {"remove", run_remove, true},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static void check_arguments(const struct options *o, struct argp_state *state)
{
    const struct verb *v = o->verb ? find_verb(o->verb) : NULL;
    if (!v)
        argp_error(state, "add, list, password, role, totp, disable, enable or remove?");
    else if (!o->file)
        argp_error(state, "-c FILE is needed");
    else if (v->wants_name && !o->name)
        argp_error(state, "whose account?");
    else if (!v->wants_name && o->name)
        argp_error(state, "unexpected argument '%s'", o->name);
    else if (o->name && !account_name_is_good(span_str(o->name)))
        argp_error(state, "a name has 1 to 64 bytes of letters, digits, '.', '-', '_', '@' and "
                          "Chinese characters");
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->file = arg;
        return 0;
    case 'a':
        o->author = arg;
        return 0;
    case 'm':
        o->reason = arg;
        return 0;
    case KEY_ROLE:
        o->role = arg;
        return 0;
    case KEY_PASSWORD:
        o->password_file = arg;
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case KEY_REMOVE:
        o->remove = true;
        return 0;
    case ARGP_KEY_ARG:
        if (!o->verb)
            o->verb = arg;
        else if (!o->name)
            o->name = arg;
        else
            argp_error(state, "unexpected argument '%s'", arg);
        return 0;
    case ARGP_KEY_END:
        check_arguments(o, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What is written must be the gateway's to read. */
static int open_accounts(struct options *o)
{
    struct span dir = o->setup.config->state_dir;
    struct buf messages = BUF_INIT(4096), path = BUF_INIT(4096);
    struct stat st;
    int r = CLI_BAD, made;
    if (buf_append(&path, dir) < 0 || !buf_cstr(&path)) {
        fail("no memory");
    } else if ((made = file_make_dir(path.data, 0700)) < 0) {
        fprintf(stderr, "juyong account: can't create %s: %s\n", path.data, strerror(-made));
    } else if (stat(path.data, &st) == 0 && st.st_uid != geteuid()) {
        fprintf(stderr, "juyong account: %s is not yours: run this as its owner\n", path.data);
    } else if (accounts_open(dir, &messages, &o->accounts) < 0) {
        setup_print_messages(stderr, &messages);
        fputs("juyong account: nothing was changed: restore or remove that file\n", stderr);
    } else {
        r = CLI_GOOD;
    }
    buf_deinit(&messages);
    buf_deinit(&path);
    return r;
}

int cli_account(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"config", 'c', "FILE", 0, "Configuration", 0},
        {"role", KEY_ROLE, "ROLE", 0,
         "add, role: viewer, reviewer, publisher, administrator or inspector", 1},
        {"password-file", KEY_PASSWORD, "FILE", 0,
         "add, password: its first line is the password, - is standard input; asked for on the "
         "terminal unless told",
         1},
        {"remove", KEY_REMOVE, NULL, 0, "totp: take the second factor away", 1},
        {"author", 'a', "NAME", 0, "Who decides it; your login name unless told", 2},
        {"reason", 'm', "TEXT", 0, "Why; it goes on record", 2},
        {"json", KEY_JSON, NULL, 0, "list: one JSON object a line", 3},
        {0},
    };
    static const struct argp argp = {
        options,
        parse,
        "add|password|role|totp|disable|enable|remove NAME\nlist",
        "People who may use the console, each with one role; every change is on record, and ends "
        "the "
        "person's sessions.\n控制台账号：每人一个角色；每次变更均留痕，并使其会话立即失效。\v"
        "viewer sees lists and figures, no texts; reviewer reads, judges and reveals; publisher "
        "changes rules; administrator makes accounts and keys and reads no texts; inspector reads "
        "and exports everything and changes nothing. A running gateway knows at once. Exit status: "
        "0 done, 1 refused, 2 usage.",
        NULL,
        NULL,
        NULL,
    };
    struct options o = {0};
    umask(077);
    if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
        return CLI_USAGE;
    setup_login(o.login, sizeof(o.login));
    int r = setup_load(span_str(o.file), false, &o.setup);
    if (r == 0)
        r = open_accounts(&o);
    if (r == 0)
        r = find_verb(o.verb)->run(&o);
    secret_cleanse(o.password, sizeof(o.password));
    accounts_close(o.accounts);
    setup_deinit(&o.setup);
    return r;
}
