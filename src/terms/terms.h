/*
 * The words that every room shares: who speaks, where in an exchange, what was found, what is done.
 * Header only. Names are the ones that configuration, rules, log and metrics use.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

/* Towards the model or from it; as bits in rules and policies. */
enum direction {
    DIRECTION_PROMPT = 1,
    DIRECTION_COMPLETION = 2,
    DIRECTION_BOTH = 3,
};

/* In order of weight: of several, the heaviest wins. */
enum action {
    ACTION_ALLOW,  /* forwarded */
    ACTION_FLAG,   /* forwarded, and listed for review */
    ACTION_MASK,   /* matched characters replaced by '*' */
    ACTION_ANSWER, /* a prepared safe answer instead of the model's */
    ACTION_BLOCK,  /* refused or cut */
    ACTION_COUNT,
    ACTION_DEFAULT = -1, /* a rule that leaves it to its risk type and direction */
    ACTION_ASK = -2,     /* of rules and policies: flag, and ask for a second opinion */
};

enum role {
    ROLE_NONE, /* not part of a conversation: tools, schemas, unknown fields */
    ROLE_SYSTEM,
    ROLE_DEVELOPER,
    ROLE_USER,
    ROLE_ASSISTANT,
    ROLE_TOOL,
    ROLE_COUNT,
};

/*
 * What kind of text a span is. Spans of one kind that follow each other are judged joined as well
 * as alone (see DESIGN, "Joined spans"); FIELD_OTHER is always judged alone.
 */
enum field {
    FIELD_OTHER,
    FIELD_CONTENT,
    FIELD_REASONING,
    FIELD_REFUSAL,
    FIELD_ARGUMENTS, /* of a tool call: must not be masked */
    FIELD_LOGPROBS,
    FIELD_AUDIO, /* transcript of an audio answer */
    FIELD_COUNT,
};

/* What happens when the decision log can't be written. */
enum audit_mode {
    AUDIT_REQUIRED, /* new requests are refused */
    AUDIT_DEGRADED, /* a bounded memory queue first; a gap record tells what happened */
};

/* How an exchange ended. */
enum outcome {
    OUTCOME_COMPLETE,    /* the whole answer went to the client */
    OUTCOME_REFUSED,     /* the prompt was: nothing of an answer was shown */
    OUTCOME_CUT,         /* the answer was blocked or cut */
    OUTCOME_REJECTED,    /* malformed, too big, not allowed: could not be judged */
    OUTCOME_UPSTREAM,    /* the upstream failed or answered with an error */
    OUTCOME_TRUNCATED,   /* the upstream ended before its answer did */
    OUTCOME_CLIENT_GONE, /* the client left */
    OUTCOME_TIMEOUT,     /* a deadline passed */
    OUTCOME_INTERNAL,    /* our own failure: log, memory, drain */
    OUTCOME_COUNT,
};

/*
 * Layers of disguise that a match was seen through; bits. text/README.md says what each sees. The
 * first ones are always on, those of LAYERS_ASKED only for rules that ask for them, the last ones
 * are encodings of whole payloads.
 */
enum layer {
    LAYER_CASE = 1 << 0,
    LAYER_WIDTH = 1 << 1,       /* full-width, circled, superscript: compatibility forms */
    LAYER_TRADITIONAL = 1 << 2, /* traditional and variant Han */
    LAYER_INVISIBLE = 1 << 3,   /* zero-width, bidi, variation selectors, tags */
    LAYER_MARK = 1 << 4,        /* combining marks and accents */
    LAYER_LOOKALIKE = 1 << 5,   /* confusable letters of another script */
    LAYER_SEPARATOR = 1 << 6,   /* spaces, punctuation, symbols between the characters */
    LAYER_JOIN = 1 << 7,        /* across two messages, parts or fields */
    LAYER_ESCAPE = 1 << 8,      /* behind a second level of JSON escapes */
    LAYER_REPEAT = 1 << 9,      /* characters said more than once */
    LAYER_MARKUP = 1 << 10,     /* HTML tags between the characters */
    LAYER_NUMERAL = 1 << 11,    /* Chinese numerals for digits */
    LAYER_PINYIN = 1 << 12,     /* toneless pinyin for Han characters */
    LAYER_INITIALS = 1 << 13,   /* first letters of their pinyin */
    LAYER_HOMOPHONE = 1 << 14,  /* other Han characters of the same syllable */
    LAYER_SHAPE = 1 << 15,      /* other Han characters of nearly the same shape */
    LAYER_SPLIT = 1 << 16,      /* a Han character written as its parts */
    LAYER_REVERSED = 1 << 17,   /* written backwards */
    LAYER_LEET = 1 << 18,       /* digits and symbols for letters */
    LAYER_INSERTED = 1 << 19,   /* letters and digits between Han characters */
    LAYER_VERTICAL = 1 << 20,   /* read down the columns of several lines */
    LAYER_ACROSTIC = 1 << 21,   /* the first characters of several lines */
    LAYER_BASE64 = 1 << 22,
    LAYER_HEX = 1 << 23,
    LAYER_PERCENT = 1 << 24,
    LAYER_ENTITY = 1 << 25, /* HTML character references */
};
#define LAYER_COUNT 26
/* What a rule must ask for. */
#define LAYERS_ASKED                                                                               \
    (LAYER_PINYIN | LAYER_INITIALS | LAYER_HOMOPHONE | LAYER_SHAPE | LAYER_SPLIT |                 \
     LAYER_REVERSED | LAYER_LEET | LAYER_INSERTED | LAYER_VERTICAL | LAYER_ACROSTIC)
/* What needs the end of a text: prompts and unstreamed answers only. */
#define LAYERS_WHOLE (LAYER_VERTICAL | LAYER_ACROSTIC)
/* Encodings of a payload: a hit behind one of them is an attack besides. */
#define LAYERS_ENCODED (LAYER_ESCAPE | LAYER_BASE64 | LAYER_HEX | LAYER_PERCENT | LAYER_ENTITY)

/*
 * One certain match in one text. Offsets are bytes of the text that was fed, 0-based and half open,
 * at code point boundaries.
 */
struct hit {
    uint64_t start, end;
    uint32_t rule;   /* index into the rule set's rules */
    uint32_t layers; /* enum layer bits */
};

/*
 * A text within a body or event, as a dialect found it. All spans are borrowed for the call.
 */
struct text_item {
    struct span text; /* decoded: what the reader will see */
    struct span raw;  /* the JSON string's inside, between its quotes, within the body */
    struct span path; /* where, such as messages[3].content */
    enum role role;
    enum field field;
    uint32_t choice; /* which parallel answer; 0 in requests */
    uint32_t turn;   /* which message of a request's conversation, from 1; 0: outside of it */
    uint32_t part;   /* which tool call of the choice, for FIELD_ARGUMENTS */
    bool join;       /* continues the item before it of the same choice, field and part */
    bool maskable;   /* false where a mask would break the format or a signature */
};

static inline const char *direction_name(enum direction d)
{
    return d == DIRECTION_PROMPT ? "prompt" : d == DIRECTION_COMPLETION ? "completion" : "both";
}

static inline const char *action_name(enum action a)
{
    static const char *const names[ACTION_COUNT] = {"allow", "flag", "mask", "answer", "block"};
    return a >= 0 && a < ACTION_COUNT ? names[a] : a == ACTION_ASK ? "ask" : "default";
}

/* The name of the layer with that bit's number; the names that rules, records and people use. */
static inline const char *layer_name(unsigned bit)
{
    static const char *const names[LAYER_COUNT] = {
        "case",      "width",  "traditional", "invisible", "mark",    "lookalike", "separator",
        "join",      "escape", "repeat",      "markup",    "numeral", "pinyin",    "initials",
        "homophone", "shape",  "split",       "reversed",  "leet",    "inserted",  "vertical",
        "acrostic",  "base64", "hex",         "percent",   "entity",
    };
    return bit < LAYER_COUNT ? names[bit] : "";
}

/* The layer of that name, as its bit; 0 for any other word. */
static inline uint32_t layer_from(struct span name)
{
    for (unsigned i = 0; i < LAYER_COUNT; i++)
        if (span_eq(name, span_str(layer_name(i))))
            return UINT32_C(1) << i;
    return 0;
}

/* The action of that name, or ACTION_DEFAULT for any other word. */
static inline enum action action_from(struct span name)
{
    for (int a = 0; a < ACTION_COUNT; a++)
        if (span_eq(name, span_str(action_name((enum action)a))))
            return (enum action)a;
    return ACTION_DEFAULT;
}

static inline const char *role_name(enum role r)
{
    static const char *const names[ROLE_COUNT] = {"",     "system",    "developer",
                                                  "user", "assistant", "tool"};
    return names[r];
}

static inline const char *field_name(enum field f)
{
    static const char *const names[FIELD_COUNT] = {"other",     "content",  "reasoning", "refusal",
                                                   "arguments", "logprobs", "audio"};
    return names[f];
}

static inline const char *outcome_name(enum outcome o)
{
    static const char *const names[OUTCOME_COUNT] = {
        "complete",  "refused",     "cut",     "rejected", "upstream_error",
        "truncated", "client_gone", "timeout", "internal",
    };
    return names[o];
}
