#include "cli/book.h"

#include "base/clock.h"
#include "cli/logview.h"
#include "cli/setup.h"
#include "config/value.h"

#include <errno.h>
#include <string.h>

enum { KEY_JSON = 1024, KEY_WAIT };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct book_command *b = state->input;
    uint64_t ms;
    switch (key) {
    case 'c':
        b->file = arg;
        return 0;
    case 'a':
        b->author = arg;
        return 0;
    case KEY_JSON:
        b->json = true;
        return 0;
    case KEY_WAIT:
        if (!value_read_duration(span_str(arg), &ms) || ms > 3600000)
            argp_error(state, "--wait takes a time such as 10s, at most 1h");
        b->wait_ms = (unsigned)ms;
        return 0;
    case ARGP_KEY_END:
        if (!b->file)
            argp_error(state, "-c FILE is needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"config", 'c', "FILE", 0, "The gateway's configuration (配置文件)", 10},
    {"author", 'a', "NAME", 0, "Who decides it; your login name unless told (操作人)", 10},
    {"wait", KEY_WAIT, "TIME", 0, "How long a running gateway may take to take it (10s)", 10},
    {"json", KEY_JSON, NULL, 0, "JSON, one object a line (每行一个 JSON)", 10},
    {0},
};
const struct argp book_argp = {.options = options, .parser = parse};

int book_load(struct book_command *b)
{
    struct setup s;
    int r = setup_load(span_str(b->file), false, &s);
    if (r)
        return r;
    b->config = s.config;
    setup_login(b->login, sizeof(b->login));
    if (!b->wait_ms)
        b->wait_ms = DESK_WAIT_MS;
    return CLI_GOOD;
}

void book_unload(struct book_command *b)
{
    config_unref(b->config);
}

static void tell(const struct book_command *b, int r, const struct desk_answer *answer)
{
    const char *why = r == 0              ? answer->error
                      : r == -ETIMEDOUT   ? "the running gateway did not take it; nothing was done"
                      : r == -EINPROGRESS ? "it was begun and is not done yet; a gateway that "
                                            "starts finishes it"
                      : r == -EACCES      ? "no gateway runs, and its state is not yours: run this "
                                            "as its owner"
                                          : strerror(-r);
    fprintf(stderr, "%s: %s\n", b->name, why);
}

int book_act(struct book_command *b, struct casebook_act *act, struct desk_answer *ret)
{
    struct buf text = BUF_INIT(DESK_ACT_MAX / 2);
    *ret = (struct desk_answer){0};
    act->login = span_str(b->login);
    act->author = span_str(b->author ? b->author : b->login);
    int r = casebook_write_act(act, &text);
    struct desk_act wish = {
        .verb = DESK_CASEBOOK, .what = buf_span(&text), .author = act->author, .login = act->login};
    if (r == 0)
        r = desk_ask(b->config, &wish, b->wait_ms, ret);
    buf_deinit(&text);
    if (r == 0 && !ret->error[0])
        return CLI_GOOD;
    tell(b, r, ret);
    return CLI_BAD;
}

int book_open(struct book_command *b, struct casebook **ret_casebook)
{
    int r = desk_casebook(b->config, NULL, ret_casebook);
    if (r == 0)
        r = casebook_refresh(*ret_casebook);
    if (r == 0)
        return CLI_GOOD;
    if (*ret_casebook)
        casebook_close(*ret_casebook);
    *ret_casebook = NULL;
    return book_failed(b, r);
}

int book_failed(const struct book_command *b, int r)
{
    fprintf(stderr, "%s: %s\n", b->name,
            r == -ENOENT    ? "there is none"
            : r == -EBADMSG ? "log or casebook are damaged; `juyong log verify` tells more"
                            : strerror(-r));
    return CLI_BAD;
}

void book_time(int64_t us, char ret_text[24])
{
    char text[CLOCK_TEXT_SIZE];
    clock_format((uint64_t)us + 8 * 3600000000ull, text);
    snprintf(ret_text, 24, "%.10s %.5s", text, text + 11);
}

struct span member_text(const struct json_value *object, const char *key)
{
    struct span text = SPAN_LIT("");
    value_get_string(value_get(object, span_str(key)), &text);
    return text;
}

int64_t member_number(const struct json_value *object, const char *key)
{
    int64_t n = 0;
    value_get_integer(value_get(object, span_str(key)), &n);
    return n;
}

void book_print(struct span text)
{
    logview_text(stdout, text);
}

int book_each(const struct book_command *b, struct span text,
              void (*fn)(const struct json_value *element))
{
    struct json_value *list = value_parse(text, NULL);
    struct buf line = BUF_INIT(1u << 20);
    for (size_t i = 0; i < value_count(list); i++) {
        if (!b->json) {
            fn(value_at(list, i));
            continue;
        }
        buf_clear(&line);
        value_dump(value_at(list, i), &line);
        buf_append_char(&line, '\n');
        setup_write(stdout, &line);
    }
    buf_deinit(&line);
    int r = list ? CLI_GOOD : CLI_BAD;
    value_free(list);
    return r;
}
