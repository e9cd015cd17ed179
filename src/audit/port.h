/*
 * The way back from the writer to one worker: a list of completed items under a mutex that is held
 * for a few instructions only, and one eventfd. A port lives as long as an item refers to it.
 */
#pragma once

#include "audit/audit.h"

struct item;

struct audit_port *port_ref(struct audit_port *p);
void port_unref(struct audit_port *p);
/*
 * Queues the item's completion; takes over one reference to the item. True when the list was empty:
 * the caller then owes a port_signal(), best once for many items.
 */
bool port_push(struct audit_port *p, struct item *i);
void port_signal(struct audit_port *p);
