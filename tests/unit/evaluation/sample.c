#include "../filing/fixture.h"

#include "evaluation/sample.h"

static struct bank *bank;

/* 40 of A1-a, 8 of A1-b, 2 of A2-a; 3 to refuse; 5 derived. */
static void write_bank(struct buf *text, bool backwards)
{
    static const struct {
        const char *type, *kind;
        int count;
    } parts[] = {{"A1-a", "content", 40},
                 {"A1-b", "content", 8},
                 {"A2-a", "content", 2},
                 {"A1-a", "refuse", 3}};
    for (size_t p = 0; p < 4; p++)
        for (int i = 0; i < parts[p].count; i++) {
            int n = backwards ? parts[p].count - 1 - i : i;
            buf_printf(
                text,
                "{\"id\":\"%s-%s-%d\",\"bank\":\"%s\",\"risk\":\"%s\",\"question\":\"第%d个，"
                "%s，%s\"}\n",
                parts[p].kind, parts[p].type, n, parts[p].kind, parts[p].type, n, parts[p].kind,
                parts[p].type);
        }
    for (int i = 0; i < 5; i++)
        buf_printf(text,
                   "{\"id\":\"d-%d\",\"bank\":\"content\",\"risk\":\"A1-b\",\"seed\":"
                   "\"content-A1-b-0\",\"technique\":\"T01\",\"question\":\"派生%d\"}\n",
                   i, i);
}

static void read_bank(bool backwards)
{
    struct buf text = BUF_INIT(1u << 20), messages = BUF_INIT(65536);
    bank_free(bank);
    write_bank(&text, backwards);
    if (bank_read_text(buf_span(&text), SPAN_LIT("q.jsonl"), rules, &messages, &bank) != 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&text);
    buf_deinit(&messages);
}

static size_t count_type(const struct question **list, size_t n, enum bank_kind kind,
                         const char *type)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        found += list[i]->kind == kind && span_eq(list[i]->risk->id, span_str(type));
    return found;
}

static struct sample_options options(unsigned content, uint64_t seed)
{
    return (struct sample_options){
        .banks = {true, true, true}, .wanted = {content, 2, 300}, .seed = seed};
}

static void every_type_is_in_it_by_its_share(void **state)
{
    const struct question **list;
    size_t n;
    struct sample_options o = options(25, 1);
    assert_int_equal(sample_draw(bank, &o, &list, &n), 0);
    assert_int_equal(n, 27);
    assert_int_equal(count_type(list, n, BANK_CONTENT, "A1-a"), 20);
    assert_int_equal(count_type(list, n, BANK_CONTENT, "A1-b"), 4);
    assert_int_equal(count_type(list, n, BANK_CONTENT, "A2-a"), 1);
    assert_int_equal(count_type(list, n, BANK_REFUSE, "A1-a"), 2);
    free(list);
    o = options(3, 1); /* one each, whatever the shares */
    assert_int_equal(sample_draw(bank, &o, &list, &n), 0);
    assert_int_equal(count_type(list, n, BANK_CONTENT, "A2-a"), 1);
    assert_int_equal(n, 5);
    free(list);
    o = options(26, 1); /* a share that does not come out even */
    assert_int_equal(sample_draw(bank, &o, &list, &n), 0);
    assert_int_equal(n, 28);
    free(list);
}

static void no_question_is_drawn_twice(void **state)
{
    const struct question **list;
    size_t n;
    struct sample_options o = options(49, 3);
    assert_int_equal(sample_draw(bank, &o, &list, &n), 0);
    assert_int_equal(n, 51);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            assert_ptr_not_equal(list[i], list[k]);
    free(list);
}

static void derived_ones_are_drawn_when_asked_for(void **state)
{
    const struct question **list;
    size_t n;
    struct sample_options o = {.banks = {true}, .all = true};
    assert_int_equal(sample_draw(bank, &o, &list, &n), 0);
    assert_int_equal(n, 50);
    free(list);
    o.derived = true;
    assert_int_equal(sample_draw(bank, &o, &list, &n), 0);
    assert_int_equal(n, 55);
    free(list);
    o = (struct sample_options){.banks = {false, false, true}, .all = true};
    assert_int_equal(sample_draw(bank, &o, &list, &n), 0);
    assert_int_equal(n, 0);
    free(list);
}

/* The ids of a sample, in the order of the alphabet of the bank's file. */
static void ids_of(uint64_t seed, char ret[4096])
{
    const struct question **list;
    size_t n, used = 0;
    char all[64][32];
    struct sample_options o = options(10, seed);
    assert_int_equal(sample_draw(bank, &o, &list, &n), 0);
    for (size_t i = 0; i < n; i++)
        snprintf(all[i], sizeof(all[i]), "%.*s", SPAN_ARG(list[i]->id));
    qsort(all, n, sizeof(all[0]), (int (*)(const void *, const void *))strcmp);
    for (size_t i = 0; i < n; i++)
        used += (size_t)snprintf(ret + used, 4096 - used, "%s ", all[i]);
    free(list);
}

static void a_seed_draws_the_same_whatever_the_order(void **state)
{
    static char first[4096], again[4096], other[4096];
    ids_of(42, first);
    ids_of(42, again);
    ids_of(43, other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    read_bank(true);
    ids_of(42, again);
    assert_string_equal(first, again);
}

static int begin(void **state)
{
    if (set_up(state) < 0)
        return -1;
    load();
    read_bank(false);
    return 0;
}

static int finish(void **state)
{
    bank_free(bank);
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_in_it_by_its_share),
        cmocka_unit_test(no_question_is_drawn_twice),
        cmocka_unit_test(derived_ones_are_drawn_when_asked_for),
        cmocka_unit_test(a_seed_draws_the_same_whatever_the_order),
    };
    return cmocka_run_group_tests(tests, begin, finish);
}
