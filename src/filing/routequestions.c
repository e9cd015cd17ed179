/* What is asked, and why: the questionnaire as data. */
#include "filing/route.h"

#define UNSURE                                                                                     \
    {                                                                                              \
        "unsure", "不确定", "not sure"                                                             \
    }

static const struct route_question questions[ROUTE_KEYS] = {
    [ROUTE_PUBLIC] =
        {.key = "public",
         .zh = "是否面向中国境内公众提供服务？",
         .en = "Is it offered to the public in mainland China?",
         .why_zh =
             "不向境内公众提供的研发、内部使用等不适用《暂行办法》；以接口等方式提供也算提供服务。",
         .why_en = "What is not offered to the mainland public (research, internal use) is outside "
                   "the Interim Measures; offering it through an interface counts as offering it.",
         .source = "《生成式人工智能服务管理暂行办法》第二条、第二十二条",
         .mark = ROUTE_LAW,
         .choices = {{"yes", "是，面向境内公众", "yes"},
                     {"no", "否，仅内部使用、研发或不面向境内", "no: internal, research, abroad"},
                     UNSURE}},
    [ROUTE_MODEL] =
        {.key = "model",
         .zh = "模型由谁训练？",
         .en = "Who trained the model?",
         .why_zh = "自研或对他方模型作过微调、蒸馏、二次训练的，走大模型备案；只通过 API "
                   "调用已备案模型的，可走登记。有多种情况时选最靠前的一项。",
         .why_en = "An own model, or one tuned, distilled or trained further, is filed; an "
                   "application that only calls a filed model through its API is registered. With "
                   "several, take the first that is so.",
         .source = "国家网信办备案与登记公告；大模型备案答疑",
         .mark = ROUTE_SECONDARY,
         .choices = {{"own", "自研（自行训练）", "own"},
                     {"tuned", "对第三方模型微调、蒸馏或二次训练",
                      "third party's, tuned, distilled or trained further"},
                     {"called", "仅通过 API 调用第三方模型，不训练",
                      "third party's, called by API only"},
                     UNSURE}},
    [ROUTE_FILED] =
        {.key = "model_filed",
         .zh = "所调用的模型是否已完成大模型备案？",
         .en = "Is the called model filed?",
         .why_zh = "登记只适用于调用已备案模型；材料中须写明备案主体与备案号。",
         .why_en = "Registration is for calls to filed models only; the papers name the number.",
         .source = "国家网信办备案与登记公告",
         .mark = ROUTE_SECONDARY,
         .detail = "model_number",
         .detail_zh = "模型备案号（如 Beijing-…-2025…）",
         .detail_en = "its filing number",
         .choices = {{"yes", "已备案", "yes"}, {"no", "未备案", "no"}, UNSURE}},
    [ROUTE_OPINION] =
        {.key = "opinion",
         .zh = "服务是否具有舆论属性或社会动员能力？",
         .en = "Has it public-opinion attributes or the power of social mobilisation?",
         .why_zh = "具有舆论属性或社会动员能力的，须开展安全评估并履行算法备案手续；是否具有，以主"
                   "管部门认定为准。",
         .why_en = "Such services owe a security assessment and the algorithm filing; whether one "
                   "has them is for the authority to say.",
         .source = "《生成式人工智能服务管理暂行办法》第十七条",
         .mark = ROUTE_LAW,
         .choices = {{"yes", "是", "yes"}, {"no", "否", "no"}, UNSURE}},
    [ROUTE_SYNTHESIS] =
        {.key = "synthesis",
         .zh = "是否应用生成合成类算法（生成文本、图片、音视频等）？",
         .en = "Does it use a generation or synthesis algorithm (text, images, audio, video)?",
         .why_zh =
             "生成合成类属于应备案的算法类型；调用他方模型、具有舆论属性的服务提供者同样须办理。",
         .why_en = "It is a type that must be filed; who calls another's model for a service with "
                   "public-opinion attributes files, too.",
         .source = "《互联网信息服务算法推荐管理规定》第二条（条号待核实）、第二十四条；《互联网信"
                   "息服务深度合成"
                   "管理规定》第十九条",
         .mark = ROUTE_LAW,
         .choices = {{"yes", "是", "yes"}, {"no", "否", "no"}, UNSURE}},
    [ROUTE_SMALL] = {.key = "small",
                     .zh = "是否为小模型？",
                     .en = "Is it a small model?",
                     .why_zh = "小模型是否需要备案没有统一口径，由属地省级网信部门答复。",
                     .why_en = "Whether small models must be filed is the province's answer.",
                     .source = "大模型备案答疑",
                     .mark = ROUTE_SECONDARY,
                     .choices = {{"yes", "是", "yes"}, {"no", "否", "no"}, UNSURE}},
    [ROUTE_ADDED] =
        {.key = "added",
         .zh = "在所调用的模型之上是否另加系统提示词或知识库检索（RAG）？",
         .en = "Are system prompts or retrieval (RAG) put on top of the called model?",
         .why_zh = "通常仍视为调用而非二次开发，但各地口径不一，应事先说明。",
         .why_en = "Usually still a call and no further development, but the local view decides.",
         .source = "实践经验，待核实",
         .mark = ROUTE_VERIFY,
         .choices = {{"none", "都没有，直接调用", "neither"},
                     {"prompts", "有系统提示词", "system prompts"},
                     {"rag", "有知识库检索（可同时有提示词）",
                      "retrieval, with or without prompts"},
                     UNSURE}},
    [ROUTE_MINORS] =
        {.key = "minors",
         .zh = "未成年人是否使用？",
         .en = "Do minors use it?",
         .why_zh = "须采取措施防范未成年人过度依赖或沉迷；面向未成年人或不允许其使用，措施不同。",
         .why_en = "Their over-reliance must be prevented; a service for minors and one that keeps "
                   "them out take different measures.",
         .source = "《生成式人工智能服务管理暂行办法》第十条",
         .mark = ROUTE_LAW,
         .choices = {{"for", "专门面向未成年人", "made for them"},
                     {"among", "公众服务，未成年人可能使用", "they may be among the public"},
                     {"excluded", "采取技术措施不允许使用", "kept out"},
                     UNSURE}},
    [ROUTE_COMPANION] =
        {.key = "companion",
         .zh = "是否提供持续的情感互动（拟人化互动、陪伴）？",
         .en = "Does it offer continuing emotional interaction (companion-like)?",
         .why_zh = "拟人化互动服务另有管理办法；客服、问答、工作助手不在其列，除非持续情感互动。",
         .why_en = "Companion services have rules of their own; customer service, Q&A and work "
                   "assistants are outside unless they go on emotionally.",
         .source = "《人工智能拟人化互动服务管理暂行办法》（2026-07-15 施行）",
         .mark = ROUTE_LAW,
         .choices = {{"yes", "是", "yes"}, {"no", "否", "no"}, UNSURE}},
    [ROUTE_FIELD] = {.key = "field",
                     .zh = "是否用于特殊领域？",
                     .en = "Is it for a special field?",
                     .why_zh = "医疗、金融、心理咨询、关键信息基础设施、自动控制等须有与风险相适应"
                               "的保护措施，有的另需许可。",
                     .why_en =
                         "Such fields need protection that fits the risk, and some a licence.",
                     .source = "GB/T 45654-2025 安全措施要求；行业管理规定",
                     .mark = ROUTE_VERIFY,
                     .choices = {{"none", "一般领域", "none"},
                                 {"medical", "医疗信息", "medical"},
                                 {"finance", "金融", "finance"},
                                 {"psychology", "心理咨询", "psychological counselling"},
                                 {"news", "新闻信息", "news"},
                                 {"critical", "关键信息基础设施、自动控制",
                                  "critical infrastructure, automatic control"},
                                 {"other", "其他须许可的领域", "another that needs a licence"},
                                 UNSURE}},
    [ROUTE_ONLINE] =
        {.key = "online",
         .zh = "是否已经上线？",
         .en = "Is it online already?",
         .why_zh = "算法备案自提供服务之日起十个工作日内办理；已上线而未办手续的，应先与属地沟通。",
         .why_en =
             "The algorithm filing is due within ten working days of the start; who is online "
             "without its papers should speak to the province first.",
         .source = "《互联网信息服务算法推荐管理规定》第二十四条",
         .mark = ROUTE_LAW,
         .detail = "online_since",
         .detail_zh = "上线日期（YYYY-MM-DD）",
         .detail_en = "since (YYYY-MM-DD)",
         .choices = {{"yes", "已上线", "yes"}, {"no", "未上线", "not yet"}, UNSURE}},
    [ROUTE_READY] =
        {.key = "ready",
         .zh = "测试环境与测试账号是否就绪？",
         .en = "Are the test environment and its accounts ready?",
         .why_zh = "审核方可能要求两类账号：附加审核策略与不附加审核策略；地址与口令须长期稳定。",
         .why_en =
             "Reviewers may ask for two kinds of accounts, with the added policy and without; "
             "address and credentials must stay.",
         .source = "备案材料惯例；大模型备案答疑",
         .mark = ROUTE_SECONDARY,
         .choices = {{"both", "两类账号都有", "both kinds"},
                     {"one", "只有附加审核策略的", "only with the policy"},
                     {"none", "没有", "none"},
                     UNSURE}},
};

const struct route_question *route_question(enum route_key k)
{
    return &questions[k];
}
