#include "audit/textkey.h"

#include "audit/files.h"
#include "base/cleanup.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_SIZE (2 * TEXTKEY_SIZE + 1)
#define FILE_MAX  (TEXTKEY_MAX * (LINE_SIZE + 1))

static int name_key(struct textkey *k)
{
    static const char domain[] = "juyong.text.key.v1";
    char text[sizeof(domain) + TEXTKEY_SIZE];
    unsigned char digest[SHA256_SIZE];
    memcpy(text, domain, sizeof(domain));
    memcpy(text + sizeof(domain), k->key, TEXTKEY_SIZE);
    int r = sha256_once(span_from(text, sizeof(text)), digest);
    secret_cleanse(text, sizeof(text));
    codec_hex(span_from((const char *)digest, TEXTKEY_ID_SIZE / 2), k->id);
    return r;
}

static int read_lines(struct span text, struct textkeys *k)
{
    struct span line;
    while (span_split(&text, '\n', &line)) {
        line = span_trim(line);
        if (line.len == 0)
            continue;
        if (k->count == TEXTKEY_MAX)
            return -E2BIG;
        struct textkey *next = &k->list[k->count];
        if (line.len != 2 * TEXTKEY_SIZE || !codec_unhex(line, next->key, TEXTKEY_SIZE))
            return -EBADMSG;
        int r = name_key(next);
        if (r < 0)
            return r;
        k->count++;
    }
    return k->count ? 0 : -EBADMSG;
}

static int create_file(struct span dir, const char *path)
{
    unsigned char key[TEXTKEY_SIZE];
    char text[LINE_SIZE + 1], keys[PATH_MAX];
    int r = files_join(dir, "keys", keys) ? secret_random(key, sizeof(key)) : -ENAMETOOLONG;
    if (r == 0)
        r = file_make_dir(keys, 0700);
    codec_hex(span_from((const char *)key, sizeof(key)), text);
    text[2 * TEXTKEY_SIZE] = '\n';
    if (r == 0)
        r = files_replace(path, span_from(text, LINE_SIZE), 0600);
    if (r == 0)
        r = files_sync_dir(keys);
    secret_cleanse(key, sizeof(key));
    secret_cleanse(text, sizeof(text));
    return r;
}

static int read_file(const char *path, struct textkeys *k)
{
    char text[FILE_MAX + 1];
    struct stat st;
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)))
        log_warning("audit: %s: others can read it; chmod 600 it", path);
    ssize_t n = read(fd, text, sizeof(text));
    int r = n < 0 ? -errno : n > FILE_MAX ? -E2BIG : read_lines(span_from(text, (size_t)n), k);
    secret_cleanse(text, sizeof(text));
    return r;
}

int textkeys_load(struct span dir, bool create, struct textkeys *ret_keys)
{
    char path[PATH_MAX];
    ret_keys->count = 0;
    if (!files_join(dir, "keys/text.key", path))
        return -ENAMETOOLONG;
    int r = read_file(path, ret_keys);
    if (r == -ENOENT && create) {
        r = create_file(dir, path);
        if (r == 0)
            r = read_file(path, ret_keys);
    }
    if (r < 0)
        textkeys_forget(ret_keys);
    return r;
}

void textkeys_forget(struct textkeys *k)
{
    secret_cleanse(k, sizeof(*k));
}

const struct textkey *textkeys_find(const struct textkeys *k, struct span id)
{
    for (size_t i = 0; i < k->count; i++)
        if (span_eq(id, span_str(k->list[i].id)))
            return &k->list[i];
    return NULL;
}
