/*
 * Everything that decides about an exchange, pinned by it from its first byte to its last: a reload
 * makes a new snapshot for newcomers and never changes a running exchange.
 */
#pragma once

#include "access/access.h"
#include "config/config.h"
#include "policy/policy.h"
#include "rules/ruleset.h"

struct snapshot; /* immutable, counted */

/*
 * Loads and checks everything: configuration, keys, the rules in force (rules/publish.h), policies.
 * 0; -EINVAL with every message appended, one a line; -errno. Warnings are appended on success too.
 */
int snapshot_load(struct span config_file, struct buf *messages, struct snapshot **ret_snapshot);
/* What can be read anew by itself. */
enum snapshot_part { SNAPSHOT_RULES = 1, SNAPSHOT_KEYS = 2 };
/*
 * The same with the configuration of another one, and only those parts read anew: a version or a
 * key comes into force though somebody is just editing the configuration.
 */
int snapshot_renew(const struct snapshot *old, unsigned parts, struct buf *messages,
                   struct snapshot **ret_snapshot);
struct snapshot *snapshot_ref(struct snapshot *s);
struct snapshot *snapshot_unref(struct snapshot *s);

const struct config *snapshot_config(const struct snapshot *s);
const struct ruleset *snapshot_rules(const struct snapshot *s);
const struct access *snapshot_access(const struct snapshot *s);
/* The policy of an app of this snapshot's configuration. O(1). */
const struct policy *snapshot_policy(const struct snapshot *s, const struct config_app *app);
