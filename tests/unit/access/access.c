#include "../unit.h"

#include "access/access.h"
#include "access/keyfile.h"
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Some run without, some with one. */
static struct access_hasher *hasher;

static char folder[] = "/tmp/juyong-access-XXXXXX";

static int set_up(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static void remove_state(void)
{
    unlink("state/keys.json");
    unlink("state/keys.lock");
    unlink("state/enduser.key");
    unlink("state/label.key");
    rmdir("state");
}

static int tear_down(void **state)
{
    remove_state();
    unlink("c.yaml");
    unlink("key");
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(name, 0600);
}

static struct config *load_config(const char *more)
{
    char text[1024];
    write_file("key", "provider-key");
    snprintf(text, sizeof(text),
             "upstreams: [{name: u, base_url: 'https://x/v1', api_key_file: key,\n"
             "             models: [{id: m, filing_number: F}]}]\n%s",
             more);
    write_file("c.yaml", text);
    struct buf messages = BUF_INIT(65536);
    struct config *c = NULL;
    if (config_load(SPAN_LIT("c.yaml"), &messages, &c) != 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&messages);
    return c;
}

static struct access *load(const struct config *c, const char *want)
{
    struct buf messages = BUF_INIT(65536);
    struct access *a = NULL;
    if (access_load(c, &messages, &a) != 0)
        fail_msg("%s", buf_cstr(&messages));
    assert_span(buf_span(&messages), span_str(want));
    buf_deinit(&messages);
    return a;
}

struct listed {
    unsigned count, revoked, expired;
    char id[64], last4[8], app[64], alias[64], expires[32], line[64];
};

static void note(void *ctx, const struct access_key *k)
{
    struct listed *l = ctx;
    l->count++;
    l->revoked += k->revoked;
    l->expired += k->expired;
    snprintf(l->id, sizeof(l->id), "%.*s", SPAN_ARG(k->id));
    snprintf(l->app, sizeof(l->app), "%.*s", SPAN_ARG(k->app));
    snprintf(l->alias, sizeof(l->alias), "%.*s", SPAN_ARG(k->alias));
    snprintf(l->last4, sizeof(l->last4), "%.*s", SPAN_ARG(k->last4));
    snprintf(l->expires, sizeof(l->expires), "%.*s", SPAN_ARG(k->expires));
    snprintf(l->line, sizeof(l->line), "%.*s", SPAN_ARG(k->line));
    assert_int_equal(k->created.len, 24);
}

/* Who bears these: the Authorization header's value, and the api-key header's. */
static bool identify(const struct access *a, const struct config *c, struct span authorization,
                     struct span api_key, struct access_identity *ret)
{
    struct access_credentials all = {.authorization = authorization, .api_key = api_key};
    return access_identify(a, hasher, c, &all, clock_wall_us(), ret);
}

static int create(struct span app, struct span alias, struct buf *key, struct buf *id)
{
    return access_key_create(SPAN_LIT("state"), app, alias, ACCESS_NEVER, NULL, key, id);
}

#define KEYS "auth: keys\napps: [{ name: shop }]\n"

static void test_life_of_a_key(void **state)
{
    struct config *c = load_config(KEYS);
    struct buf key = BUF_INIT(256), id = BUF_INIT(64);
    assert_int_equal(create(SPAN_LIT("shop"), SPAN_LIT("柜台 \"1\"\\"), &key, &id), 0);
    assert_int_equal(key.len, 46);
    assert_true(span_starts(buf_span(&key), SPAN_LIT("sk-")));
    assert_true(span_starts(buf_span(&id), SPAN_LIT("key-")));

    struct stat st;
    assert_int_equal(stat("state", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat("state/keys.json", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    FILE *f = fopen("state/keys.json", "r");
    char content[4096];
    size_t n = fread(content, 1, sizeof(content), f);
    fclose(f);
    struct span text = span_from(content, n);
    assert_int_equal(span_find(text, buf_span(&key)), text.len); /* nowhere in the clear */

    struct listed l = {0};
    assert_int_equal(access_key_list(SPAN_LIT("state"), note, &l), 0);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.alias, "柜台 \"1\"\\");
    assert_string_equal(l.app, "shop");
    assert_memory_equal(l.last4, key.data + 42, 4);

    struct access *a = load(c, "");
    struct access_identity who = {0};
    char header[64];
    snprintf(header, sizeof(header), "bearer  %s", buf_cstr(&key));
    assert_true(identify(a, c, span_str(header), SPAN_NULL, &who));
    assert_span(who.app->name, SPAN_LIT("shop"));
    assert_span(who.key_id, buf_span(&id));
    assert_true(identify(a, c, SPAN_NULL, buf_span(&key), &who));
    assert_true(identify(a, c, span_str(header), buf_span(&key), &who));
    assert_false(identify(a, c, span_str(header), SPAN_LIT("sk-other"), &who));
    assert_false(identify(a, c, buf_span(&key), SPAN_NULL, &who));
    assert_false(identify(a, c, SPAN_NULL, SPAN_NULL, &who));
    assert_false(identify(a, c, SPAN_LIT("Bearer "), SPAN_NULL, &who));
    assert_false(identify(a, c, SPAN_LIT("Bearer"), buf_span(&key), &who));
    for (size_t i = 0; i < key.len; i++) { /* each character counts */
        char wrong[64];
        memcpy(wrong, key.data, key.len);
        wrong[i] ^= 1;
        assert_false(identify(a, c, SPAN_NULL, span_from(wrong, key.len), &who));
    }
    assert_false(identify(a, c, SPAN_NULL, span_slice(buf_span(&key), 0, 45), &who));
    static char huge[100000];
    memset(huge, 'a', sizeof(huge));
    assert_false(identify(a, c, SPAN_NULL, span_from(huge, sizeof(huge)), &who));

    assert_int_equal(access_key_revoke(SPAN_LIT("state"), SPAN_LIT("key-none"), NULL), -ENOENT);
    assert_int_equal(access_key_revoke(SPAN_LIT("state"), buf_span(&id), NULL), 0);
    assert_int_equal(access_key_revoke(SPAN_LIT("state"), buf_span(&id), NULL), 0);
    /* The old snapshot still knows it; the next one doesn't. */
    assert_true(identify(a, c, SPAN_NULL, buf_span(&key), &who));
    struct access *b = load(c, "keys.json: warning: no key is in force, every request will be "
                               "refused; see `juyong key create`\n");
    assert_false(identify(b, c, SPAN_NULL, buf_span(&key), &who));
    l = (struct listed){0};
    access_key_list(SPAN_LIT("state"), note, &l);
    assert_int_equal(l.revoked, 1);

    assert_ptr_equal(access_ref(a), a);
    access_unref(a);
    access_unref(a);
    access_unref(b);
    config_unref(c);
    buf_deinit(&key);
    buf_deinit(&id);
    remove_state();
}

static void test_many_keys(void **state)
{
    struct config *c = load_config(KEYS);
    struct buf keys = BUF_INIT(65536), ids = BUF_INIT(65536);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(
            create(i % 2 ? SPAN_LIT("shop") : SPAN_LIT("default"), SPAN_LIT(""), &keys, &ids), 0);
    assert_int_equal(create(SPAN_LIT("gone"), SPAN_LIT(""), &keys, &ids), 0);
    char want[128];
    snprintf(want, sizeof(want),
             "keys.json: warning: %.12s is for the app 'gone', which isn't "
             "there\n",
             ids.data + 240);
    struct access *a = load(c, want);
    for (unsigned i = 0; i < 20; i++) {
        struct access_identity who;
        assert_true(identify(a, c, SPAN_NULL, span_from(keys.data + 46 * i, 46), &who));
        assert_span(who.key_id, span_from(ids.data + 12 * i, 12));
        assert_span(who.app->name, i % 2 ? SPAN_LIT("shop") : SPAN_LIT("default"));
    }
    struct access_identity who;
    assert_false(identify(a, c, SPAN_NULL, span_from(keys.data + 46 * 20, 46), &who));
    access_unref(a);
    config_unref(c);
    buf_deinit(&keys);
    buf_deinit(&ids);
    remove_state();
}

static void test_headers(void **state)
{
    struct config *c = load_config(KEYS);
    struct buf key = BUF_INIT(64), other = BUF_INIT(64), id = BUF_INIT(64);
    assert_int_equal(create(SPAN_LIT("shop"), SPAN_LIT(""), &key, &id), 0);
    assert_int_equal(create(SPAN_LIT("default"), SPAN_LIT(""), &other, &id), 0);
    struct access *a = load(c, "");
    char bearer[64];
    snprintf(bearer, sizeof(bearer), "Bearer %s", buf_cstr(&key));
    struct span k = buf_span(&key), o = buf_span(&other), none = SPAN_NULL;
    const struct {
        struct access_credentials headers;
        bool opens;
    } cases[] = {
        {{span_str(bearer), none, none, none}, true},
        {{none, k, none, none}, true},
        {{none, none, k, none}, true},
        {{none, none, none, k}, true},
        {{span_str(bearer), k, k, k}, true},
        {{span_str(bearer), o, none, none}, false},
        {{none, k, none, o}, false},
        {{none, k, o, none}, false},
        {{SPAN_LIT("Basic x"), k, none, none}, false},
        {{none, none, none, none}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct access_identity who;
        if (access_identify(a, hasher, c, &cases[i].headers, clock_wall_us(), &who) !=
            cases[i].opens)
            fail_msg("case %zu", i);
        if (cases[i].opens)
            assert_span(who.app->name, SPAN_LIT("shop"));
        if (!hasher) { /* once more, with one */
            hasher = access_hasher_new(a);
            i--;
        } else {
            access_hasher_free(hasher);
            hasher = NULL;
        }
    }
    access_unref(a);
    config_unref(c);
    buf_deinit(&key);
    buf_deinit(&other);
    buf_deinit(&id);
    remove_state();
}

static void test_expiry(void **state)
{
    struct config *c = load_config(KEYS);
    struct buf key = BUF_INIT(64), id = BUF_INIT(64);
    uint64_t now = clock_wall_us(), end = now + 3600000000u;
    assert_int_equal(
        access_key_create(SPAN_LIT("state"), SPAN_LIT("shop"), SPAN_LIT(""), end, NULL, &key, &id),
        0);
    struct access *a = load(c, "");
    struct access_credentials all = {.x_api_key = buf_span(&key)};
    struct access_identity who;
    /* To the millisecond, that of the file. */
    assert_true(access_identify(a, hasher, c, &all, end / 1000 * 1000 - 1, &who));
    assert_false(access_identify(a, hasher, c, &all, end / 1000 * 1000, &who));
    assert_int_equal(access_key_count(a), 1);
    struct listed l = {0};
    assert_int_equal(access_key_list(SPAN_LIT("state"), note, &l), 0);
    assert_int_equal(l.expired, 0);
    assert_int_equal(strlen(l.expires), 24);
    access_unref(a);
    remove_state();

    key.len = id.len = 0;
    assert_int_equal(
        access_key_create(SPAN_LIT("state"), SPAN_LIT("shop"), SPAN_LIT(""), now, NULL, &key, &id),
        0);
    a = load(c, "keys.json: warning: no key is in force, every request will be refused; see "
                "`juyong key create`\n");
    assert_int_equal(access_key_count(a), 0);
    l = (struct listed){0};
    assert_int_equal(access_key_list(SPAN_LIT("state"), note, &l), 0);
    assert_int_equal(l.expired, 1);
    access_unref(a);
    config_unref(c);
    buf_deinit(&key);
    buf_deinit(&id);
    remove_state();
}

static void test_rotation(void **state)
{
    struct config *c = load_config(KEYS);
    struct buf old = BUF_INIT(64), new = BUF_INIT(64), id = BUF_INIT(64), new_id = BUF_INIT(64);
    uint64_t now = clock_wall_us(), until = (now / 1000 + 60000) * 1000;
    assert_int_equal(create(SPAN_LIT("shop"), SPAN_LIT("counter"), &old, &id), 0);
    assert_int_equal(access_key_rotate(SPAN_LIT("state"), SPAN_LIT("key-none"), until,
                                       ACCESS_AS_BEFORE, NULL, &new, &new_id),
                     -ENOENT);
    assert_int_equal(access_key_rotate(SPAN_LIT("state"), buf_span(&id), until, ACCESS_AS_BEFORE,
                                       NULL, &new, &new_id),
                     0);
    struct access *a = load(c, "");
    struct access_credentials with_old = {.api_key = buf_span(&old)},
                              with_new = {.api_key = buf_span(&new)};
    struct access_identity who;
    /* Both open up to the end of the overlap, and are one for the limits. */
    assert_true(access_identify(a, hasher, c, &with_old, until - 1, &who));
    assert_span(who.key_line, buf_span(&id));
    assert_true(access_identify(a, hasher, c, &with_new, until - 1, &who));
    assert_span(who.key_id, buf_span(&new_id));
    assert_span(who.key_line, buf_span(&id));
    assert_false(access_identify(a, hasher, c, &with_old, until, &who));
    assert_true(access_identify(a, hasher, c, &with_new, UINT64_MAX - 1, &who));
    access_unref(a);
    struct listed l = {0};
    access_key_list(SPAN_LIT("state"), note, &l);
    assert_int_equal(l.count, 2);
    assert_string_equal(l.alias, "counter");
    assert_string_equal(l.expires, "");

    /* A key that would end before the overlap does ends when it would have. */
    old.len = id.len = new.len = new_id.len = 0;
    assert_int_equal(access_key_create(SPAN_LIT("state"), SPAN_LIT("shop"), SPAN_LIT(""),
                                       now + 30000000, NULL, &old, &id),
                     0);
    assert_int_equal(access_key_rotate(SPAN_LIT("state"), buf_span(&id), until, ACCESS_NEVER, NULL,
                                       &new, &new_id),
                     0);
    a = load(c, "");
    with_old.api_key = buf_span(&old);
    assert_false(access_identify(a, hasher, c, &with_old, now + 30000000, &who));
    access_unref(a);

    /* At once; and what is over can't be rotated. */
    old.len = id.len = 0;
    assert_int_equal(access_key_rotate(SPAN_LIT("state"), buf_span(&new_id), now, ACCESS_AS_BEFORE,
                                       NULL, &old, &id),
                     0);
    assert_int_equal(access_key_rotate(SPAN_LIT("state"), buf_span(&new_id), until,
                                       ACCESS_AS_BEFORE, NULL, &old, &id),
                     -ESTALE);
    config_unref(c);
    buf_deinit(&old);
    buf_deinit(&new);
    buf_deinit(&id);
    buf_deinit(&new_id);
    remove_state();
}

/* As the first version wrote it: neither line nor expires. */
static void test_older_file(void **state)
{
    struct config *c = load_config(KEYS);
    mkdir("state", 0700);
    write_file("state/keys.json",
               "{\"version\":1,\"salt\":\"00112233445566778899aabbccddeeff\",\"keys\":[\n"
               "{\"id\":\"key-00000001\",\"app\":\"shop\",\"alias\":\"\",\"last4\":\"abcd\","
               "\"created\":\"2026-01-01T00:00:00.000Z\",\"revoked\":\"\",\"sha256\":"
               "\"0000000000000000000000000000000000000000000000000000000000000000\"}\n]}\n");
    struct access *a = load(c, "");
    assert_int_equal(access_key_count(a), 1);
    access_unref(a);
    struct buf key = BUF_INIT(64), id = BUF_INIT(64);
    assert_int_equal(create(SPAN_LIT("shop"), SPAN_LIT(""), &key, &id), 0); /* written anew */
    struct listed l = {0};
    access_key_list(SPAN_LIT("state"), note, &l);
    assert_int_equal(l.count, 2);
    buf_deinit(&key);
    buf_deinit(&id);
    config_unref(c);
    remove_state();
}

static void test_stamp(void **state)
{
    struct config *c = load_config(KEYS);
    struct buf key = BUF_INIT(64), id = BUF_INIT(64);
    assert_false(access_stamp(SPAN_LIT("state")).exists);
    assert_int_equal(create(SPAN_LIT("shop"), SPAN_LIT(""), &key, &id), 0);
    struct access *a = load(c, "");
    struct access_stamp read = access_stamp_of(a), now = access_stamp(SPAN_LIT("state"));
    assert_true(access_stamp_eq(&read, &now));
    assert_int_equal(access_key_revoke(SPAN_LIT("state"), buf_span(&id), NULL), 0);
    now = access_stamp(SPAN_LIT("state"));
    assert_false(access_stamp_eq(&read, &now));
    access_unref(a);
    config_unref(c);
    buf_deinit(&key);
    buf_deinit(&id);
    remove_state();
}

static void test_addresses(void **state)
{
    struct config *c =
        load_config("trusted_proxies: ['192.0.2.1', '2001:db8::1', 10.7.0.0/16, 192.0.2.9]\n"
                    "apps: [{ name: default, addresses: [10.0.0.0/8, 192.0.2.9, "
                    "'2001:db8:5::/48', '::ffff:198.51.100.7'] }]\n");
    const struct {
        const char *peer, *client;
        bool admitted;
    } cases[] = {
        {"10.1.2.3", "", true},
        {"11.1.2.3", "", false},
        {"::ffff:10.1.2.3", "", true}, /* the same address */
        {"198.51.100.7", "", true},
        {"2001:db8:5:ffff::9", "", true},
        {"2001:db8:6::9", "", false},
        {"192.0.2.1", "", false}, /* a proxy isn't its clients */
        {"192.0.2.1", "10.9.9.9", true},
        {"192.0.2.1", "2001:db8:5::1", true},
        {"192.0.2.1", "11.9.9.9", false},
        {"192.0.2.1", "10.9.9.9, 1.2.3.4", false},
        {"2001:db8::1", "10.9.9.9", true},
        {"10.7.0.1", "", false}, /* a proxy in a network of clients isn't one of them */
        {"10.7.0.1", "11.9.9.9", false},
        {"10.7.0.1", "nonsense", false},
        {"10.7.0.1", "10.9.9.9", true},
        {"10.7.0.1", "10.7.0.1", true}, /* so it says */
        {"192.0.2.9", "", true},        /* named itself: the app's back end */
        {"192.0.2.9", "11.9.9.9", true},
        {"192.0.2.2", "10.9.9.9", false}, /* nobody trusts this one */
        {"", "10.9.9.9", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (access_admits(c, &c->apps[0], span_str(cases[i].peer), span_str(cases[i].client)) !=
            cases[i].admitted)
            fail_msg("%s for %s", cases[i].peer, cases[i].client);
    config_unref(c);
    c = load_config("");
    assert_true(access_admits(c, &c->apps[0], SPAN_LIT("203.0.113.9"), SPAN_NULL));
    config_unref(c);
}

static void test_bad_names(void **state)
{
    struct buf key = BUF_INIT(256), id = BUF_INIT(64);
    assert_int_equal(create(SPAN_LIT(""), SPAN_LIT(""), &key, &id), -EINVAL);
    assert_int_equal(create(SPAN_LIT("a\nb"), SPAN_LIT(""), &key, &id), -EINVAL);
    assert_int_equal(access_key_create(SPAN_LIT("no/where"), SPAN_LIT("a"), SPAN_LIT(""),
                                       ACCESS_NEVER, NULL, &key, &id),
                     -ENOENT);
    assert_int_equal(key.len, 0);
    buf_deinit(&key);
    buf_deinit(&id);
}

static void test_passthrough(void **state)
{
    struct config *c = load_config("");
    struct access *a = load(c, "");
    struct access_identity who;
    assert_true(identify(a, c, SPAN_LIT("Bearer anything"), SPAN_NULL, &who));
    assert_ptr_equal(who.app, &c->apps[0]);
    assert_int_equal(who.key_id.len, 0);
    access_unref(a);
    config_unref(c);
    remove_state();
}

static void test_end_users(void **state)
{
    struct config *c = load_config("");
    struct access *a = load(c, "");
    char one[65], again[65], other[65];
    access_hash_end_user(a, hasher, SPAN_LIT("user-1"), one);
    access_hash_end_user(a, hasher, SPAN_LIT("user-2"), other);
    assert_int_equal(strlen(one), 64);
    assert_string_not_equal(one, other);
    access_unref(a);
    struct stat st;
    assert_int_equal(stat("state/enduser.key", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    a = load(c, ""); /* the key stays */
    access_hash_end_user(a, hasher, SPAN_LIT("user-1"), again);
    assert_string_equal(one, again);
    hasher = access_hasher_new(a);
    for (int i = 0; i < 3; i++) {
        access_hash_end_user(a, hasher, SPAN_LIT("user-1"), again);
        assert_string_equal(one, again);
        access_hash_end_user(a, hasher, SPAN_LIT("user-2"), again);
        assert_string_equal(other, again);
    }
    access_hasher_free(hasher);
    hasher = NULL;
    access_unref(a);

    /* RFC 4231, test case 2, under a key padded with zeros: HMAC pads the same way. */
    write_file("state/enduser.key",
               "4a65666500000000000000000000000000000000000000000000000000000000\n");
    a = load(c, "");
    access_hash_end_user(a, hasher, SPAN_LIT("what do ya want for nothing?"), one);
    assert_string_equal(one, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    access_unref(a);

    write_file("state/enduser.key", "short\n");
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(access_load(c, &messages, &a), -EINVAL);
    assert_span(buf_span(&messages),
                SPAN_LIT("state/enduser.key: must hold 64 hex digits and nothing else\n"));
    buf_deinit(&messages);
    config_unref(c);
    remove_state();
}

static void test_damaged_keys(void **state)
{
    static const struct {
        const char *content, *message;
    } cases[] = {
        {"{", "state/keys.json:"},
        {"{}", "state/keys.json:1:1: no file of keys: salt or keys are missing or damaged\n"},
        {"{\"salt\":\"00112233445566778899aabbccddeeff\",\"keys\":[\n{\"id\":\"x\"}]}",
         "state/keys.json:2:1: a damaged key\n"},
        {"{\"salt\":\"00112233445566778899aabbccddeeff\",\"keys\":[\n"
         "{\"id\":\"x\",\"app\":\"a\",\"alias\":\"\",\"last4\":\"abcd\",\"created\":\"\","
         "\"expires\":\"2026-02-30T00:00:00.000Z\",\"revoked\":\"\",\"sha256\":"
         "\"0000000000000000000000000000000000000000000000000000000000000000\"}]}",
         "state/keys.json:2:1: a damaged key\n"},
    };
    struct config *c = load_config(KEYS);
    mkdir("state", 0700);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        write_file("state/keys.json", cases[i].content);
        struct buf messages = BUF_INIT(4096);
        struct access *a = NULL;
        assert_int_equal(access_load(c, &messages, &a), -EINVAL);
        assert_true(span_starts(buf_span(&messages), span_str(cases[i].message)));
        struct buf key = BUF_INIT(64), id = BUF_INIT(64);
        assert_int_equal(create(SPAN_LIT("a"), SPAN_LIT(""), &key, &id),
                         -EINVAL); /* never overwritten */
        buf_deinit(&key);
        buf_deinit(&id);
        buf_deinit(&messages);
    }
    config_unref(c);
    remove_state();
}

static void test_trust(void **state)
{
    struct config *c = load_config("trusted_proxies: [127.0.0.1, 10.0.0.0/8, 'fd00::/8']\n");
    assert_true(access_trusts(c, SPAN_LIT("127.0.0.1")));
    assert_true(access_trusts(c, SPAN_LIT("::ffff:10.1.1.1")));
    assert_true(access_trusts(c, SPAN_LIT("fdab::1")));
    assert_false(access_trusts(c, SPAN_LIT("127.0.0.2")));
    assert_false(access_trusts(c, SPAN_LIT("fe00::1")));
    assert_false(access_trusts(c, SPAN_LIT("")));
    assert_false(access_trusts(c, SPAN_LIT("10.1.1.1, 1.2.3.4")));
    config_unref(c);
}

/* Two processes that start at once draw the same secret: the first one's. */
static void test_first_secret_stays(void **state)
{
    char text[16] = "";
    assert_int_equal(keyfile_create(SPAN_LIT("first"), "k", SPAN_LIT("one\n")), 0);
    assert_int_equal(keyfile_create(SPAN_LIT("first"), "k", SPAN_LIT("two\n")), -EEXIST);
    FILE *f = fopen("first/k", "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    assert_string_equal(text, "one\n");
    assert_int_equal(unlink("first/k"), 0);
    assert_int_equal(rmdir("first"), 0); /* nothing else is left */
}

/* A witness who counts what he is told, and may refuse. */
struct witness {
    unsigned told;
    int result;
    char key[64], old[64];
};

static int witness(void *ctx, const struct access_key *key, const struct access_key *old)
{
    struct witness *w = ctx;
    w->told++;
    snprintf(w->key, sizeof(w->key), "%.*s", SPAN_ARG(key->id));
    snprintf(w->old, sizeof(w->old), "%.*s", old ? (int)old->id.len : 0, old ? old->id.data : "");
    return w->result;
}

static void test_witness(void **state)
{
    struct witness w = {0};
    struct access_witness told = {witness, &w};
    struct buf key = BUF_INIT(256), id = BUF_INIT(64), new = BUF_INIT(64);
    unlink("state/keys.json");
    assert_int_equal(access_key_create(SPAN_LIT("state"), SPAN_LIT("shop"), SPAN_LIT(""),
                                       ACCESS_NEVER, &told, &key, &id),
                     0);
    assert_string_equal(w.key, buf_cstr(&id));
    assert_string_equal(w.old, "");
    assert_int_equal(access_key_rotate(SPAN_LIT("state"), buf_span(&id), ACCESS_NEVER,
                                       ACCESS_AS_BEFORE, &told, &key, &new),
                     0);
    assert_string_equal(w.key, buf_cstr(&new));
    assert_string_equal(w.old, buf_cstr(&id));

    /* What can't be witnessed is not done. */
    struct access_stamp before = access_stamp(SPAN_LIT("state")), after;
    w.result = -EIO;
    assert_int_equal(access_key_create(SPAN_LIT("state"), SPAN_LIT("shop"), SPAN_LIT(""),
                                       ACCESS_NEVER, &told, &key, &id),
                     -EIO);
    assert_int_equal(access_key_revoke(SPAN_LIT("state"), buf_span(&new), &told), -EIO);
    assert_int_equal(access_key_rotate(SPAN_LIT("state"), buf_span(&new), ACCESS_NEVER,
                                       ACCESS_AS_BEFORE, &told, &key, &id),
                     -EIO);
    after = access_stamp(SPAN_LIT("state"));
    assert_true(access_stamp_eq(&before, &after));

    /* Nor is he told of what is not done. */
    w.result = 0;
    assert_int_equal(access_key_revoke(SPAN_LIT("state"), buf_span(&new), &told), 0);
    assert_int_equal(w.told, 6);
    assert_int_equal(access_key_revoke(SPAN_LIT("state"), buf_span(&new), &told), 0);
    assert_int_equal(access_key_revoke(SPAN_LIT("state"), SPAN_LIT("key-none"), &told), -ENOENT);
    assert_int_equal(w.told, 6);
    unlink("state/keys.json");
    buf_deinit(&key);
    buf_deinit(&id);
    buf_deinit(&new);
}

static void test_last_use(void **state)
{
    struct config *c = load_config(KEYS);
    struct buf key = BUF_INIT(64), id = BUF_INIT(64), other = BUF_INIT(64), other_id = BUF_INIT(64);
    struct access_identity who;
    unlink("state/keys.json");
    assert_int_equal(create(SPAN_LIT("shop"), SPAN_LIT(""), &key, &id), 0);
    struct access *a = load(c, "");
    assert_int_equal(access_key_used(a, buf_span(&id)), 0);
    assert_int_equal(access_key_used(a, SPAN_LIT("key-none")), 0);
    assert_true(identify(a, c, SPAN_NULL, buf_span(&key), &who));
    uint64_t used = access_key_used(a, buf_span(&id));
    assert_true(used > 0 && used <= clock_wall_us());
    /* The next snapshot knows it, too, and nothing of a key that came. */
    assert_int_equal(create(SPAN_LIT("shop"), SPAN_LIT(""), &other, &other_id), 0);
    struct access *b = load(c, "");
    access_carry(b, a);
    access_carry(b, b);
    assert_int_equal(access_key_used(b, buf_span(&id)), used);
    assert_int_equal(access_key_used(b, buf_span(&other_id)), 0);
    access_unref(a);
    access_unref(b);
    config_unref(c);
    unlink("state/keys.json");
    buf_deinit(&key);
    buf_deinit(&id);
    buf_deinit(&other);
    buf_deinit(&other_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life_of_a_key), cmocka_unit_test(test_many_keys),
        cmocka_unit_test(test_bad_names),     cmocka_unit_test(test_passthrough),
        cmocka_unit_test(test_end_users),     cmocka_unit_test(test_damaged_keys),
        cmocka_unit_test(test_trust),         cmocka_unit_test(test_headers),
        cmocka_unit_test(test_expiry),        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_older_file),    cmocka_unit_test(test_stamp),
        cmocka_unit_test(test_addresses),     cmocka_unit_test(test_first_secret_stays),
        cmocka_unit_test(test_witness),       cmocka_unit_test(test_last_use),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
