/* Which encoding a text is in, and the text as UTF-8. */
#include "sheet/reader.h"

#include "base/utf8.h"

#include <errno.h>
#include <iconv.h>

static size_t line_at(struct span text, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at && i < text.len; i++)
        line += text.data[i] == '\n';
    return line;
}

/*
 * Is a text that has errors as UTF-8 one for all that? Chinese in GB18030 has few sequences that
 * are UTF-8 by chance, and a text in UTF-8 few bytes that went wrong; taking one for the other
 * would make a list of nonsense words.
 */
static bool meant_as_utf8(struct span s)
{
    size_t good = 0, bad = 0;
    while (s.len) {
        uint32_t cp;
        int n = utf8_decode(s, false, &cp);
        if (n > 1)
            good += (size_t)n;
        bad += n <= 0;
        s = span_slice(s, n > 0 ? (size_t)n : 1, s.len);
    }
    return good > 4 * bad;
}

/* Appends the text as UTF-8; the offset of the first byte that can't be read, or s.len. */
static int convert(struct span s, const char *from, struct buf *out, size_t *ret_at)
{
    iconv_t cd = iconv_open("UTF-8", from);
    if (cd == (iconv_t)-1)
        return errno == EINVAL ? -EOPNOTSUPP : -errno;
    char *in = (char *)s.data; /* iconv's own signature; it is not written to */
    size_t left = s.len;
    int r = 0;
    while (left && r == 0) {
        char piece[16384], *at = piece;
        size_t room = sizeof(piece);
        size_t n = iconv(cd, &in, &left, &at, &room);
        int error = errno;
        r = buf_append(out, span_from(piece, sizeof(piece) - room));
        if (n == (size_t)-1 && error != E2BIG)
            break;
    }
    iconv_close(cd);
    *ret_at = s.len - left;
    return r;
}

static int read_converted(struct reading *r, struct span bytes, const char *from,
                          const char *encodings)
{
    struct buf *text = &r->table->text;
    size_t at = 0;
    int e = convert(bytes, from, text, &at);
    if (e == -EOPNOTSUPP)
        return reading_fail(r, 0, "this system can't convert from %s: save the file as UTF-8",
                            from);
    if (e < 0)
        return e == -EMSGSIZE ? -ENOMEM : e;
    if (at < bytes.len)
        return reading_fail(r, line_at(buf_span(text), text->len),
                            "byte 0x%02x is in no character of %s", (unsigned char)bytes.data[at],
                            encodings);
    return 0;
}

static int read_as_found(struct reading *r, struct span bytes)
{
    struct table *t = r->table;
    bool little = span_starts(bytes, SPAN_LIT("\xff\xfe"));
    if (little || span_starts(bytes, SPAN_LIT("\xfe\xff"))) {
        t->encoding = TABLE_UTF16;
        return read_converted(r, span_slice(bytes, 2, bytes.len), little ? "UTF-16LE" : "UTF-16BE",
                              "UTF-16");
    }
    bool mark = span_starts(bytes, SPAN_LIT("\xef\xbb\xbf"));
    if (mark)
        bytes = span_slice(bytes, 3, bytes.len);
    size_t bad = utf8_check(bytes);
    t->encoding = TABLE_UTF8;
    if (bad == bytes.len)
        return buf_append(&t->text, bytes) < 0 ? -ENOMEM : 0;
    if (mark || meant_as_utf8(bytes))
        return reading_fail(r, line_at(bytes, bad), "byte 0x%02x is in no character of UTF-8",
                            (unsigned char)bytes.data[bad]);
    t->encoding = TABLE_GB18030;
    return read_converted(r, bytes, "GB18030", "UTF-8, nor of GB18030");
}

int encoding_read(struct reading *r, struct span bytes)
{
    int e = read_as_found(r, bytes);
    if (e < 0)
        return e;
    struct span text = buf_span(&r->table->text);
    const char *nul = text.len ? memchr(text.data, '\0', text.len) : NULL;
    if (!nul)
        return 0;
    return reading_fail(r, line_at(text, (size_t)(nul - text.data)),
                        "a NUL byte: this is no text, or UTF-16 without its byte order mark");
}
