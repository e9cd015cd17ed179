/*
 * Build time only: writes the page's files as C. In index.html `{{page}}` becomes /p/VERSION, the
 * folder in which files may be kept for ever by browsers, since the version changes with any of
 * them.
 *
 *   pagegen OUTPUT FILE...     what follows the last /page/ is a file's name, else its last part
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file {
    const char *path, *name, *type;
    char *data;
    size_t len;
    uint64_t sum;
};

static const struct {
    const char *end, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".txt", "text/plain; charset=utf-8"},
    {".woff2", "font/woff2"},
};

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "pagegen: %s: %s\n", what, why);
    exit(1);
}

/* FNV-1a: names a version, guards nothing. */
static uint64_t sum_of(const char *data, size_t len, uint64_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ (unsigned char)data[i]) * 0x100000001b3u;
    return sum;
}

static const char *type_of(const char *name)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        size_t n = strlen(types[i].end), len = strlen(name);
        if (len > n && strcmp(name + len - n, types[i].end) == 0)
            return types[i].type;
    }
    fail(name, "of no known type");
    return NULL;
}

static void read_file(struct file *f, const char *path)
{
    FILE *in = fopen(path, "rb");
    const char *folder = NULL;
    for (const char *p = path; (p = strstr(p, "/page/")); p++)
        folder = p + 6;
    const char *slash = strrchr(path, '/');
    *f = (struct file){.path = path, .name = folder ? folder : slash ? slash + 1 : path};
    f->type = type_of(f->name);
    if (!in)
        fail(path, "can't be read");
    for (size_t n = 1; n > 0; f->len += n) {
        char *more = realloc(f->data, f->len + 65536);
        if (!more)
            fail(path, "no memory");
        f->data = more;
        n = fread(f->data + f->len, 1, 65536, in);
    }
    if (ferror(in))
        fail(path, "can't be read");
    fclose(in);
    f->sum = sum_of(f->data, f->len, sum_of(f->name, strlen(f->name), 0xcbf29ce484222325u));
}

/* Puts /p/VERSION in. */
static void fill_in(struct file *f, const char *version)
{
    static const char mark[] = "{{page}}";
    char folder[32];
    int n = snprintf(folder, sizeof(folder), "/p/%s", version);
    char *out = malloc(f->len * 4 + 1);
    size_t len = 0;
    if (!out)
        fail(f->path, "no memory");
    for (size_t i = 0; i < f->len;) {
        if (f->len - i >= sizeof(mark) - 1 && memcmp(f->data + i, mark, sizeof(mark) - 1) == 0) {
            memcpy(out + len, folder, (size_t)n);
            len += (size_t)n;
            i += sizeof(mark) - 1;
        } else {
            out[len++] = f->data[i++];
        }
    }
    free(f->data);
    f->data = out;
    f->len = len;
}

static void write_data(FILE *out, const struct file *f, int index)
{
    fprintf(out, "static const unsigned char data_%d[] = {", index);
    for (size_t i = 0; i < f->len; i++)
        fprintf(out, "%s%u,", i % 24 ? "" : "\n", (unsigned char)f->data[i]);
    fputs("0};\n", out); /* an array has to have something in it */
}

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("usage", "pagegen OUTPUT FILE...");
    int count = argc - 2;
    struct file *files = calloc((size_t)count, sizeof(*files));
    FILE *out = fopen(argv[1], "wb");
    if (!files || !out)
        fail(argv[1], "can't be written");
    uint64_t sum = 0xcbf29ce484222325u;
    for (int i = 0; i < count; i++) {
        read_file(&files[i], argv[2 + i]);
        sum = sum_of((const char *)&files[i].sum, sizeof(files[i].sum), sum);
    }
    char version[17];
    snprintf(version, sizeof(version), "%016" PRIx64, sum);
    fputs("#include \"console/page.h\"\n\n", out);
    for (int i = 0; i < count; i++) {
        if (strcmp(files[i].name, "index.html") == 0)
            fill_in(&files[i], version);
        write_data(out, &files[i], i);
    }
    fprintf(out, "const char page_version[] = \"%s\";\nconst struct page_file page_files[] = {\n",
            version);
    for (int i = 0; i < count; i++)
        fprintf(out, "    {{\"%s\", %zu}, \"%s\", \"\\\"%016" PRIx64 "-%s\\\"\", data_%d, %zu},\n",
                files[i].name, strlen(files[i].name), files[i].type, files[i].sum, version, i,
                files[i].len);
    fputs("    {{0}, 0, 0, 0, 0},\n};\n", out);
    for (int i = 0; i < count; i++)
        free(files[i].data);
    free(files);
    if (fclose(out) != 0)
        fail(argv[1], "can't be written");
    return 0;
}
