/* check, scan, key and rules as a shell would call them: each in a process of its own. */
#include "../unit.h"

#include "base/buf.h"
#include "cli/rulecmd.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int (*command)(int argc, char **argv);

static char folder[] = "/tmp/juyong-cli-XXXXXX";
static struct buf out, err;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(name, 0600);
}

#define UPSTREAM                                                                                   \
    "upstreams: [{name: u, base_url: 'https://x/v1', api_key_file: key,\n"                         \
    "             models: [{id: m, filing_number: F}]}]\n"

static void write_risks(const char *standard, int keyword_min)
{
    char text[1024];
    snprintf(text, sizeof(text),
             "%sgroups: [{id: A1, zh: 组, en: g}, {id: pii, zh: 组, en: g},\n"
             "         {id: attack, zh: 组, en: g}]\n"
             "risks: [{id: A1-a, group: A1, zh: 甲类, en: kind a, keyword_min: %d},\n"
             "        {id: pii-x, group: pii, zh: 乙类, en: kind x},\n"
             "        {id: attack-encoding, group: attack, zh: 丙类, en: kind e}]\n",
             standard, keyword_min);
    write_file("rules/risks.yaml", text);
}

static int set_up(void **state)
{
    buf_init(&out, 1u << 20);
    buf_init(&err, 1u << 20);
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    mkdir("rules", 0700);
    mkdir("rules/keywords", 0700);
    mkdir("rules/allow", 0700);
    write_risks("", 2);
    write_file("rules/keywords/A1-a.txt", "坏词语\twhy=bad\n");
    write_file("rules/keywords/pii-x.txt", "secret word\n");
    write_file("rules/allow/x.txt", "坏词语典\n");
    write_file("key", "provider");
    write_file("c.yaml",
               UPSTREAM "auth: keys\napps: [{name: shop, policy: {actions: {A1: flag}}}]\n");
    return 0;
}

static int tear_down(void **state)
{
    buf_deinit(&out);
    buf_deinit(&err);
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static void read_back(const char *name, struct buf *to)
{
    char piece[4096];
    buf_clear(to);
    FILE *f = fopen(name, "r");
    assert_non_null(f);
    for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
        buf_append(to, span_from(piece, n));
    fclose(f);
    unlink(name);
}

/* Runs it with stdin from a text; leaves what it wrote in out and err. Returns the exit code. */
static int run(command fn, const char *input, ...)
{
    char *argv[16] = {strdup("x")};
    int argc = 1;
    va_list ap;
    va_start(ap, input);
    for (const char *arg; (arg = va_arg(ap, const char *));)
        argv[argc++] = strdup(arg);
    va_end(ap);
    write_file("stdin", input);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char **copy = calloc(16, sizeof(*copy)); /* the command may reorder it */
        memcpy(copy, argv, sizeof(argv));
        bool redirected = freopen("stdin", "r", stdin) && freopen("stdout", "w", stdout) &&
                          freopen("stderr", "w", stderr);
        int r = redirected ? fn(argc, copy) : 99;
        fflush(stdout);
        fflush(stderr);
        _exit(r);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
    assert_true(WIFEXITED(status));
    read_back("stdout", &out);
    read_back("stderr", &err);
    unlink("stdin");
    return WEXITSTATUS(status);
}

static bool has(const struct buf *b, const char *part)
{
    return span_find(buf_span(b), span_str(part)) < b->len;
}

static void test_check(void **state)
{
    assert_int_equal(run(cli_check, "", "-c", "c.yaml", NULL), 0);
    assert_int_equal(err.len, 0);
    assert_true(has(&out, "c.yaml is good: 1 upstreams, 2 apps\nrules auto-"));
    assert_true(has(&out, "  A1-a                 1 keywords of 2  甲类\n"));
    assert_true(
        has(&out, "weaker: rules: 1 of 1 types have fewer keywords than the standard asks for; "));

    write_risks("standard: {name: S, zh: 标准, keyword_min: 9}\n", 1);
    assert_int_equal(run(cli_check, "", "-c", "c.yaml", NULL), 0);
    assert_true(
        has(&out, "weaker: rules: 1 keywords, 8 short of the 9 that the standard asks for\n"));
    write_risks("", 2);

    write_file("bad.yaml", UPSTREAM "auht: keys\nworkers: x\n");
    assert_int_equal(run(cli_check, "", "-c", "bad.yaml", NULL), 1);
    assert_int_equal(out.len, 0);
    assert_span(buf_span(&err),
                SPAN_LIT("bad.yaml:3:1: unknown key 'auht'; did you mean 'auth'?\n"
                         "bad.yaml:4:10: 'workers' must be a number\n"
                         "bad.yaml:1:63: warning: not used with auth: passthrough\n"));
    /* What only the rules know. */
    write_file("bad.yaml", UPSTREAM "auth: keys\npolicy:\n  actions: {A9: block}\n");
    assert_int_equal(run(cli_check, "", "-c", "bad.yaml", NULL), 1);
    assert_span(buf_span(&err), SPAN_LIT("bad.yaml:5:13: no risk of the rules is called 'A9'\n"));
    write_file("bad.yaml", UPSTREAM "auth: keys\nrules_dir: nowhere\n");
    assert_int_equal(run(cli_check, "", "-c", "bad.yaml", NULL), 1);
    assert_span(buf_span(&err), SPAN_LIT("nowhere: can't be read: No such file or directory\n"));
    unlink("bad.yaml");

    assert_int_equal(run(cli_check, "", NULL), 2);
    assert_true(has(&err, "juyong check: -c FILE is needed"));
    assert_int_equal(run(cli_check, "", "-c", "c.yaml", "more", NULL), 2);
    assert_int_equal(run(cli_check, "", "--options", NULL), 0);
    assert_true(has(&out, "\nlimits.body\n    size 1KiB to 64MiB; default 2MiB\n"));
    assert_int_equal(run(cli_check, "", "--help", NULL), 0);
    assert_true(has(&out, "校验配置与规则"));
}

/* What is allowed, but does less than its author may think. */
static void test_check_doubts(void **state)
{
    write_file("rules/keywords/pii-x.txt", "secret word\nmy word\tapps=shop,shpo\tsee=acrostic\n"
                                           "old word\texpires=2001-01-31\n"
                                           "shop word\tapps=shop\n");
    mkdir("rules/near", 0700);
    write_file("rules/near/n.yaml", "near: [{id: pii-x/n, risk: pii-x, within: 9, why: w,\n"
                                    "  slots: [[one], [two]], hit: [one two], miss: [a]}]\n");
    assert_int_equal(run(cli_check, "", "-c", "c.yaml", NULL), 0);
    assert_span(buf_span(&err),
                SPAN_LIT("rules/keywords/pii-x.txt:3:18: warning: expired on 2001-01-31\n"
                         "rules/keywords/pii-x.txt:2:1: warning: the configuration has no app "
                         "shpo\n"
                         "rules/keywords/pii-x.txt:2:1: warning: on streamed answers these layers "
                         "do not run: vertical, acrostic\n"));
    assert_true(has(&out, ": 7 rules, 1 of them expired, 1 allow phrases"));
    assert_true(has(&out, "  pii-x                1 keywords, 1 near rules  乙类\n"));
    assert_int_equal(run(cli_rules, "", "stats", "-c", "c.yaml", "--json", NULL), 4);
    assert_true(
        has(&out, "\"scoped\":2,\"expired\":1,\"repeated\":0,\"near\":1,\"patterns\":0}\n"));
    assert_int_equal(run(cli_rules, "", "list", "-c", "c.yaml", "--json", NULL), 0);
    assert_true(has(&out, "\"kind\":\"near\""));
    assert_true(has(&out, "\"line\":2,\"see\":[\"acrostic\"],\"apps\":[\"shop\",\"shpo\"]}\n"));
    assert_true(has(&out, "\"line\":3,\"expires\":\"2001-01-31\"}\n"));
    /* A hit of a rule that is over, or not for this app, is shown and does nothing. */
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "-d", "completion", "an old word", NULL), 0);
    assert_true(has(&out, "allow\n  allow  pii-x/"));
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "-d", "completion", "a shop word", NULL), 0);
    assert_true(has(&out, "allow\n  allow  pii-x/"));
    assert_int_equal(
        run(cli_scan, "", "-c", "c.yaml", "-d", "completion", "-a", "shop", "a shop word", NULL),
        3);
    unlink("rules/near/n.yaml");
    rmdir("rules/near");
    write_file("rules/keywords/pii-x.txt", "secret word\n");
}

static void test_scan(void **state)
{
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "一句好话", NULL), 0);
    assert_span(buf_span(&out), SPAN_LIT("allow\n"));
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "查坏词语典", NULL), 0);
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "说坏-词语", NULL), 3);
    assert_true(has(&out, "block\n  block  A1-a/"));
    assert_true(has(&out, "  3..13  坏-词语  through separator\n"));
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "--explain", "坏词语", NULL), 3);
    assert_true(has(&out, "A1-a 甲类 (kind a)\n"));
    assert_true(has(&out, "keyword '坏词语', rules/keywords/A1-a.txt:1\n"));

    /* By app, and by direction. */
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "--app", "shop", "坏词语", NULL), 0);
    assert_true(has(&out, "flag\n"));
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "--app", "none", "坏词语", NULL), 1);
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "a secret word", NULL), 0);
    assert_int_equal(
        run(cli_scan, "", "-c", "c.yaml", "--direction", "completion", "a secret word", NULL), 3);
    assert_true(has(&out, "mask\n"));
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "--direction", "both", "x", NULL), 2);
}

static void test_scan_input(void **state)
{
    assert_int_equal(run(cli_scan, "坏词语\n", "-c", "c.yaml", NULL), 3);
    assert_int_equal(run(cli_scan, "坏词语\n", "-c", "c.yaml", "-", NULL), 3);
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", NULL), 0);
    assert_int_equal(run(cli_scan, "好\xff", "-c", "c.yaml", NULL), 1);
    assert_span(buf_span(&err), SPAN_LIT("juyong scan: not UTF-8 at byte 3\n"));
    assert_int_equal(run(cli_scan, "", "-c", "none.yaml", "x", NULL), 1);
    assert_int_equal(run(cli_scan, "", "x", NULL), 2);
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "two", "texts", NULL), 2);

    /* A terminal that shows a text must not be steered by it. */
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "坏\u202e词\u200b语", NULL), 3);
    assert_true(has(&out, "坏<U+202E>词<U+200B>语"));

    assert_int_equal(run(cli_scan, "好\r\n坏词语\na secret word\n", "-c", "c.yaml", "-l", NULL), 3);
    assert_true(has(&out, "line 2: block\n"));
    assert_true(has(&out, "line 3: flag\n"));
    assert_true(has(&out, "3 lines: 1 allow 1 flag 0 mask 0 answer 1 block\n"));
    assert_int_equal(run(cli_scan, "好\n\xff\n坏词语\n", "-c", "c.yaml", "-l", NULL), 1);
    assert_true(has(&out, "line 3: block\n"));
    assert_span(buf_span(&err), SPAN_LIT("juyong scan: line 2: not UTF-8 at byte 0\n"));
}

static void test_scan_json(void **state)
{
    assert_int_equal(run(cli_scan, "好\n\"坏 词语\"\n", "-c", "c.yaml", "--json", "--lines", NULL),
                     3);
    char want[512];
    char *id = strstr(buf_cstr(&out), "A1-a/");
    assert_non_null(id);
    snprintf(want, sizeof(want),
             "{\"line\":1,\"action\":\"allow\",\"hits\":[]}\n"
             "{\"line\":2,\"action\":\"block\",\"hits\":[{\"rule\":\"%.13s\",\"risk\":\"A1-a\","
             "\"action\":\"block\",\"start\":1,\"end\":11,\"text\":\"坏 词语\","
             "\"folded\":\"坏词语\",\"layers\":[\"separator\"]}]}\n",
             id);
    assert_span(buf_span(&out), span_str(want));
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "--json", "--explain", "坏词语", NULL), 3);
    assert_true(has(&out, "\"risk_name\":\"甲类\",\"source\":\"坏词语\",\"why\":\"bad\","
                          "\"file\":\"rules/keywords/A1-a.txt\",\"line\":1,"));
    assert_true(span_starts(buf_span(&out), SPAN_LIT("{\"action\":\"block\",")));
}

/* The whole output is `head`, the rule's id and `tail`. */
static void explains(const char *text, const char *head, const char *id, const char *tail)
{
    char want[4096];
    run(cli_scan, "", "-c", "c.yaml", "--explain", text, NULL);
    snprintf(want, sizeof(want), "%s%s%s", head, id, tail);
    assert_span(buf_span(&out), span_str(want));
}

/* The id of the first rule that the output names of that risk. */
static void first_id(const char *risk, char ret_id[14])
{
    const char *id = strstr(buf_cstr(&out), risk);
    assert_non_null(id);
    snprintf(ret_id, 14, "%s", id);
}

static void test_explain(void **state)
{
    char id[14];
    run(cli_scan, "", "-c", "c.yaml", "坏词语", NULL);
    first_id("A1-a/", id);
    explains("他说：坏-词\u200b語！", "block\n  block  ", id,
             "  9..22\n"
             "         text         他说：【坏-词<U+200B>語】！\n"
             "         folded       坏词语\n"
             "         seen through traditional 繁体异体: traditional or variant forms of Han "
             "characters\n"
             "                      invisible 不可见字符: zero-width, bidirectional and other "
             "characters that show nothing\n"
             "                      separator 分隔符: spaces, punctuation or symbols between the "
             "characters\n"
             "         rule         keyword '坏词语', rules/keywords/A1-a.txt:1\n"
             "         why          bad\n"
             "         risk         A1-a 甲类 (kind a)\n"
             "         action       block, by default for A1\n");
    /* What an allow phrase saved. */
    explains("查【新】\n坏词语典", "allow\nsaved by an allow phrase:\n  saved  ", id,
             "  13..22\n"
             "         allow phrase 坏词语典\n"
             "         text         查【新】⏎»坏词语«典\n"
             "         folded       坏词语\n"
             "         rule         keyword '坏词语', rules/keywords/A1-a.txt:1\n"
             "         why          bad\n"
             "         risk         A1-a 甲类 (kind a)\n"
             "         otherwise    block, by default for A1\n");
    /* Behind an encoding, the built-in rule beside. */
    run(cli_scan, "", "-c", "c.yaml", "-e", "看 5Z2P6K+N6K+t 吧", NULL);
    assert_true(has(&out, "  4..16\n"
                          "         text         看 【5Z2P6K+N6K+t】 吧\n"
                          "         decodes to   看 【坏词语】 吧\n"
                          "         folded       坏词语\n"
                          "         seen through base64 Base64 编码: text in Base64\n"));
    assert_true(has(&out, "  block  attack-encoding/payload  4..16\n"));
    assert_true(
        has(&out, "         rule         payload, built in\n         why          a payload "));
    run(cli_scan, "", "-c", "c.yaml", "-e", "5Z2P6K+N6K+t5YW4", NULL);
    assert_true(has(&out, "allow\nsaved by an allow phrase:\n"));
    assert_true(has(&out, "  0..12\n         allow phrase 坏词语典\n"));
}

/* Of a long text its part around the hit, cut between characters; of a long hit both ends. */
static void test_explain_long(void **state)
{
    struct buf text = BUF_INIT(4096), want = BUF_INIT(4096);
    for (int i = 0; i < 41; i++)
        buf_append(&text, SPAN_LIT("前́"));
    buf_append(&text, SPAN_LIT("坏词语"));
    for (int i = 0; i < 41; i++)
        buf_append(&text, SPAN_LIT("后"));
    buf_append(&want, SPAN_LIT("text         …"));
    for (int i = 0; i < 40; i++)
        buf_append(&want, SPAN_LIT("前́"));
    buf_append(&want, SPAN_LIT("【坏词语】"));
    for (int i = 0; i < 40; i++)
        buf_append(&want, SPAN_LIT("后"));
    buf_append(&want, SPAN_LIT("…\n"));
    run(cli_scan, "", "-c", "c.yaml", "-e", buf_cstr(&text), NULL);
    assert_true(has(&out, buf_cstr(&want)));

    write_file("rules/keywords/pii-x.txt", "secret word\n开门大吉\tsee=acrostic,pinyin\n");
    buf_clear(&text);
    buf_append(&text, SPAN_LIT("开"));
    for (int i = 0; i < 80; i++)
        buf_append(&text, SPAN_LIT("一"));
    buf_append(&text, SPAN_LIT("\n门二\n大三\n吉四"));
    run(cli_scan, "", "-c", "c.yaml", "-e", buf_cstr(&text), NULL);
    buf_clear(&want);
    buf_append(&want, SPAN_LIT("text         【开"));
    for (int i = 0; i < 39; i++)
        buf_append(&want, SPAN_LIT("一"));
    buf_append(&want, SPAN_LIT(" … "));
    for (int i = 0; i < 32; i++)
        buf_append(&want, SPAN_LIT("一"));
    buf_append(&want, SPAN_LIT("⏎门二⏎大三⏎吉】四\n         reads as     【开门大吉】\n"));
    assert_true(has(&out, buf_cstr(&want)));
    run(cli_scan, "", "-c", "c.yaml", "-e", "说 kai men da ji 吧", NULL);
    assert_true(has(&out, "text         说 【kai men da ji】 吧\n"));
    assert_true(has(&out, "seen through pinyin 拼音: pinyin for Han characters\n"));
    write_file("rules/keywords/pii-x.txt", "secret word\n");
    buf_deinit(&text);
    buf_deinit(&want);
}

/* Which word decided. */
static void test_explain_reasons(void **state)
{
    run(cli_scan, "", "-c", "c.yaml", "-e", "-a", "shop", "坏词语", NULL);
    assert_true(has(&out, "         action       flag, by c.yaml:4 for A1\n"));
    write_file("rules/keywords/pii-x.txt", "secret word\taction=flag\nold word\texpires=2001-01-31"
                                           "\nshop word\tapps=shop\n");
    mkdir("rules/near", 0700);
    write_file("rules/near/n.yaml", "near: [{id: pii-x/n, risk: pii-x, within: 9, why: w,\n"
                                    "  slots: [[one], [two]], hit: [one two], miss: [a]}]\n");
    static const struct {
        const char *text, *line;
    } cases[] = {
        {"a secret word", "flag, by the rule itself\n"},
        {"an old word", "allow, for 2001-01-31 was its last day\n"},
        {"a shop word", "allow, for it is a rule for other apps than default\n"},
        {"one two", "block, by default for pii-*; a near rule never masks\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        run(cli_scan, "", "-c", "c.yaml", "-e", "-d", "completion", cases[i].text, NULL);
        assert_true(has(&out, cases[i].line));
    }
    assert_true(has(&out, "text         one 【two】\n"));
    assert_true(has(&out, "near 'one + two', rules/near/n.yaml:1\n"));
    unlink("rules/near/n.yaml");
    rmdir("rules/near");
    write_file("rules/keywords/pii-x.txt", "secret word\n");
}

static void test_explain_lines(void **state)
{
    assert_int_equal(
        run(cli_scan, "好\n查坏词语典\n坏词语\n", "-c", "c.yaml", "-e", "-l", "-", NULL), 3);
    assert_true(
        span_starts(buf_span(&out), SPAN_LIT("line 2: allow\nsaved by an allow phrase:\n")));
    assert_true(has(&out, "for A1\n\nline 3: block\n"));
    assert_true(has(&out, "for A1\n\n3 lines: 2 allow 0 flag 0 mask 0 answer 1 block\n"));
}

static void test_explain_json(void **state)
{
    char id[14], want[1024];
    assert_int_equal(
        run(cli_scan, "", "-c", "c.yaml", "--json", "--explain", "坏词语典，5Z2P6K+N6K+t", NULL),
        3);
    /* What was found is folded, not what was written. */
    assert_true(has(&out, "\"folded\":\"坏词语\",\"layers\":[\"base64\"]"));
    first_id("A1-a/", id);
    snprintf(want, sizeof(want),
             "\"line\":1,\"risk_name_en\":\"kind a\",\"kind\":\"keyword\",\"reason\":\"by default "
             "for A1\",\"reads\":\"坏词语\"},{\"rule\":\"attack-encoding/payload\",");
    assert_true(has(&out, want));
    snprintf(want, sizeof(want),
             "}],\"saved\":[{\"rule\":\"%s\",\"risk\":\"A1-a\",\"action\":\"block\",\"start\":0,"
             "\"end\":9,\"text\":\"坏词语\",\"folded\":\"坏词语\",\"layers\":[],\"risk_name\":"
             "\"甲类\",\"source\":\"坏词语\",\"why\":\"bad\",\"file\":\"rules/keywords/"
             "A1-a.txt\",\"line\":1,\"risk_name_en\":\"kind a\",\"kind\":\"keyword\",\"reason\":"
             "\"by default for A1\",\"phrase\":{\"start\":0,\"end\":12,\"text\":\"坏词语典\"}}]}"
             "\n",
             id);
    assert_true(has(&out, want));
    assert_int_equal(run(cli_scan, "", "-c", "c.yaml", "--json", "坏词语典", NULL), 0);
    assert_span(buf_span(&out), SPAN_LIT("{\"action\":\"allow\",\"hits\":[]}\n"));
}

/* As run(), for scan, on a terminal of its own. */
static void scan_on_terminal(const char *text)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char *argv[] = {strdup("x"), strdup("-c"), strdup("c.yaml"), strdup("-e"), strdup(text)};
        _exit(freopen(ptsname(master), "w", stdout) ? cli_scan(5, argv) : 99);
    }
    char piece[1024];
    buf_clear(&out);
    /* A terminal that nobody writes to any more is an error to read from. */
    for (ssize_t n; (n = read(master, piece, sizeof(piece))) > 0;)
        buf_append(&out, span_from(piece, (size_t)n));
    close(master);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 3);
}

static void test_explain_on_a_terminal(void **state)
{
    unsetenv("NO_COLOR");
    scan_on_terminal("说坏词语");
    assert_true(has(&out, "text         \033[0m说【\033[7m坏词语\033[0m】\r\n"));
    setenv("NO_COLOR", "1", true);
    scan_on_terminal("说坏词语");
    assert_true(has(&out, "text         说【坏词语】\r\n"));
    assert_false(has(&out, "\033"));
    unsetenv("NO_COLOR");
}

static void test_key(void **state)
{
    assert_int_equal(
        run(cli_key, "", "create", "-c", "c.yaml", "--app", "shop", "--alias", "a \"b\"", NULL), 0);
    assert_int_equal(out.len, 47); /* the key and a newline, for scripts */
    assert_true(span_starts(buf_span(&out), SPAN_LIT("sk-")));
    char key[47];
    memcpy(key, out.data, 46);
    key[46] = '\0';
    assert_false(has(&err, key));
    assert_true(has(&err, "密钥只显示这一次"));
    char id[13];
    memcpy(id, err.data, 12);
    id[12] = '\0';

    assert_int_equal(run(cli_key, "", "list", "-c", "c.yaml", "--json", NULL), 0);
    char want[256];
    snprintf(want, sizeof(want), "{\"id\":\"%s\",\"last4\":\"%s\",\"created\":\"", id, key + 42);
    assert_true(has(&out, want));
    assert_true(has(&out, "\"revoked\":false,\"expired\":false,"));
    assert_true(has(&out, "\"app\":\"shop\",\"alias\":\"a \\\"b\\\"\"}\n"));
    assert_false(has(&out, key));
    assert_int_equal(run(cli_key, "", "revoke", id, "-c", "c.yaml", NULL), 0);
    assert_int_equal(run(cli_key, "", "list", "-c", "c.yaml", NULL), 0);
    assert_true(has(&out, "revoked   shop  a \"b\"\n"));

    assert_int_equal(run(cli_key, "", "revoke", "key-none", "-c", "c.yaml", NULL), 1);
    assert_int_equal(run(cli_key, "", "create", "-c", "c.yaml", "--app", "none", NULL), 1);
    assert_true(has(&err, "no app of the configuration is called 'none'"));
    assert_int_equal(run(cli_key, "", "make", "-c", "c.yaml", NULL), 2);
    assert_int_equal(run(cli_key, "", "revoke", "-c", "c.yaml", NULL), 2);
    assert_int_equal(run(cli_key, "", "list", NULL), 2);
    assert_int_equal(run(cli_key, "", NULL), 2);
}

static void test_rules(void **state)
{
    assert_int_equal(run(cli_rules, "", "lint", "-c", "c.yaml", NULL), 0);
    assert_span(buf_span(&out),
                SPAN_LIT("2 samples judged, 0 disappoint; 0 rules and phrases do nothing\n"));
    write_file("rules/allow/vain.txt", "毫无关系\n");
    assert_int_equal(run(cli_rules, "", "lint", "-c", "c.yaml", NULL), 0);
    assert_true(has(&err, "rules/allow/vain.txt:1:1: warning: '毫无关系' saves nothing"));
    assert_int_equal(run(cli_rules, "", "lint", "-c", "c.yaml", "--strict", NULL), 1);
    unlink("rules/allow/vain.txt");
    assert_int_equal(run(cli_rules, "", "lint", "-c", "c.yaml", "--strict", NULL), 0);
    assert_int_equal(run(cli_rules, "", "list", "-c", "c.yaml", "--risk", "pii", NULL), 0);
    assert_true(span_starts(buf_span(&out), SPAN_LIT("pii-x/")));
    assert_true(has(&out, "\tboth\tdefault\tsecret word\trules/keywords/pii-x.txt:1\n"));
    assert_false(has(&out, "A1-a"));
    /* One keyword of two: the exit code says so, unless one type alone was asked for. */
    assert_int_equal(run(cli_rules, "", "stats", "-c", "c.yaml", "--json", NULL), 4);
    assert_true(has(&out, "{\"risk\":\"A1-a\",\"group\":\"A1\",\"name\":\"甲类\","
                          "\"name_en\":\"kind a\",\"keywords\":1,\"keyword_min\":2,\"met\":false,"
                          "\"flagged\":0,"));
    assert_int_equal(run(cli_rules, "", "stats", "-c", "c.yaml", "--risk", "A1-a", NULL), 0);
    assert_int_equal(run(cli_filing, "", "coverage", "-c", "c.yaml", "--app", "shop", NULL), 4);
    assert_true(has(&out, "A1-a                    0       2 short "));
    assert_int_equal(run(cli_filing, "", "coverage", "-c", "c.yaml", "--app", "nobody", NULL), 1);
    assert_int_equal(run(cli_filing, "", "frob", NULL), 2);
    assert_int_equal(run(cli_rules, "", "export", "-c", "c.yaml", NULL), 2);
    assert_int_equal(run(cli_rules, "", "export", "-c", "c.yaml", "-f", "xlsx", NULL), 2);
    assert_int_equal(run(cli_rules, "", "export", "-c", "c.yaml", "-f", "csv", "-v", NULL), 0);
    assert_true(has(&out, "坏词语,A.1 组,a) 甲类,拦截,"));
    assert_true(has(&err, "1 of 1 counted keywords are intercepted\n"));
    write_file("rules/keywords/A1-a.txt", "坏词语\thit=好话\n");
    assert_int_equal(run(cli_rules, "", "lint", "-c", "c.yaml", NULL), 1);
    assert_true(has(&err, "rules/keywords/A1-a.txt:1:1: A1-a/"));
    assert_true(has(&err, "misses its sample '好话'"));
    write_file("rules/keywords/A1-a.txt", "坏词语\twhy=bad\n");
    assert_int_equal(run(cli_rules, "", "frob", "-c", "c.yaml", NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_check_doubts),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_scan_input),
        cmocka_unit_test(test_scan_json),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_explain_long),
        cmocka_unit_test(test_explain_reasons),
        cmocka_unit_test(test_explain_lines),
        cmocka_unit_test(test_explain_json),
        cmocka_unit_test(test_explain_on_a_terminal),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
