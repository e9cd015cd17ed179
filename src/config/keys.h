/* Readers of the keys that a table row can't describe. Private to this room. */
#pragma once

#include "config/schema.h"

/* config/console.c */
extern const struct schema_key schema_console[];
/* config/config.c */
void read_reviewers(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base);
/* config/upstream.c */
void read_base_url(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base);
void read_api_key_file(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                       void *base);
/* A URL that may have a query; and a file with such a URL, that is a secret itself. */
void read_whole_url(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base);
void read_url_file(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base);
void read_headers(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base);
/* Checks what two upstreams may not share, once all are read. */
void read_upstreams(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base);
/* config/opinions.c */
extern const struct schema_key schema_opinion[];
extern const struct schema_key schema_asking[];
extern const struct schema_key schema_retraction[];
void read_categories(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                     void *base);
void read_opinions(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base);
void read_askings(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base);
/* config/audit.c */
extern const struct schema_key schema_audit[];
void read_audit(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                void *base);
/* config/alerts.c */
extern const struct schema_key schema_alerts[];
void read_alerts(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                 void *base);
/* config/apps.c */
/* Is that the name of a risk, a group, a prefix* or a rule? */
bool is_risk_name(struct span name);
void read_policy(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                 void *base);
void read_actions(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base);
void read_until(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                void *base);
void read_observes(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base);
void read_sentences(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base);
void read_addresses(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base);
/* What holds for an app that says nothing. */
void app_defaults(struct reader *r, struct config_app *app);
void read_apps(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
               void *base);
/* config/casebook.c */
extern const struct schema_key schema_reviews[];
extern const struct schema_key schema_complaints[];
/* config/service.c */
extern const struct schema_key schema_service[];
/* A day that may be missing: one that should be over, and one that should not. */
void read_past_day(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base);
void read_last_day(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base);
void read_proof(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                void *base);
/* config/users.c */
extern const struct schema_key schema_end_users[];
extern const struct schema_key schema_strikes[];
void read_strikes(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base);
/* config/label.c */
void read_label_text(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                     void *base);
void read_provider_code(struct reader *r, const struct schema_key *key,
                        const struct yaml_node *node, void *base);
/* config/config.c */
/* A list of addresses or networks; false after a message. */
bool read_networks(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   struct network **ret_networks, size_t *ret_count);
void read_proxy_protocol(struct reader *r, const struct schema_key *key,
                         const struct yaml_node *node, void *base);
void read_evaluation_app(struct reader *r, const struct schema_key *key,
                         const struct yaml_node *node, void *base);
void read_proxies(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base);
