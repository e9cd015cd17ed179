/* The decision log's keys. */
#include "config/keys.h"

#define AT(type, field) .offset = offsetof(type, field)

#define MiB (1024ull * 1024)
#define GiB (1024 * MiB)

static const char *const choices_audit[] = {"required", "degraded", NULL};

static const struct schema_key keys_retention[] = {
    {"records", SCHEMA_DAYS, "366d",
     "what happened, without its texts; the law asks for six months, so that less than 183d is "
     "refused",
     AT(struct config, audit.retention.records), .min = 183, .max = 36600, .restart = true},
    {"texts", SCHEMA_DAYS, "183d", "masked texts of interceptions; never longer than their records",
     AT(struct config, audit.retention.texts), .min = 1, .max = 36600, .restart = true},
    {"originals", SCHEMA_DAYS, "30d", "their original texts; likewise",
     AT(struct config, audit.retention.originals), .min = 1, .max = 36600, .restart = true},
    {NULL},
};

static const struct schema_key keys_samples[] = {
    {"percent", SCHEMA_NUMBER, "0", "of all allowed exchanges, chosen at random; 0: none",
     AT(struct config, audit.samples.percent), .max = 100},
    {"purpose", SCHEMA_TEXT, "", "what they are kept for; stands in each record, asked for",
     AT(struct config, audit.samples.purpose), .max = 200},
    {"days", SCHEMA_DAYS, "30d", "how long", AT(struct config, audit.samples.days), .min = 1,
     .max = 36600, .restart = true},
    {NULL},
};

static const struct schema_key keys_export[] = {
    {"file", SCHEMA_TEXT, NULL, "appended to; best on another machine's disk",
     AT(struct config_export, file), .min = 1, .max = 1024},
    {"syslog", SCHEMA_BOOL, "false", "to the system's log, facility authpriv",
     AT(struct config_export, syslog)},
    {"url", SCHEMA_OTHER, NULL, "told by POST, whole lines, again and again until it answers 2xx",
     AT(struct config_export, url), .read = read_base_url, .form = "http(s) URL"},
    {"key_file", SCHEMA_OTHER, NULL, "a file with a token for it (Authorization: Bearer)",
     AT(struct config_export, key), .read = read_api_key_file, .form = "file name"},
    {NULL},
};

const struct schema_key schema_audit[] = {
    {"mode", SCHEMA_CHOICE, "required",
     "when the log can't be written: refuse new requests, or queue in memory first",
     AT(struct config, audit.mode), .choices = choices_audit},
    {"dir", SCHEMA_TEXT, NULL, "where the log's files are; state_dir/log unless told",
     AT(struct config, audit.dir), .min = 1, .max = 1024, .restart = true},
    {"queue_records", SCHEMA_COUNT, "8192", "records that may wait for the disk",
     AT(struct config, audit.queue_records), .min = 16, .max = 1000000, .restart = true},
    {"queue_bytes", SCHEMA_SIZE, "64MiB", "and their size", AT(struct config, audit.queue_bytes),
     .min = MiB, .max = 4 * GiB, .restart = true},
    {"text_max", SCHEMA_SIZE, "4KiB", "text kept around a match, per record",
     AT(struct config, audit.text_max), .min = 0, .max = MiB},
    {"offences", SCHEMA_COUNT, "65536",
     "refused turns that are remembered as keyed hashes, so that they are known when they come "
     "back "
     "as history; the oldest give way and count as new then",
     AT(struct config, audit.offences), .min = 16, .max = 4194304, .restart = true},
    {"originals", SCHEMA_SIZE, "64KiB",
     "the judged texts of an interception as they were said, per record, sealed under "
     "keys/text.key; 0: none are kept",
     AT(struct config, audit.originals), .min = 0, .max = MiB, .restart = true},
    {"retention", SCHEMA_MAP, NULL, "how long the log keeps what", .keys = keys_retention},
    {"samples", SCHEMA_MAP, NULL, "masked texts of exchanges that were allowed",
     .keys = keys_samples},
    {"export", SCHEMA_LIST, NULL,
     "where signed checkpoints go besides: only a copy that left the machine convicts its owner",
     AT(struct config, audit.exports), .offset2 = offsetof(struct config, audit.export_count),
     .keys = keys_export, .entry_size = sizeof(struct config_export)},
    {NULL},
};

/* What one key alone can't be checked for. */
void read_audit(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                void *base)
{
    const struct config *c = base;
    if (c->audit.samples.percent && c->audit.samples.purpose.len == 0)
        reader_error(r, node->at, "'samples' needs a 'purpose': what are the texts kept for?");
    for (size_t i = 0; i < c->audit.export_count; i++) {
        const struct config_export *e = &c->audit.exports[i];
        if ((e->file.len > 0) + e->syslog + (e->url.len > 0) != 1)
            reader_error(r, node->at, "each entry of 'export' names one of file, syslog, url");
        else if (e->key.len && e->url.len == 0)
            reader_error(r, node->at, "'key_file' belongs to a 'url'");
    }
}
