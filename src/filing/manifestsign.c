/* The installation's own key for packs: made once, kept, and what is signed by it. */
#include "filing/manifest.h"

#include "audit/files.h"
#include "base/cleanup.h"
#include "base/codec.h"
#include "base/file.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define DOMAIN SPAN_LIT("juyong.pack.v1\0")

static bool path_of(struct span state_dir, const char *name, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%.*s/filing%s", SPAN_ARG(state_dir), name);
    return n > 0 && n < PATH_MAX;
}

static int read_hex(const char *path, unsigned char *ret_bytes, size_t size)
{
    char text[2 * SIGN_SECRET_SIZE + 2];
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof(text));
    int r = n < 0 ? -errno
            : (size_t)n < 2 * size || !codec_unhex(span_from(text, 2 * size), ret_bytes, size)
                ? -EBADMSG
                : 0;
    secret_cleanse(text, sizeof(text));
    return r;
}

/* Two that are made at the same time: the first one stays, and both use it. */
static int create_key(const char *path)
{
    unsigned char secret[SIGN_SECRET_SIZE];
    char text[2 * SIGN_SECRET_SIZE + 2], beside[PATH_MAX];
    int n = snprintf(beside, sizeof(beside), "%s.%d", path, (int)getpid());
    if (n < 0 || n >= (int)sizeof(beside))
        return -ENAMETOOLONG;
    int r = sign_generate(secret);
    if (r < 0)
        return r;
    codec_hex(span_from((const char *)secret, sizeof(secret)), text);
    text[2 * SIGN_SECRET_SIZE] = '\n';
    r = files_replace(beside, span_from(text, 2 * SIGN_SECRET_SIZE + 1), 0600);
    secret_cleanse(text, sizeof(text));
    secret_cleanse(secret, sizeof(secret));
    if (r == 0 && link(beside, path) < 0 && errno != EEXIST)
        r = -errno;
    unlink(beside);
    return r;
}

static int write_public(struct span state_dir, const unsigned char public_key[SIGN_PUBLIC_SIZE])
{
    char path[PATH_MAX], text[2 * SIGN_PUBLIC_SIZE + 2];
    if (!path_of(state_dir, "/pack.pub", path))
        return -ENAMETOOLONG;
    codec_hex(span_from((const char *)public_key, SIGN_PUBLIC_SIZE), text);
    text[2 * SIGN_PUBLIC_SIZE] = '\n';
    int r =
        access(path, F_OK) == 0 ? 0 : files_replace(path, span_from(text, sizeof(text) - 1), 0644);
    if (r == 0 && !path_of(state_dir, "", path))
        r = -ENAMETOOLONG;
    return r < 0 ? r : files_sync_dir(path);
}

static int open_key(struct span state_dir, unsigned char ret_secret[SIGN_SECRET_SIZE],
                    unsigned char ret_public[SIGN_PUBLIC_SIZE])
{
    char path[PATH_MAX];
    if (!path_of(state_dir, "", path))
        return -ENAMETOOLONG;
    int r = file_make_dir(path, 0700);
    if (r == 0 && !path_of(state_dir, "/pack.key", path))
        r = -ENAMETOOLONG;
    if (r < 0)
        return r;
    r = read_hex(path, ret_secret, SIGN_SECRET_SIZE);
    if (r == -ENOENT) {
        r = create_key(path);
        if (r == 0)
            r = read_hex(path, ret_secret, SIGN_SECRET_SIZE);
    }
    if (r == 0)
        r = sign_public(ret_secret, ret_public);
    return r < 0 ? r : write_public(state_dir, ret_public);
}

static int join(struct span text, struct buf *ret_signed)
{
    int r = buf_append(ret_signed, DOMAIN);
    return r < 0 ? r : buf_append(ret_signed, text);
}

int manifest_sign(struct span state_dir, struct span text, struct buf *ret_signature)
{
    unsigned char secret[SIGN_SECRET_SIZE], public_key[SIGN_PUBLIC_SIZE];
    unsigned char signature[SIGN_SIGNATURE_SIZE];
    char key[MANIFEST_DIGEST], digits[2 * SIGN_SIGNATURE_SIZE + 1];
    struct buf all = BUF_INIT(MANIFEST_MAX + 64);
    int r = open_key(state_dir, secret, public_key);
    if (r == 0)
        r = join(text, &all);
    if (r == 0)
        r = sign_make(secret, buf_span(&all), signature);
    secret_cleanse(secret, sizeof(secret));
    buf_deinit(&all);
    if (r < 0)
        return r;
    codec_hex(span_from((const char *)public_key, sizeof(public_key)), key);
    codec_hex(span_from((const char *)signature, sizeof(signature)), digits);
    return buf_printf(ret_signature, "{\"v\":1,\"public\":\"%s\",\"sig\":\"%s\"}\n", key, digits);
}

int manifest_public(struct span state_dir, char ret_key[MANIFEST_DIGEST])
{
    unsigned char public_key[SIGN_PUBLIC_SIZE];
    char path[PATH_MAX];
    if (!path_of(state_dir, "/pack.pub", path))
        return -ENAMETOOLONG;
    int r = read_hex(path, public_key, sizeof(public_key));
    if (r == 0)
        codec_hex(span_from((const char *)public_key, sizeof(public_key)), ret_key);
    return r;
}

int manifest_check(struct span text, struct span signature, char ret_key[MANIFEST_DIGEST])
{
    unsigned char public_key[SIGN_PUBLIC_SIZE], bytes[SIGN_SIGNATURE_SIZE];
    struct span key, digits;
    struct buf all = BUF_INIT(MANIFEST_MAX + 64);
    struct json_value *v = value_parse(signature, NULL);
    bool good = v && value_get_string(value_get(v, SPAN_LIT("public")), &key) &&
                value_get_string(value_get(v, SPAN_LIT("sig")), &digits) &&
                codec_unhex(key, public_key, sizeof(public_key)) &&
                codec_unhex(digits, bytes, sizeof(bytes)) && join(text, &all) == 0 &&
                sign_verify(public_key, buf_span(&all), bytes);
    if (good)
        codec_hex(span_from((const char *)public_key, sizeof(public_key)), ret_key);
    value_free(v);
    buf_deinit(&all);
    return good ? 0 : -EBADMSG;
}
