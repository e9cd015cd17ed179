/* The arena's ceiling, alignment and copies. */
#include "../unit.h"

#include "base/arena.h"

#include <stdalign.h>

static void the_ceiling_holds(void **state)
{
    struct arena a;
    arena_init(&a, 4096);
    assert_non_null(arena_alloc(&a, 4000));
    assert_null(arena_alloc(&a, 97));
    assert_int_equal(a.used, 4000);
    assert_non_null(arena_alloc(&a, 96));
    assert_int_equal(a.used, 4096);
    assert_null(arena_alloc(&a, 1));
    assert_null(arena_copy(&a, SPAN_NULL).data);
    assert_null(arena_printf(&a, "%d", 1).data);
    arena_deinit(&a);
    assert_int_equal(a.used, 0); /* and may be used again, with the same ceiling */
    assert_null(arena_alloc(&a, 4097));
    assert_non_null(arena_alloc(&a, 4096));
    arena_deinit(&a);
    /* A size that rounding would carry past the ceiling, and absurd ones. */
    arena_init(&a, 100);
    assert_null(arena_alloc(&a, 100));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX / 2 + 1));
    assert_non_null(arena_alloc(&a, 96));
    arena_deinit(&a);
}

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    struct arena a;
    uint64_t seed = 5;
    unsigned char *all[300];
    size_t sizes[300];
    arena_init(&a, SIZE_MAX / 2);
    for (unsigned i = 0; i < 300; i++) {
        sizes[i] = random_next(&seed) % (i % 30 ? 200 : 9000);
        all[i] = arena_alloc(&a, sizes[i]);
        assert_non_null(all[i]);
        assert_int_equal((uintptr_t)all[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(all[i][k], 0);
        memset(all[i], (int)i % 255 + 1, sizes[i]);
    }
    for (unsigned i = 0; i < 300; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(all[i][k], i % 255 + 1);
    arena_deinit(&a);
}

static void copies_are_terminated(void **state)
{
    struct arena a;
    arena_init(&a, 8192);
    struct span s = arena_copy(&a, span_from("gate\0way", 8));
    assert_span(s, span_from("gate\0way", 8));
    assert_int_equal(s.data[8], 0);
    s = arena_copy(&a, SPAN_NULL);
    assert_non_null(s.data);
    assert_int_equal(s.len, 0);
    assert_int_equal(*s.data, 0);
    s = arena_printf(&a, "%s-%05d", "id", 42);
    assert_span(s, SPAN_LIT("id-00042"));
    assert_int_equal(s.data[s.len], 0);
    assert_int_equal(arena_printf(&a, "%4000d", 1).len, 4000);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ceiling_holds),
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(copies_are_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
