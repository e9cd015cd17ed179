/*
 * The visible label of AI-generated text (GB 45438-2025, 5.1): whatever its words, it names that AI
 * was at work and that it generated. And the machine's label (Annex E), which is ASCII only.
 */
#pragma once

#include "base/span.h"

/* How an app's answers are labelled. */
enum label_mode {
    LABEL_UI,        /* the app's interface shows a hint all the time: the app attests it */
    LABEL_PREFIX,    /* the answer begins with the text */
    LABEL_SUFFIX,    /* or ends with it */
    LABEL_REQUESTED, /* as suffix, but not for end users who asked to have none */
    LABEL_MODES,
};
static inline const char *label_mode_name(enum label_mode m)
{
    static const char *const names[LABEL_MODES] = {"ui", "prefix", "suffix", "user-requested-none"};
    return names[m];
}

/* Longest text of one language, bytes. */
#define LABEL_TEXT_MAX 200

/*
 * Does the text name AI (人工智能, or AI as a word of its own; with `any_case` also ai), and that
 * something was generated (生成, 合成, generated in any case)?
 */
bool label_names_ai(struct span text, bool any_case);
bool label_names_generation(struct span text);
/* A value of the machine's label: printable ASCII without blanks, quotes and backslashes. */
bool label_is_plain(struct span value);
