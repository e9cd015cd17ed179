/* Readers of the keys that a table row can't describe. Private to this room. */
#pragma once

#include "config/schema.h"

void read_console(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base);
/* config/upstream.c */
void read_base_url(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base);
void read_api_key_file(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                       void *base);
void read_headers(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base);
/* Checks what two upstreams may not share, once all are read. */
void read_upstreams(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                    void *base);
/* config/apps.c */
void read_policy(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                 void *base);
void read_actions(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base);
void read_until(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                void *base);
void read_observes(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                   void *base);
void read_apps(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
               void *base);
/* config/config.c */
void read_proxies(struct reader *r, const struct schema_key *key, const struct yaml_node *node,
                  void *base);
