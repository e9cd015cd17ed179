/*
 * A pack as somebody hands it back: an archive when the input begins as one, else a manifest's
 * text, which is read, written and read again.
 */
#include "filing/pack.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_archive(struct span bytes)
{
    char path[64];
    struct pack_report report;
    struct buf lines = BUF_INIT(1u << 20);
    int fd = memfd_create("pack", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes.data, bytes.len) != (ssize_t)bytes.len)
        abort();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int r = pack_verify(span_str(path), SPAN_LIT(""), &lines, &report);
    /* Whatever is wrong is told. */
    if ((r < 0 || report.differences) && lines.len == 0)
        abort();
    manifest_deinit(&report.manifest);
    buf_deinit(&lines);
    close(fd);
}

static void read_manifest(struct span text)
{
    struct manifest m = MANIFEST_INIT, again = MANIFEST_INIT;
    struct buf why = BUF_INIT(1u << 20), out = BUF_INIT(MANIFEST_MAX);
    char key[MANIFEST_DIGEST];
    int r = manifest_read(text, &m, &why);
    if (r < 0 && why.len == 0)
        abort();
    if (r == 0 &&
        (manifest_write(&m, &out) < 0 || manifest_read(buf_span(&out), &again, &why) < 0 ||
         again.count != m.count || again.facts.count != m.facts.count))
        abort();
    if (manifest_check(SPAN_LIT("text"), text, key) == 0)
        abort();
    manifest_deinit(&m);
    manifest_deinit(&again);
    buf_deinit(&why);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span bytes = span_from((const char *)data, size);
    if (span_starts(bytes, SPAN_LIT("PK")))
        read_archive(bytes);
    else
        read_manifest(bytes);
    return 0;
}
