#include "audit/originals.h"

#include "audit/record.h"
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"

#include <errno.h>
#include <stdlib.h>

#define SALT_SIZE   16
#define DOMAIN      SPAN_LIT("juyong.original.v1\0")
#define KEY_DOMAIN  SPAN_LIT("juyong.original.key.v1\0")
#define PAYLOAD_MAX (4u << 20)

static int put_number(struct buf *b, uint64_t value, size_t size)
{
    char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(value >> (8 * i));
    return buf_append(b, span_from(bytes, size));
}

static int put_sized(struct buf *b, struct span s)
{
    int r = put_number(b, s.len, 4);
    return r < 0 ? r : buf_append(b, s);
}

static int put_entry(struct buf *b, const struct audit_original *o)
{
    char cut = (char)((o->cut_before ? 1 : 0) | (o->cut_after ? 2 : 0));
    int r = put_sized(b, span_str(direction_name(o->direction)));
    if (r == 0)
        r = put_sized(b, span_str(role_name(o->role)));
    if (r == 0)
        r = put_sized(b, record_clip(o->path, RECORD_FIELD_MAX));
    if (r == 0)
        r = put_number(b, o->from, 8);
    if (r == 0)
        r = put_number(b, o->hits, 8);
    if (r == 0)
        r = buf_append_char(b, cut);
    return r < 0 ? r : put_sized(b, o->text);
}

/* One text with its salt; its commitment. */
static int put_original(struct buf *b, struct sha256 *h, const struct audit_original *o,
                        unsigned char ret_commit[ORIGINALS_COMMIT_SIZE])
{
    char salt[SALT_SIZE];
    int r = secret_random(salt, sizeof(salt));
    if (r == 0)
        r = buf_append(b, span_from(salt, sizeof(salt)));
    size_t at = b->len;
    if (r == 0)
        r = put_number(b, 0, 4);
    if (r == 0)
        r = put_entry(b, o);
    if (r < 0)
        return r;
    size_t len = b->len - at - 4;
    for (size_t i = 0; i < 4; i++)
        b->data[at + i] = (char)(len >> (8 * i));
    r = sha256_begin(h);
    if (r == 0)
        r = sha256_add(h, DOMAIN);
    if (r == 0)
        r = sha256_add(h, span_from(salt, sizeof(salt)));
    if (r == 0)
        r = sha256_add(h, span_from(b->data + at + 4, len));
    return r < 0 ? r : sha256_end(h, ret_commit);
}

static int seal(const struct textkeys *keys, struct span plain, struct buf *wrapped,
                struct buf *sealed)
{
    unsigned char key[SEAL_KEY_SIZE];
    int r = secret_random(key, sizeof(key));
    if (r == 0)
        r = seal_close(key, DOMAIN, plain, sealed);
    if (r == 0)
        r = seal_close(textkeys_newest(keys)->key, KEY_DOMAIN,
                       span_from((const char *)key, sizeof(key)), wrapped);
    secret_cleanse(key, sizeof(key));
    return r;
}

int originals_seal(const struct textkeys *keys, const struct audit_original *originals,
                   size_t count, unsigned char ret_commits[][ORIGINALS_COMMIT_SIZE],
                   struct buf *wrapped, struct buf *sealed)
{
    struct buf plain = BUF_INIT(PAYLOAD_MAX);
    struct sha256 *h = sha256_new();
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += originals[i].text.len + RECORD_FIELD_MAX + 128;
    int r = h ? buf_reserve(&plain, size) : -ENOMEM;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = put_original(&plain, h, &originals[i], ret_commits[i]);
    if (r == 0)
        r = seal(keys, buf_span(&plain), wrapped, sealed);
    if (plain.data)
        secret_cleanse(plain.data, plain.cap);
    buf_deinit(&plain);
    sha256_free(h);
    return r;
}
