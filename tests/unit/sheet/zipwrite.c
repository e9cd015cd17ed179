/* Archives as they come to stand on disk, read back by libarchive. */
#include "../unit.h"

#include "base/file.h"
#include "sheet/zipwrite.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[128];

static int make_dir(void **state)
{
    strcpy(dir, "/tmp/juyong-zip-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof(path), "%s/a.zip", dir);
    return 0;
}

static int remove_dir(void **state)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static size_t files_in_dir(void)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static struct buf bytes(void)
{
    struct buf b = BUF_INIT(1u << 20);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(file_read(fd, 0, &b), 0);
    close(fd);
    return b;
}

static struct zipwrite *begin(void)
{
    struct zipwrite *w = NULL;
    assert_int_equal(zipwrite_new(span_str(path), &w), 0);
    return w;
}

/* The next member has that name, its text, and no time of today. */
static void check_member(struct archive *a, const char *name, struct span text)
{
    struct archive_entry *e;
    assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
    assert_string_equal(archive_entry_pathname_utf8(e), name);
    assert_true(archive_entry_mtime(e) < 400000000);
    char got[65536];
    assert_int_equal(archive_read_data(a, got, sizeof(got)), text.len);
    assert_memory_equal(got, text.data, text.len);
}

static void reads_back_what_was_written(void **state)
{
    char long_text[40000];
    for (size_t i = 0; i < sizeof(long_text); i++)
        long_text[i] = (char)('a' + i * i % 26);
    struct span big = span_from(long_text, sizeof(long_text));
    char source[160];
    snprintf(source, sizeof(source), "%s/source", dir);
    int fd = open(source, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_int_equal(file_write(fd, big), 0); /* the descriptor stands at the end */
    struct zipwrite *w = begin();
    assert_int_equal(zipwrite_add(w, SPAN_LIT("[Content_Types].xml"), SPAN_LIT("<a/>")), 0);
    assert_int_equal(zipwrite_add_fd(w, SPAN_LIT("附件/报告.txt"), fd), 0);
    assert_int_equal(zipwrite_add(w, SPAN_LIT("empty"), SPAN_LIT("")), 0);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(zipwrite_finish(w, NULL), 0);
    assert_int_equal(zipwrite_finish(w, NULL), -EINVAL);
    zipwrite_free(w);
    close(fd);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    setlocale(LC_CTYPE, "C.UTF-8"); /* for the reader alone: libarchive wants it for such names */
    struct buf b = bytes();
    struct archive *a = archive_read_new();
    archive_read_support_format_zip_seekable(a);
    assert_int_equal(archive_read_open_memory(a, b.data, b.len), ARCHIVE_OK);
    check_member(a, "[Content_Types].xml", SPAN_LIT("<a/>"));
    check_member(a, "附件/报告.txt", big);
    check_member(a, "empty", SPAN_LIT(""));
    struct archive_entry *e;
    assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_EOF);
    archive_read_free(a);
    buf_deinit(&b);
    assert_int_equal(files_in_dir(), 2);
    setlocale(LC_CTYPE, "C");
}

static void same_content_gives_same_bytes(void **state)
{
    struct buf was = BUF_INIT(0);
    for (int i = 0; i < 2; i++) {
        setenv("TZ", i ? "Asia/Shanghai" : "America/Los_Angeles", 1);
        struct zipwrite *w = begin();
        assert_int_equal(zipwrite_add(w, SPAN_LIT("a"), SPAN_LIT("content")), 0);
        assert_int_equal(zipwrite_finish(w, NULL), 0);
        zipwrite_free(w);
        struct buf now = bytes();
        if (i)
            assert_true(span_eq(buf_span(&now), buf_span(&was)));
        buf_deinit(&was);
        was = now;
    }
    buf_deinit(&was);
    unsetenv("TZ");
}

static void refuses_names_that_lead_elsewhere(void **state)
{
    static const char *const bad[] = {"",      "/etc/passwd", "../a",     "a/../b", "a//b",
                                      "a/./b", "a/",          "a\\..\\b", "\xff",   "."};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct zipwrite *w = begin();
        assert_int_equal(zipwrite_add(w, span_str(bad[i]), SPAN_LIT("x")), -EINVAL);
        zipwrite_free(w);
    }
    struct zipwrite *w = begin();
    assert_int_equal(zipwrite_add(w, SPAN_LIT("a"), SPAN_LIT("1")), 0);
    assert_int_equal(zipwrite_add(w, SPAN_LIT("A"), SPAN_LIT("2")), -EEXIST);
    assert_int_equal(zipwrite_add(w, SPAN_LIT("b"), SPAN_LIT("3")), -EEXIST); /* it sticks */
    struct buf why = BUF_INIT(4096);
    assert_int_equal(zipwrite_finish(w, &why), -EEXIST);
    assert_true(span_find(buf_span(&why), SPAN_LIT("a.zip: A: there already")) < why.len);
    buf_deinit(&why);
    zipwrite_free(w);
}

static void leaves_what_was_there_when_it_fails(void **state)
{
    struct zipwrite *w = begin();
    assert_int_equal(zipwrite_add(w, SPAN_LIT("a"), SPAN_LIT("old")), 0);
    assert_int_equal(zipwrite_finish(w, NULL), 0);
    zipwrite_free(w);
    struct buf was = bytes();
    w = begin();
    assert_int_equal(zipwrite_add(w, SPAN_LIT("a"), SPAN_LIT("new")), 0);
    int pair[2];
    assert_int_equal(pipe(pair), 0);
    assert_int_equal(zipwrite_add_fd(w, SPAN_LIT("b"), pair[0]), -EINVAL);
    close(pair[0]);
    close(pair[1]);
    zipwrite_free(w);
    struct buf now = bytes();
    assert_true(span_eq(buf_span(&now), buf_span(&was)));
    buf_deinit(&now);
    buf_deinit(&was);
    assert_int_equal(files_in_dir(), 1);
    assert_int_equal(zipwrite_new(SPAN_LIT("/nonexistent/a.zip"), &w), -ENOENT);
}

/* As on a full disk: a write fails in the midst of a member. */
static void a_failed_write_leaves_nothing(void **state)
{
    static char noise[1u << 20];
    uint64_t seed = 7;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)random_next(&seed);
    struct rlimit was, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    small = was;
    small.rlim_cur = 65536;
    signal(SIGXFSZ, SIG_IGN);
    struct zipwrite *w = begin();
    struct buf why = BUF_INIT(4096);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int r = zipwrite_add(w, SPAN_LIT("noise"), span_from(noise, sizeof(noise)));
    int finished = zipwrite_finish(w, &why);
    zipwrite_free(w);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    assert_int_equal(r, -EFBIG);
    assert_int_equal(finished, -EFBIG);
    assert_true(span_find(buf_span(&why), SPAN_LIT("a.zip: File too large")) < why.len);
    assert_int_equal(files_in_dir(), 0);
    buf_deinit(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_back_what_was_written, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(same_content_gives_same_bytes, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(refuses_names_that_lead_elsewhere, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(leaves_what_was_there_when_it_fails, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_failed_write_leaves_nothing, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
