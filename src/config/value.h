/*
 * The scalars that configuration is made of: how they are written, read and printed.
 */
#pragma once

#include "base/buf.h"

#include <stdint.h>

/* "true" or "false", nothing else: YAML's yes/no/on/off mean different things to different readers.
 */
bool value_read_bool(struct span text, bool *ret_value);
/* Bytes: 4096B, 64KiB, 2MiB, 1GiB; a bare 0. */
bool value_read_size(struct span text, uint64_t *ret_bytes);
/* Milliseconds: 250ms, 10s, 15min, 2h; a bare 0. */
bool value_read_duration(struct span text, uint64_t *ret_ms);
/* Days: 30d; a bare 0. */
bool value_read_days(struct span text, uint64_t *ret_days);
/*
 * A numeric address and a port: 127.0.0.1:8080, [::1]:8080. *ret_host is a part of text, without
 * brackets.
 */
bool value_read_address(struct span text, struct span *ret_host, uint16_t *ret_port);
/* Does that numeric host never leave this machine? 127.0.0.0/8, ::1. */
bool value_is_loopback(struct span host);
/* Has no control characters (C0, DEL). */
bool value_is_printable(struct span text);

/* In the largest unit that divides the number. */
int value_print_size(struct buf *out, uint64_t bytes);
int value_print_duration(struct buf *out, uint64_t ms);
