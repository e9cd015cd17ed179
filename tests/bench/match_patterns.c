/*
 * Fifty patterns such as an operator would have: personal numbers, addresses, keys of services,
 * phrases of injections. Only their cost is measured; no validator looks at what they find.
 */
#include "match_run.h"

#define DIGITS(regex, width)                                                                       \
    {                                                                                              \
        SPAN_LIT(regex), GATE_DIGITS, {NULL, 0}, width, NULL                                       \
    }
#define AT(regex, width)                                                                           \
    {                                                                                              \
        SPAN_LIT(regex), GATE_AT, {NULL, 0}, width, NULL                                           \
    }
#define LITERAL(literal, regex, width)                                                             \
    {                                                                                              \
        SPAN_LIT(regex), GATE_LITERAL, SPAN_LIT(literal), width, NULL                              \
    }

static const struct match_pattern patterns[] = {
    DIGITS("(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])", 18),
    DIGITS("(?<![0-9])1[3-9][0-9]{9}(?![0-9])", 11),
    DIGITS("(?<![0-9])[2-6][0-9]{12,18}(?![0-9])", 19),
    DIGITS("(?<![0-9])0[1-9][0-9]{1,2}[0-9]{7,8}(?![0-9])", 12),
    DIGITS("(?<![0-9])400[0-9]{7}(?![0-9])", 10),
    DIGITS("(?<![0-9])[1-9][0-9]{4,10}(?=@qq)", 14),
    DIGITS("(?<![0-9.])(?:[0-9]{1,3}\\.){3}[0-9]{1,3}(?![0-9.])", 15),
    DIGITS("(?<![0-9])(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9](?![0-9])", 10),
    DIGITS("(?<![0-9])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9])", 11),
    DIGITS("(?<![0-9])[0-9]{6}(?=\\s{0,3}(?:验证码|code))", 20),
    DIGITS("(?<![0-9A-Za-z])91[0-9]{6}[0-9A-Z]{10}(?![0-9A-Za-z])", 18),
    DIGITS("(?<![0-9])[0-9]{1,5}(?:号楼|栋|单元)[0-9]{1,4}(?:室|号)", 16),
    DIGITS("(?<![0-9])[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日出生", 16),
    DIGITS("(?<![0-9])62[0-9]{14,17}(?![0-9])", 19),
    DIGITS("(?<![0-9])[0-9]{15}(?![0-9])", 15),
    DIGITS("(?<![0-9])[0-9]{20}(?![0-9])", 20),
    DIGITS("(?<![0-9A-Fa-f:])[0-9][0-9A-Fa-f](?::[0-9A-Fa-f]{2}){5}(?![0-9A-Fa-f])", 17),
    AT("(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}\\.[A-Za-z]{2,24}", 160),
    AT("(?<![A-Za-z0-9._%+-])[0-9]{5,11}@qq\\.com(?![A-Za-z0-9])", 18),
    AT("(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,32}@(?:163|126)\\.com(?![A-Za-z0-9])", 40),
    AT("(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,32}@gmail\\.com(?![A-Za-z0-9])", 42),
    AT("(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,32}@[a-z0-9.-]{1,32}\\.edu\\.cn(?![A-Za-z0-9])",
       80),
    LITERAL("sk-", "sk-[A-Za-z0-9]{20,64}(?![A-Za-z0-9])", 67),
    LITERAL("AKIA", "AKIA[0-9A-Z]{16}(?![0-9A-Z])", 20),
    LITERAL("LTAI", "LTAI[0-9A-Za-z]{12,20}(?![0-9A-Za-z])", 24),
    LITERAL("ghp_", "ghp_[A-Za-z0-9]{36}(?![A-Za-z0-9])", 40),
    LITERAL("glpat-", "glpat-[A-Za-z0-9_-]{20}(?![A-Za-z0-9_-])", 26),
    LITERAL("xoxb-", "xoxb-[0-9A-Za-z-]{20,80}(?![0-9A-Za-z-])", 85),
    LITERAL("eyJ", "eyJ[A-Za-z0-9_-]{10,200}\\.[A-Za-z0-9_-]{10,200}", 420),
    LITERAL("-----BEGIN", "-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----", 52),
    LITERAL("password", "password\\s?[:=]\\s?[^\\s]{6,40}", 52),
    LITERAL("密码", "密码(?:是|为|：|:)[A-Za-z0-9!@#$%]{6,32}", 36),
    LITERAL("验证码", "验证码(?:是|为|：|:)\\s?[0-9]{4,6}", 12),
    LITERAL("身份证", "身份证号?码?(?:是|为|：|:)\\s?[0-9]{6}", 16),
    LITERAL("银行卡", "银行卡号?(?:是|为|：|:)\\s?[0-9]{4}", 14),
    LITERAL("住址", "住址(?:是|为|：|:).{4,40}(?:号|室)", 46),
    LITERAL("微信", "微信号?(?:是|为|：|:)\\s?[A-Za-z][A-Za-z0-9_-]{5,19}", 28),
    LITERAL("护照", "护照号?码?(?:是|为|：|:)\\s?[EeGg][0-9]{8}", 18),
    LITERAL("车牌", "车牌号?(?:是|为|：|:)\\s?\\p{Han}[A-Z][A-Z0-9]{5,6}", 16),
    LITERAL("ignore", "ignore (?:all |the |any )?(?:previous|prior|above) (?:instructions|rules)",
            48),
    LITERAL("disregard", "disregard (?:all |the |any )?(?:previous|prior|above) (?:text|rules)",
            48),
    LITERAL("system prompt", "system prompt (?:is|:|verbatim)", 24),
    LITERAL("忽略", "忽略(?:以上|之前|前面|所有)的?(?:指令|要求|规则)", 16),
    LITERAL("无视", "无视(?:以上|之前|前面|所有)的?(?:指令|要求|规则)", 16),
    LITERAL("扮演", "扮演一个?(?:没有|不受)(?:任何)?(?:限制|约束)", 16),
    LITERAL("开发者", "开发者模式(?:已|现在)?(?:启用|开启)", 12),
    LITERAL("重复", "重复(?:你的|上面的|以上)(?:系统)?提示", 12),
    LITERAL("javascript:", "javascript:[^\\s]{1,100}", 112),
    LITERAL("<script", "<script[^>]{0,100}>", 110),
    LITERAL("base64,", "base64,[A-Za-z0-9+/=]{40,200}", 208),
};

unsigned add_patterns(struct matchset_builder *b, uint32_t rule)
{
    unsigned count = sizeof(patterns) / sizeof(patterns[0]);
    for (unsigned i = 0; i < count; i++) {
        const char *reason = "out of memory";
        if (matchset_add_pattern(b, &patterns[i], rule + i, DIRECTION_BOTH, &reason) != 0) {
            fprintf(stderr, "pattern %.*s: ", SPAN_ARG(patterns[i].regex));
            die(reason);
        }
    }
    return count;
}
