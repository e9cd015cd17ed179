#include "rules/risktitle.h"

/* A1 … A5 are the standard's; whatever else there is, is ours. */
bool risk_is_standard(const struct risk *r)
{
    return r->group.len == 2 && r->group.data[0] == 'A' && r->group.data[1] >= '1' &&
           r->group.data[1] <= '5';
}

int risk_group_title(const struct risk *risk, struct buf *out)
{
    return risk_is_standard(risk)
               ? buf_printf(out, "A.%c %.*s", risk->group.data[1], SPAN_ARG(risk->group_zh))
               : 0;
}

int risk_title(const struct risk *risk, struct buf *out)
{
    if (!risk_is_standard(risk))
        return 0;
    return buf_printf(out, "%c) %.*s", risk->id.data[risk->id.len - 1], SPAN_ARG(risk->name_zh));
}
