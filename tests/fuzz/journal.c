/*
 * The journal of rule versions: each line of the input is given a right chain and hash, so that
 * what is behind them is read too; the last byte says whether as it is instead. No crash; what is
 * taken is whole lines.
 */
#include "base/codec.h"
#include "crypto/sha256.h"
#include "rules/urgent.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good)
        abort();
}

static void check_span(struct span s)
{
    static volatile unsigned char sink;
    for (size_t i = 0; i < s.len; i++)
        sink = (unsigned char)s.data[i];
    (void)sink;
}

/* {"n":1,"prev":"", and the rest of a line, and its hash. */
static void add_line(struct buf *out, struct span rest, unsigned number, char last[65])
{
    unsigned char digest[SHA256_SIZE];
    size_t start = out->len;
    buf_printf(out, "{\"n\":%u,\"prev\":\"%s\",", number, last);
    buf_append(out, rest);
    struct span body = span_slice(buf_span(out), start, out->len);
    require(sha256_once(body, digest) == 0);
    codec_hex(span_from((const char *)digest, sizeof(digest)), last);
    buf_printf(out, ",\"hash\":\"%s\"}\n", last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf text = BUF_INIT(1u << 20), messages = BUF_INIT(1u << 20);
    struct journal j = {.fd = -1};
    struct span rest = span_from((const char *)data, size), line;
    char last[65] = "";
    unsigned number = 0;
    arena_init(&j.arena, 1u << 24);
    if (size && data[size - 1] == '!')
        buf_append(&text, rest);
    else
        while (span_split(&rest, '\n', &line))
            add_line(&text, line, ++number, last);
    int r = journal_read(&j, buf_span(&text), SPAN_LIT("s"), &messages);
    require(r == 0 || messages.len);
    require(r != 0 ||
            (j.whole <= (long long)text.len && (j.whole == 0 || text.data[j.whole - 1] == '\n')));
    for (size_t i = 0; i < j.count; i++) {
        const struct journal_entry *e = &j.entries[i];
        require(e->number == i + 1 && e->hash.len == 64 && e->act < JOURNAL_ACTS);
        check_span(e->version);
        check_span(e->reason);
        check_span(e->word);
    }
    struct urgent_word *words;
    size_t count;
    if (urgent_list(&j, 1800000000, &words, &count) == 0) {
        struct buf file = BUF_INIT(1u << 20);
        for (size_t i = 0; i < count; i++)
            urgent_write(&file, words[i].given);
        buf_deinit(&file);
        free(words);
    }
    journal_close(&j);
    buf_deinit(&text);
    buf_deinit(&messages);
    return 0;
}
