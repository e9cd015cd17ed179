/* Checkpoints reach their second place: each once, in order, also after an outage. */
#include "logdir.h"

#include "audit/export.h"
#include "audit/verify.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static char target[96];
static struct span posted;
static int post_result;

static int post(void *ctx, size_t sink, struct span lines)
{
    posted = lines;
    return post_result;
}

static void write_lines(const char *name, const char *text, const char *mode)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static const char *read_text(const char *path)
{
    static char text[4096];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    return text;
}

static struct export *open_to(struct export_sink sink)
{
    struct export *e = NULL;
    static char syslog[96];
    snprintf(syslog, sizeof(syslog), "%s/syslog", dir);
    struct export_options o = {.dir = span_str(dir),
                               .sinks = &sink,
                               .sink_count = 1,
                               .syslog_path = span_str(syslog),
                               .post = post};
    assert_int_equal(export_open(&o, &e), 0);
    return e;
}

static struct export_health health(struct export *e)
{
    struct export_health h;
    export_get_health(e, 0, &h);
    return h;
}

static void a_file_gets_each_line_once(void **state)
{
    snprintf(target, sizeof(target), "%s/away/copy", dir);
    struct export_sink sink = {.file = span_str(target)};
    struct export *e = open_to(sink);
    export_step(e, 1000, 5); /* no checkpoints yet */
    assert_int_equal(health(e).waiting, 0);
    write_lines("checkpoints.jsonl", "one\ntwo\nth", "w");
    export_step(e, 2000, 5);
    assert_int_equal(health(e).waiting, 2);
    assert_int_equal(health(e).since_us, 5);
    assert_string_equal(health(e).why, "No such file or directory");

    /* After the outage it goes on; not before the pause is over. */
    char folder[96];
    snprintf(folder, sizeof(folder), "%s/away", dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    export_step(e, 2001, 6);
    assert_int_equal(health(e).waiting, 2);
    assert_int_equal(health(e).since_us, 5);
    export_step(e, 9000, 7);
    assert_string_equal(read_text(target), "one\ntwo\n");
    assert_int_equal(health(e).waiting, 0);
    assert_string_equal(health(e).why, "");
    write_lines("checkpoints.jsonl", "ree\n", "a");
    export_close(e);

    /* Another life knows where it stopped, and mends what a crash left. */
    FILE *f = fopen(target, "a");
    fputs("thr", f);
    fclose(f);
    e = open_to(sink);
    export_step(e, 1000, 8);
    assert_string_equal(read_text(target), "one\ntwo\nthree\n");
    /* Moved away by whoever rotates: a new one goes on. */
    assert_int_equal(unlink(target), 0);
    write_lines("checkpoints.jsonl", "four\n", "a");
    export_step(e, 2000, 9);
    assert_string_equal(read_text(target), "four\n");
    /* Put back older: told anew. */
    write_lines("checkpoints.jsonl", "one\n", "w");
    export_step(e, 3000, 10);
    assert_string_equal(read_text(target), "four\none\n");
    export_close(e);
}

static void a_url_gets_them_until_it_takes_them(void **state)
{
    struct export_sink sink = {.url = SPAN_LIT("https://user:secret@collector.example/hook?k=1")};
    struct export *e = open_to(sink);
    assert_string_equal(health(e).name, "url:collector.example");
    write_lines("checkpoints.jsonl", "one\ntwo\n", "w");
    post_result = 0;
    export_step(e, 1000, 5);
    assert_span(posted, SPAN_LIT("one\ntwo\n"));
    posted = SPAN_NULL;
    export_step(e, 2000, 6); /* under way */
    assert_int_equal(posted.len, 0);
    export_posted(e, 0, -EIO, 503);
    assert_string_equal(health(e).why, "status 503");
    export_step(e, 5000, 7);
    assert_span(posted, SPAN_LIT("one\ntwo\n"));
    export_posted(e, 0, 0, 200);
    assert_string_equal(health(e).why, "");
    posted = SPAN_NULL;
    export_step(e, 6000, 8);
    assert_int_equal(posted.len, 0);
    assert_int_equal(health(e).waiting, 0);
    export_close(e);
    char path[128];
    snprintf(path, sizeof(path), "%s/exported.tsv", dir);
    assert_null(strstr(read_text(path), "secret"));
}

/* Of two places on one host each has its own position, whatever the other one took. */
static void one_host_may_be_two_places(void **state)
{
    struct export_sink sinks[] = {{.url = SPAN_LIT("https://collector.example/refuses")},
                                  {.url = SPAN_LIT("https://collector.example/takes")}};
    struct export_options o = {.dir = span_str(dir), .sinks = sinks, .sink_count = 2, .post = post};
    struct export *e = NULL;
    write_lines("checkpoints.jsonl", "one\ntwo\n", "w");
    post_result = 0;
    assert_int_equal(export_open(&o, &e), 0);
    export_step(e, 1000, 5);
    export_posted(e, 0, -EIO, 503);
    export_posted(e, 1, 0, 200);
    export_close(e);
    assert_int_equal(export_open(&o, &e), 0);
    posted = SPAN_NULL;
    export_step(e, 1000, 6);
    assert_span(posted, SPAN_LIT("one\ntwo\n"));
    export_posted(e, 0, 0, 200);
    export_close(e);
    assert_int_equal(export_open(&o, &e), 0);
    posted = SPAN_NULL;
    export_step(e, 1000, 7);
    assert_int_equal(posted.len, 0);
    export_close(e);
}

static void the_systems_log_gets_datagrams(void **state)
{
    struct export_sink sink = {.syslog = true};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char text[256];
    struct export *e = open_to(sink);
    write_lines("checkpoints.jsonl", "one\ntwo\n", "w");
    export_step(e, 1000, 5);
    assert_int_equal(health(e).waiting, 2); /* nobody listens */
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/syslog", dir);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    export_step(e, 9000, 5);
    assert_int_equal(health(e).waiting, 0);
    ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
    assert_span(span_from(text, (size_t)n), SPAN_LIT("<85>juyong: checkpoint one"));
    n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
    assert_span(span_from(text, (size_t)n), SPAN_LIT("<85>juyong: checkpoint two"));
    close(fd);
    export_close(e);
}

/* Who holds the key can write everything anew, and is found by the copy that left the machine. */
static void the_copy_convicts_the_keys_holder(void **state)
{
    char command[512], keys[96];
    struct verify_report v;
    snprintf(target, sizeof(target), "%s.copy", dir);
    snprintf(keys, sizeof(keys), "%s.keys", dir);
    struct export_sink sink = {.file = span_str(target)};
    struct audit *a = open_log(AUDIT_REQUIRED);
    for (int i = 0; i < 30; i++)
        assert_int_equal(submit(a, NULL, 1, AUDIT_ACT, "req"), 0);
    audit_close(a);
    struct export *e = open_to(sink);
    export_step(e, 1000, 5);
    export_close(e);
    struct verify_options o = {.dir = span_str(dir), .checkpoints = span_str(target)};
    assert_int_equal(verify_run(&o, &v), 0);
    assert_int_equal(v.checkpoints, 1);

    /* Rolled back: an older state, with the checkpoints of that time. */
    snprintf(command, sizeof(command), "cp -r %s %s", dir, keys);
    assert_int_equal(system(command), 0);
    a = open_log(AUDIT_REQUIRED);
    assert_int_equal(submit(a, NULL, 1, AUDIT_ACT, "embarrassing"), 0);
    audit_close(a);
    e = open_to(sink);
    export_step(e, 1000, 5);
    export_close(e);
    snprintf(command, sizeof(command), "rm -r %s && mv %s %s", dir, keys, dir);
    assert_int_equal(system(command), 0);
    struct verify_options beside = {.dir = span_str(dir)};
    assert_int_equal(verify_run(&beside, &v), 0); /* by itself it is whole */
    assert_int_equal(verify_run(&o, &v), 1);
    assert_non_null(strstr(v.what, "cut off"));

    /* Written anew from the first record, and signed with the same key. */
    snprintf(command, sizeof(command), "rm %s/*.db* %s/checkpoints.jsonl", dir, dir);
    assert_int_equal(system(command), 0);
    a = open_log(AUDIT_REQUIRED);
    for (int i = 0; i < 60; i++)
        assert_int_equal(submit(a, NULL, 1, AUDIT_ACT, "nicer"), 0);
    audit_close(a);
    assert_int_equal(verify_run(&beside, &v), 0);
    assert_int_equal(verify_run(&o, &v), 1);
    assert_non_null(strstr(v.what, "written anew"));
    assert_int_equal(unlink(target), 0);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, make_dir, remove_dir)
    const struct CMUnitTest tests[] = {
        CASE(a_file_gets_each_line_once),        CASE(a_url_gets_them_until_it_takes_them),
        CASE(one_host_may_be_two_places),        CASE(the_systems_log_gets_datagrams),
        CASE(the_copy_convicts_the_keys_holder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
