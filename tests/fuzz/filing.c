/*
 * Any bytes as answers to the filing's questionnaire, and as desk.json: refused with a reason, or
 * they say what can be said again. An answer always leads to a route.
 */
#include "filing/progress.h"

#include <errno.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct route_answers *a)
{
    struct buf out = BUF_INIT(1u << 20), unused = BUF_INIT(1u << 16);
    struct route_answers back;
    struct route_advice d;
    route_decide(a, &d);
    if (!d.due || (d.due & d.possible))
        abort();
    if (route_write(a, &out) == 0 && /* not text, else */
        (route_read(buf_span(&out), SPAN_LIT("again"), &unused, &back) != 0 ||
         memcmp(a->chosen, back.chosen, sizeof(a->chosen)) != 0 ||
         strcmp(a->model_number, back.model_number) != 0 ||
         strcmp(a->online_since, back.online_since) != 0))
        abort();
    buf_deinit(&out);
    buf_deinit(&unused);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_from((const char *)data, size);
    struct buf messages = BUF_INIT(1u << 20), why = BUF_INIT(1024);
    struct route_answers a;
    struct progress p;
    int r = route_read(text, SPAN_LIT("fuzz"), &messages, &a);
    if (r == 0)
        check(&a);
    else if (r == -EINVAL && messages.len == 0)
        abort();
    if (progress_parse(text, &why, &p) == 0) {
        check(&p.answers);
        for (unsigned i = 0; i < PROGRESS_TRACKS; i++)
            if (progress_step(&p, i) && progress_step(&p, i)->state >= STEP_STATES)
                abort();
        progress_free(&p);
    }
    buf_deinit(&messages);
    buf_deinit(&why);
    return 0;
}
