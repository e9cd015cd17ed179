#include "audit/act.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>

static int await(struct audit_port *port, uint64_t *ret_seq)
{
    struct pollfd p = {.fd = audit_port_fd(port), .events = POLLIN};
    uint64_t end = clock_mono_ms() + ACT_WAIT_MS;
    struct audit_done done;
    for (;;) {
        if (audit_port_collect(port, &done, 1) > 0) {
            if (ret_seq)
                *ret_seq = done.seq;
            return done.status;
        }
        uint64_t now = clock_mono_ms();
        if (now >= end)
            return -ETIMEDOUT;
        if (poll(&p, 1, (int)(end - now)) < 0 && errno != EINTR)
            return -errno;
    }
}

int act_await(struct audit_port *port)
{
    return await(port, NULL);
}

int act_record(struct audit *a, const struct audit_event *event, uint64_t *ret_seq)
{
    struct audit_port *port = NULL;
    int r = audit_port_open(a, &port);
    if (r < 0)
        return r;
    r = audit_submit(a, port, 1, event);
    if (r == 0)
        r = await(port, ret_seq);
    audit_port_close(port);
    return r;
}

int act_note(struct audit *a, struct span code, struct span detail, uint64_t *ret_seq)
{
    struct audit_event e = {.kind = AUDIT_ADMIN, .reason = code, .detail = detail};
    return act_record(a, &e, ret_seq);
}
