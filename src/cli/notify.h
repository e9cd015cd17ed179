/* systemd's readiness protocol (sd_notify(3)): one datagram to $NOTIFY_SOCKET; silent without it.
 */
#pragma once

/* state: "READY=1", "RELOADING=1", "STOPPING=1" …; several lines are allowed. */
void notify_send(const char *state);
