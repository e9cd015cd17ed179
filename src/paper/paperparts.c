#include "paper/paperparts.h"

#include <stddef.h>

#define XML  "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n"
#define OOX  "http://schemas.openxmlformats.org/"
#define WORD " xmlns:w=\"" OOX "wordprocessingml/2006/main\""
#define TYPE "application/vnd.openxmlformats-officedocument.wordprocessingml."
#define KIND OOX "officeDocument/2006/relationships/"

#define FONTS_TEXT                                                                                 \
    "<w:rFonts w:ascii=\"Times New Roman\" w:hAnsi=\"Times New Roman\" w:eastAsia=\"宋体\" "     \
    "w:cs=\"Times New Roman\"/>"
#define FONTS_HEAD                                                                                 \
    "<w:rFonts w:ascii=\"Arial\" w:hAnsi=\"Arial\" w:eastAsia=\"黑体\" w:cs=\"Arial\"/>"

/* Sizes in half points: 24 is 小四, 21 五号, 32 三号, 28 四号, 44 二号. */
#define HEADING(level, size, before)                                                               \
    "<w:style w:type=\"paragraph\" w:styleId=\"Heading" #level                                     \
    "\"><w:name w:val=\"heading " #level "\"/><w:basedOn w:val=\"Normal\"/><w:next "               \
    "w:val=\"BodyText\"/><w:qFormat/><w:pPr><w:keepNext/>"                                         \
    "<w:keepLines/><w:spacing w:before=\"" #before "\" w:after=\"80\" w:line=\"360\" "             \
    "w:lineRule=\"auto\"/><w:outlineLvl w:val=\"" HEADING_OUTLINE_##level                          \
        "\"/></w:pPr><w:rPr>" FONTS_HEAD "<w:sz w:val=\"" #size "\"/><w:szCs w:val=\"" #size       \
        "\"/></w:rPr></w:style>"
#define HEADING_OUTLINE_1 "0"
#define HEADING_OUTLINE_2 "1"
#define HEADING_OUTLINE_3 "2"

#define PARAGRAPH(id, name, base, ppr, rpr)                                                        \
    "<w:style w:type=\"paragraph\" w:customStyle=\"1\" w:styleId=\"" id "\"><w:name w:val=\"" name \
    "\"/><w:basedOn w:val=\"" base "\"/><w:pPr>" ppr "</w:pPr><w:rPr>" rpr "</w:rPr></w:style>"

static const char styles[] = XML
    "<w:styles" WORD "><w:docDefaults><w:rPrDefault><w:rPr>" FONTS_TEXT
    "<w:sz w:val=\"24\"/><w:szCs w:val=\"24\"/><w:lang w:val=\"en-US\" w:eastAsia=\"zh-CN\"/>"
    "</w:rPr></w:rPrDefault><w:pPrDefault/></w:docDefaults>"
    "<w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\"><w:name w:val=\"Normal\"/>"
    "<w:qFormat/></w:style>"
    "<w:style w:type=\"character\" w:default=\"1\" w:styleId=\"DefaultParagraphFont\"><w:name "
    "w:val=\"Default Paragraph Font\"/></w:style>"
    "<w:style w:type=\"table\" w:default=\"1\" w:styleId=\"TableNormal\"><w:name w:val=\"Normal "
    "Table\"/><w:tblPr><w:tblInd w:w=\"0\" w:type=\"dxa\"/><w:tblCellMar><w:top w:w=\"0\" "
    "w:type=\"dxa\"/><w:left w:w=\"108\" w:type=\"dxa\"/><w:bottom w:w=\"0\" w:type=\"dxa\"/>"
    "<w:right w:w=\"108\" w:type=\"dxa\"/></w:tblCellMar></w:tblPr></w:style>"
    "<w:style w:type=\"paragraph\" w:styleId=\"Title\"><w:name w:val=\"Title\"/><w:basedOn "
    "w:val=\"Normal\"/><w:next w:val=\"BodyText\"/><w:qFormat/><w:pPr><w:spacing w:before=\"240\" "
    "w:after=\"240\"/><w:jc w:val=\"center\"/></w:pPr><w:rPr>" FONTS_HEAD
    "<w:sz w:val=\"44\"/><w:szCs w:val=\"44\"/></w:rPr></w:style>" HEADING(1, 32, 360)
        HEADING(2, 28, 240) HEADING(
            3, 24,
            160) "<w:style w:type=\"paragraph\" w:styleId=\"BodyText\"><w:name w:val=\"Body "
                 "Text\"/><w:basedOn "
                 "w:val=\"Normal\"/><w:qFormat/><w:pPr><w:spacing w:after=\"80\" w:line=\"360\" "
                 "w:lineRule=\"auto\"/><w:ind w:firstLineChars=\"200\" w:firstLine=\"480\"/><w:jc "
                 "w:val=\"both\"/></w:pPr></w:style>"
                 "<w:style w:type=\"paragraph\" w:styleId=\"ListBullet\"><w:name w:val=\"List "
                 "Bullet\"/>"
                 "<w:basedOn w:val=\"Normal\"/><w:pPr><w:numPr><w:numId "
                 "w:val=\"1\"/></w:numPr><w:spacing "
                 "w:after=\"40\" w:line=\"340\" w:lineRule=\"auto\"/></w:pPr></w:style>"
                 "<w:style w:type=\"paragraph\" w:styleId=\"Header\"><w:name "
                 "w:val=\"header\"/><w:basedOn "
                 "w:val=\"Normal\"/><w:pPr><w:jc w:val=\"center\"/></w:pPr><w:rPr><w:color "
                 "w:val=\"666666\"/>"
                 "<w:sz w:val=\"18\"/></w:rPr></w:style>"
                 "<w:style w:type=\"paragraph\" w:styleId=\"Footer\"><w:name "
                 "w:val=\"footer\"/><w:basedOn "
                 "w:val=\"Normal\"/><w:pPr><w:jc w:val=\"center\"/></w:pPr><w:rPr><w:sz "
                 "w:val=\"18\"/></w:rPr>"
                 "</w:style>" PARAGRAPH("Stamp", "Stamp", "Normal",
                                        "<w:spacing w:after=\"60\"/><w:jc w:val=\"center\"/>",
                                        "<w:color w:val=\"444444\"/><w:sz w:val=\"21\"/>")
                     PARAGRAPH(
                         "Note", "Note", "Normal",
                         "<w:pBdr><w:top w:val=\"single\" w:sz=\"4\" w:space=\"4\" "
                         "w:color=\"BB9988\"/><w:left "
                         "w:val=\"single\" w:sz=\"4\" w:space=\"6\" w:color=\"BB9988\"/><w:bottom "
                         "w:val=\"single\" w:sz=\"4\" w:space=\"4\" w:color=\"BB9988\"/><w:right "
                         "w:val=\"single\" w:sz=\"4\" w:space=\"6\" "
                         "w:color=\"BB9988\"/></w:pBdr><w:shd "
                         "w:val=\"clear\" w:color=\"auto\" w:fill=\"FDF6EE\"/><w:spacing "
                         "w:before=\"120\" "
                         "w:after=\"160\" w:line=\"300\" w:lineRule=\"auto\"/><w:ind "
                         "w:left=\"140\" "
                         "w:right=\"140\"/>",
                         "<w:sz w:val=\"21\"/>")
                         PARAGRAPH("Cell", "Cell", "Normal",
                                   "<w:spacing w:before=\"30\" w:after=\"30\" w:line=\"320\" "
                                   "w:lineRule=\"atLeast\"/>",
                                   "<w:sz w:val=\"21\"/><w:szCs w:val=\"21\"/>")
                             PARAGRAPH("CellHead", "Cell Head", "Cell", "", FONTS_HEAD)
                                 PARAGRAPH("Arrow", "Arrow", "Normal",
                                           "<w:keepNext/><w:jc w:val=\"center\"/>",
                                           "<w:color w:val=\"334455\"/><w:sz w:val=\"18\"/>")
                                     PARAGRAPH("Sign", "Sign", "Normal",
                                               "<w:spacing w:before=\"480\"/>", "") "</w:styles>";

static const char types[] = XML
    "<Types xmlns=\"" OOX "package/2006/content-types\"><Default Extension=\"rels\" "
    "ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default "
    "Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/word/document.xml\" "
    "ContentType=\"" TYPE "document.main+xml\"/><Override PartName=\"/word/styles.xml\" "
    "ContentType=\"" TYPE
    "styles+xml\"/><Override PartName=\"/word/settings.xml\" ContentType=\"" TYPE
    "settings+xml\"/><Override PartName=\"/word/numbering.xml\" ContentType=\"" TYPE
    "numbering+xml\"/><Override PartName=\"/word/header1.xml\" ContentType=\"" TYPE
    "header+xml\"/><Override PartName=\"/word/footer1.xml\" ContentType=\"" TYPE
    "footer+xml\"/><Override PartName=\"/docProps/core.xml\" "
    "ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/></Types>";

static const char package[] =
    XML "<Relationships xmlns=\"" OOX "package/2006/relationships\"><Relationship Id=\"rId1\" "
        "Type=\"" KIND "officeDocument\" Target=\"word/document.xml\"/><Relationship Id=\"rId2\" "
        "Type=\"" OOX "package/2006/relationships/metadata/core-properties\" "
        "Target=\"docProps/core.xml\"/></Relationships>";

static const char relations[] =
    XML "<Relationships xmlns=\"" OOX "package/2006/relationships\"><Relationship Id=\"rId1\" "
        "Type=\"" KIND "styles\" Target=\"styles.xml\"/><Relationship Id=\"rId2\" Type=\"" KIND
        "settings\" Target=\"settings.xml\"/><Relationship Id=\"rId3\" Type=\"" KIND
        "numbering\" Target=\"numbering.xml\"/><Relationship Id=\"rId4\" Type=\"" KIND
        "header\" Target=\"header1.xml\"/><Relationship Id=\"rId5\" Type=\"" KIND
        "footer\" Target=\"footer1.xml\"/></Relationships>";

static const char settings[] =
    XML "<w:settings" WORD "><w:zoom w:percent=\"100\"/><w:defaultTabStop w:val=\"420\"/>"
        "<w:characterSpacingControl w:val=\"compressPunctuation\"/><w:compat><w:compatSetting "
        "w:name=\"compatibilityMode\" w:uri=\"http://schemas.microsoft.com/office/word\" "
        "w:val=\"15\"/></w:compat><w:themeFontLang w:val=\"en-US\" w:eastAsia=\"zh-CN\"/>"
        "</w:settings>";

static const char numbering[] = XML
    "<w:numbering" WORD "><w:abstractNum w:abstractNumId=\"0\"><w:multiLevelType "
    "w:val=\"singleLevel\"/><w:lvl w:ilvl=\"0\"><w:start w:val=\"1\"/><w:numFmt w:val=\"bullet\"/>"
    "<w:lvlText w:val=\"•\"/><w:lvlJc w:val=\"left\"/><w:pPr><w:ind w:left=\"840\" "
    "w:hanging=\"360\"/></w:pPr></w:lvl></w:abstractNum><w:num w:numId=\"1\"><w:abstractNumId "
    "w:val=\"0\"/></w:num></w:numbering>";

#define FIELD(code)                                                                                \
    "<w:r><w:fldChar w:fldCharType=\"begin\"/></w:r><w:r><w:instrText "                            \
    "xml:space=\"preserve\"> " code " </w:instrText></w:r><w:r><w:fldChar "                        \
    "w:fldCharType=\"separate\"/></w:r><w:r><w:t>1</w:t></w:r>"                                    \
    "<w:r><w:fldChar w:fldCharType=\"end\"/></w:r>"
#define SAID(text) "<w:r><w:t xml:space=\"preserve\">" text "</w:t></w:r>"

static const char footer[] =
    XML "<w:ftr" WORD "><w:p><w:pPr><w:pStyle w:val=\"Footer\"/></w:pPr>" SAID("第 ") FIELD("PAGE")
        SAID(" 页 / 共 ") FIELD("NUMPAGES") SAID(" 页") "</w:p></w:ftr>";

const struct paper_part paper_parts[] = {
    {"[Content_Types].xml", types},
    {"_rels/.rels", package},
    {"word/_rels/document.xml.rels", relations},
    {"word/styles.xml", styles},
    {"word/settings.xml", settings},
    {"word/numbering.xml", numbering},
    {"word/footer1.xml", footer},
    {NULL, NULL},
};
