/* What a client asked the stand-in model: the few fields of a request that shape the answer. */
#pragma once

#include "base/buf.h"

#define ASK_CHOICES_MAX 32

struct ask {
    bool chat; /* Chat Completions; else Completions */
    bool stream, include_usage, logprobs;
    unsigned choices; /* n, 1 to ASK_CHOICES_MAX */
    struct buf model; /* as named, `demo` when absent */
    struct buf text;  /* the last user message, its text parts joined; or the prompt */
};

/* Reads the body of a request. 0, -EINVAL when it is no such request, -ENOMEM. */
int ask_read(struct ask *ret_ask, bool chat, struct span body);
void ask_deinit(struct ask *a);
