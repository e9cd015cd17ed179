/* What upstreams do wrong, streamed and not, and what the client and the record then say. */
#include "bed.h"

static struct bed bed;

static int setup(void **state)
{
    bed_open(&bed, "limits: { hold: 4KiB, event: 64KiB, stream: 1MiB, answer: 64KiB }\n", true);
    return 0;
}

static int teardown(void **state)
{
    bed_close(&bed);
    return 0;
}

#define SSE "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
#define CHUNK(delta, finish)                                                                       \
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{" delta                              \
    "},\"finish_reason\":" finish "}]}\n\n"
#define TEXT(t) CHUNK("\"content\":\"" t "\"", "null")
#define STOP    CHUNK("", "\"stop\"")
#define DONE    "data: [DONE]\n\n"
#define USAGE   "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n"
#define WHOLE                                                                                      \
    "{\"id\":\"c\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{"         \
    "\"role\":\"assistant\",\"content\":\"早先的话\"},\"finish_reason\":\"stop\"}]}"
#define JSON(status, more, body)                                                                   \
    "HTTP/1.1 " status "\r\nContent-Type: application/json\r\nConnection: close\r\n" more          \
    "\r\n" body

struct fault {
    const char *name, *wire;
    enum bed_end end;
    bool stream;
    int status;
    const char *has[3], *lacks[3]; /* in the body */
    const char *record;
    bool broken; /* the response itself ends badly */
};

static const struct fault faults[] = {
    /* streams */
    {"no [DONE]",
     SSE "\r\n" TEXT("早先的话") STOP,
     BED_CLOSE,
     true,
     200,
     {"早先的话", "\"stop\"", "[DONE]"},
     {"\"error\""},
     "allow complete  200 complete"},
    {"reset behind the finish",
     SSE "\r\n" TEXT("早先的话") STOP,
     BED_RESET,
     true,
     200,
     {"早先的话"},
     {"content_filter"},
     NULL},
    {"[DONE] without a finish",
     SSE "\r\n" TEXT("早先的话") DONE,
     BED_CLOSE,
     true,
     200,
     {"早先的话", "upstream_truncated"},
     {"[DONE]", "\"stop\""},
     "allow truncated upstream_truncated"},
    {"the end without a finish",
     SSE "\r\n" TEXT("早先的话"),
     BED_CLOSE,
     true,
     200,
     {"早先的话", "upstream_truncated"},
     {"[DONE]", "\"stop\""},
     "allow truncated upstream_truncated"},
    {"the end within an event",
     SSE "\r\n" TEXT("早先的话") "data: {\"choices\":[{\"ind",
     BED_CLOSE,
     true,
     200,
     {"早先的话", "upstream_truncated"},
     {"[DONE]", "\"stop\""},
     "allow truncated upstream_truncated"},
    {"the end before an event's blank line",
     SSE "\r\n" TEXT("早先的话") "data: {\"choices\":[{\"index\":0,\"delta\":{},"
                                 "\"finish_reason\":\"stop\"}]}\n",
     BED_CLOSE,
     true,
     200,
     {"早先的话"},
     {"\"n\":"},
     NULL},
    {"the end while text is held",
     SSE "\r\n" TEXT("早先的话琥珀炸弹"),
     BED_CLOSE,
     true,
     200,
     {"早先的话琥珀炸弹", "upstream_truncated"},
     {"[DONE]", "\"stop\""},
     "allow truncated upstream_truncated"},
    {"a forbidden word at the end, unfinished",
     SSE "\r\n" TEXT("早先的话琥珀炸弹配方"),
     BED_CLOSE,
     true,
     200,
     {"早先的话", "content_filter", "[DONE]"},
     {"琥珀", "炸弹"},
     "block cut"},
    {"nothing at all",
     SSE "\r\n",
     BED_CLOSE,
     true,
     502,
     {"upstream_truncated"},
     {"[DONE]"},
     "allow truncated upstream_truncated 502"},
    {"a head that is cut",
     "HTTP/1.1 200 OK\r\nContent-Ty",
     BED_CLOSE,
     true,
     502,
     {"\"error\""},
     {"[DONE]"},
     "allow upstream_error"},
    {"a body that is cut",
     "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
     "ffff\r\n" TEXT("早先的话"),
     BED_RESET,
     true,
     200,
     {"upstream_truncated"},
     {"[DONE]", "\"stop\""},
     "allow truncated upstream_truncated"},
    {"an error event",
     SSE "\r\n" TEXT("早先的话") "data: {\"error\":{\"message\":\"geheim\"}}\n\n",
     BED_CLOSE,
     true,
     200,
     {"早先的话", "upstream_failed"},
     {"geheim", "[DONE]", "\"stop\""},
     "allow upstream_error upstream_failed"},
    {"an error event first",
     SSE "\r\ndata: {\"error\":{\"message\":\"geheim\"}}\n\n",
     BED_CLOSE,
     true,
     502,
     {"upstream_failed"},
     {"geheim"},
     "allow upstream_error upstream_failed 502"},
    {"no JSON",
     SSE "\r\n" TEXT("早先的话") "data: <html>geheim\n\n",
     BED_STAY,
     true,
     200,
     {"早先的话", "upstream_protocol"},
     {"geheim", "[DONE]"},
     "allow upstream_error upstream_protocol"},
    {"a key twice",
     SSE "\r\n" TEXT("早先的话") "data: {\"choices\":[],\"choices\":[]}\n\n",
     BED_STAY,
     true,
     200,
     {"upstream_protocol"},
     {"[DONE]"},
     "allow upstream_error"},
    {"text behind the finish",
     SSE "\r\n" TEXT("早先的话") STOP TEXT("geheim") DONE,
     BED_CLOSE,
     true,
     200,
     {"早先的话", "\"stop\"", "[DONE]"},
     {"geheim", "\"error\""},
     "allow complete"},
    {"an error behind the finish",
     SSE "\r\n" TEXT("早先的话") STOP "data: {\"error\":{\"message\":\"geheim\"}}\n\n",
     BED_STAY,
     true,
     200,
     {"早先的话", "\"stop\"", "[DONE]"},
     {"geheim", "\"error\""},
     "allow complete"},
    {"a new choice behind the finish",
     SSE "\r\n" TEXT("早先的话") STOP
     "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"琥珀\"}}]}\n\n" DONE,
     BED_STAY,
     true,
     200,
     {"早先的话", "\"stop\"", "[DONE]"},
     {"琥珀", "\"error\""},
     "allow complete"},
    {"a forbidden word behind the finish",
     SSE "\r\n" TEXT("早先的话") STOP "data: {\"choices\":[],\"x\":\"" BED_BLOCK "后话\"}\n\n" DONE,
     BED_STAY,
     true,
     200,
     {"早先的话", "\"stop\"", "[DONE]"},
     {"琥珀", "后话"},
     "block complete"},
    {"counts behind the finish",
     SSE "\r\n" TEXT("早先的话") STOP USAGE DONE,
     BED_STAY,
     true,
     200,
     {"早先的话", "total_tokens", "[DONE]"},
     {"\"error\""},
     "allow complete"},
    {"more behind [DONE]",
     SSE "\r\n" TEXT("早先的话") STOP DONE TEXT("geheim") STOP,
     BED_STAY,
     true,
     200,
     {"早先的话", "\"stop\"", "[DONE]"},
     {"geheim", "\"error\""},
     "allow complete"},
    {"JSON for a stream",
     JSON("200 OK", "", WHOLE),
     BED_CLOSE,
     true,
     502,
     {"upstream_type"},
     {"早先的话"},
     "allow upstream_error upstream_type 502"},
    {"HTML for a stream",
     "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>geheim",
     BED_CLOSE,
     true,
     502,
     {"upstream_type"},
     {"geheim"},
     "allow upstream_error upstream_type 502"},
    {"no type",
     "HTTP/1.1 200 OK\r\n\r\n" TEXT("geheim"),
     BED_CLOSE,
     true,
     502,
     {"upstream_type"},
     {"geheim"},
     "allow upstream_error upstream_type 502"},
    {"gzip",
     SSE "Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08geheim",
     BED_CLOSE,
     true,
     502,
     {"upstream_encoding"},
     {"geheim"},
     "allow upstream_error upstream_encoding 502"},
    {"a held flood of tool arguments",
     NULL,
     BED_STAY,
     true,
     200,
     {"早先的话", "hold_overflow"},
     {"xxxx", "[DONE]"},
     "allow upstream_error hold_overflow"},
    {"a tool call without an end",
     SSE "\r\n" TEXT("早先的话")
         CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]",
               "null") DONE,
     BED_CLOSE,
     true,
     200,
     {"早先的话", "upstream_truncated"},
     {"tool_calls", "[DONE]"},
     "allow truncated"},
    {"a forbidden tool call",
     SSE "\r\n" TEXT("早先的话") CHUNK(
         "\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":"
         "\\\"先前" BED_BLOCK "后话\\\"}\"}}]",
         "null") CHUNK("", "\"tool_calls\"") DONE,
     BED_CLOSE,
     true,
     200,
     {"早先的话", "content_filter", "[DONE]"},
     {"先前", "\"tool_calls\"", "琥珀"},
     "block cut"},
    {"a tool call that would have to be masked",
     SSE "\r\n" TEXT("早先的话") CHUNK(
         "\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":"
         "\\\"" BED_PHONE "\\\"}\"}}]",
         "null") CHUNK("", "\"tool_calls\"") DONE,
     BED_CLOSE,
     true,
     200,
     {"早先的话", "content_filter", "[DONE]"},
     {BED_PHONE, "\"tool_calls\""},
     "block cut"},
    {"a picture",
     SSE "\r\n" TEXT("早先的话")
         CHUNK("\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
               "\"data:image/png;base64,AAAA\"}}]",
               "null") STOP DONE,
     BED_STAY,
     true,
     200,
     {"早先的话", "media_denied"},
     {"base64", "[DONE]"},
     "allow cut media_denied 200"},
    {"a picture, not streamed",
     JSON("200 OK", "",
          "{\"choices\":[{\"index\":0,\"message\":{\"content\":[{\"type\":\"image_url\","
          "\"image_url\":{\"url\":\"data:image/png;base64,AAAA\"}}]}}]}"),
     BED_CLOSE,
     false,
     400,
     {"media_denied"},
     {"base64"},
     "allow cut media_denied 400"},
    /* either */
    {"a redirect",
     "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\ngeheim",
     BED_CLOSE,
     true,
     502,
     {"upstream_protocol"},
     {"geheim"},
     "allow upstream_error upstream_protocol 502"},
    {"an upgrade",
     "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\ngeheim",
     BED_CLOSE,
     true,
     502,
     {"\"error\""},
     {"geheim"},
     "allow upstream_error"},
    {"two lengths",
     JSON("200 OK", "Content-Length: 10\r\nContent-Length: 200\r\n", WHOLE),
     BED_CLOSE,
     false,
     502,
     {"upstream_protocol"},
     {"早先"},
     "allow upstream_error upstream_protocol 502"},
    {"a length and chunks",
     JSON("200 OK", "Content-Length: 10\r\nTransfer-Encoding: chunked\r\n",
          "5\r\nhello\r\n0\r\n\r\n"),
     BED_CLOSE,
     false,
     502,
     {"upstream_protocol"},
     {"hello"},
     "allow upstream_error"},
    {"not HTTP",
     "SSH-2.0-OpenSSH_9\r\n",
     BED_CLOSE,
     false,
     502,
     {"\"error\""},
     {"SSH"},
     "allow upstream_error"},
    {"500 in JSON",
     JSON("500 X", "", "{\"error\":{\"message\":\"went wrong\"}}"),
     BED_CLOSE,
     true,
     500,
     {"went wrong"},
     {"[DONE]"},
     "allow upstream_error upstream_failed 500"},
    {"500 in HTML",
     "HTTP/1.1 500 X\r\nContent-Type: text/html\r\n\r\n<p>geheim",
     BED_CLOSE,
     true,
     502,
     {"upstream_failed"},
     {"geheim"},
     "allow upstream_error upstream_failed 502"},
    {"a forbidden word in an error",
     JSON("400 X", "", "{\"error\":{\"message\":\"" BED_BLOCK "\"}}"),
     BED_CLOSE,
     false,
     200,
     {"content_filter"},
     {"琥珀"},
     "block cut content_filter 200"},
    /* answers that are not streamed */
    {"an ordinary answer",
     JSON("200 OK", "", WHOLE),
     BED_CLOSE,
     false,
     200,
     {WHOLE},
     {"error"},
     "allow complete  200 complete"},
    {"a cut answer",
     JSON("200 OK", "Content-Length: 500\r\n", WHOLE),
     BED_CLOSE,
     false,
     502,
     {"upstream_truncated"},
     {"早先"},
     "allow truncated upstream_truncated 502"},
    {"half an answer",
     JSON("200 OK", "", "{\"choices\":[{\"index\":0,\"mess"),
     BED_CLOSE,
     false,
     502,
     {"upstream_protocol"},
     {"choices"},
     "allow upstream_error upstream_protocol 502"},
    {"an error with status 200",
     JSON("200 OK", "", "{\"error\":{\"message\":\"geheim\"}}"),
     BED_CLOSE,
     false,
     502,
     {"upstream_failed"},
     {"geheim"},
     "allow upstream_error upstream_failed 502"},
    {"a stream not asked for",
     SSE "\r\n" TEXT("早先的话") STOP DONE,
     BED_CLOSE,
     false,
     502,
     {"upstream_type"},
     {"早先"},
     "allow upstream_error upstream_type 502"},
    {"gzip unasked",
     JSON("200 OK", "Content-Encoding: gzip\r\n", "\x1f\x8b"),
     BED_CLOSE,
     false,
     502,
     {"upstream_encoding"},
     {NULL},
     "allow upstream_error upstream_encoding 502"},
    {"a masked answer",
     JSON("200 OK", "",
          "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"打" BED_PHONE "吧\"}}]}"),
     BED_CLOSE,
     false,
     200,
     {"打***********吧"},
     {BED_PHONE},
     "mask complete  200 complete"},
    {"a refused answer of two choices",
     JSON("200 OK", "",
          "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"geheim\"}},{\"index\":1,"
          "\"message\":{\"content\":\"" BED_BLOCK "\"}}]}"),
     BED_CLOSE,
     false,
     200,
     {"content_filter"},
     {"geheim", "琥珀"},
     "block cut content_filter 200"},
    {"a prepared answer",
     JSON("200 OK", "",
          "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"" BED_ANSWER "\"}}]}"),
     BED_CLOSE,
     false,
     200,
     {"\"choices\""},
     {BED_ANSWER},
     "answer cut"},
};

/* Text, then 8 KiB of arguments that are held until the call is whole. */
static struct span flood(struct buf *out)
{
    assert_int_equal(buf_append(out, SPAN_LIT(SSE "\r\n" TEXT("早先的话"))), 0);
    for (int i = 0; i < 80; i++)
        assert_int_equal(
            buf_append(out,
                       SPAN_LIT(CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
                                      "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}}]",
                                      "null"))),
            0);
    return buf_span(out);
}

static void check(const struct fault *f, const size_t *cuts, size_t count)
{
    struct buf made = BUF_INIT(1u << 20);
    bed.script = (struct bed_script){.bytes = f->wire ? span_str(f->wire) : flood(&made),
                                     .cuts = cuts,
                                     .cut_count = count,
                                     .end = f->end};
    struct bed_client c;
    bed_ask(&bed, &c, bed_question("你好", f->stream ? "\"stream\":true" : ""));
    bed_answer(&bed, &c);
    struct buf body = bed_body(&c);
    struct span all = buf_span(&body);
    if (bed_status(&c) != f->status)
        fail_msg("%s: status %d: %.*s", f->name, bed_status(&c), SPAN_ARG(all));
    if (!bed_whole(&c))
        fail_msg("%s: the response is not whole", f->name);
    for (int i = 0; i < 3; i++) {
        if (f->has[i] && span_find(all, span_str(f->has[i])) == all.len)
            fail_msg("%s: no \"%s\" in %.*s", f->name, f->has[i], SPAN_ARG(all));
        if (f->lacks[i] && span_find(all, span_str(f->lacks[i])) < all.len)
            fail_msg("%s: \"%s\" in %.*s", f->name, f->lacks[i], SPAN_ARG(all));
    }
    const char *record = bed_record(&bed);
    for (int i = 0; i < 100 && f->record && strncmp(record, f->record, strlen(f->record)); i++) {
        bed_wait(&bed, 10);
        record = bed_record(&bed);
    }
    if (f->record && strncmp(record, f->record, strlen(f->record)))
        fail_msg("%s: the record is \"%s\"", f->name, record);
    buf_deinit(&body);
    buf_deinit(&made);
    bed_leave(&c);
}

static void test_faults(void **state)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        check(&faults[i], NULL, 0);
}

/* The same in writes of 1 to 40 bytes, each read on its own. */
static void test_faults_split(void **state)
{
    uint64_t seed = 4711;
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        size_t cuts[600], at = 0;
        for (size_t n = 0; n < 600; n++)
            cuts[n] = at += 1 + random_next(&seed) % 40;
        if (faults[i].end != BED_RESET) /* what a reset overtakes is lost */
            check(&faults[i], cuts, 600);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults_split, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
