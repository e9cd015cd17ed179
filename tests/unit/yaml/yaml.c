#include "../unit.h"

#include "yaml/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void expect_refused(struct span text, const char *message)
{
    struct buf messages = BUF_INIT(65536);
    struct yaml_doc *doc = NULL;
    assert_int_equal(yaml_read(text, SPAN_LIT("f.yaml"), &messages, &doc), -EINVAL);
    assert_null(doc);
    assert_span(buf_span(&messages), span_str(message));
    buf_deinit(&messages);
}

static struct yaml_doc *expect_read(const char *text)
{
    struct buf messages = BUF_INIT(65536);
    struct yaml_doc *doc = NULL;
    if (yaml_read(span_str(text), SPAN_LIT("f.yaml"), &messages, &doc) != 0)
        fail_msg("%s", buf_cstr(&messages));
    assert_int_equal(messages.len, 0);
    buf_deinit(&messages);
    return doc;
}

static void test_tree(void **state)
{
    struct yaml_doc *doc = expect_read("# comment\n"
                                       "name: 居庸   # behind it\n"
                                       "list:\n"
                                       "  - { a: 1, b: \"2\" }\n"
                                       "  - [x, 'y']\n"
                                       "empty:\n");
    const struct yaml_node *root = yaml_root(doc);
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 3);
    const struct yaml_node *name = yaml_get(root, SPAN_LIT("name"));
    assert_span(name->text, SPAN_LIT("居庸"));
    assert_true(name->plain);
    assert_int_equal(name->key_at.line, 2);
    assert_int_equal(name->key_at.column, 1);
    assert_int_equal(name->at.column, 7);
    const struct yaml_node *list = yaml_get(root, SPAN_LIT("list"));
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(list->count, 2);
    const struct yaml_node *b = yaml_get(list->first, SPAN_LIT("b"));
    assert_span(b->text, SPAN_LIT("2"));
    assert_false(b->plain);
    assert_int_equal(b->at.line, 4);
    assert_int_equal(b->at.column, 16);
    const struct yaml_node *inner = list->first->next;
    assert_int_equal(inner->kind, YAML_LIST);
    assert_span(inner->first->next->text, SPAN_LIT("y"));
    assert_null(inner->next);
    const struct yaml_node *empty = yaml_get(root, SPAN_LIT("empty"));
    assert_true(yaml_is_null(empty));
    assert_int_equal(empty->at.line, 6);
    assert_false(yaml_is_null(name));
    assert_null(yaml_get(root, SPAN_LIT("absent")));
    assert_null(yaml_get(name, SPAN_LIT("absent")));
    yaml_free(doc);
}

static void test_json(void **state)
{
    struct yaml_doc *doc = expect_read("{\"keys\": [{\"id\": \"\\u5c45\\n\", \"n\": null}]}");
    const struct yaml_node *key = yaml_get(yaml_root(doc), SPAN_LIT("keys"))->first;
    assert_span(yaml_get(key, SPAN_LIT("id"))->text, SPAN_LIT("居\n"));
    assert_true(yaml_is_null(yaml_get(key, SPAN_LIT("n"))));
    yaml_free(doc);
}

static void test_refused(void **state)
{
    expect_refused(SPAN_LIT(""), "f.yaml: the file is empty\n");
    expect_refused(SPAN_LIT("# nothing\n"), "f.yaml: the file is empty\n");
    expect_refused(SPAN_LIT("a: 1\nb: 2\na: 3\n"),
                   "f.yaml:3:1: duplicate key 'a', first on line 1\n");
    expect_refused(SPAN_LIT("a: &x 1\nb: *x\n"), "f.yaml:1:7: anchors are not allowed\n");
    expect_refused(SPAN_LIT("a: !!int 1\n"), "f.yaml:1:10: tags are not allowed\n");
    expect_refused(SPAN_LIT("? [a, b]\n: c\n"), "f.yaml:1:3: a key must be a text\n");
    expect_refused(SPAN_LIT("a: 'b\n  c'\n"),
                   "f.yaml:1:4: a single-quoted text must end on its line\n");
    expect_refused(SPAN_LIT("--- a\n--- b\n"),
                   "f.yaml:2:1: only one document may be in the file\n");
    expect_refused(SPAN_LIT("a: b\nc: \xe5\xb1\xff\n"), "f.yaml:2:4: not UTF-8\n");
    expect_refused(SPAN_LIT("居: b\0c\n"), "f.yaml:1:5: a NUL byte\n");
    expect_refused(SPAN_LIT("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"),
                   "f.yaml:1:17: nested too deeply\n");
}

static void test_syntax_has_place(void **state)
{
    expect_refused(SPAN_LIT("a: 1\n''b\n"),
                   "f.yaml:2:3: invalid trailing content after single-quoted scalar\n");
    expect_refused(SPAN_LIT("a: [1, 2\nc: 3\n"),
                   "f.yaml:3:1: flow sequence without a closing bracket\n");
}

/* Scalars of many pieces: escapes, doubled quotes, lines. */
static void test_many_pieces(void **state)
{
    for (unsigned count = 0; count < 70; count++) {
        struct buf text = BUF_INIT(65536), want = BUF_INIT(65536);
        buf_append(&text, SPAN_LIT("a: '"));
        for (unsigned i = 0; i < count; i++) {
            buf_printf(&text, i % 3 ? "''" : "x''居");
            buf_printf(&want, i % 3 ? "'" : "x'居");
        }
        buf_append(&text, SPAN_LIT("' # c\nb: \""));
        for (unsigned i = 0; i < count; i++)
            buf_printf(&text, i % 3 ? "\\\"" : "x\\\"\\u5c45");
        buf_append(&text, SPAN_LIT("\"\nc: |-\n  y\n"));
        for (unsigned i = 0; i < count; i++)
            buf_printf(&text, "  %u\n", i);
        buf_append(&text, SPAN_LIT("d: y\n"));
        for (unsigned i = 0; i < count; i++)
            buf_printf(&text, "  %u\n", i);
        struct yaml_doc *doc = expect_read(buf_cstr(&text));
        const struct yaml_node *root = yaml_root(doc);
        assert_span(yaml_get(root, SPAN_LIT("a"))->text, buf_span(&want));
        for (size_t i = 0; i < want.len; i++)
            if (want.data[i] == '\'')
                want.data[i] = '"';
        assert_span(yaml_get(root, SPAN_LIT("b"))->text, buf_span(&want));
        buf_clear(&want);
        buf_append_char(&want, 'y');
        for (unsigned i = 0; i < count; i++)
            buf_printf(&want, "\n%u", i);
        assert_span(yaml_get(root, SPAN_LIT("c"))->text, buf_span(&want));
        for (size_t i = 0; i < want.len; i++)
            if (want.data[i] == '\n')
                want.data[i] = ' ';
        assert_span(yaml_get(root, SPAN_LIT("d"))->text, buf_span(&want));
        yaml_free(doc);
        buf_deinit(&text);
        buf_deinit(&want);
    }
}

static void test_scalar_text(void **state)
{
    struct yaml_doc *doc = expect_read("a: ''\n"
                                       "b: \"\\u5c45\\t\\x41\\\"\"\n"
                                       "c: |\n  one\n  two\n"
                                       "d: >-\n  one\n  two\n"
                                       "'e ''f': ''''\n");
    const struct yaml_node *root = yaml_root(doc);
    assert_span(yaml_get(root, SPAN_LIT("b"))->text, SPAN_LIT("居\tA\""));
    assert_span(yaml_get(root, SPAN_LIT("c"))->text, SPAN_LIT("one\ntwo\n"));
    assert_span(yaml_get(root, SPAN_LIT("d"))->text, SPAN_LIT("one two"));
    assert_span(yaml_get(root, SPAN_LIT("e 'f"))->text, SPAN_LIT("'"));
    const struct yaml_node *a = yaml_get(root, SPAN_LIT("a"));
    assert_int_equal(a->text.len, 0);
    assert_false(yaml_is_null(a));
    yaml_free(doc);

    doc = expect_read("\xef\xbb\xbf# BOM and CRLF\r\na: 'x''y'\r\nb: c\r\n");
    assert_span(yaml_get(yaml_root(doc), SPAN_LIT("a"))->text, SPAN_LIT("x'y"));
    assert_span(yaml_get(yaml_root(doc), SPAN_LIT("b"))->text, SPAN_LIT("c"));
    yaml_free(doc);

    char text[8192], want[4097];
    memset(want, 'x', sizeof(want));
    want[4096] = '\0';
    snprintf(text, sizeof(text), "k: %s", want);
    doc = expect_read(text);
    assert_span(yaml_get(yaml_root(doc), SPAN_LIT("k"))->text, span_str(want));
    yaml_free(doc);
}

static void test_alias_bomb(void **state)
{
    expect_refused(SPAN_LIT("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"),
                   "f.yaml:1:7: anchors are not allowed\n");
    expect_refused(SPAN_LIT("a: *b\n"), "f.yaml:1:4: aliases are not allowed\n");
}

static void test_limits(void **state)
{
    struct buf text = BUF_INIT(4 * YAML_SIZE_MAX);
    for (unsigned i = 0; i <= YAML_KEYS_MAX; i++)
        assert_int_equal(buf_printf(&text, "k%u: v\n", i), 0);
    expect_refused(buf_span(&text), "f.yaml:1025:1: too many keys in one map\n");
    buf_clear(&text);
    for (unsigned i = 0; i < YAML_NODES_MAX; i++)
        assert_int_equal(buf_append(&text, SPAN_LIT("- a\n")), 0);
    expect_refused(buf_span(&text), "f.yaml:100000:3: too many nodes\n");
    buf_clear(&text);
    for (unsigned i = 0; i <= YAML_SIZE_MAX; i++)
        assert_int_equal(buf_append_char(&text, 'a'), 0);
    expect_refused(buf_span(&text), "f.yaml: larger than 1 MiB\n");
    buf_deinit(&text);
}

static void test_file(void **state)
{
    struct buf messages = BUF_INIT(65536);
    struct yaml_doc *doc = NULL;
    assert_int_equal(yaml_load(SPAN_LIT("/nonexistent.yaml"), &messages, &doc), -ENOENT);
    assert_span(buf_span(&messages),
                SPAN_LIT("/nonexistent.yaml: can't be read: No such file or directory\n"));
    buf_clear(&messages);
    assert_int_equal(yaml_load(SPAN_LIT("/"), &messages, &doc), -EINVAL);
    assert_span(buf_span(&messages), SPAN_LIT("/: not a regular file\n"));
    buf_clear(&messages);
    char path[] = "/tmp/juyong-yaml-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a: b\n", 5), 5);
    close(fd);
    assert_int_equal(yaml_load(span_str(path), &messages, &doc), 0);
    assert_span(yaml_get(yaml_root(doc), SPAN_LIT("a"))->text, SPAN_LIT("b"));
    yaml_free(doc);
    unlink(path);
    buf_deinit(&messages);
}

static void test_place(void **state)
{
    struct buf out = BUF_INIT(64);
    struct place at = {SPAN_LIT("x\ny"), 3, 0};
    assert_int_equal(place_printf(&out, at, "bad \x1b[31m '%s'", "居"), 0);
    assert_span(buf_span(&out), SPAN_LIT("x\\x0ay:3: bad \\x1b[31m '居'\n"));
    size_t before = out.len;
    assert_int_equal(place_printf(&out, at, "%064d", 1), -EMSGSIZE);
    assert_int_equal(out.len, before);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),        cmocka_unit_test(test_json),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_syntax_has_place),
        cmocka_unit_test(test_alias_bomb),  cmocka_unit_test(test_scalar_text),
        cmocka_unit_test(test_many_pieces), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_file),        cmocka_unit_test(test_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
