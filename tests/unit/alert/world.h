/* A configuration with alerts, for the tests of this room. */
#pragma once

#include "../unit.h"

#include "alert/board.h"

static inline struct config *configured(const char *alerts)
{
    struct buf text = BUF_INIT(65536), messages = BUF_INIT(65536);
    struct config *c = NULL;
    buf_printf(&text,
               "node: n1\nupstreams:\n  - name: u\n    base_url: https://api.example.com/v1\n"
               "    models: [{id: m, filing_number: F}]\nalerts:\n%s",
               alerts);
    if (config_read(buf_span(&text), SPAN_LIT("c.yaml"), &messages, &c) != 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&text);
    buf_deinit(&messages);
    return c;
}

/* 2026-11-27 10:00 in China. */
#define TEN_US 1795744800000000ull
