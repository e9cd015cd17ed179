/* `juyong rules import` and `force` as an operator calls them: what they print, what is then there.
 */
#include "../audit/logdir.h"

#include "base/buf.h"
#include "cli/rulecmd.h"

#include <sys/stat.h>
#include <sys/wait.h>

static char base[64], output[1u << 20];

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int set_up(void **state)
{
    strcpy(base, "/tmp/juyong-import-XXXXXX");
    if (!mkdtemp(base) || chdir(base) < 0)
        return -1;
    log_set_level(LOG_ERROR + 1);
    snprintf(dir, sizeof(dir), "%s/state/log", base);
    mkdir("state", 0700);
    mkdir("rules", 0700);
    mkdir("rules/benign", 0700);
    write_file("rules/risks.yaml", "groups: [{id: A1, zh: 组, en: g}]\n"
                                   "risks: [{id: A1-a, group: A1, zh: 甲类, en: kind a},\n"
                                   "        {id: A1-b, group: A1, zh: 乙类, en: kind b}]\n");
    write_file("rules/benign/x.txt", "龘龘词也平常\n");
    write_file("c.yaml", "upstreams: [{name: u, base_url: 'https://x/v1',\n"
                         "             models: [{id: m, filing_number: F}]}]\n");
    return 0;
}

static int tear_down(void **state)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", base);
    return chdir("/") == 0 ? system(command) : -1;
}

/* Runs it in a child; stdout and stderr end up in `output`. */
static int run(const char *const *args)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char words[24][128], *argv[26];
        int argc = 0;
        for (; args[argc]; argc++) {
            snprintf(words[argc], sizeof(words[argc]), "%s", args[argc]);
            argv[argc] = words[argc];
        }
        argv[argc] = NULL;
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        close(fds[0]);
        close(fds[1]);
        int r = cli_rules(argc, argv);
        fflush(stdout);
        _exit(r);
    }
    close(fds[1]);
    size_t len = 0;
    for (ssize_t n; len < sizeof(output) - 1 &&
                    (n = read(fds[0], output + len, sizeof(output) - 1 - len)) > 0;)
        len += (size_t)n;
    output[len] = '\0';
    close(fds[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}
#define RUN(...)    run((const char *const[]){"rules", __VA_ARGS__, NULL})
#define IMPORT(...) RUN("import", "-c", "c.yaml", "--name", "list", __VA_ARGS__)

static void assert_shows(const char *part)
{
    if (!strstr(output, part))
        fail_msg("no '%s' in:\n%s", part, output);
}

static bool list_holds(const char *part)
{
    struct buf b = BUF_INIT(1u << 16);
    FILE *f = fopen("rules/keywords/list.txt", "r");
    assert_non_null(f);
    assert_int_equal(buf_reserve(&b, 1u << 16), 0);
    b.len = fread(b.data, 1, b.cap, f);
    fclose(f);
    bool holds = span_find(buf_span(&b), span_str(part)) < b.len;
    buf_deinit(&b);
    return holds;
}

static void reports_what_it_did(void **state)
{
    write_file("a.csv",
               "词,分类\n龘靐词,甲类\n龘靐词语,甲类\n一个,甲类\n龘 靐词,甲类\n龘龘词,甲类\n"
               "龖龖词,甲类\n");
    write_file("mine.txt", "龖龖词\n");
    assert_int_equal(IMPORT("a.csv", "--dry-run"), 0);
    assert_shows("nothing is written; it would be rules/keywords/list.txt\n");
    assert_int_equal(access("rules/keywords", F_OK), -1);

    assert_int_equal(IMPORT("a.csv", "--benign", "mine.txt"), 0);
    assert_shows("      6 rows read (csv, UTF-8), 1 skipped");
    assert_shows("      1 repeated in the file, left out · 文件内重复，未导入\n"
                 "    a.csv:5: 龘 靐词\n");
    assert_shows("      1 quarantined: everyday words · 常用词，隔离\n    a.csv:4: 一个: common: ");
    assert_shows("    a.csv:6: 龘龘词: hits the ordinary text at rules/benign/x.txt:1\n");
    assert_shows("    a.csv:7: 龖龖词: hits the ordinary text at mine.txt:1\n");
    assert_shows("    a.csv:3: 龘靐词语: within it already hits 龘靐词\n");
    assert_shows("      5 imported, 2 of them count; judged by 2 ordinary texts");
    assert_shows("written: rules/keywords/list.txt\n");
    assert_true(list_holds("龘靐词语\trisk=A1-a\n"));

    assert_int_equal(IMPORT("a.csv", "--json", "--force", "一个"), 0);
    assert_shows("{\"word\":\"一个\",\"at\":\"a.csv:4\",\"risk\":\"A1-a\",\"fate\":\"forced\","
                 "\"reason\":\"common\",\"why\":\"common: about ");
    assert_shows(",\"fate\":\"kept\",\"shadow\":\"龘靐词\"}\n");
    assert_shows(
        "{\"file\":\"rules/keywords/list.txt\",\"encoding\":\"UTF-8\",\"format\":\"csv\","
        "\"written\":true,\"rows\":6,\"skipped\":1,\"categories\":1,\"kept\":3,\"forced\":1,"
        "\"quarantined\":1,\"repeated\":1,\"known\":0,\"empty\":0,\"too_long\":0,"
        "\"reasons\":{\"one_character\":0,\"short\":0,\"common\":0,\"benign\":1,"
        "\"sample\":0,\"traffic\":0},\"shadowed\":1,\"samples\":1}\n");
    assert_true(list_holds("一个\trisk=A1-a\tforced=by hand, 20"));
}

static void lists_all_when_asked(void **state)
{
    struct buf text = BUF_INIT(1u << 16);
    for (int i = 0; i < 26; i++)
        buf_printf(&text, "%c\n", 'a' + i);
    write_file("many.txt", buf_cstr(&text));
    buf_deinit(&text);
    assert_int_equal(IMPORT("many.txt", "--risk", "A1-b"), 0);
    assert_shows("many.txt:10: j");
    assert_shows("    ... 16 more: --verbose or --json lists all\n");
    assert_null(strstr(output, "many.txt:11: k"));
    assert_int_equal(IMPORT("many.txt", "--risk", "A1-b", "--verbose"), 0);
    assert_shows("many.txt:26: z");
}

static void reads_traffic_that_was_let_through(void **state)
{
    write_file("b.txt", "龘靐词\n龘齉词\n");
    struct audit *a = open_log(AUDIT_REQUIRED);
    for (int i = 0; i < 6; i++) {
        struct audit_subject subject = subject_example;
        struct audit_hit hit = hit_example;
        char id[16];
        snprintf(id, sizeof(id), "req-%d", i);
        subject.request_id = span_str(id);
        hit.context = i % 2 ? SPAN_LIT("here is a bad word and 龘靐词")
                            : SPAN_LIT("here is a bad word and 龘齉词");
        hit.action = i % 2 ? ACTION_FLAG : ACTION_BLOCK;
        struct audit_event e = {.kind = AUDIT_ACT,
                                .subject = &subject,
                                .hits = &hit,
                                .hit_count = 1,
                                .action = hit.action};
        assert_int_equal(audit_submit(a, NULL, (uint64_t)i + 1, &e), 0);
    }
    audit_close(a);
    assert_int_equal(IMPORT("b.txt", "--risk", "A1-a"), 0);
    assert_shows("b.txt:1: 龘靐词: hits 3 logged texts that were let through\n");
    assert_shows("2 imported, 1 of them count");
}

static void forces_words_later(void **state)
{
    write_file("d.txt", "一个\n信息\n");
    assert_int_equal(IMPORT("d.txt", "--risk", "A1-a"), 0);
    assert_int_equal(
        RUN("force", "-c", "c.yaml", "信息", "--list", "list", "--reason", "our trade"), 0);
    assert_string_equal(output, "");
    assert_true(list_holds("信息\trisk=A1-a\tforced=our trade\n"));
    assert_true(list_holds("一个\trisk=A1-a\tquarantine="));
    assert_int_equal(RUN("force", "-c", "c.yaml", "没有", "--list", "list", "--reason", "x"), 1);
    assert_string_equal(output, "rules/keywords/list.txt: '没有' is not quarantined there\n");
    assert_int_equal(RUN("force", "-c", "c.yaml", "信息", "--list", "list"), 2);
    assert_shows("WORD, --list LIST and --reason TEXT are needed");
}

static void tells_wrong_use_and_bad_input(void **state)
{
    write_file("e.csv", "词,分类\n龘靐词,丙类\n");
    assert_int_equal(IMPORT("e.csv"), 1);
    assert_shows("e.csv:2: no risk is known for the category '丙类' (1 rows)\n");
    assert_int_equal(IMPORT("none.csv"), 1);
    assert_shows("none.csv: can't be read: No such file or directory\n");
    assert_int_equal(IMPORT("e.csv", "--column", "word=x"), 1);
    assert_shows("e.csv:1: no column is called 'x' (--column word=...)\n");
    assert_int_equal(IMPORT("e.csv", "--column", "word"), 2);
    assert_int_equal(IMPORT("e.csv", "--format", "xls"), 2);
    assert_int_equal(IMPORT("e.csv", "--risk", "A1-a", "--map", "m"), 2);
    assert_int_equal(IMPORT("e.csv", "more.csv"), 2);
    assert_int_equal(IMPORT(NULL), 2);
    assert_shows("FILE is needed");
    assert_int_equal(RUN("import", "-c", "c.yaml", "e.csv"), 2);
    assert_shows("--name LIST is needed");
    assert_int_equal(RUN("import", "e.csv", "--name", "a"), 2);
    assert_shows("-c FILE is needed");
    assert_int_equal(RUN("import", "--help"), 0);
    assert_shows("导入词表");
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        EACH(reports_what_it_did),
        EACH(lists_all_when_asked),
        EACH(reads_traffic_that_was_let_through),
        EACH(forces_words_later),
        EACH(tells_wrong_use_and_bad_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
