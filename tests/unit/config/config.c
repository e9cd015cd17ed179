#include "../unit.h"

#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/juyong-config-XXXXXX";

static int set_up(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"c.yaml", "p.yaml", "key", "open", "bad"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        unlink(names[i]);
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
    assert_int_equal(chmod(name, mode), 0);
}

static int load(const char *text, struct buf *messages, struct config **ret_config)
{
    write_file("c.yaml", text, 0600);
    return config_load(SPAN_LIT("c.yaml"), messages, ret_config);
}

static struct config *expect_load(const char *text, const char *warnings)
{
    struct buf messages = BUF_INIT(65536);
    struct config *c = NULL;
    if (load(text, &messages, &c) != 0)
        fail_msg("%s", buf_cstr(&messages));
    assert_span(buf_span(&messages), span_str(warnings));
    buf_deinit(&messages);
    return c;
}

static void expect_refused(const char *text, const char *want)
{
    struct buf messages = BUF_INIT(65536);
    struct config *c = NULL;
    assert_int_equal(load(text, &messages, &c), -EINVAL);
    assert_null(c);
    assert_span(buf_span(&messages), span_str(want));
    buf_deinit(&messages);
}

#define MODELS "    models: [{id: m, filing_number: F}]\n"
#define UPSTREAM                                                                                   \
    "upstreams:\n"                                                                                 \
    "  - name: u\n"                                                                                \
    "    base_url: https://example.com/v1\n" MODELS

/* A text behind the six lines of UPSTREAM is on line 5 and below. */

static void test_smallest(void **state)
{
    struct config *c = expect_load(
        "listen: 127.0.0.1:8080            # apps call http://127.0.0.1:8080/v1/...\n"
        "console: { listen: 127.0.0.1:8081 }\n"
        "state_dir: state\n"
        "rules_dir: rules\n"
        "upstreams:\n"
        "  - name: demo\n"
        "    base_url: http://127.0.0.1:9090/v1\n"
        "    models:\n"
        "      - { id: demo, display_name: Demo, filing_number: Beijing-Demo-20250101 }\n"
        "auth: passthrough\n",
        "");
    assert_span(c->file, SPAN_LIT("c.yaml"));
    assert_span(c->listen_host, SPAN_LIT("127.0.0.1"));
    assert_int_equal(c->listen_port, 8080);
    assert_int_equal(c->console.port, 8081);
    assert_int_equal(c->console.idle_ms, 30 * 60000);
    assert_int_equal(c->console.life_ms, 12 * 3600000);
    assert_span(c->console.user_header, SPAN_LIT("X-Forwarded-User"));
    assert_false(c->console.behind_tls || c->console.guarded_metrics || c->console.front_count);
    assert_span(c->state_dir, SPAN_LIT("state"));
    assert_span(c->audit.dir, SPAN_LIT("state/log"));
    assert_int_equal(c->audit.mode, AUDIT_REQUIRED);
    assert_int_equal(c->audit.queue_records, 8192);
    assert_true(c->node.len > 0);
    assert_int_equal(c->auth, AUTH_PASSTHROUGH);
    assert_int_equal(c->limits.body_bytes, 2 << 20);
    assert_int_equal(c->limits.keepalive_ms, 15000);
    assert_int_equal(c->limits.choices, 8);
    assert_int_equal(c->upstream_count, 1);
    assert_int_equal(c->upstreams[0].connect_ms, 5000);
    assert_int_equal(c->upstreams[0].total_ms, 900000);
    assert_span(c->upstreams[0].dialect, SPAN_LIT("openai"));
    assert_span(c->upstreams[0].base_url, SPAN_LIT("http://127.0.0.1:9090/v1"));

    const struct config_upstream *u;
    const struct config_model *m = config_find_model(c, SPAN_LIT("demo"), &u);
    assert_span(m->filing_number, SPAN_LIT("Beijing-Demo-20250101"));
    assert_ptr_equal(u, &c->upstreams[0]);
    assert_null(config_find_model(c, SPAN_LIT("other"), NULL));

    assert_int_equal(c->app_count, 1);
    const struct config_app *app = config_find_app(c, SPAN_LIT("default"));
    assert_ptr_equal(config_filing_app(c), app);
    assert_ptr_equal(app, &c->apps[0]);
    assert_int_equal(app->policy.refusal, REFUSAL_MESSAGE);
    assert_int_equal(app->policy.language, LANGUAGE_BOTH);
    assert_false(app->policy.allow_media || app->policy.mode != MODE_ENFORCE ||
                 app->policy.tool_calls_exact);
    assert_false(app->policy.refuse_history);
    assert_int_equal(c->audit.offences, 65536);
    assert_int_equal(app->policy.action_count, 7);
    assert_span(app->policy.actions[6].risk, SPAN_LIT("pii-*"));
    assert_int_equal(app->policy.actions[6].prompt, ACTION_FLAG);
    assert_int_equal(app->policy.actions[6].completion, ACTION_MASK);
    assert_int_equal(app->policy.actions[6].origin, ORIGIN_BUILT_IN);

    struct buf out = BUF_INIT(4096);
    assert_int_equal(config_weakenings(c, &out), 0);
    assert_null(config_find_app(c, SPAN_LIT("x")));
    assert_ptr_equal(config_ref(c), c);
    assert_null(config_unref(c));
    assert_null(config_unref(c));
    buf_deinit(&out);
}

static void test_everything(void **state)
{
    write_file("key", "sk-provider\n", 0600);
    write_file("p.yaml", "actions: { A1: flag }\nrefusal: error\n", 0600);
    struct config *c = expect_load(
        "listen: '[::1]:9'\n"
        "workers: 2\nnode: n1\nauth: keys\nallow_unfiled: true\n"
        "upstreams:\n"
        "  - name: u\n"
        "    base_url: https://user.example:8443/api/v3/\n"
        "    dialect: openai\n"
        "    api_key_file: key\n"
        "    headers: { X-Inspection: '{\"input\":\"cip\"}' }\n"
        "    timeouts: { connect: 250ms, first_byte: 2min, gap: 1h, total: 1h }\n"
        "    models: [{ id: m, filing_number: F }, { id: raw }]\n"
        "policy: p.yaml\n"
        "apps:\n"
        "  - name: a\n"
        "    models: [m]\n"
        "    policy: { mode: observe, until: 2999-06-30, media: allow, tool_calls: exact,\n"
        "              language: en, history: refuse,\n"
        "              actions: { A1-a: { prompt: answer }, pii-*: allow } }\n"
        "limits: { body: 64KiB, stream: 1GiB, header_timeout: 1s, keepalive: 0, json_nodes: 500 }\n"
        "audit: { mode: degraded, dir: /var/log/juyong, queue_bytes: 2MiB, text_max: 0,\n"
        "         offences: 100000 }\n"
        "trusted_proxies: [127.0.0.1, 10.0.0.0/8, 'fd00::/8']\n"
        "proxy_protocol: true\n"
        "end_users: { field: ignore, forward: remove }\n"
        "service: { provider: 某公司, launch_number: L, complaint: '12345' }\n",
        "c.yaml:13:43: warning: the model 'raw' has no filing number\n");
    assert_span(c->listen_host, SPAN_LIT("::1"));
    assert_int_equal(c->workers, 2);
    assert_span(c->node, SPAN_LIT("n1"));
    assert_span(c->upstreams[0].base_url, SPAN_LIT("https://user.example:8443/api/v3"));
    assert_span(c->upstreams[0].api_key, SPAN_LIT("sk-provider"));
    assert_int_equal(c->upstreams[0].header_count, 1);
    assert_span(c->upstreams[0].headers[0].value, SPAN_LIT("{\"input\":\"cip\"}"));
    assert_int_equal(c->upstreams[0].connect_ms, 250);
    assert_int_equal(c->upstreams[0].gap_ms, 3600000);
    assert_int_equal(c->limits.body_bytes, 65536);
    assert_int_equal(c->limits.stream_bytes, 1u << 30);
    assert_int_equal(c->limits.keepalive_ms, 0);
    assert_int_equal(c->limits.json_nodes, 500);
    assert_int_equal(c->audit.mode, AUDIT_DEGRADED);
    assert_span(c->audit.dir, SPAN_LIT("/var/log/juyong"));
    assert_int_equal(c->audit.text_max, 0);
    assert_int_equal(c->audit.offences, 100000);
    assert_int_equal(c->trusted_proxy_count, 3);
    assert_true(c->proxy_protocol);
    assert_int_equal(c->end_users.field, USER_FIELD_IGNORE);
    assert_true(c->end_users.remove);
    assert_span(c->service.provider, SPAN_LIT("某公司"));

    assert_int_equal(c->app_count, 2);
    assert_int_equal(c->apps[0].policy.refusal, REFUSAL_ERROR);
    assert_int_equal(c->apps[0].policy.action_count, 8);
    const struct config_policy *p = &config_find_app(c, SPAN_LIT("a"))->policy;
    assert_int_equal(p->refusal, REFUSAL_ERROR);
    assert_int_equal(p->language, LANGUAGE_EN);
    assert_true(p->mode == MODE_OBSERVE && p->allow_media && p->tool_calls_exact &&
                p->refuse_history);
    assert_false(c->apps[0].policy.refuse_history);
    assert_int_equal(p->action_count, 10);
    assert_span(p->actions[0].risk, SPAN_LIT("A1-a"));
    assert_int_equal(p->actions[0].prompt, ACTION_ANSWER);
    assert_int_equal(p->actions[0].completion, ACTION_DEFAULT);
    assert_int_equal(p->actions[0].origin, ORIGIN_APP);
    assert_int_equal(p->actions[0].at.line, 20);
    assert_int_equal(p->actions[1].completion, ACTION_ALLOW);
    assert_span(p->actions[2].risk, SPAN_LIT("A1"));
    assert_int_equal(p->actions[2].origin, ORIGIN_GLOBAL);
    assert_span(p->actions[2].at.file, SPAN_LIT("p.yaml"));

    struct buf out = BUF_INIT(4096);
    assert_int_equal(config_weakenings(c, &out), 4);
    assert_span(buf_span(&out),
                SPAN_LIT("app a: observe mode, nothing is blocked or masked up to 2999-06-30\n"
                         "app a: media parts pass unjudged\n"
                         "model raw: no filing number\n"
                         "audit: exchanges go on for a while when the log can't be written\n"));
    buf_deinit(&out);
    config_unref(c);
}

/* Accounts for which nothing may be blocked belong behind a proxy. */
static void test_reviewers_address(void **state)
{
    static const struct {
        const char *text;
        struct span weak;
    } cases[] = {
        {UPSTREAM "reviewers: { listen: 127.0.0.1:8090 }\n", SPAN_LIT("")},
        {UPSTREAM "reviewers: { listen: 10.0.0.7:8090 }\n", SPAN_LIT("")},
        {UPSTREAM "reviewers: { listen: 0.0.0.0:8090 }\n",
         SPAN_LIT("reviewers: 0.0.0.0 port 8090 can be reached by strangers, without TLS: listen "
                  "on 127.0.0.1 or in a private network, behind a proxy\n")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf out = BUF_INIT(4096);
        struct config *c = expect_load(cases[i].text, "");
        assert_int_equal(config_weakenings(c, &out), cases[i].weak.len > 0);
        assert_span(buf_span(&out), cases[i].weak);
        buf_deinit(&out);
        config_unref(c);
    }
}

/* An app's mode is its own or the global one, and so is its last day. */
static void test_modes(void **state)
{
#define PASSTHROUGH "warning: with auth: passthrough every request belongs to the app default\n"
    struct config *c =
        expect_load(UPSTREAM "policy: { mode: shadow, until: 2999-06-30 }\n"
                             "apps:\n"
                             "  - { name: a, policy: { media: allow } }\n"
                             "  - { name: b, policy: { mode: enforce } }\n"
                             "  - { name: c, policy: { mode: observe, until: 2020-01-01 } }\n",
                    "c.yaml:7:13: " PASSTHROUGH "c.yaml:8:13: " PASSTHROUGH
                    "c.yaml:9:48: warning: ended on 2020-01-01\nc.yaml:9:13: " PASSTHROUGH);
    int64_t june = c->policy.until;
    static const struct {
        const char *app;
        enum config_mode before, behind;
    } cases[] = {
        {"default", MODE_SHADOW, MODE_ENFORCE},
        {"a", MODE_SHADOW, MODE_ENFORCE},
        {"b", MODE_ENFORCE, MODE_ENFORCE},
        {"c", MODE_ENFORCE, MODE_ENFORCE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct config_policy *p = &config_find_app(c, span_str(cases[i].app))->policy;
        assert_int_equal(config_mode_at(p, june - 1), cases[i].before);
        assert_int_equal(config_mode_at(p, june), cases[i].behind);
    }
    struct buf out = BUF_INIT(4096);
    config_weakenings(c, &out);
    assert_true(span_starts(buf_span(&out), SPAN_LIT("app default: shadow mode, nothing is blocked "
                                                     "or masked up to 2999-06-30\n"
                                                     "app a: shadow mode")));
    buf_deinit(&out);
    config_unref(c);
}

static void test_apps(void **state)
{
    write_file("key", "sk-provider\n", 0600);
    struct config *c =
        expect_load("auth: keys\n"
                    "upstreams: [{ name: u, base_url: 'https://x/v1', api_key_file: key,\n"
                    "              models: [{ id: m, filing_number: F }] }]\n"
                    "policy: { texts: { content_filter: 全局的话, timeout: Later. } }\n"
                    "apps:\n"
                    "  - name: shop\n"
                    "    addresses: [10.0.0.0/8, '2001:db8::/32', 192.0.2.7]\n"
                    "    limits:\n"
                    "      requests_per_minute: 600\n"
                    "      tokens_per_day: 5000000\n"
                    "      concurrent: 8\n"
                    "      body: 32KiB\n"
                    "      end_users: 1000\n"
                    "      key: { requests_per_day: 100 }\n"
                    "      end_user: { requests_per_minute: 5, tokens_per_minute: 2000 }\n"
                    "    policy: { mode: observe, until: 2999-01-01, observe: { A2: 2999-01-01 }, "
                    "media: allow,\n"
                    "              tool_calls: exact, texts: { content_filter: 本店的话 } }\n",
                    "");
    const struct config_app *a = config_find_app(c, SPAN_LIT("shop"));
    unsigned char address[16];
    assert_int_equal(a->address_count, 3);
    assert_true(network_read_address(SPAN_LIT("2001:db8:1::1"), address));
    assert_true(network_contains(&a->addresses[1], address));
    assert_int_equal(a->limits.app.minute_requests, 600);
    assert_int_equal(a->limits.app.day_requests, 0);
    assert_int_equal(a->limits.app.day_tokens, 5000000);
    assert_int_equal(a->limits.app.concurrent, 8);
    assert_int_equal(a->limits.key.day_requests, 100);
    assert_int_equal(a->limits.key.minute_requests, 0);
    assert_int_equal(a->limits.end_user.minute_requests, 5);
    assert_int_equal(a->limits.end_user.minute_tokens, 2000);
    assert_int_equal(a->limits.body_bytes, 32768);
    assert_int_equal(a->limits.end_users, 1000);
    assert_int_equal(c->apps[0].limits.end_users, 65536);
    assert_int_equal(c->apps[0].limits.body_bytes, 0);
    assert_int_equal(c->apps[0].address_count, 0);
    assert_int_equal(a->policy.text_count, 3);
    assert_span(a->policy.texts[0].text, SPAN_LIT("本店的话"));
    assert_int_equal(a->policy.texts[0].origin, ORIGIN_APP);
    assert_span(a->policy.texts[1].text, SPAN_LIT("全局的话"));

    const struct config_app *s = config_strict(c, a);
    assert_ptr_not_equal(s, a);
    assert_ptr_equal(config_strict(c, s), s);
    assert_span(s->name, SPAN_LIT("shop"));
    assert_int_equal(s->limits.app.concurrent, 8);
    assert_true(config_observes(&a->policy, 0) && !config_observes(&s->policy, 0));
    assert_int_equal(s->policy.observe_count, 0);
    assert_false(s->policy.allow_media || s->policy.tool_calls_exact);
    assert_span(s->policy.texts[0].text, SPAN_LIT("本店的话"));
    config_unref(c);

    expect_refused(UPSTREAM "apps:\n"
                            "  - { name: a, addresses: [10.0.0.1/8] }\n"
                            "  - { name: b, addresses: [] }\n"
                            "  - { name: c, limits: { requests_per_minute: many } }\n"
                            "  - { name: d, limits: { end_user: { concurent: 1 } } }\n"
                            "  - { name: e, policy: { texts: { content_filter: '' } } }\n",
                   "c.yaml:6:28: '10.0.0.1/8' is neither an address nor a network such as "
                   "10.0.0.0/8\n"
                   "c.yaml:7:27: 'addresses' names none; leave it out to allow all\n"
                   "c.yaml:8:47: 'requests_per_minute' must be a number\n"
                   "c.yaml:9:38: unknown key 'concurent'; did you mean 'concurrent'?\n"
                   "c.yaml:10:51: a sentence must have 1 to 2048 bytes\n");
    c = expect_load(UPSTREAM "evaluation: { app: shop }\n"
                             "apps: [{ name: shop }]\n",
                    "c.yaml:6:16: warning: with auth: passthrough every request belongs to the app "
                    "default\n");
    assert_span(config_filing_app(c)->name, SPAN_LIT("shop"));
    config_unref(c);
    c = expect_load(UPSTREAM, "");
    assert_span(config_filing_app(c)->name, SPAN_LIT("default"));
    config_unref(c);
    expect_refused(UPSTREAM "evaluation: { app: shpo }\n"
                            "apps: [{ name: shop }]\n",
                   "c.yaml:6:16: warning: with auth: passthrough every request belongs to the app "
                   "default\n"
                   "c.yaml:5:20: there is no app 'shpo' under apps\n");
    c = expect_load(UPSTREAM "apps: [{ name: default, limits: { key: { concurrent: 1 } } }]\n",
                    "c.yaml:5:33: warning: limits of keys need auth: keys; without it there are "
                    "none\n");
    config_unref(c);
}

static void test_observing(void **state)
{
    struct config *c =
        expect_load(UPSTREAM "policy:\n"
                             "  observe: { A2: 2999-12-31, A1-h/near-x: 2020-01-01 }\n"
                             "apps:\n"
                             "  - name: default\n"
                             "    policy: { mode: observe, until: 2999-06-30, observe: { "
                             "'A1-a/0a1b2c3d': 2999-01-01 },\n"
                             "              actions: { A1-h/near-x: flag } }\n",
                    "c.yaml:6:43: warning: ended on 2020-01-01\n");
    const struct config_policy *p = &c->apps[0].policy;
    assert_int_equal(config_mode_at(p, p->until - 1), MODE_OBSERVE);
    assert_int_equal(config_mode_at(p, p->until), MODE_ENFORCE);
    assert_false(config_observes(p, p->until));
    assert_int_equal(p->observe_count, 3);
    assert_span(p->observes[0].risk, SPAN_LIT("A1-a/0a1b2c3d"));
    assert_int_equal(p->observes[0].origin, ORIGIN_APP);
    assert_int_equal(p->observes[1].origin, ORIGIN_GLOBAL);
    assert_span(p->actions[0].risk, SPAN_LIT("A1-h/near-x"));
    struct buf out = BUF_INIT(4096);
    assert_int_equal(config_weakenings(c, &out), 3);
    assert_span(
        buf_span(&out),
        SPAN_LIT("app default: observe mode, nothing is blocked or masked up to 2999-06-30\n"
                 "app default: A1-a/0a1b2c3d is only observed up to 2999-01-01\n"
                 "app default: A2 is only observed up to 2999-12-31\n"));
    buf_deinit(&out);
    config_unref(c);
}

static void test_keys_and_types(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"lisen: 127.0.0.1:1\n", "c.yaml:5:1: unknown key 'lisen'; did you mean 'listen'?\n"},
        {"stat_edir: x\n", "c.yaml:5:1: unknown key 'stat_edir'; did you mean 'state_dir'?\n"},
        {"zzzzzz: x\n", "c.yaml:5:1: unknown key 'zzzzzz'\n"},
        {"limits: { bdy: 1MiB }\n", "c.yaml:5:11: unknown key 'bdy'; did you mean 'body'?\n"},
        {"listen: localhost:80\n",
         "c.yaml:5:9: 'listen' must be a numeric address and a port, such as 127.0.0.1:8080 or "
         "[::1]:8080\n"},
        {"listen: 127.0.0.1:70000\n",
         "c.yaml:5:9: 'listen' must be a numeric address and a port, such as 127.0.0.1:8080 or "
         "[::1]:8080\n"},
        {"listen: ::1:80\n",
         "c.yaml:5:9: 'listen' must be a numeric address and a port, such as 127.0.0.1:8080 or "
         "[::1]:8080\n"},
        {"allow_unfiled: yes\n", "c.yaml:5:16: 'allow_unfiled' must be true or false\n"},
        {"auth: none\n", "c.yaml:5:7: 'auth' must be one of: passthrough, keys\n"},
        {"workers: -1\n", "c.yaml:5:10: 'workers' must be a number\n"},
        {"workers: 257\n", "c.yaml:5:10: 'workers' must be between 0 and 256\n"},
        {"limits: { body: 2MB }\n", "c.yaml:5:17: 'body' must be a size such as 64KiB or 2MiB\n"},
        {"limits: { body: 1 }\n", "c.yaml:5:17: 'body' must be a size such as 64KiB or 2MiB\n"},
        {"limits: { body: 65MiB }\n", "c.yaml:5:17: 'body' must be between 1KiB and 64MiB\n"},
        {"limits: { header_timeout: 5 }\n",
         "c.yaml:5:27: 'header_timeout' must be a time such as 500ms, 10s, 15min or 2h\n"},
        {"limits: { header_timeout: 11min }\n",
         "c.yaml:5:27: 'header_timeout' must be between 100ms and 10min\n"},
        {"limits: [1]\n", "c.yaml:5:9: expected a map of keys, found a list\n"},
        {"node: [1]\n", "c.yaml:5:7: expected a text, found a list\n"},
        {"node: \"a\\nb\"\n", "c.yaml:5:7: control characters are not allowed\n"},
        {"node:\n", "c.yaml:5:1: a value is missing\n"},
        {"node: ''\n", "c.yaml:5:7: 'node' must have 1 to 64 bytes\n"},
        {"console: {}\n", "c.yaml:5:10: the key 'listen' is missing\n"},
        {"console: { listen: 0.0.0.0:81 }\n",
         "c.yaml:5:20: without 'tls' the console must listen on a loopback address: "
         "passwords and texts would cross the network in the open\n"},
        {"console: { listen: 127.0.0.1:81, hosts: ['a/b'] }\n",
         "c.yaml:5:41: 'a/b' is no host name such as console.example.com\n"},
        {"console: { listen: 127.0.0.1:81, trusted_header: { from: [::/0] } }\n",
         "c.yaml:5:59: anybody could then call himself anybody\n"},
        {"console: { listen: 127.0.0.1:81, trusted_header: { from: [::1], user: 'a b' } }\n",
         "c.yaml:5:71: 'a b' is no name of a header\n"},
        {"console: { listen: 127.0.0.1:81, tls: { cert: /dev/null } }\n",
         "c.yaml:5:47: '/dev/null' is not a regular file of at most 256 KiB\n"
         "c.yaml:5:39: the key 'key' is missing\n"},
        {"console: { listen: 127.0.0.1:8080 }\n",
         "c.yaml:5:20: the console needs another address than 'listen'\n"},
        {"trusted_proxies: [10.0.0.1/8]\n",
         "c.yaml:5:19: '10.0.0.1/8' is neither an address nor a network such as 10.0.0.0/8\n"},
        {"proxy_protocol: true\n",
         "c.yaml:5:17: 'proxy_protocol' needs 'trusted_proxies': whose connections begin with a "
         "PROXY header?\n"},
        {"trusted_proxies: x\n",
         "c.yaml:5:18: 'trusted_proxies' must be a list of addresses or networks\n"},
        {"auth: keys\n", "c.yaml:2:5: with auth: keys the upstream 'u' needs an api_key_file\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "%s%s", UPSTREAM, cases[i].line);
        expect_refused(text, cases[i].message);
    }
}

static void test_policy_errors(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"policy: { refusal: no }\n", "c.yaml:5:20: 'refusal' must be one of: message, error\n"},
        {"policy: { actions: { A1: stop } }\n",
         "c.yaml:5:26: 'stop' is no action: allow, flag, ask, mask, answer or block\n"},
        {"policy: { actions: { A1: { answer: block } } }\n",
         "c.yaml:5:28: unknown key 'answer'; there are prompt and completion\n"},
        {"policy: { actions: { A1: {} } }\n",
         "c.yaml:5:26: expected an action or {prompt: ACTION, completion: ACTION}\n"},
        {"policy: { actions: { 'a b': block } }\n",
         "c.yaml:5:22: 'a b' is not the name of a risk, a group or a prefix*, nor a rule's id\n"},
        {"policy: { actions: { 'a*b': block } }\n",
         "c.yaml:5:22: 'a*b' is not the name of a risk, a group or a prefix*, nor a rule's id\n"},
        {"policy: { actions: { /a: flag } }\n",
         "c.yaml:5:22: '/a' is not the name of a risk, a group or a prefix*, nor a rule's id\n"},
        {"policy: { observe: { A1: 2999-02-30 } }\n",
         "c.yaml:5:26: '2999-02-30' is no date such as 2026-12-31\n"},
        {"policy: { observe: [A1] }\n",
         "c.yaml:5:20: 'observe' must be a map with at most 256 risks or rules, each with its last "
         "day\n"},
        {"policy: { observe: { 'A 1': 2999-12-31 } }\n",
         "c.yaml:5:22: 'A 1' is not the name of a risk, a group or a prefix*, nor a rule's id\n"},
        {"reviewers: { listen: 127.0.0.1:8080 }\n",
         "c.yaml:5:22: reviewers need another address than 'listen' and 'console.listen'\n"},
        {"reviewers: {}\n", "c.yaml:5:12: the key 'listen' is missing\n"},
        {"canary: { every: 0 }\n", "c.yaml:5:18: 'every' must be between 1s and 1d\n"},
        {"canary: { alarm: { tries: 2 } }\n", "c.yaml:5:18: the key 'url' is missing\n"},
        {"policy: { mode: observe }\n",
         "c.yaml:5:17: 'mode: observe' needs its last day beside it, such as 'until: 2026-12-31'; "
         "behind it everything is enforced again\n"},
        {"policy: { until: 2999-12-31, mode: off }\n",
         "c.yaml:5:36: 'mode' must be one of: enforce, observe, shadow\n"},
        {"apps: [{ name: a, policy: { mode: shadow } }]\n",
         "c.yaml:5:35: 'mode: shadow' needs its last day beside it, such as 'until: 2026-12-31'; "
         "behind it everything is enforced again\n"},
        {"policy: { mode: observe, until: soon }\n",
         "c.yaml:5:33: 'soon' is no date such as 2026-12-31\n"},
        {"policy: { actions: [A1] }\n",
         "c.yaml:5:20: 'actions' must be a map with at most 256 risks\n"},
        {"policy: [A1]\n",
         "c.yaml:5:9: 'policy' must be a map of keys, or the name of a file with it\n"},
        {"policy: nowhere.yaml\n", "nowhere.yaml: can't be read: No such file or directory\n"
                                   "c.yaml:5:9: the policy 'nowhere.yaml' can't be used\n"},
        {"apps: { name: a }\n", "c.yaml:5:7: 'apps' must be a list of at most 1024 apps\n"},
        {"apps: [{ models: [m] }]\n", "c.yaml:5:8: the key 'name' is missing\n"},
        {"apps: [{ name: default, models: [x] }]\n",
         "c.yaml:5:34: no upstream lists the model 'x'\n"},
        {"apps: [{ name: default }, { name: default }]\n",
         "c.yaml:5:35: two apps have the name 'default'\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[1024];
        snprintf(text, sizeof(text), "%s%s", UPSTREAM, cases[i].line);
        expect_refused(text, cases[i].message);
    }
    write_file("p.yaml", "actions:\n  A1: bad\n", 0600);
    expect_refused(UPSTREAM "policy: p.yaml\n",
                   "p.yaml:2:7: 'bad' is no action: allow, flag, ask, mask, answer or block\n");
}

static void test_upstream_errors(void **state)
{
    static const struct {
        const char *url, *why;
    } urls[] = {
        {"ftp://x/v1", "it begins with http:// or https://"},
        {"https://u:p@x/v1", "no user and password; the provider's key belongs in api_key_file"},
        {"https://x/v1?a=b", "no query and no fragment"},
        {"'https://x/v1#a'", "no query and no fragment"},
        {"https:///v1", "its host or port is malformed"},
        {"https://x:0/v1", "its host or port is malformed"},
        {"https://x:99999/v1", "its host or port is malformed"},
        {"https://[::1/v1", "its host or port is malformed"},
        {"https://[::zz]/v1", "its host or port is malformed"},
        {"https://a b/v1", "only ASCII without spaces"},
        {"https://x/../v1", "no path segment begins with a dot"},
    };
    for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
        char text[512], want[512];
        snprintf(text, sizeof(text), "upstreams:\n  - name: u\n    base_url: %s\n" MODELS,
                 urls[i].url);
        snprintf(want, sizeof(want), "c.yaml:3:15: 'base_url' is not usable: %s\n", urls[i].why);
        expect_refused(text, want);
    }
    write_file("bad", "two\nlines\n", 0600);
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"dialect: soap", "c.yaml:5:14: 'dialect' must be one of: openai"},
        {"api_key_file: nowhere",
         "c.yaml:5:19: 'nowhere' can't be read: No such file or directory"},
        {"api_key_file: /", "c.yaml:5:19: '/' is not a regular file"},
        {"api_key_file: bad",
         "c.yaml:5:19: 'bad' must hold one line with the key and nothing else"},
        {"headers: { 'a b': c }", "c.yaml:5:16: 'a b' is not a header name"},
        {"headers: { Transfer-Encoding: c }",
         "c.yaml:5:16: the header 'Transfer-Encoding' is the gateway's own"},
        {"headers: { Authorization: c }",
         "c.yaml:5:16: the provider's key belongs in api_key_file"},
        {"headers: { a: \"b\\rc\" }", "c.yaml:5:19: control characters are not allowed"},
        {"headers: { a: b, A: c }", "c.yaml:5:22: the header 'A' is there twice"},
        {"headers: [a]", "c.yaml:5:14: 'headers' must be a map with at most 32 names"},
        {"timeouts: { conect: 1s }", "c.yaml:5:17: unknown key 'conect'; did you mean 'connect'?"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[512], want[512];
        snprintf(text, sizeof(text), "%s    %s\n", UPSTREAM, cases[i].line);
        snprintf(want, sizeof(want), "%s\n", cases[i].message);
        expect_refused(text, want);
    }
}

static void test_models(void **state)
{
    expect_refused("listen: 127.0.0.1:1\n", "c.yaml:1:1: the key 'upstreams' is missing\n");
    expect_refused("upstreams: []\n",
                   "c.yaml:1:12: 'upstreams' must be a list with at least one entry\n");
    expect_refused("upstreams:\n  - name: u\n    base_url: https://x/v1\n    models: []\n",
                   "c.yaml:4:13: 'models' must be a list with at least one entry\n");
    expect_refused("upstreams:\n  - name: u\n    base_url: https://x/v1\n    models: [{ id: m }]\n",
                   "c.yaml:4:14: the model 'm' has no filing_number; calling an unfiled model "
                   "needs allow_unfiled: true\n");
    expect_refused(UPSTREAM "  - name: u\n    base_url: https://x/v1\n" MODELS,
                   "c.yaml:5:11: two upstreams have the name 'u'\n"
                   "c.yaml:7:14: the model 'm' is listed twice\n");
    /* Several errors are told at once, in the order of the keys' table. */
    expect_refused("a: 1\nworkers: x\nauth: y\n",
                   "c.yaml:1:1: unknown key 'a'\n"
                   "c.yaml:2:10: 'workers' must be a number\n"
                   "c.yaml:3:7: 'auth' must be one of: passthrough, keys\n"
                   "c.yaml:1:1: the key 'upstreams' is missing\n");
}

static void test_warnings(void **state)
{
    write_file("open", "sk-1", 0644);
    config_unref(expect_load(
        UPSTREAM "    api_key_file: open\nauth: keys\n",
        "c.yaml:5:19: warning: 'open' can be read by everyone on this machine; chmod 600 it\n"));
    write_file("key", "sk-1", 0600);
    config_unref(expect_load(UPSTREAM "    api_key_file: key\n",
                             "c.yaml:5:19: warning: not used with auth: passthrough\n"));
    config_unref(expect_load(
        "upstreams:\n  - name: u\n    base_url: http://example.com/v1\n" MODELS,
        "c.yaml:3:15: warning: http:// sends keys and prompts over the network unencrypted\n"));
    config_unref(expect_load(
        UPSTREAM "apps: [{ name: a }]\n",
        "c.yaml:5:16: warning: with auth: passthrough every request belongs to the app default\n"));
    config_unref(
        expect_load(UPSTREAM "trusted_proxies: [0.0.0.0/0]\n",
                    "c.yaml:5:19: warning: every client may then name itself as it likes\n"));
    /* A proxy by itself, not by a network. */
    config_unref(expect_load(
        UPSTREAM "trusted_proxies: [10.0.0.0/24]\n"
                 "apps: [{ name: default, addresses: [10.0.0.0/8, 10.0.1.1, 10.0.0.1] }]\n",
        "c.yaml:6:59: warning: app 'default': 10.0.0.1 is a trusted proxy: whoever it speaks for "
        "may "
        "ask\n"));
    config_unref(expect_load(
        UPSTREAM "strikes: { consecutive: 3, limit_consecutive: 3, per_day: 4 }\n",
        "c.yaml:5:10: warning: 'limit_consecutive' is never reached before 'consecutive'\n"
        "c.yaml:5:10: warning: 'limit_per_day' is never reached before 'per_day'\n"));
    config_unref(expect_load(
        UPSTREAM "opinions: [{ name: g, kind: moderations, url: 'https://g.example/v1' }]\n"
                 "policy:\n  opinions:\n"
                 "    - { from: g, direction: prompt, block: 60, flag: 80 }\n"
                 "    - { from: g, direction: prompt, block: 60, flag: 40, answer: 50 }\n"
                 "    - { from: g, direction: completion, answer: 60, block: 60 }\n",
        "c.yaml:8:54: warning: 'flag' from 80 is never reached: 'block' begins at 60\n"
        "c.yaml:10:49: warning: 'answer' from 60 is never reached: 'block' begins at 60\n"));
}

static void test_labels(void **state)
{
    struct config *c =
        expect_load(UPSTREAM "policy: { label: suffix }\n"
                             "apps: [{name: a, policy: {label: prefix}}, {name: b}]\n"
                             "labels: { zh: AI合成, body: true }\n"
                             "service: { provider_code: 0011-X }\n",
                    "c.yaml:6:15: warning: with auth: passthrough every request "
                    "belongs to the app default\n"
                    "c.yaml:6:51: warning: with auth: passthrough every request "
                    "belongs to the app default\n");
    assert_int_equal(c->apps[0].policy.label, LABEL_SUFFIX);
    assert_int_equal(c->apps[1].policy.label, LABEL_PREFIX);
    assert_int_equal(c->apps[2].policy.label, LABEL_SUFFIX);
    assert_span(c->labels.zh, SPAN_LIT("AI合成"));
    assert_span(c->labels.en, SPAN_LIT("(AI-generated content)"));
    assert_true(c->labels.body);
    c = config_unref(c);
    c = expect_load(UPSTREAM, "");
    assert_int_equal(c->policy.label, LABEL_UI);
    assert_false(c->labels.body);
    c = config_unref(c);
    expect_refused(
        UPSTREAM "labels: { zh: 本内容自动产生, en: made by AI }\n"
                 "service: { provider_code: 某某 }\n",
        "c.yaml:6:27: 'provider_code' must be printable ASCII without blanks, quotes and "
        "backslashes: it is a code, not a name\n"
        "c.yaml:5:15: the label must name AI: 人工智能, or AI as a word of its own\n"
        "c.yaml:5:15: the label must name generation: 生成, 合成 or generated\n"
        "c.yaml:5:28: the label must name generation: 生成, 合成 or generated\n");
}

#define MODEL                                                                                      \
    "listen: 127.0.0.1:1\nupstreams:\n  - name: u\n    base_url: http://127.0.0.1/v1\n"            \
    "    models:\n      - { id: m, filing_number: F, "

/* What a filing needs is read, and none of it is needed to run. */
static void test_filing(void **state)
{
    struct config *c = expect_load(
        MODEL
        "vendor: 某云, filing_entity: 某公司, filed_on: 2024-02-29, proof: /dev/null,\n"
        "          contract_until: 2999-12-31 }\n"
        "service: { name: 助手, url: 'https://a.example/#/x', credit_code: 91110000MA0000000H,\n"
        "  province: 北京, launched: 2999-01-01, officer: 张三, contact: '1', audience: 成年人,\n"
        "  privacy_url: https://a.example/p, terms_url: https://a.example/t }\n",
        "");
    const struct config_model *m = &c->upstreams[0].models[0];
    assert_span(m->vendor, SPAN_LIT("某云"));
    assert_span(m->filing_entity, SPAN_LIT("某公司"));
    assert_span(m->filed_on, SPAN_LIT("2024-02-29"));
    assert_span(m->proof, SPAN_LIT("/dev/null"));
    assert_span(m->contract_until, SPAN_LIT("2999-12-31"));
    assert_span(c->service.name, SPAN_LIT("助手"));
    assert_span(c->service.url, SPAN_LIT("https://a.example/#/x"));
    assert_span(c->service.credit_code, SPAN_LIT("91110000MA0000000H"));
    assert_span(c->service.province, SPAN_LIT("北京"));
    assert_span(c->service.launched, SPAN_LIT("2999-01-01"));
    assert_span(c->service.officer, SPAN_LIT("张三"));
    assert_span(c->service.contact, SPAN_LIT("1"));
    assert_span(c->service.audience, SPAN_LIT("成年人"));
    assert_span(c->service.privacy_url, SPAN_LIT("https://a.example/p"));
    assert_span(c->service.terms_url, SPAN_LIT("https://a.example/t"));
    c = config_unref(c);
    c = expect_load(UPSTREAM, "");
    assert_int_equal(c->service.launched.len + c->upstreams[0].models[0].vendor.len, 0);
    c = config_unref(c);
    c = expect_load(MODEL "filed_on: 2999-01-01, proof: /nonexistent/p.pdf,\n"
                          "          contract_until: 2020-01-01 }\n"
                          "service: { credit_code: 91110000MA0000000X, launched: '' }\n",
                    "c.yaml:6:46: warning: 'filed_on' is a day to come\n"
                    "c.yaml:6:65: warning: 'proof': /nonexistent/p.pdf can't be read\n"
                    "c.yaml:7:27: warning: 'contract_until' is over: 2020-01-01\n"
                    "c.yaml:8:25: warning: 'credit_code': the last character doesn't fit the "
                    "others\n");
    c = config_unref(c);
    c = expect_load(UPSTREAM "service: { holidays: [2026-10-01, 2026-10-02], workdays: [] }\n", "");
    assert_int_equal(c->service.holiday_count, 2);
    assert_span(c->service.holidays[1], SPAN_LIT("2026-10-02"));
    assert_int_equal(c->service.workday_count, 0);
    c = config_unref(c);
    expect_refused(UPSTREAM "service: { workdays: [2026-10-10, 10-11] }\n",
                   "c.yaml:5:35: 'workdays': '10-11' is no date such as 2026-12-31\n");
    expect_refused(
        MODEL "filed_on: 2025-02-29, contract_until: soon }\n"
              "service: { url: app.example.com, credit_code: 9111, launched: 2027-1-1,\n"
              "  terms_url: 'https://a b' }\n",
        "c.yaml:6:46: 'filed_on': '2025-02-29' is no date such as 2026-12-31\n"
        "c.yaml:6:74: 'contract_until': 'soon' is no date such as 2026-12-31\n"
        "c.yaml:7:17: 'url' must begin with https:// or http://, without blanks\n"
        "c.yaml:7:47: 'credit_code' must be 18 digits and capitals, without I, O, S, V and Z\n"
        "c.yaml:7:63: 'launched': '2027-1-1' is no date such as 2026-12-31\n"
        "c.yaml:8:14: 'terms_url' must begin with https:// or http://, without blanks\n");
}

static void test_missing_file(void **state)
{
    struct buf messages = BUF_INIT(4096);
    struct config *c = NULL;
    assert_int_equal(config_load(SPAN_LIT("none.yaml"), &messages, &c), -ENOENT);
    assert_span(buf_span(&messages),
                SPAN_LIT("none.yaml: can't be read: No such file or directory\n"));
    buf_deinit(&messages);
}

static void test_restart(void **state)
{
    struct config *a = expect_load(UPSTREAM "workers: 1\nlimits: { body: 1MiB }\n", "");
    struct config *b = expect_load(
        UPSTREAM "workers: 2\nlisten: 127.0.0.1:9\nlimits: { body: 2MiB, connections: 5 }\n", "");
    struct buf out = BUF_INIT(4096);
    assert_int_equal(config_restart_needed(a, a, &out), 0);
    assert_int_equal(config_restart_needed(a, b, &out), 3);
    assert_span(buf_span(&out), SPAN_LIT("'listen' changed; it takes a restart\n"
                                         "'workers' changed; it takes a restart\n"
                                         "'connections' changed; it takes a restart\n"));
    buf_deinit(&out);
    config_unref(a);
    config_unref(b);
}

static void test_manual(void **state)
{
    struct buf out = BUF_INIT(1 << 20);
    assert_int_equal(config_print_options(&out), 0);
    struct span text = buf_span(&out);
    static const char *const parts[] = {
        "\nupstreams[].timeouts.first_byte\n    time 10ms to 1h; default 120s\n",
        "\nlimits.body\n    size 1KiB to 64MiB; default 2MiB\n",
        "\napps[].policy\n",
        "\nauth\n    passthrough | keys; default passthrough\n",
        "listen\n    address:port; default 127.0.0.1:8080; takes a restart\n",
        "\npolicy.actions\n",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (span_find(text, span_str(parts[i])) == text.len)
            fail_msg("not in the manual: %s", parts[i]);
    buf_deinit(&out);
}

static void test_opinions(void **state)
{
    struct config *c = expect_load(
        UPSTREAM
        "opinions:\n"
        "  - name: guard\n"
        "    kind: qwen3guard\n"
        "    url: http://127.0.0.1:8000/v1/chat/completions\n"
        "    model: g\n"
        "    categories: { Violent: A1-f }\n"
        "  - { name: hook, kind: webhook, pieces: 9, url: \"https://example.com/judge\" }\n"
        "policy:\n"
        "  opinions:\n"
        "    - { from: guard, when: asked, risk: A1, flag: 40 }\n"
        "    - { from: hook, direction: prompt, when: sampled, share: 5, asks: last, fallback: "
        "closed, "
        "timeout: 300ms }\n"
        "  retraction: { url: \"https://example.com/told\", tries: 2 }\n"
        "apps:\n"
        "  - { name: default }\n",
        "");
    assert_int_equal(c->opinion_count, 2);
    const struct config_opinion *g = config_find_opinion(c, SPAN_LIT("guard"));
    assert_int_equal(g->kind, OPINION_QWEN3GUARD);
    assert_int_equal(g->timeout_ms, 2000);
    assert_int_equal(g->concurrency, 16);
    assert_int_equal(g->pieces, 256);
    assert_int_equal(config_find_opinion(c, SPAN_LIT("hook"))->pieces, 9);
    assert_span(g->risk, SPAN_LIT("A1-h"));
    assert_int_equal(g->category_count, 1);
    assert_span(g->categories[0].risk, SPAN_LIT("A1-f"));
    assert_null(config_find_opinion(c, SPAN_LIT("nobody")));
    const struct config_policy *p = &c->apps[0].policy;
    assert_int_equal(p->asking_count, 2);
    assert_ptr_equal(p->askings[0].source, g);
    assert_int_equal(p->askings[0].when, ASK_FLAGGED);
    assert_int_equal(p->askings[0].release, RELEASE_SENTENCE);
    assert_int_equal(p->askings[0].block, 60);
    assert_int_equal(p->askings[0].asks, ASK_CONVERSATION);
    assert_int_equal(p->askings[1].asks, ASK_LAST);
    assert_int_equal(p->askings[0].timeout_ms, 0);
    assert_true(config_asks(&p->askings[0], DIRECTION_COMPLETION));
    assert_true(config_asks(&p->askings[1], DIRECTION_PROMPT));
    assert_false(config_asks(&p->askings[1], DIRECTION_COMPLETION));
    assert_true(p->askings[1].closed);
    assert_int_equal(p->askings[1].timeout_ms, 300);
    assert_span(p->retraction.url, SPAN_LIT("https://example.com/told"));
    assert_int_equal(p->retraction.tries, 2);
    assert_int_equal(p->retraction.timeout_ms, 5000);
    config_unref(c);
}

static void test_opinion_errors(void **state)
{
    expect_refused(UPSTREAM "opinions:\n"
                            "  - { name: a, kind: qwen3guard, url: \"http://127.0.0.1/\" }\n"
                            "  - { name: a, url: \"http://127.0.0.1/\" }\n",
                   "c.yaml:6:5: a guard model behind a chat API needs its 'model'\n"
                   "c.yaml:7:5: two opinions have the name 'a'\n");
    expect_refused(UPSTREAM "opinions:\n"
                            "  - { name: a, url: \"127.0.0.1\" }\n",
                   "c.yaml:6:21: 'url' is not usable: it begins with http:// or https://\n");
    expect_refused(UPSTREAM "opinions: [{ name: a, url: \"http://127.0.0.1/\" }]\n"
                            "policy:\n"
                            "  opinions:\n"
                            "    - { from: b }\n"
                            "    - { from: a, risk: A1/x }\n"
                            "    - { from: a, when: sampled }\n",
                   "c.yaml:8:7: 'opinions' has nobody of the name 'b'\n"
                   "c.yaml:9:7: 'A1/x' is not the name of a risk, a group or a prefix*\n"
                   "c.yaml:10:7: when: sampled needs a share of 1 to 100 percent\n");
}

#define ALERTED                                                                                    \
    "upstreams:\n  - name: u\n    base_url: https://api.example.com/v1\n"                          \
    "    models: [{id: m, filing_number: F}]\n"

static void alerts_are_read(void **state)
{
    write_file("key", "https://oapi.dingtalk.com/robot/send?access_token=a/b\n", 0600);
    struct config *c = expect_load(
        ALERTED "alerts:\n  targets:\n"
                "    - {name: ding, kind: dingtalk, url_file: key, quiet: \"22:00-08:30\"}\n"
                "    - {name: own, url: \"https://a.example.com/x?y=1/\", language: en, "
                "quiet: \"00:00-23:59\", quiet_critical: hold}\n"
                "  interceptions: [{per_minute: 60}, {risk: A1, per_minute: 5, critical: true}]\n"
                "  library_days: 0\n  remind: 1h\n",
        "");
    assert_int_equal(c->alerts.target_count, 2);
    const struct config_alert_target *t = c->alerts.targets;
    assert_span(t[0].url, SPAN_LIT("https://oapi.dingtalk.com/robot/send?access_token=a/b"));
    assert_int_equal(t[0].kind, ALERT_DINGTALK);
    assert_int_equal(t[0].language, LANGUAGE_ZH);
    assert_int_equal(t[0].quiet_from, 22 * 60);
    assert_int_equal(t[0].quiet_to, 8 * 60 + 30);
    assert_false(t[0].quiet_all);
    assert_span(t[1].url, SPAN_LIT("https://a.example.com/x?y=1/"));
    assert_int_equal(t[1].kind, ALERT_JSON);
    assert_int_equal(t[1].language, LANGUAGE_EN);
    assert_true(t[1].quiet_all);
    assert_int_equal(c->alerts.rate_count, 2);
    assert_span(c->alerts.rates[0].risk, SPAN_LIT("*"));
    assert_true(c->alerts.rates[1].critical);
    assert_int_equal(c->alerts.library_days, 0);
    assert_int_equal(c->alerts.disk_percent, 85);
    assert_true(c->alerts.log && c->alerts.canary && c->alerts.verify && c->alerts.weakened);
    assert_int_equal(c->alerts.remind_ms, 3600000);
    config_unref(c);
    c = expect_load(ALERTED, ""); /* watched, and shown by the console, though nobody is told */
    assert_true(c->alerts.canary);
    assert_int_equal(c->alerts.target_count, 0);
    config_unref(c);
}

static void alerts_that_make_no_sense_are_refused(void **state)
{
    static const char *const cases[][2] = {
        {"  targets: [{name: t}]\n", "c.yaml:6:13: a target has either 'url' or 'url_file'\n"},
        {"  targets: [{name: t, url: \"https://a.example.com\", url_file: key}]\n",
         "c.yaml:6:13: a target has either 'url' or 'url_file'\n"},
        {"  targets: [{name: t, url: \"https://a.example.com#x\"}]\n",
         "c.yaml:6:28: 'url' is not usable: no fragment\n"},
        {"  targets: [{name: t, url: \"https://a.example.com\", quiet: \"22:00-24:00\"}]\n",
         "c.yaml:6:60: 'quiet' is a daily span such as \"22:00-08:00\" (China time)\n"},
        {"  targets: [{name: t, url: \"https://a.example.com\", quiet: \"8:00-9:00\"}]\n",
         "c.yaml:6:60: 'quiet' is a daily span such as \"22:00-08:00\" (China time)\n"},
        {"  targets: [{name: t, url: \"https://a.example.com\", kind: slack}]\n",
         "c.yaml:6:59: 'kind' must be one of: dingtalk, wecom, feishu, json\n"},
        {"  targets: [{name: t, url: \"https://a.example.com\"}, {name: t, url: "
         "\"https://b.example.com\"}]\n",
         "c.yaml:6:54: two targets have the name 't'\n"},
        {"  targets: [{name: t, url: \"https://a.example.com\"}]\n"
         "  interceptions: [{risk: A1}]\n",
         "c.yaml:7:19: the key 'per_minute' is missing\n"},
        {"  targets: [{name: t, url: \"https://a.example.com\"}]\n"
         "  interceptions: [{risk: \"A1/x\", per_minute: 1}]\n",
         "c.yaml:7:26: 'A1/x' is not the name of a risk, a group or a prefix*\n"},
        {"  targets: [{name: t, url: \"https://a.example.com\"}]\n"
         "  interceptions: [{per_minute: 1}, {per_minute: 2}]\n",
         "c.yaml:7:36: two rows of interceptions are about '*'\n"},
    };
    write_file("key", "https://a.example.com\n", 0600);
    write_file("bad", "no-url\n", 0600);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[2048];
        snprintf(text, sizeof(text), ALERTED "alerts:\n%s", cases[i][0]);
        expect_refused(text, cases[i][1]);
    }
    /* A secret address is not repeated. */
    expect_refused(ALERTED "alerts:\n  targets: [{name: t, url_file: bad}]\n",
                   "c.yaml:6:33: what 'url_file' holds is no usable URL: it begins with http:// or "
                   "https://\n");
    config_unref(expect_load(ALERTED "alerts:\n  calm: 1min\n",
                             "c.yaml:6:3: warning: 'alerts' has no 'targets': nobody is told\n"));
    config_unref(expect_load(ALERTED "alerts:\n  targets: [{name: t, kind: wecom, url_file: key, "
                                     "secret_file: key, quiet_critical: hold}]\n",
                             "c.yaml:6:13: warning: 'secret_file' is not used: WeCom's robots take "
                             "no signature\n"
                             "c.yaml:6:13: warning: 'quiet_critical' has no meaning without "
                             "'quiet'\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opinions),
        cmocka_unit_test(test_opinion_errors),
        cmocka_unit_test(test_smallest),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_observing),
        cmocka_unit_test(test_keys_and_types),
        cmocka_unit_test(test_policy_errors),
        cmocka_unit_test(test_upstream_errors),
        cmocka_unit_test(test_models),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_filing),
        cmocka_unit_test(test_missing_file),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_apps),
        cmocka_unit_test(test_reviewers_address),
        cmocka_unit_test(alerts_are_read),
        cmocka_unit_test(alerts_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
