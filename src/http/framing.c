#include "http/framing.h"

#include <microhttpd.h>

#define FRAMING_HEADERS_MAX 100

struct seen {
    unsigned headers, length, encoding, host, type, authorization, content_encoding, expect;
    unsigned long long content_length;
    struct span transfer_encoding, expectation;
    size_t bytes; /* of the header lines as a plain client would write them */
    const char *fault;
};

/* RFC 9110 section 5.6.2. */
static bool is_token(struct span s)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c && strchr(marks, c))))
            return false;
    }
    return s.len > 0;
}

static bool is_value(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static enum MHD_Result see(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_size,
                           const char *value, size_t value_size)
{
    struct seen *s = cls;
    struct span name = span_from(key, key_size), text = span_from(value, value_size);
    s->headers++;
    s->bytes += name.len + text.len + 4; /* ": " and CRLF */
    if (!is_token(name))
        s->fault = "header_name";
    else if (!is_value(text))
        s->fault = "header_value";
    else if (span_eq_nocase(name, SPAN_LIT("content-length"))) {
        s->length++;
        if (!span_to_u64(text, &s->content_length))
            s->fault = "content_length";
    } else if (span_eq_nocase(name, SPAN_LIT("transfer-encoding"))) {
        s->encoding++;
        s->transfer_encoding = text;
    } else if (span_eq_nocase(name, SPAN_LIT("expect"))) {
        s->expect++;
        s->expectation = text;
    } else if (span_eq_nocase(name, SPAN_LIT("host"))) {
        s->host++;
    } else if (span_eq_nocase(name, SPAN_LIT("content-type"))) {
        s->type++;
    } else if (span_eq_nocase(name, SPAN_LIT("content-encoding"))) {
        s->content_encoding++;
    } else if (span_eq_nocase(name, SPAN_LIT("authorization"))) {
        s->authorization++;
    }
    return s->fault ? MHD_NO : MHD_YES;
}

struct framing framing_check(struct MHD_Connection *c, struct span method, size_t uri_len,
                             struct span version)
{
    struct framing f = {0};
    struct seen s = {0};
    bool http11 = span_eq(version, SPAN_LIT("HTTP/1.1"));
    MHD_get_connection_values_n(c, MHD_HEADER_KIND, see, &s);
    f.fault = s.fault;
    if (f.fault)
        return f;
    if (!http11 && !span_eq(version, SPAN_LIT("HTTP/1.0")))
        f.fault = "version";
    else if (s.headers > FRAMING_HEADERS_MAX)
        f.fault = "too_many_headers";
    else if (s.length > 1)
        f.fault = "repeated_content_length";
    else if (s.encoding > 1 ||
             (s.encoding && (!http11 || !span_eq_nocase(s.transfer_encoding, SPAN_LIT("chunked")))))
        f.fault = "transfer_encoding";
    else if (s.encoding && s.length)
        f.fault = "length_and_transfer_encoding";
    else if (s.host > 1 || (http11 && s.host == 0))
        f.fault = "host";
    else if (s.type > 1 || s.authorization > 1 || s.content_encoding > 1 || s.expect > 1)
        f.fault = "repeated_header";
    else {
        /*
         * The tripwire: what the library counted as the head against what its fields add up to.
         * They differ for folded lines, bare LF, NUL and empty names, which it accepts without a
         * trace.
         */
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
        size_t line = method.len + 1 + uri_len + 1 + version.len + 2;
        if (info && info->header_size != line + s.bytes + 2)
            f.fault = "header_size";
    }
    f.too_many = s.headers > FRAMING_HEADERS_MAX;
    f.has_body = s.encoding || s.content_length > 0;
    f.length = s.content_length;
    f.expect_continue = s.expect && span_eq_nocase(s.expectation, SPAN_LIT("100-continue"));
    f.bad_expectation = s.expect && !f.expect_continue;
    return f;
}
