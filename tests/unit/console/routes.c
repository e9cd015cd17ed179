/* Paths, queries and cookies as they come. */
#include "../unit.h"

#include "console/areas.h"
#include "console/routes.h"

#include <errno.h>
#include <stdio.h>

static struct arena arena;

static int set_up(void **state)
{
    arena_init(&arena, 65536);
    return 0;
}

static int tear_down(void **state)
{
    arena_deinit(&arena);
    return 0;
}

static void a_path_finds_its_route(void **state)
{
    const struct api_route *r = NULL;
    struct span parts[API_PARTS_MAX];
    assert_int_equal(route_find(SPAN_LIT("GET"), SPAN_LIT("/api/session"), &arena, &r, parts),
                     ROUTE_FOUND);
    assert_string_equal(r->path, "/api/session");
    assert_int_equal(route_find(SPAN_LIT("POST"), SPAN_LIT("/api/accounts/%E5%BC%A0%e4%b8%89"),
                                &arena, &r, parts),
                     ROUTE_FOUND);
    assert_string_equal(r->path, "/api/accounts/{name}");
    assert_span(parts[0], SPAN_LIT("张三"));
}

static void other_paths_find_none(void **state)
{
    static const struct {
        const char *method, *path;
        enum route_verdict verdict;
    } cases[] = {
        {"GET", "", ROUTE_UNKNOWN},
        {"GET", "/", ROUTE_UNKNOWN},
        {"GET", "api/session", ROUTE_UNKNOWN},
        {"GET", "/api/session/", ROUTE_UNKNOWN},
        {"GET", "/api//session", ROUTE_UNKNOWN},
        {"GET", "/API/session", ROUTE_UNKNOWN},
        {"GET", "/api/%73ession", ROUTE_UNKNOWN}, /* one way to write each */
        {"GET", "/api/session/x", ROUTE_UNKNOWN},
        {"get", "/api/session", ROUTE_NOT_SO},
        {"PUT", "/api/accounts/a", ROUTE_NOT_SO},
        {"POST", "/api/accounts/", ROUTE_UNKNOWN},
        {"POST", "/api/accounts/a/b", ROUTE_UNKNOWN},
        {"POST", "/api/accounts/..", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/%2E%2e", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/.", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/a%2Fb", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/a%5cb", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/a%00", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/%0a", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/%7f", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/%", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/%4", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/%zz", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/%ff", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/%c0%af", ROUTE_UNREADABLE},
        {"POST", "/api/accounts/%ed%a0%80", ROUTE_UNREADABLE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct api_route *r = NULL;
        struct span parts[API_PARTS_MAX];
        enum route_verdict got =
            route_find(span_str(cases[i].method), span_str(cases[i].path), &arena, &r, parts);
        if (got != cases[i].verdict)
            fail_msg("%s %s gave %d", cases[i].method, cases[i].path, got);
    }
}

static void a_query_is_cut(void **state)
{
    struct api_request q = {0};
    struct api_answer a = {.body = BUF_INIT(4096)};
    uint64_t limit = 50;
    assert_int_equal(route_query(SPAN_LIT("text=%E7%82%B8+%26%2b&limit=20&all&empty=&&x=a=b"),
                                 &arena, q.query, &q.query_count),
                     0);
    assert_int_equal(q.query_count, 5);
    assert_span(api_query(&q, "text"), SPAN_LIT("炸 &+"));
    assert_span(api_query(&q, "x"), SPAN_LIT("a=b"));
    assert_true(api_has(&q, "all") && api_has(&q, "empty") && !api_has(&q, "limi"));
    assert_true(api_query_u64(&q, "limit", 1, 500, &limit, &a));
    assert_int_equal(limit, 20);
    assert_true(api_query_u64(&q, "absent", 1, 500, &limit, &a));
    assert_int_equal(limit, 20);
    assert_false(api_query_u64(&q, "limit", 1, 19, &limit, &a));
    assert_int_equal(a.status, 400);
    assert_span(buf_span(&a.body),
                SPAN_LIT("{\"error\":{\"code\":\"bad_parameter\",\"message\":\"'limit' is a number "
                         "from 1 to 19\"}}"));
    assert_false(api_query_u64(&q, "text", 0, UINT64_MAX, &limit, &a));
    buf_deinit(&a.body);
    assert_int_equal(route_query(SPAN_LIT(""), &arena, q.query, &q.query_count), 0);
    assert_int_equal(q.query_count, 0);
}

static void a_doubtful_query_is_refused(void **state)
{
    static const char *const bad[] = {"a=%",   "a=%0",  "a=%gg",   "%ff=a",
                                      "a=%00", "a=%1b", "a=1&a=2", "a=1&%61=2"};
    struct api_param list[API_QUERY_MAX];
    char many[512] = "";
    size_t count;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (route_query(span_str(bad[i]), &arena, list, &count) != -EINVAL)
            fail_msg("%s", bad[i]);
    for (int i = 0; i <= API_QUERY_MAX; i++)
        snprintf(many + strlen(many), sizeof(many) - strlen(many), "p%d=1&", i);
    assert_int_equal(route_query(span_str(many), &arena, list, &count), -E2BIG);
}

static void a_cookie_is_found_once(void **state)
{
    struct span name = SPAN_LIT("juyong");
    assert_span(route_cookie(SPAN_LIT("a=b; juyong=1f; c"), name), SPAN_LIT("1f"));
    assert_span(route_cookie(SPAN_LIT("juyong=1f"), name), SPAN_LIT("1f"));
    assert_span(route_cookie(SPAN_LIT("xjuyong=1f; juyongx=2; Juyong=3"), name), SPAN_LIT(""));
    assert_span(route_cookie(SPAN_LIT("juyong=1; juyong=2"), name), SPAN_LIT(""));
    assert_span(route_cookie(SPAN_LIT("juyong"), name), SPAN_LIT(""));
    assert_span(route_cookie(SPAN_LIT(""), name), SPAN_LIT(""));
    assert_span(route_cookie(SPAN_NULL, name), SPAN_LIT(""));
}

/* What the README's table says, one line a role. */
static void roles_are_as_agreed(void **state)
{
    static const struct {
        const char *role;
        unsigned may;
    } table[] = {
        {"viewer", MAY_SEE},
        {"reviewer", MAY_SEE | MAY_READ | MAY_REVEAL | MAY_REVIEW | MAY_USERS},
        {"publisher", MAY_SEE | MAY_READ | MAY_PUBLISH},
        {"administrator", MAY_SEE | MAY_USERS | MAY_APPS | MAY_ACCOUNTS},
        {"inspector", MAY_SEE | MAY_READ | MAY_REVEAL | MAY_EXPORT | MAY_ACTS},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        enum staff role = staff_from(span_str(table[i].role));
        assert_int_not_equal(role, STAFF_NONE);
        assert_span(staff_name(role), span_str(table[i].role));
        assert_int_equal(staff_may(role), table[i].may | MAY_COME);
        /* Nobody both edits roles and audits. */
        assert_false(staff_may(role) & MAY_ACCOUNTS && staff_may(role) & (MAY_ACTS | MAY_EXPORT));
    }
    assert_int_equal(staff_from(SPAN_LIT("root")), STAFF_NONE);
    assert_int_equal(staff_from(SPAN_LIT("")), STAFF_NONE);
    assert_int_equal(staff_may(STAFF_NONE), 0);
    assert_span(permission_name(0), SPAN_LIT("see"));
    assert_span(permission_name(9), SPAN_LIT("acts"));
    assert_span(permission_name(PERMISSIONS), SPAN_LIT(""));
}

/* Every area's rows: a path of its own, a function, and a change only with a role. */
static void tables_are_sound(void **state)
{
    for (const struct api_route *const *area = areas; *area; area++)
        for (const struct api_route *r = *area; r->method; r++) {
            bool post = strcmp(r->method, "POST") == 0;
            assert_true(post || strcmp(r->method, "GET") == 0);
            assert_non_null(r->fn);
            if (r->may == 0 && strcmp(r->path, "/api/session") != 0 &&
                strcmp(r->path, "/api/login") != 0)
                fail_msg("%s %s is open to anybody", r->method, r->path);
            for (const struct api_route *const *other = areas; *other; other++)
                for (const struct api_route *o = *other; o->method; o++)
                    if (o != r && !strcmp(o->method, r->method) && !strcmp(o->path, r->path))
                        fail_msg("%s %s is there twice", r->method, r->path);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_finds_its_route), cmocka_unit_test(other_paths_find_none),
        cmocka_unit_test(a_query_is_cut),         cmocka_unit_test(a_doubtful_query_is_refused),
        cmocka_unit_test(a_cookie_is_found_once), cmocka_unit_test(roles_are_as_agreed),
        cmocka_unit_test(tables_are_sound),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
