#include "../unit.h"

#include "dialect/splice.h"

#include <errno.h>

static struct text_item item_of(struct span body, size_t from, size_t to, struct span text)
{
    return (struct text_item){.text = text, .raw = span_slice(body, from, to), .maskable = true};
}

static void changes_are_applied_in_order(void **state)
{
    static const struct span body = SPAN_LIT("0123456789");
    struct splice list[] = {{8, 8, SPAN_LIT("+")}, {2, 4, SPAN_LIT("xyz")}, {4, 5, SPAN_NULL}};
    struct buf out = BUF_INIT(64);
    assert_int_equal(splice_apply(body, list, 3, &out), -EINVAL);
    splice_sort(list, 3);
    assert_int_equal(splice_apply(body, list, 3, &out), 0);
    assert_span(buf_span(&out), SPAN_LIT("01xyz567+89"));
    buf_clear(&out);
    assert_int_equal(splice_apply(body, NULL, 0, &out), 0);
    assert_span(buf_span(&out), body);
    static const struct splice wrong[][2] = {
        {{3, 5, SPAN_NULL}, {4, 6, SPAN_NULL}},
        {{3, 2, SPAN_NULL}, {4, 6, SPAN_NULL}},
        {{3, 4, SPAN_NULL}, {4, 11, SPAN_NULL}},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(splice_apply(body, wrong[i], 2, &out), -EINVAL);
    assert_span(buf_span(&out), body);
    struct buf small = BUF_INIT(9);
    assert_int_equal(splice_apply(body, NULL, 0, &small), -EMSGSIZE);
    assert_int_equal(splice_apply(body, &(struct splice){0, 5, SPAN_NULL}, 1, &small), 0);
    assert_span(buf_span(&small), SPAN_LIT("56789"));
    buf_deinit(&small);
    buf_deinit(&out);
}

static void changes_within_others_are_dropped(void **state)
{
    struct splice list[] = {{7, 8, SPAN_LIT("z")},
                            {2, 6, SPAN_LIT("null")},
                            {3, 4, SPAN_LIT("*")},
                            {5, 6, SPAN_LIT("*")},
                            {6, 6, SPAN_LIT("+")}};
    splice_sort(list, 5);
    size_t count = splice_outermost(list, 5);
    struct buf out = BUF_INIT(64);
    assert_int_equal(splice_apply(SPAN_LIT("0123456789"), list, count, &out), 0);
    assert_span(buf_span(&out), SPAN_LIT("01null+6z89"));
    assert_int_equal(splice_outermost(list, 0), 0);
    buf_deinit(&out);
}

static void masks_and_cuts_know_escapes(void **state)
{
    static const struct span body = SPAN_LIT("{\"c\":\"ab\\u6bd2\\ud83d\\ude00\\n品z\"}");
    static const struct span text = SPAN_LIT("ab毒😀\n品z");
    struct text_item item = item_of(body, 6, body.len - 2, text);
    static const struct {
        size_t from, to;
        const char *want;
    } masks[] = {
        {2, 5, "{\"c\":\"ab*\\ud83d\\ude00\\n品z\"}"},
        {5, 10, "{\"c\":\"ab\\u6bd2**品z\"}"},
        {0, 14, "{\"c\":\"*******\"}"},
        {10, 13, "{\"c\":\"ab\\u6bd2\\ud83d\\ude00\\n*z\"}"},
        {3, 3, "{\"c\":\"ab\\u6bd2\\ud83d\\ude00\\n品z\"}"},
    };
    struct buf out = BUF_INIT(256);
    for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
        struct splice list[4];
        size_t count = 0;
        assert_int_equal(splice_mask(body, &item, masks[i].from, masks[i].to, list, 4, &count), 0);
        buf_clear(&out);
        assert_int_equal(splice_apply(body, list, count, &out), 0);
        assert_span(buf_span(&out), span_str(masks[i].want));
    }
    static const struct {
        size_t at;
        const char *want;
    } cuts[] = {
        {0, "{\"c\":\"\"}"},
        {2, "{\"c\":\"ab\"}"},
        {5, "{\"c\":\"ab\\u6bd2\"}"},
        {7, "{\"c\":\"ab\\u6bd2\"}"}, /* within the pair: before it */
        {13, "{\"c\":\"ab\\u6bd2\\ud83d\\ude00\\n品\"}"},
        {14, "{\"c\":\"ab\\u6bd2\\ud83d\\ude00\\n品z\"}"},
    };
    for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
        struct splice list[1];
        size_t count = 0;
        assert_int_equal(splice_cut(body, &item, cuts[i].at, list, 1, &count), 0);
        buf_clear(&out);
        assert_int_equal(splice_apply(body, list, count, &out), 0);
        assert_span(buf_span(&out), span_str(cuts[i].want));
    }
    struct splice one[1];
    size_t count = 0;
    assert_int_equal(splice_mask(body, &item, 5, 4, one, 1, &count), -EINVAL);
    assert_int_equal(splice_mask(body, &item, 0, 15, one, 1, &count), -EINVAL);
    assert_int_equal(splice_cut(body, &item, 15, one, 1, &count), -EINVAL);
    item.maskable = false;
    assert_int_equal(splice_mask(body, &item, 0, 1, one, 1, &count), -EINVAL);
    item = item_of(SPAN_LIT("elsewhere"), 0, 9, SPAN_LIT("elsewhere"));
    assert_int_equal(splice_cut(body, &item, 1, one, 1, &count), -EINVAL);
    assert_int_equal(count, 0);
    buf_deinit(&out);
}

static void long_masks_take_several_splices(void **state)
{
    struct buf text = BUF_INIT(4096), out = BUF_INIT(4096);
    for (int i = 0; i < 700; i++)
        assert_int_equal(buf_append(&text, SPAN_LIT("毒")), 0);
    struct text_item item = item_of(buf_span(&text), 0, text.len, buf_span(&text));
    struct splice list[3];
    size_t count = 0;
    assert_int_equal(splice_mask(buf_span(&text), &item, 0, text.len, list, 2, &count), -ENOSPC);
    assert_int_equal(count, 0);
    assert_int_equal(splice_mask(buf_span(&text), &item, 0, text.len, list, 3, &count), 0);
    assert_int_equal(splice_apply(buf_span(&text), list, count, &out), 0);
    assert_int_equal(out.len, 700);
    for (size_t i = 0; i < out.len; i++)
        assert_int_equal(out.data[i], '*');
    buf_deinit(&text);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_applied_in_order),
        cmocka_unit_test(changes_within_others_are_dropped),
        cmocka_unit_test(masks_and_cuts_know_escapes),
        cmocka_unit_test(long_masks_take_several_splices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
