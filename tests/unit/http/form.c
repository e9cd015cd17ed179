/* Bodies of forms: what a browser sends comes out, anything else is an error. */
#include "../unit.h"

#include "http/form.h"

#include <errno.h>
#include <string.h>

static struct form_field fields[4];
static size_t count;

static int read_form(const char *body)
{
    static char room[256];
    count = 0;
    memset(room, 'X', sizeof(room));
    int r = form_read(span_str(body), room, fields, 4, &count);
    assert_int_equal(room[strlen(body)], 'X'); /* never more than the body is long */
    return r;
}

static void fields_are_decoded(void **state)
{
    assert_int_equal(read_form("kind=a&text=%E5%B1%85%e5%ba%b8+x%2B&empty=&bare"), 0);
    assert_int_equal(count, 4);
    assert_span(form_get(fields, count, "kind"), SPAN_LIT("a"));
    assert_span(form_get(fields, count, "text"), SPAN_LIT("居庸 x+"));
    assert_span(form_get(fields, count, "empty"), SPAN_LIT(""));
    assert_span(fields[3].name, SPAN_LIT("bare"));
    assert_null(form_get(fields, count, "other").data);
    assert_int_equal(read_form(""), 0);
    assert_int_equal(count, 0);
    assert_int_equal(read_form("&&a=b=c&"), 0);
    assert_int_equal(count, 1);
    assert_span(form_get(fields, count, "a"), SPAN_LIT("b=c"));
    assert_int_equal(read_form("%6B=1"), 0);
    assert_span(form_get(fields, count, "k"), SPAN_LIT("1"));
}

static void what_is_none_is_refused(void **state)
{
    assert_int_equal(read_form("a=%"), -EILSEQ);
    assert_int_equal(read_form("a=%4"), -EILSEQ);
    assert_int_equal(read_form("a=%4g"), -EILSEQ);
    assert_int_equal(read_form("a=%00"), -EILSEQ);
    assert_int_equal(read_form("a=%ff"), -EILSEQ);
    assert_int_equal(read_form("%e5%b1=x"), -EILSEQ);
    assert_int_equal(read_form("a=1&%61=2"), -EEXIST); /* the same name, spelled otherwise */
    assert_int_equal(read_form("a&b&c&d&e"), -E2BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_decoded),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
