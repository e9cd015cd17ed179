#include "console/totp.h"

void totp_text(const unsigned char secret[OTP_SECRET_SIZE], char ret_text[TOTP_TEXT_SIZE])
{
    static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint64_t word = 0;
    for (size_t i = 0, at = 0; i < OTP_SECRET_SIZE; i++) {
        word = word << 8 | secret[i];
        if (i % 5 != 4)
            continue;
        for (int shift = 35; shift >= 0; shift -= 5) /* 5 bytes are 8 letters */
            ret_text[at++] = abc[word >> shift & 31];
        word = 0;
    }
    ret_text[TOTP_TEXT_SIZE - 1] = '\0';
}

static void escape(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '.' || c == '_';
        buf_printf(out, plain ? "%c" : "%%%02X", c);
    }
}

int totp_uri(struct buf *out, struct span name, struct span node,
             const unsigned char secret[OTP_SECRET_SIZE])
{
    char text[TOTP_TEXT_SIZE];
    totp_text(secret, text);
    buf_append(out, SPAN_LIT("otpauth://totp/juyong:"));
    escape(out, name);
    buf_printf(out, "?secret=%s&issuer=juyong", text);
    if (node.len) {
        buf_append(out, SPAN_LIT("%20"));
        escape(out, node);
    }
    return buf_append(out, SPAN_LIT("&algorithm=SHA1&digits=6&period=30"));
}
