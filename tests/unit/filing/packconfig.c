/* The configuration as others may see it, and the guard against what they may not. */
#include "../unit.h"

#include "filing/packevidence.h"
#include "json/value.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/juyong-packconfig-XXXXXX";
static struct config *config;

static const struct {
    const char *file, *secret;
} files[] = {
    {"key", "upstream-key-1234"},         {"opinion", "opinion-key-1234"},
    {"webhook", "webhook-secret-1"},      {"retraction", "retraction-secret"},
    {"app", "shop-takes-it-back"},        {"canary", "canary-secret-12"},
    {"robot", "https://r.example/t=9f8"}, {"sign", "robot-signature-1"},
    {"token", "checkpoint-token"},
};
#define FILES (sizeof(files) / sizeof(*files))

static const char yaml[] =
    "upstreams:\n"
    "  - name: u\n"
    "    base_url: https://api.example:8443/path/v1\n"
    "    api_key_file: key\n"
    "    headers: {X-Auth-Token: header-token-1234, X-Inspection: cip-and-nothing-else}\n"
    "    models: [{id: m, display_name: 云雀, filing_number: Beijing-YunQue-20230821}]\n"
    "opinions:\n"
    "  - {name: guard, kind: moderations, url: 'https://g.example/v1x', api_key_file: opinion,\n"
    "     risk: A1-a}\n"
    "  - {name: hook, kind: webhook, url: 'https://h.example/hook', secret_file: webhook, risk: "
    "A1-a}\n"
    "policy: {retraction: {url: 'https://app.example/r', secret_file: retraction}}\n"
    "apps:\n"
    "  - {name: shop, policy: {retraction: {url: 'https://shop.example/r', secret_file: app}}}\n"
    "canary: {alarm: {url: 'https://alarm.example/a', secret_file: canary}}\n"
    "alerts: {targets: [{name: r, kind: dingtalk, url_file: robot, secret_file: sign}]}\n"
    "audit: {export: [{url: 'https://w.example/c', key_file: token}]}\n"
    "service: {provider: 某公司}\n";

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
    assert_int_equal(chmod(name, 0600), 0);
}

static int set_up(void **state)
{
    struct buf messages = BUF_INIT(65536);
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    for (size_t i = 0; i < FILES; i++)
        write_text(files[i].file, files[i].secret);
    write_text("c.yaml", yaml);
    int r = config_load(SPAN_LIT("c.yaml"), &messages, &config);
    if (r < 0)
        fprintf(stderr, "%s", buf_cstr(&messages));
    buf_deinit(&messages);
    return r;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int tear_down(void **state)
{
    config_unref(config);
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static void test_snapshot(void **state)
{
    struct buf out = BUF_INIT(1u << 20);
    assert_int_equal(evidence_configuration(config, &out), 0);
    struct span text = buf_span(&out);
    for (size_t i = 0; i < FILES; i++)
        assert_int_equal(span_find(text, span_str(files[i].secret)), text.len);
    static const char *const out_of_it[] = {"header-token-1234", "/path", "v1x",
                                            "cip-and-nothing-else", "api_key_file"};
    for (size_t i = 0; i < sizeof(out_of_it) / sizeof(*out_of_it); i++)
        assert_int_equal(span_find(text, span_str(out_of_it[i])), text.len);
    static const char *const in_it[] = {"\"host\":\"https://api.example:8443\"",
                                        "\"host\":\"https://g.example\"",
                                        "\"filing_number\":\"Beijing-YunQue-20230821\"",
                                        "\"provider\":\"某公司\"", "\"name\":\"shop\""};
    for (size_t i = 0; i < sizeof(in_it) / sizeof(*in_it); i++)
        if (span_find(text, span_str(in_it[i])) == text.len)
            fail_msg("no %s", in_it[i]);
    struct json_value *v = value_parse(text, NULL);
    assert_true(value_is_object(v));
    value_free(v);
    assert_false(evidence_has_secret(config, text));
    buf_deinit(&out);
}

static void test_secrets(void **state)
{
    struct buf text = BUF_INIT(4096);
    for (size_t i = 0; i < FILES; i++) {
        buf_clear(&text);
        buf_printf(&text, "before %s after", files[i].secret);
        if (!evidence_has_secret(config, buf_span(&text)))
            fail_msg("%s is not seen", files[i].file);
        text.len--; /* near is not enough */
        text.data[7] ^= 1;
        assert_false(evidence_has_secret(config, buf_span(&text)));
    }
    assert_true(evidence_has_secret(config, SPAN_LIT("header-token-1234")));
    /* A header that is no credential stands in many texts. */
    assert_false(evidence_has_secret(config, SPAN_LIT("cip-and-nothing-else")));
    assert_false(evidence_has_secret(config, SPAN_LIT("")));
    buf_deinit(&text);
}

static void test_forms(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } cases[] = {
        {"账号 sk-AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEE。", true},
        {"sk-AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDD", true},
        {"sk-AAAAAAAAAABBBBBBBBBBCCCCCCCCCCD", false}, /* 31 */
        {"risk-AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEE", false},
        {"sk-short sk-AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDDDDDDDDDDEEE", true},
        {"-----BEGIN EC PRIVATE KEY-----", true},
        {"-----BEGIN PUBLIC KEY-----", false},
        {"", false},
        {"sk-", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (evidence_looks_secret(span_str(cases[i].text)) != cases[i].is)
            fail_msg("%s", cases[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_forms),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
