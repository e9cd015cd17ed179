/* Archives that we wrote, read back member by member; and what is none. */
#include "../unit.h"

#include "sheet/zipread.h"
#include "sheet/zipwrite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64], path[128];

struct seen {
    struct buf text;
    int stop; /* what the next begin() returns */
};

static int begin(void *ctx, struct span name)
{
    struct seen *s = ctx;
    buf_printf(&s->text, "<%.*s>", SPAN_ARG(name));
    return s->stop;
}

static int piece(void *ctx, struct span bytes)
{
    return buf_append(&((struct seen *)ctx)->text, bytes);
}

static int end(void *ctx)
{
    return buf_append(&((struct seen *)ctx)->text, SPAN_LIT("|"));
}

static const struct zipread_ops ops = {begin, piece, end};

static int make_dir(void **state)
{
    strcpy(dir, "/tmp/juyong-zip-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/a.zip", dir);
    struct zipwrite *w = NULL;
    if (zipwrite_new(span_str(path), &w) < 0 ||
        zipwrite_add(w, SPAN_LIT("一/目录.txt"), SPAN_LIT("甲乙")) < 0 ||
        zipwrite_add(w, SPAN_LIT("b.json"), SPAN_LIT("{}")) < 0 || zipwrite_finish(w, NULL) < 0)
        return -1;
    zipwrite_free(w);
    return 0;
}

static int remove_dir(void **state)
{
    unlink(path);
    return rmdir(dir);
}

static int read_all(size_t budget, struct seen *s, struct buf *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    int r = zipread_each(fd, budget, &ops, s, why);
    close(fd);
    return r;
}

static void test_members(void **state)
{
    struct seen s = {.text = BUF_INIT(4096)};
    struct buf why = BUF_INIT(4096);
    assert_int_equal(read_all(1000, &s, &why), 0);
    assert_span(buf_span(&s.text), SPAN_LIT("<一/目录.txt>甲乙|<b.json>{}|"));
    buf_clear(&s.text);
    s.stop = 7;
    assert_int_equal(read_all(1000, &s, &why), 7);
    assert_span(buf_span(&s.text), SPAN_LIT("<一/目录.txt>"));
    assert_int_equal(why.len, 0);
    buf_deinit(&s.text);
    buf_deinit(&why);
}

static void test_budget(void **state)
{
    struct seen s = {.text = BUF_INIT(4096)};
    struct buf why = BUF_INIT(4096);
    assert_int_equal(read_all(7, &s, &why), -EINVAL);
    assert_span(buf_span(&why), SPAN_LIT("unpacks to too much"));
    buf_deinit(&s.text);
    buf_deinit(&why);
}

/* Every byte flipped in turn: an error, or what was there; never a crash. */
static void test_damage(void **state)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    off_t size = lseek(fd, 0, SEEK_END);
    unsigned errors = 0;
    for (off_t at = 0; at < size; at++) {
        char was, is;
        assert_int_equal(pread(fd, &was, 1, at), 1);
        is = (char)(was ^ 0x55);
        assert_int_equal(pwrite(fd, &is, 1, at), 1);
        struct seen s = {.text = BUF_INIT(1u << 20)};
        struct buf why = BUF_INIT(4096);
        int r = zipread_each(fd, 1u << 20, &ops, &s, &why);
        assert_true(r == 0 || r == -EINVAL);
        assert_int_equal(r<0, why.len> 0);
        errors += r < 0;
        buf_deinit(&s.text);
        buf_deinit(&why);
        assert_int_equal(pwrite(fd, &was, 1, at), 1);
    }
    assert_true(errors > 20);
    assert_int_equal(ftruncate(fd, size / 2), 0);
    close(fd);
    struct seen s = {.text = BUF_INIT(4096)};
    struct buf why = BUF_INIT(4096);
    assert_int_equal(read_all(1000, &s, &why), -EINVAL);
    assert_true(why.len > 0);
    buf_deinit(&s.text);
    buf_deinit(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
