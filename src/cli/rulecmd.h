/* The subcommands about configuration, rules and keys. argv[0] is replaced for their messages. */
#pragma once

int cli_alert(int argc, char **argv);
int cli_account(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_scan(int argc, char **argv);
int cli_label(int argc, char **argv);
int cli_key(int argc, char **argv);
int cli_user(int argc, char **argv);
int cli_reviewer(int argc, char **argv);
int cli_filing(int argc, char **argv);
int cli_rules(int argc, char **argv);
int cli_complaint(int argc, char **argv);
int cli_incident(int argc, char **argv);
