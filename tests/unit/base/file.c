#include "../unit.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_new(void)
{
    char path[] = "/tmp/juyong-file-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

/* More than one piece of the reader, and not a multiple of it. */
static void what_is_written_is_read(void **state)
{
    static char text[100003];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)(i * 7 % 251);
    int fd = open_new();
    assert_int_equal(file_write(fd, span_from(text, sizeof(text))), 0);
    assert_int_equal(file_write(fd, SPAN_LIT("")), 0);
    struct buf out = BUF_INIT(1u << 20);
    assert_int_equal(buf_append(&out, SPAN_LIT("before")), 0);
    assert_int_equal(file_read(fd, 0, &out), 0);
    assert_int_equal(out.len, 6 + sizeof(text));
    assert_memory_equal(out.data, "before", 6);
    assert_memory_equal(out.data + 6, text, sizeof(text));
    buf_clear(&out);
    assert_int_equal(file_read(fd, 100000, &out), 0);
    assert_span(buf_span(&out), span_from(text + 100000, 3));
    buf_clear(&out);
    assert_int_equal(file_read(fd, 200000, &out), 0);
    assert_int_equal(out.len, 0);
    buf_deinit(&out);
    close(fd);
}

static void failures_are_told(void **state)
{
    int fd = open_new();
    struct buf small = BUF_INIT(10);
    assert_int_equal(file_write(fd, SPAN_LIT("twelve bytes")), 0);
    assert_int_equal(file_read(fd, 0, &small), -EMSGSIZE);
    buf_deinit(&small);
    close(fd);
    assert_int_equal(file_read(fd, 0, &small), -EBADF);
    assert_int_equal(file_write(fd, SPAN_LIT("x")), -EBADF);
}

static void room_is_what_others_leave(void **state)
{
    int fd = open_new();
    assert_int_equal(file_room(fd, 0), -ENOSPC);
    assert_int_equal(file_room(fd, 101), 0);
    close(fd);
    assert_int_equal(file_room(fd, 101), -EBADF);
}

static void folders_are_made_once(void **state)
{
    char dir[] = "/tmp/juyong-file-XXXXXX", path[64];
    struct stat st;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/one", dir);
    assert_int_equal(file_make_dir(path, 0700), 0);
    assert_int_equal(file_make_dir(path, 0700), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    snprintf(path, sizeof(path), "%s/one/two/", dir);
    assert_int_equal(file_make_dir(path, 0700), 0);
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof(path), "%s/absent/two", dir);
    assert_int_equal(file_make_dir(path, 0700), -ENOENT);
    assert_int_equal(chdir(dir), 0);
    assert_int_equal(file_make_dir("three", 0700), 0);
    assert_int_equal(rmdir("three"), 0);
    assert_int_equal(rmdir("one"), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(room_is_what_others_leave),
        cmocka_unit_test(folders_are_made_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
