/* `juyong filing pack --verify`, `--filed` and `--changes`: archives that are there already. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
#include "cli/filingcmd.h"
#include "cli/filingpack.h"
#include "filing/packchanges.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define NUMBER_MAX 256

/* ---- verifying ---- */

/* The key in a file: 64 hex digits. False after a message. */
static bool read_key(const char *path, char ret_key[MANIFEST_DIGEST])
{
    unsigned char bytes[SIGN_PUBLIC_SIZE];
    struct buf text = BUF_INIT(4096);
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : file_read(fd, 0, &text);
    bool good = r == 0 && codec_unhex(span_trim(buf_span(&text)), bytes, sizeof(bytes));
    if (good)
        codec_hex(span_from((const char *)bytes, sizeof(bytes)), ret_key);
    else
        fprintf(stderr, "juyong filing pack: %s: %s\n", path,
                r < 0 ? strerror(-r) : "no public key of 64 hex digits");
    buf_deinit(&text);
    return good;
}

static int own_key(const char *file, char ret_key[MANIFEST_DIGEST])
{
    struct setup s;
    int r = setup_load(span_str(file), false, &s);
    if (r)
        return r;
    r = manifest_public(s.config->state_dir, ret_key);
    if (r < 0)
        fprintf(stderr, "juyong filing pack: this installation has signed nothing yet: %s\n",
                strerror(-r));
    setup_deinit(&s);
    return r < 0 ? CLI_BAD : 0;
}

/* Prints what differs. The report's manifest is freed by the caller. */
static int verify(const char *archive, const char *key, struct pack_report *ret_report)
{
    struct buf lines = BUF_INIT(16u << 20);
    int r = pack_verify(span_str(archive), span_str(key), &lines, ret_report);
    setup_print_messages(stderr, &lines);
    buf_deinit(&lines);
    if (r < 0 && r != -EINVAL && r != -ENOENT)
        fprintf(stderr, "juyong filing pack: %s: %s\n", archive, strerror(-r));
    if (r < 0)
        return CLI_BAD;
    if (ret_report->differences)
        fprintf(stderr, "%s: %u differences: it is not what was packed 与清单不符\n", archive,
                ret_report->differences);
    return ret_report->differences ? CLI_BAD : CLI_GOOD;
}

int filingpack_verify(const struct filingpack *o)
{
    char key[MANIFEST_DIGEST] = "", made[CLOCK_TEXT_SIZE];
    struct pack_report report = {.manifest = MANIFEST_INIT};
    if (o->key && !read_key(o->key, key))
        return CLI_BAD;
    int r = !o->key && o->file ? own_key(o->file, key) : 0;
    if (r == 0)
        r = verify(o->verify, key, &report);
    if (r == CLI_GOOD) {
        clock_format((uint64_t)report.manifest.made * 1000000, made);
        printf("%s: whole 完整: %zu files, made %s by %.*s%s\nmanifest sha256 %s\nsigned by %s%s\n",
               o->verify, report.manifest.count, made, SPAN_ARG(report.manifest.by),
               report.manifest.forced ? ", in spite of errors 强制打包" : "", report.digest,
               report.key, key[0] ? "" : " (compare it with a key that you know 请与已知公钥比对)");
    }
    manifest_deinit(&report.manifest);
    return r;
}

/* ---- what was handed in ---- */

static int note(const struct filingpack *o, const struct config *c, struct pack_report *report)
{
    char login[256], why[NUMBER_MAX + 64];
    const char *number = o->number ? o->number : "";
    setup_login(login, sizeof(login));
    struct packfiled f = PACKFILED_INIT;
    f.date = span_str(o->date);
    f.number = span_str(number);
    f.by = span_str(login);
    f.noted = clock_wall_s();
    memcpy(f.digest, report->digest, sizeof(f.digest));
    f.manifest = report->manifest; /* borrowed */
    snprintf(why, sizeof(why), "%s%s%s", o->date, *number ? ", " : "", number);
    int r = filing_record(c, "filed", span_str(report->digest), span_str(why));
    if (r < 0)
        return CLI_BAD;
    r = packfiled_note(c->state_dir, &f);
    if (r < 0)
        fprintf(stderr, "juyong filing pack: not remembered: %s\n", strerror(-r));
    else
        printf("noted as handed in on %s 已记录提交: manifest %s\n", o->date, report->digest);
    return r < 0 ? CLI_BAD : CLI_GOOD;
}

int filingpack_note(const struct filingpack *o)
{
    char key[MANIFEST_DIGEST];
    int64_t end;
    struct setup s;
    struct pack_report report = {.manifest = MANIFEST_INIT};
    if (!day_end(span_str(o->date), &end)) {
        fprintf(stderr, "juyong filing pack: '%s' is no day such as 2026-11-27\n", o->date);
        return CLI_USAGE;
    }
    if (o->number && !setup_is_line("filing pack", "the number", span_str(o->number), NUMBER_MAX))
        return CLI_USAGE;
    int r = setup_load(span_str(o->file), false, &s);
    if (r)
        return r;
    r = own_key(o->file, key);
    if (r == 0)
        r = verify(o->filed, key, &report);
    if (r == CLI_GOOD)
        r = note(o, s.config, &report);
    manifest_deinit(&report.manifest);
    setup_deinit(&s);
    return r;
}

/* ---- what has changed since ---- */

static int print_json(const struct packfiled *f, const struct packchanges *c, struct buf *out)
{
    int r = buf_append_char(out, '{');
    setup_json(out, "filed", f->date);
    setup_json(out, "number", f->number);
    setup_json(out, "manifest", span_str(f->digest));
    if (r == 0)
        r = buf_printf(out, ",\"report\":%u,\"assess\":%u,\"routine\":%u,\"changes\":",
                       c->totals[DUTY_REPORT], c->totals[DUTY_ASSESS], c->totals[DUTY_ROUTINE]);
    if (r == 0)
        r = packchanges_json(c, out);
    return r < 0 ? r : buf_append(out, SPAN_LIT("}\n"));
}

static int print_text(const struct packfiled *f, const struct packchanges *c, struct buf *out)
{
    int r = buf_printf(out, "handed in on %.*s 提交日期%s%.*s: %zu changes 变化\n",
                       SPAN_ARG(f->date), f->number.len ? ", " : "", SPAN_ARG(f->number), c->count);
    return r < 0 ? r : packchanges_text(c, out);
}

int filingpack_changes(const struct filingpack *o, const struct dossier *d)
{
    struct packfiled filed = PACKFILED_INIT;
    struct packchanges changes = {0};
    struct facts now = FACTS_INIT;
    struct buf messages = BUF_INIT(65536), out = BUF_INIT(16u << 20);
    int r = packfiled_read(d->config->state_dir, &filed, &messages);
    setup_print_messages(stderr, &messages);
    if (r == -ENOENT)
        fprintf(stderr, "juyong filing pack: nothing was noted as handed in yet "
                        "(juyong filing pack --filed FILE)\n");
    if (r == 0)
        r = facts_gather(d, &now);
    if (r == 0)
        r = packchanges_make(&filed.manifest.facts, &now, &changes);
    if (r == 0)
        r = o->json ? print_json(&filed, &changes, &out) : print_text(&filed, &changes, &out);
    if (r < 0 && r != -ENOENT && r != -EBADMSG)
        fprintf(stderr, "juyong filing pack: %s\n", strerror(-r));
    bool written = r == 0 && setup_write(stdout, &out);
    unsigned report = changes.totals[DUTY_REPORT];
    packchanges_free(&changes);
    facts_deinit(&now);
    packfiled_free(&filed);
    buf_deinit(&messages);
    buf_deinit(&out);
    return !written ? CLI_BAD : report ? CLI_UNMET : CLI_GOOD;
}

int filingpack_status(const struct setup *s, bool json, struct buf *messages, struct buf *out)
{
    struct packchanges_summary sum;
    struct packfiled filed = PACKFILED_INIT;
    struct dossier d;
    struct filingpack o = {0};
    /* A dossier takes its time: first, is there anything to compare with? */
    int r = packfiled_read(s->config->state_dir, &filed, messages);
    packfiled_free(&filed);
    if (r < 0)
        return r == -ENOMEM ? r : 0;
    r = filingpack_gather(&o, s, &d);
    if (r == 0)
        r = packchanges_summary(&d, messages, &sum);
    dossier_free(&d);
    if (r != 0)
        return r == -ENOMEM ? r : 0;
    const unsigned *n = sum.totals;
    if (json)
        return buf_printf(out,
                          ",\"handed_in\":{\"date\":\"%s\",\"report\":%u,\"assess\":%u,"
                          "\"routine\":%u}",
                          sum.date, n[DUTY_REPORT], n[DUTY_ASSESS], n[DUTY_ROUTINE]);
    return buf_printf(
        out,
        "\n%s 提交的材料，此后变化：须报告 %u 项，须再评估 %u 项，日常更新 %u 项\n"
        "  Since the pack of that day: %u changes to report, %u to assess, %u routine "
        "(juyong filing pack --changes)\n",
        sum.date, n[DUTY_REPORT], n[DUTY_ASSESS], n[DUTY_ROUTINE], n[DUTY_REPORT], n[DUTY_ASSESS],
        n[DUTY_ROUTINE]);
}
