#include "cli/rules_act.h"

#include "config/value.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define WAIT_MS    10000
#define LINE_BYTES 1000

enum { KEY_WAIT = 256 };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct rules_act *o = state->input;
    uint64_t wait;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->common;
        o->wait_ms = WAIT_MS;
        return 0;
    case 'a':
        o->author = arg;
        return 0;
    case 'm':
        o->reason = arg;
        return 0;
    case 'f':
        o->fitness.force = true;
        return 0;
    case KEY_WAIT:
        if (!value_read_duration(span_str(arg), &wait) || wait > 3600000)
            argp_error(state, "--wait takes a time such as 500ms, 10s or 2min");
        o->wait_ms = (unsigned)wait;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"author", 'a', "NAME", 0, "Who decides it; your login name unless told", 0},
    {"reason", 'm', "TEXT", 0, "Why; kept for good", 0},
    {"force", 'f', NULL, 0, "Although samples fail, or ordinary texts are hit", 0},
    {"wait", KEY_WAIT, "TIME", 0, "How long a running gateway may take to follow (10s)", 0},
    {0},
};
static const struct argp_child children[] = {{&rules_common_argp, 0, NULL, 0}, {0}};
const struct argp rules_act_argp = {.options = options, .parser = parse, .children = children};

bool rules_is_line(const char *what, struct span text, size_t max)
{
    return setup_is_line("rules", what, text, max);
}

int rules_act_begin(struct rules_act *o, bool reason_needed, struct publish *ret_publish)
{
    setup_login(o->login, sizeof(o->login));
    struct span author = span_str(o->author ? o->author : o->login);
    struct span reason = span_str(o->reason ? o->reason : "");
    if (!rules_is_line("--author", author, 256) ||
        ((reason_needed || reason.len) && !rules_is_line("--reason", reason, LINE_BYTES)))
        return CLI_USAGE;
    int r = setup_load(span_str(o->common.file), false, &o->setup);
    if (r)
        return r;
    o->fitness.config = o->setup.config;
    *ret_publish = (struct publish){.state_dir = o->setup.config->state_dir,
                                    .rules_dir = o->setup.config->rules_dir,
                                    .author = span_trim(author),
                                    .login = span_str(o->login),
                                    .reason = span_trim(reason),
                                    .check = fitness_check,
                                    .ctx = &o->fitness,
                                    .report = RULE_REPORT_INIT};
    return CLI_GOOD;
}

void rules_act_end(struct rules_act *o, struct publish *p)
{
    buf_deinit(&p->report.text);
    setup_deinit(&o->setup);
}

/* ---- what came of it ---- */

static void print_diff(struct buf *out, const struct publish_done *done)
{
    const struct rule_diff *d = &done->diff;
    if (!done->compared)
        return;
    buf_printf(out, ": %u rules added, %u removed, %u changed", d->added, d->removed, d->changed);
    if (d->files)
        buf_printf(out, ", %u other files", d->files);
    if (done->urgent)
        buf_printf(out, "; %u urgent words carried over", done->urgent);
}

static void print_gateway(struct buf *out, const struct serving_state *st, const char *state)
{
    if (strcmp(state, "none") == 0)
        buf_append(out, SPAN_LIT("no gateway is running; the next one serves it\n"));
    else if (strcmp(state, "serves") == 0)
        buf_printf(out, "the running gateway (pid %d) serves it\n", st->pid);
}

static void complain(const struct serving_state *st, const char *state)
{
    if (strcmp(state, "refused") == 0)
        fprintf(stderr, "juyong rules: the running gateway (pid %d) refused it and serves %s: %s\n",
                st->pid, st->version, st->why);
    else if (strcmp(state, "late") == 0)
        fprintf(stderr, "juyong rules: the running gateway has not taken it yet; see its log\n");
}

static void print_plain(struct buf *out, const struct rules_act *o, int result, const char *name,
                        const struct publish_done *done, bool proposed)
{
    if (result == PUBLISH_SAME) {
        buf_printf(out, "%s is in force already: nothing changes\n", name);
        return;
    }
    buf_printf(out, proposed ? "%s is proposed" : "%s is in force", name);
    print_diff(out, done);
    buf_append_char(out, '\n');
    if (proposed)
        buf_printf(out,
                   "what it changes: juyong rules diff -c %s published %s\n"
                   "somebody else puts it in force: juyong rules approve -c %s %s\n",
                   o->common.file, name, o->common.file, name);
    else if (done->first)
        buf_printf(out, "from now on only published versions are served, not %.*s itself\n",
                   SPAN_ARG(o->setup.config->rules_dir));
}

int rules_act_tell(const struct rules_act *o, const struct publish *p, int result,
                   const struct publish_done *done, bool proposed)
{
    setup_print_messages(stderr, &p->report.text);
    if (result < 0) {
        if (p->report.text.len == 0)
            fprintf(stderr, "juyong rules: %s\n", strerror(-result));
        return CLI_BAD;
    }
    char name[RULE_VERSION_SIZE];
    struct buf out = BUF_INIT(65536);
    struct serving_state st = {0};
    const char *gateway = NULL;
    vault_name(span_str(done->version), name);
    if (!o->common.json) {
        print_plain(&out, o, result, name, done, proposed);
        setup_write(stdout, &out); /* before the wait */
        buf_clear(&out);
    }
    if (!proposed) {
        serving_wait(p->state_dir, span_str(done->version), o->wait_ms, &st);
        gateway = serving_word(&st, span_str(done->version));
        complain(&st, gateway);
    }
    if (o->common.json) {
        publish_write(done, result, proposed, gateway, &out);
        buf_append_char(&out, '\n');
    } else if (gateway) {
        print_gateway(&out, &st, gateway);
    }
    bool written = setup_write(stdout, &out);
    buf_deinit(&out);
    bool taken = !gateway || strcmp(gateway, "none") == 0 || strcmp(gateway, "serves") == 0;
    return written && taken ? CLI_GOOD : CLI_BAD;
}
