/*
 * The group robots' wire formats: what is posted where, how it is signed, and what their answers
 * mean. They answer 200 to what they refuse, and say so in the body.
 *
 *   DingTalk  {"msgtype":"text","text":{"content":…}}; with a secret the URL gets &timestamp=ms and
 *             &sign=, Base64 and URL-encoded, of HMAC-SHA-256 under the secret over "ms\nsecret".
 *             Taken: errcode 0.
 *   WeCom     the same body, no signature. Taken: errcode 0.
 *   Feishu    {"timestamp":"s","sign":…,"msg_type":"text","content":{"text":…}}; the sign is the
 *             Base64 of HMAC-SHA-256 under the key "s\nsecret" over nothing. Taken: code 0, of
 * older ones StatusCode 0. json      message_json(), signed as all that the gateway posts
 * (opinion/sign.h). Taken: 2xx.
 */
#pragma once

#include "alert/board.h"
#include "http/courier.h"

/* The URL to post to: signed where that belongs there. 0, -EIO, -EMSGSIZE, -ENOMEM. */
int robot_url(const struct config_alert_target *t, uint64_t now_us, struct buf *out);
/* The body. As robot_url(). */
int robot_body(const struct config_alert_target *t, const struct board_item *items, size_t count,
               struct span node, uint64_t now_us, struct buf *out);
/* Who reads that kind's answers, for the courier; NULL: the status says all. */
courier_judge_fn robot_judge(unsigned kind);
/*
 * Posts the items. 0 and `done` hears once, later, or within courier_free(); -errno as
 * courier_send(): then it hears nothing.
 */
int robot_send(struct courier *c, const struct config_alert_target *t,
               const struct board_item *items, size_t count, const struct config *config,
               unsigned tries, uint64_t now_us, courier_done_fn done, void *ctx);
