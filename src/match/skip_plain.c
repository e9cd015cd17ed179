/* In place of match/skip_avx512.c on other processors. */
#include "match/skip.h"

skip_scan_fn skip_vector(void)
{
    return NULL;
}
