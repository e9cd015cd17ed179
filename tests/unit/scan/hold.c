/* Frames leave in order, and only when every gate has passed them. */
#include "fixture.h"

static struct frame *push(struct hold *h, struct span payload, const struct piece *pieces,
                          size_t count, uint32_t gates, uint32_t choices)
{
    struct frame *f = NULL;
    assert_int_equal(hold_push(h, payload, pieces, count, &f), 0);
    f->gates = gates;
    f->choices = choices;
    return f;
}

static void frames_leave_in_order(void **state)
{
    struct hold h;
    char first[] = "first";
    hold_init(&h, 4096);
    assert_null(hold_first(&h));
    push(&h, span_str(first), NULL, 0, 0, 0);
    memset(first, 'x', sizeof(first) - 1); /* the event was copied in */
    push(&h, SPAN_NULL, NULL, 0, 0, 0);
    push(&h, SPAN_LIT("third"), NULL, 0, 0, 0);
    assert_span(hold_first(&h)->payload, SPAN_LIT("first"));
    hold_drop(&h);
    assert_span(hold_first(&h)->payload, SPAN_NULL);
    hold_drop(&h);
    assert_span(hold_first(&h)->payload, SPAN_LIT("third"));
    hold_drop(&h);
    assert_null(hold_first(&h));
    assert_int_equal(h.bytes, 0);
    push(&h, SPAN_LIT("left behind"), NULL, 0, 0, 0);
    hold_deinit(&h);
    assert_int_equal(h.bytes, 0);
}

static void gates_open_for_whom_they_concern(void **state)
{
    struct hold h;
    hold_init(&h, 4096);
    struct frame *a = push(&h, SPAN_LIT("a"), NULL, 0, HOLD_TOOL, 1),
                 *both = push(&h, SPAN_LIT("b"), NULL, 0, HOLD_TOOL, 3),
                 *last = push(&h, SPAN_LIT("c"), NULL, 0, HOLD_TOOL | HOLD_CLOSE, 2);
    hold_open(&h, HOLD_TOOL, 0);
    assert_int_equal(a->gates, HOLD_TOOL);
    hold_open(&h, HOLD_TOOL, 1);
    assert_int_equal(a->gates, 0);
    assert_int_equal(both->gates, HOLD_TOOL); /* carries a call of the other choice too */
    assert_int_equal(last->gates, HOLD_TOOL | HOLD_CLOSE);
    hold_open(&h, HOLD_TOOL, 3);
    assert_int_equal(both->gates, 0);
    assert_int_equal(last->gates, HOLD_CLOSE);
    hold_open(&h, HOLD_CLOSE, 0);
    assert_int_equal(last->gates, 0);
    hold_deinit(&h);
}

static void the_ceiling_counts_all_that_is_held(void **state)
{
    struct hold h;
    struct frame *f;
    struct piece pieces[8] = {{.end = 0}};
    char text[100] = "";
    size_t one = sizeof(struct frame) + sizeof(text);
    hold_init(&h, 3 * one);
    for (int i = 0; i < 3; i++)
        assert_int_equal(hold_push(&h, span_from(text, sizeof(text)), NULL, 0, &f), 0);
    assert_int_equal(h.bytes, 3 * one);
    assert_int_equal(hold_push(&h, SPAN_NULL, NULL, 0, &f), -EMSGSIZE);
    hold_drop(&h);
    assert_int_equal(hold_push(&h, span_from(text, sizeof(text)), pieces, 1, &f), -EMSGSIZE);
    size_t rest = one - sizeof(struct frame) - sizeof(*pieces);
    assert_int_equal(hold_push(&h, span_from(text, rest), pieces, 1, &f), 0);
    assert_int_equal(h.bytes, 3 * one);
    for (int i = 0; i < 3; i++)
        hold_drop(&h);
    assert_int_equal(h.bytes, 0);
    /* One that never fits. */
    hold_deinit(&h);
    hold_init(&h, 64);
    assert_int_equal(hold_push(&h, SPAN_NULL, pieces, 8, &f), -EMSGSIZE);
    assert_null(hold_first(&h));
}

static void a_frame_is_clear_when_its_texts_are(void **state)
{
    struct watcher w = {0};
    struct scanner *s = new_scanner(&w, false);
    struct piece pieces[3] = {{.channel = NULL, .end = 99}}; /* judged alone */
    assert_true(hold_clear(NULL, 0));
    assert_true(hold_clear(pieces, 1));
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("文"), &pieces[1]), 0);
    assert_int_equal(feed(s, FIELD_REASONING, 0, SPAN_LIT("文甲"), &pieces[2]), 0);
    assert_true(hold_clear(pieces, 2));
    assert_false(hold_clear(pieces, 3));
    assert_int_equal(feed(s, FIELD_REASONING, 0, SPAN_LIT("文"), NULL), 0);
    assert_true(hold_clear(pieces, 3));
    /* Where the text must end, nothing becomes clear again. */
    w.stop_at = 1;
    assert_int_equal(feed(s, FIELD_CONTENT, 0, SPAN_LIT("乙丙"), &pieces[1]), 1);
    assert_int_equal(scanner_finish(s, -1), 1);
    assert_false(hold_clear(pieces, 2));
    scanner_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_leave_in_order),
        cmocka_unit_test(gates_open_for_whom_they_concern),
        cmocka_unit_test(the_ceiling_counts_all_that_is_held),
        cmocka_unit_test(a_frame_is_clear_when_its_texts_are),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
