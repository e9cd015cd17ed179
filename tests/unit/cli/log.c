/* `juyong log` as an operator calls it: what it prints, and with which exit code it ends. */
#include "../audit/logdir.h"

#include "cli/log.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

static char output[65536];

/* Runs cli_log() with these arguments in a child; stdout and stderr end up in `output`. */
static int run_log(const char *const *args)
{
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char words[16][128], *argv[18];
        int argc = 0;
        for (; args[argc]; argc++) {
            snprintf(words[argc], sizeof(words[argc]), "%s", args[argc]);
            argv[argc] = words[argc];
        }
        argv[argc] = NULL;
        dup2(pipe_fds[1], 1);
        dup2(pipe_fds[1], 2);
        close(pipe_fds[0]);
        close(pipe_fds[1]);
        int r = cli_log(argc, argv);
        fflush(stdout);
        _exit(r);
    }
    close(pipe_fds[1]);
    size_t len = 0;
    ssize_t n;
    while (len < sizeof(output) - 1 &&
           (n = read(pipe_fds[0], output + len, sizeof(output) - 1 - len)) > 0)
        len += (size_t)n;
    output[len] = '\0';
    close(pipe_fds[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

#define RUN(...) run_log((const char *const[]){"log", __VA_ARGS__, NULL})

static void write_example(void)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_subject subject = subject_example;
    struct audit_hit hit = hit_example;
    assert_int_equal(submit(a, NULL, 1, AUDIT_CLOSE, "allowed"), 0);
    subject.request_id = SPAN_LIT("req-cn");
    hit.text = SPAN_LIT("禁 词");
    hit.context = SPAN_LIT("这里有一个禁 词\x1b[31m\xe2\x80\xae在里面");
    hit.context_start = 15;
    hit.context_end = 22;
    hit.folded = SPAN_LIT("禁词");
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject,
                            .hits = &hit,
                            .hit_count = 1,
                            .action = ACTION_BLOCK};
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    assert_int_equal(submit(a, NULL, 1, AUDIT_ACT, "req-en"), 0);
    audit_close(a);
}

static void assert_shows(const char *part)
{
    if (!strstr(output, part))
        fail_msg("no '%s' in:\n%s", part, output);
}

static void lists(void **state)
{
    write_example();
    assert_int_equal(RUN("list", "--dir", dir), 0);
    assert_shows("TIME                 ACTION  RISK");
    assert_shows(
        "block   A1-a       A1-a/12345678          prompt      default     01234567  demo");
    assert_shows("here is a 【bad word】 to be seen");
    /* Escapes in a text can't reach the terminal, and wide characters count two columns. */
    assert_shows("这里有一个【禁 词】\\u001b[31m\\u202e在里面");
    assert_null(strchr(output, '\x1b'));
    assert_null(strstr(output, "allowed"));
    char *en = strstr(output, "  req-en"), *cn = strstr(output, "  req-cn");
    assert_true(en && cn && en < cn);
    assert_int_equal(RUN("list", "--dir", dir, "--all"), 0);
    assert_shows("allowed");
    assert_shows("(log_open)");
    assert_int_equal(RUN("list", "--dir", dir, "--text", "禁", "--since", "1h"), 0);
    assert_shows("req-cn");
    assert_null(strstr(output, "req-en"));
    assert_int_equal(RUN("list", "--dir", dir, "--until", "2020-01-01"), 0);
    assert_null(strstr(output, "req-"));
    assert_int_equal(RUN("list", "--dir", dir, "--action", "flag,mask"), 0);
    assert_null(strstr(output, "req-"));
    assert_int_equal(RUN("list", "--dir", dir, "--action", "mask", "-n", "1"), 0);
    assert_shows("req-en");
    assert_null(strstr(output, "req-cn"));
}

/* What was refused once and came back as history is told apart from what is refused now. */
static void tells_old_offences_apart(void **state)
{
    struct audit *a = open_log(AUDIT_REQUIRED);
    struct audit_hit hits[] = {hit_example, hit_example};
    struct audit_event e = {.kind = AUDIT_ACT,
                            .subject = &subject_example,
                            .hits = hits,
                            .hit_count = 1,
                            .action = ACTION_ALLOW,
                            .reason = SPAN_LIT(AUDIT_OLD_OFFENCE)};
    struct audit_subject later = subject_example;
    hits[0].old = true;
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    /* Beside a mask: the mask is this exchange's. */
    later.request_id = SPAN_LIT("req-2");
    hits[1].rule = SPAN_LIT("A1-b/masked");
    hits[1].action = ACTION_MASK;
    e.subject = &later;
    e.hit_count = 2;
    e.action = ACTION_MASK;
    assert_int_equal(audit_submit(a, NULL, 1, &e), 0);
    audit_close(a);
    assert_int_equal(RUN("list", "--dir", dir), 0);
    assert_shows("old     A1-a       A1-a/12345678 ");
    assert_shows("mask    A1-a       A1-b/masked ");
    assert_null(strstr(output, "block"));
    assert_int_equal(RUN("list", "--dir", dir, "--json", "--request", "req-1"), 0);
    assert_shows("\"action\":\"allow\",");
    assert_shows("\"old\":true");
    assert_int_equal(RUN("list", "--dir", dir, "--json", "--request", "req-2"), 0);
    assert_shows("\"old\":true");
    assert_shows("\"old\":false");
    assert_int_equal(RUN("show", "req-1", "--dir", dir), 0);
    assert_shows("reason               old_offence");
    assert_shows("  old                yes, of an earlier exchange; not counted again");
}

static void prints_json(void **state)
{
    write_example();
    assert_int_equal(RUN("list", "--dir", dir, "--json", "--request", "req-cn"), 0);
    assert_true(output[0] == '{' && strchr(output, '\n') == output + strlen(output) - 1);
    assert_shows("\"action\":\"block\",\"direction\":\"prompt\",\"role\":\"user\",\"path\":"
                 "\"messages[0].content\",\"risk\":\"A1-a\",\"rule\":\"A1-a/12345678\",\"text\":"
                 "\"禁 词\"");
    assert_shows("\\u001b[31m\\u202e");
    assert_shows("\"layers\":[\"case\",\"separator\"]");
    static const char *const keys[] = {
        "seq",       "time",    "request_id", "node",          "app",       "end_user",
        "client_ip", "model",   "upstream",   "filing_number", "direction", "role",
        "path",      "risk",    "rule",       "action",        "complete",  "ruleset",
        "text",      "context", "folded",     "layers",        "outcome",   "reason",
    };
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char key[32];
        snprintf(key, sizeof(key), "\"%s\":", keys[i]);
        assert_shows(key);
    }
}

static void shows_one(void **state)
{
    write_example();
    assert_int_equal(RUN("show", "req-en", "--dir", dir), 0);
    assert_shows("filing number        Beijing-Demo-20250101");
    assert_shows("context            here is a 【bad word】 to be seen");
    assert_int_equal(RUN("show", "nothing", "--dir", dir), 1);
    assert_shows("no exchange nothing");
}

static void follows_the_log(void **state)
{
    /* Forked before the log has a thread: a lock that it held would stay held in the child. */
    int fds[2], go[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char words[][8] = {"log", "follow", "--dir", "--json", "-n", "1"};
        char *argv[] = {words[0], words[1], words[2], dir, words[3], words[4], words[5], NULL};
        char byte;
        dup2(fds[1], 1);
        if (read(go[0], &byte, 1) != 1)
            _exit(99);
        int r = cli_log(7, argv);
        fflush(stdout);
        _exit(r);
    }
    close(fds[1]);
    struct audit *a = open_log(AUDIT_REQUIRED);
    assert_int_equal(write(go[1], "g", 1), 1);
    /* On a busy machine the follower begins late, and what was written before does not concern it.
     */
    struct pollfd ready = {.fd = fds[0], .events = POLLIN};
    for (int i = 0; i < 100 && poll(&ready, 1, 200) == 0; i++) {
        char request[16];
        snprintf(request, sizeof(request), "live-%d", i);
        assert_int_equal(submit(a, NULL, 1, AUDIT_ACT, request), 0);
    }
    char line[8192];
    FILE *f = fdopen(fds[0], "r");
    assert_non_null(fgets(line, sizeof(line), f));
    assert_non_null(strstr(line, "\"request_id\":\"live-"));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    fclose(f);
    close(go[0]);
    close(go[1]);
    audit_close(a);
}

static void verifies(void **state)
{
    write_example();
    assert_int_equal(RUN("verify", "--dir", dir), 0);
    assert_shows("whole: records 1 to 5 in 1 file");
    tamper(0, "UPDATE record SET body = replace(body, 'demo', 'omed') WHERE seq = 3");
    assert_int_equal(RUN("verify", "--dir", dir), 1);
    assert_shows("record 3: changed");
    assert_int_equal(RUN("verify", "--dir", dir, "--json"), 1);
    assert_shows("\"whole\":false");
    assert_shows("\"seq\":3");
}

static void refuses_bad_usage(void **state)
{
    assert_int_equal(run_log((const char *const[]){"log", NULL}), 2);
    assert_shows("Usage: juyong log COMMAND");
    assert_int_equal(RUN("--help"), 0);
    assert_int_equal(RUN("lost"), 2);
    assert_int_equal(RUN("list"), 2);
    assert_shows("-c FILE");
    assert_int_equal(RUN("list", "--dir", dir, "--since", "yesterday"), 2);
    assert_int_equal(RUN("list", "--dir", dir, "--action", "kill"), 2);
    assert_int_equal(RUN("list", "--dir", dir, "-n", "0"), 2);
    assert_int_equal(RUN("list", "--dir", dir, "extra"), 2);
    assert_int_equal(RUN("show", "--dir", dir), 2);
    assert_int_equal(RUN("list", "--dir", dir), 1);
    assert_shows("there is no log");
    assert_int_equal(RUN("list", "-c", "/nonexistent/juyong.yaml"), 1);
    assert_shows("juyong.yaml");
    assert_int_equal(RUN("list", "--help"), 0);
    assert_shows("列出拦截记录");
    assert_shows("--end-user");
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(lists),
        CASE(tells_old_offences_apart),
        CASE(shows_one),
        CASE(lists),
        CASE(prints_json),
        CASE(shows_one),
        CASE(follows_the_log),
        CASE(verifies),
        CASE(refuses_bad_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
