#include "sheet/xml.h"

#include <errno.h>
#include <expat.h>
#include <stdlib.h>

struct xml {
    XML_Parser parser;
    const struct xml_ops *ops;
    void *ctx;
    unsigned depth;
    int error; /* of a handler */
    const char *reason;
};

/* Behind the namespace, which expat puts before a blank. */
static const char *local_name(const char *name)
{
    const char *blank = strrchr(name, ' ');
    return blank ? blank + 1 : name;
}

static void stop(struct xml *x, int error, const char *reason)
{
    if (x->error)
        return;
    x->error = error;
    x->reason = reason;
    XML_StopParser(x->parser, XML_FALSE);
}

static void XMLCALL on_begin(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct xml *x = ctx;
    if (x->error)
        return;
    if (++x->depth > XML_DEPTH_MAX) {
        stop(x, -EINVAL, "elements are nested too deep");
        return;
    }
    int e = x->ops->begin(x->ctx, span_str(local_name(name)), (const char *const *)attributes);
    if (e)
        stop(x, e, NULL);
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
    struct xml *x = ctx;
    if (x->error)
        return;
    x->depth--;
    int e = x->ops->end(x->ctx, span_str(local_name(name)));
    if (e)
        stop(x, e, NULL);
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int len)
{
    struct xml *x = ctx;
    if (x->error)
        return;
    int e = x->ops->text(x->ctx, span_from(text, (size_t)len));
    if (e)
        stop(x, e, NULL);
}

/* Entities are declared there; no program that saves workbooks writes one. */
static void XMLCALL on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_internal_subset)
{
    stop(ctx, -EINVAL, "it has a document type declaration");
}

struct xml *xml_new(const struct xml_ops *ops, void *ctx)
{
    struct xml *x = calloc(1, sizeof(*x));
    if (!x)
        return NULL;
    *x = (struct xml){.parser = XML_ParserCreateNS(NULL, ' '), .ops = ops, .ctx = ctx};
    if (!x->parser) {
        free(x);
        return NULL;
    }
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_begin, on_end);
    XML_SetCharacterDataHandler(x->parser, on_text);
    XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
    return x;
}

void xml_free(struct xml *x)
{
    if (!x)
        return;
    XML_ParserFree(x->parser);
    free(x);
}

int xml_feed(struct xml *x, struct span piece, bool last, struct buf *why)
{
    if (XML_Parse(x->parser, piece.data, (int)piece.len, last) != XML_STATUS_ERROR)
        return 0;
    enum XML_Error code = XML_GetErrorCode(x->parser);
    if (x->error && !x->reason)
        return x->error;
    if (!x->error && code == XML_ERROR_NO_MEMORY)
        return -ENOMEM;
    buf_printf(why, "line %lu: %s", (unsigned long)XML_GetCurrentLineNumber(x->parser),
               x->error ? x->reason : XML_ErrorString(code));
    return -EINVAL;
}

struct span xml_attribute(const char *const *attributes, const char *name)
{
    for (; *attributes; attributes += 2)
        if (strcmp(local_name(attributes[0]), name) == 0)
            return span_str(attributes[1]);
    return SPAN_NULL;
}
