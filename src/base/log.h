/*
 * Lines for the operator on stderr: time, level, text. One line a call, control characters
 * replaced, so that no text from outside can forge a line; what looks like a key is starred out.
 * Never pass prompts, answers or keys. As text, or as a JSON object a line: time (RFC 3339, UTC),
 * level (debug, info, warning, error), request_id where the line is about one exchange, message.
 */
#pragma once

#include "base/span.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

enum log_form { LOG_TEXT, LOG_JSON };

/* Level and form are the one global of the program. */
void log_set_level(enum log_level level);
/* Below this level nothing is formatted. */
enum log_level log_get_level(void);
void log_set_form(enum log_form form);
enum log_form log_get_form(void);
/* Lines of this thread are about that exchange, until told otherwise; empty: about none. */
void log_set_request(struct span id);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__)
