/*
 * What an exchange is for, and so how far the gateway may interfere with it. Decided once, when the
 * request's head is read; private to the room.
 */
#pragma once

#include "config/config.h"

struct purpose {
    enum config_mode
        mode;       /* for the whole exchange: a stream doesn't change its rules at midnight */
    bool uncounted; /* nobody's strikes: a reviewer tests */
};
