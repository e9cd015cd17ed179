/* `opinions:` and `policy.opinions`: who can be asked for a second opinion, and when he is. */
#include "config/keys.h"

#define AT(type, field) .offset = offsetof(type, field)

#define SECOND     1000ull
#define MINUTE     (60 * SECOND)
#define HOUR       (60 * MINUTE)
#define KiB        1024ull
#define MiB        (1024 * KiB)
#define CATEGORIES 256
#define SOURCES    32

static const char *const choices_kind[] = {"moderations", "qwen3guard", "llamaguard", "webhook",
                                           NULL};
static const char *const choices_direction[] = {"prompt", "completion", "both", NULL};
static const char *const choices_when[] = {"always", "asked", "sampled", NULL};
static const char *const choices_asks[] = {"conversation", "last", NULL};
static const char *const choices_release[] = {"exact", "sentence", "whole", NULL};
static const char *const choices_fallback[] = {"local", "closed", NULL};

const struct schema_key schema_opinion[] = {
    {"name", SCHEMA_TEXT, NULL, "a name for policies and records", AT(struct config_opinion, name),
     .min = 1, .max = 32, .required = true},
    {"kind", SCHEMA_CHOICE, "moderations",
     "how it is asked: OpenAI's moderations, a guard model behind a chat API (vLLM, llama.cpp), or "
     "a webhook of your own",
     AT(struct config_opinion, kind), .choices = choices_kind},
    {"url", SCHEMA_OTHER, NULL, "where it is asked, the whole of it",
     AT(struct config_opinion, url), .read = read_base_url, .form = "http(s) URL",
     .required = true},
    {"model", SCHEMA_TEXT, "", "the model that is asked", AT(struct config_opinion, model),
     .max = 256},
    {"api_key_file", SCHEMA_OTHER, NULL, "a file with its key on one line, sent as Bearer",
     AT(struct config_opinion, api_key), .read = read_api_key_file, .form = "file name"},
    {"secret_file", SCHEMA_OTHER, NULL,
     "a file with the secret that signs what a webhook is asked (X-Juyong-Signature)",
     AT(struct config_opinion, secret), .read = read_api_key_file, .form = "file name"},
    {"categories", SCHEMA_OTHER, NULL, "which of its categories is which risk",
     AT(struct config_opinion, categories), .read = read_categories,
     .form = "map of category: risk"},
    {"risk", SCHEMA_TEXT, "A1-h", "the risk of all other categories",
     AT(struct config_opinion, risk), .min = 1, .max = 64},
    {"timeout", SCHEMA_DURATION, "2s", "for an answer, waiting for a turn included",
     AT(struct config_opinion, timeout_ms), .min = 10, .max = 5 * MINUTE},
    {"connect", SCHEMA_DURATION, "1s", "of that, until the connection stands",
     AT(struct config_opinion, connect_ms), .min = 10, .max = MINUTE},
    {"concurrency", SCHEMA_NUMBER, "16", "questions at one time, per worker",
     AT(struct config_opinion, concurrency), .min = 1, .max = 4096},
    {"queue", SCHEMA_NUMBER, "256",
     "questions that wait for a turn, per worker; further ones count as failed",
     AT(struct config_opinion, queue), .max = 65536},
    {"cache", SCHEMA_COUNT, "4096",
     "answers kept by a keyed hash of the question, per worker; 0: none",
     AT(struct config_opinion, cache), .max = 1000000},
    {"cache_time", SCHEMA_DURATION, "10min", "how long they are kept",
     AT(struct config_opinion, cache_ms), .min = 1, .max = 24 * HOUR},
    {"text", SCHEMA_SIZE, "16KiB",
     "text of one question; a longer prompt becomes several, of an answer it is the end",
     AT(struct config_opinion, text_bytes), .min = 256, .max = MiB},
    {"pieces", SCHEMA_NUMBER, "256",
     "questions that one prompt or unstreamed answer may become, `concurrency` at one time; of "
     "what "
     "is longer the newest are asked, or (fallback: closed) it is refused: too_long_to_judge",
     AT(struct config_opinion, pieces), .min = 1, .max = 65536},
    {NULL},
};

const struct schema_key schema_asking[] = {
    {"from", SCHEMA_TEXT, NULL, "who is asked: a name of `opinions`",
     AT(struct config_asking, from), .min = 1, .max = 32, .required = true},
    {"risk", SCHEMA_TEXT, "*", "about which risks: an id (A1-a), a group (A1), a prefix (pii-*)",
     AT(struct config_asking, risk), .min = 1, .max = 64},
    {"direction", SCHEMA_CHOICE, "both", "of prompts, answers or both",
     AT(struct config_asking, direction), .choices = choices_direction},
    {"when", SCHEMA_CHOICE, "always",
     "always; asked: when a rule with action=ask of these risks hits; sampled: of a share",
     AT(struct config_asking, when), .choices = choices_when},
    {"asks", SCHEMA_CHOICE, "conversation",
     "conversation: about every text that the model will read (system, history, results of tools), "
     "each message by itself and remembered so; last: about the last question alone",
     AT(struct config_asking, asks), .choices = choices_asks},
    {"share", SCHEMA_NUMBER, "0", "percent of exchanges, with when: sampled",
     AT(struct config_asking, share), .max = 100},
    {"flag", SCHEMA_NUMBER, "0", "the score, in percent, from which on it flags; 0: never",
     AT(struct config_asking, flag), .max = 100},
    {"answer", SCHEMA_NUMBER, "0", "from which on a prepared answer replaces the model's",
     AT(struct config_asking, answer), .max = 100},
    {"block", SCHEMA_NUMBER, "60", "from which on it blocks", AT(struct config_asking, block),
     .max = 100},
    {"release", SCHEMA_CHOICE, "sentence",
     "of streamed answers: exact shows text at once and takes it back after a late objection; "
     "sentence and whole hold it until it is judged",
     AT(struct config_asking, release), .choices = choices_release},
    {"timeout", SCHEMA_DURATION, NULL, "where it differs from the source's",
     AT(struct config_asking, timeout_ms), .min = 10, .max = 5 * MINUTE},
    {"fallback", SCHEMA_SWITCH, "local",
     "when no usable answer comes: the local rules alone decide, or (closed) it is refused",
     AT(struct config_asking, closed), .choices = choices_fallback},
    {NULL},
};

const struct schema_key schema_retraction[] = {
    {"url", SCHEMA_OTHER, NULL, "is told by POST; without it only the stream's last event tells",
     AT(struct config_policy, retraction.url), .read = read_base_url, .form = "http(s) URL"},
    {"secret_file", SCHEMA_OTHER, NULL,
     "a file with the secret that signs what is told (X-Juyong-Signature)",
     AT(struct config_policy, retraction.secret), .read = read_api_key_file, .form = "file name"},
    {"tries", SCHEMA_NUMBER, "5", "how often it is tried, after 1, 2, 4, … seconds",
     AT(struct config_policy, retraction.tries), .min = 1, .max = 10},
    {"timeout", SCHEMA_DURATION, "5s", "for each", AT(struct config_policy, retraction.timeout_ms),
     .min = 100, .max = MINUTE},
    {NULL},
};

void read_categories(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                     void *base)
{
    struct config_opinion *o = base;
    if (node->kind != YAML_MAP || node->count > CATEGORIES) {
        reader_error(r, node->at, "'categories' must be a map with at most %d names", CATEGORIES);
        return;
    }
    struct config_category *rows = node->count ? reader_alloc(r, node->count, sizeof(*rows)) : NULL;
    if (node->count && !rows)
        return;
    size_t i = 0;
    for (const struct yaml_node *n = node->first; n; n = n->next, i++) {
        struct span risk = reader_text(r, n);
        rows[i] = (struct config_category){.name = reader_keep(r, n->key),
                                           .risk = risk.data ? reader_keep(r, risk) : SPAN_LIT(""),
                                           .at = n->at};
        rows[i].at.file = reader_keep(r, n->at.file);
    }
    o->categories = rows;
    o->category_count = node->count;
}

void read_opinions(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base)
{
    struct config *c = base;
    if (c->opinion_count > SOURCES) {
        reader_error(r, node->at, "more than %d sources of opinions", SOURCES);
        return;
    }
    const struct yaml_node *n = node->first;
    for (size_t i = 0; i < c->opinion_count; i++, n = n->next) {
        struct config_opinion *o = &c->opinions[i];
        o->at = n->at;
        o->at.file = reader_keep(r, n->at.file);
        if (config_find_opinion(c, o->name) != o)
            reader_error(r, n->at, "two opinions have the name '%.*s'", SPAN_ARG(o->name));
        bool chat = o->kind == OPINION_QWEN3GUARD || o->kind == OPINION_LLAMAGUARD;
        if (chat && o->model.len == 0)
            reader_error(r, n->at, "a guard model behind a chat API needs its 'model'");
        if (o->secret.len && o->kind != OPINION_WEBHOOK)
            reader_warn(r, n->at, "'secret_file' is not used but for a webhook");
    }
}

/* The heavier action counts: what begins where that does already never happens. 0: not asked for.
 */
static void doubt_order(struct reader *r, const struct yaml_node *node, const char *lighter,
                        unsigned from, const char *heavier, unsigned to)
{
    const struct yaml_node *n = yaml_get(node, span_str(lighter));
    if (from && to && from >= to)
        reader_warn(r, n ? n->at : node->at, "'%s' from %u is never reached: '%s' begins at %u",
                    lighter, from, heavier, to);
}

void read_askings(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base)
{
    struct config_policy *p = base;
    if (p->asking_count > CONFIG_ASKINGS_MAX) {
        reader_error(r, node->at, "more than %d rows of opinions", CONFIG_ASKINGS_MAX);
        return;
    }
    const struct yaml_node *n = node->first;
    for (size_t i = 0; i < p->asking_count; i++, n = n->next) {
        struct config_asking *a = &p->askings[i];
        a->at = n->at;
        a->at.file = reader_keep(r, n->at.file);
        a->source = config_find_opinion(r->config, a->from);
        if (!a->source)
            reader_error(r, n->at, "'opinions' has nobody of the name '%.*s'", SPAN_ARG(a->from));
        if (!is_risk_name(a->risk) || config_names_rule(a->risk))
            reader_error(r, n->at, "'%.*s' is not the name of a risk, a group or a prefix*",
                         SPAN_ARG(a->risk));
        if (a->when == ASK_SAMPLED && a->share == 0)
            reader_error(r, n->at, "when: sampled needs a share of 1 to 100 percent");
        if (a->flag == 0 && a->answer == 0 && a->block == 0)
            reader_warn(r, n->at, "nothing follows from this opinion");
        doubt_order(r, n, "flag", a->flag, "answer", a->answer);
        doubt_order(r, n, "flag", a->flag, "block", a->block);
        doubt_order(r, n, "answer", a->answer, "block", a->block);
    }
}
