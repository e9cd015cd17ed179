/* What came of an act, for programs. */
#include "rules/publish.h"

#include "json/walk.h"

int publish_write(const struct publish_done *done, int result, bool proposed, const char *gateway,
                  struct buf *out)
{
    char name[RULE_VERSION_SIZE];
    bool same = result == PUBLISH_SAME;
    vault_name(span_str(done->version), name);
    buf_append_char(out, '{');
    json_member(out, "version", span_str(name));
    json_member(out, "sha256", span_str(done->version));
    json_member(out, "previous", span_str(done->previous));
    json_member(out, "state", span_str(same ? "same" : proposed ? "proposed" : "in force"));
    if (!same && done->compared)
        buf_printf(out, ",\"added\":%u,\"removed\":%u,\"changed\":%u,\"files\":%u",
                   done->diff.added, done->diff.removed, done->diff.changed, done->diff.files);
    if (gateway)
        json_member(out, "gateway", span_str(gateway));
    return buf_append_char(out, '}');
}
