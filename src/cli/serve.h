#pragma once

/* `juyong serve`: run the gateway until SIGTERM. */
int cli_serve(int argc, char **argv);
