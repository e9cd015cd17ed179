/* What is said with which route and answers: each line with its source and how far to trust it. */
#include "filing/routetable.h"

#define MEASURES "《生成式人工智能服务管理暂行办法》"
#define ORDER_9  "《互联网信息服务算法推荐管理规定》"
#define DEEP     "《互联网信息服务深度合成管理规定》"
#define NOTICE   "国家网信办备案与登记公告"
#define ARTICLE  "大模型备案答疑"
#define PACKS    "备案、登记材料惯例"
#define STANDARD "GB/T 45654-2025（原 TC260-003）"

#define MODELS (ROUTE_FILING | ROUTE_REGISTRATION)
#define ANY    (MODELS | ROUTE_ALGORITHM)

#define WHEN(...)       .when = {.answers = {__VA_ARGS__}}
#define WITH(bits, ...) .when = {.routes = bits, .answers = {__VA_ARGS__}}

const struct route_line route_lines[] = {
    /* ---- why ---- */
    {ROUTE_REASON, "未向境内公众提供服务的研发、应用，不适用《暂行办法》，不需办理备案或登记。",
     "What is developed or used without offering it to the mainland public is outside the "
     "Measures: no filing, no registration.",
     MEASURES "第二条第三款", ROUTE_LAW, WHEN([ROUTE_PUBLIC] = PUBLIC_NO)},
    {ROUTE_REASON,
     "是否面向公众尚不确定：以可编程接口等方式提供也属于提供服务。以下各项以面向公众为前提。",
     "It is not sure whether it is offered to the public; an interface is an offer, too. What "
     "follows holds if it is.",
     MEASURES "第二条、第二十二条", ROUTE_LAW, WHEN([ROUTE_PUBLIC] = PUBLIC_UNSURE)},
    {ROUTE_REASON,
     "自研模型面向境内公众提供、具有舆论属性或社会动员能力的，走大模型备案（省级初审、中央复审）。",
     "An own model offered to the mainland public, with public-opinion attributes, is filed: the "
     "province reviews first, the central authority last.",
     NOTICE "；" MEASURES "第十七条", ROUTE_SECONDARY, WHEN([ROUTE_MODEL] = MODEL_OWN)},
    {ROUTE_REASON, "对第三方模型微调、蒸馏或二次训练，不属于直接调用，按大模型备案办理。",
     "Tuning, distilling or training a third party's model further is no mere call: the model is "
     "filed.",
     NOTICE, ROUTE_SECONDARY, WHEN([ROUTE_MODEL] = MODEL_TUNED)},
    {ROUTE_REASON,
     "仅通过 API "
     "等方式直接调用已备案模型、不训练的应用或功能，可走登记，由省级网信部门办理，取得上线编号。",
     "An application that only calls a filed model, without training, may be registered by the "
     "province and gets a launch number.",
     NOTICE, ROUTE_SECONDARY, WITH(ROUTE_REGISTRATION, [ROUTE_MODEL] = MODEL_CALLED)},
    {ROUTE_REASON, "登记只适用于调用已备案模型：应改用已备案的模型，否则须由模型一方先完成备案。",
     "Registration is for calls to filed models only: take a filed one, or the model must be filed "
     "first.",
     NOTICE, ROUTE_SECONDARY, WHEN([ROUTE_FILED] = FILED_NO)},
    {ROUTE_REASON, "提供服务应使用已备案的基础模型。", "A service is to use a filed base model.",
     STANDARD "模型安全要求", ROUTE_VERIFY, WHEN([ROUTE_FILED] = FILED_NO | FILED_UNSURE)},
    {ROUTE_REASON, "所调用模型是否备案不确定：先向模型提供方索取备案号与证明。",
     "It is not sure whether the model is filed: ask its vendor for number and proof first.", PACKS,
     ROUTE_SECONDARY, WHEN([ROUTE_FILED] = FILED_UNSURE)},
    {ROUTE_REASON, "模型由谁训练不确定：备案还是登记取决于此。",
     "Who trained the model is not sure: filing or registration hangs on it.", NOTICE,
     ROUTE_SECONDARY, WHEN([ROUTE_MODEL] = MODEL_UNSURE)},
    {ROUTE_REASON, "通过可编程接口等方式提供服务的也是提供者；模型方与应用方的义务叠加，不转移。",
     "Who offers it through an interface is a provider, too; the duties of vendor and application "
     "add up and do not move.",
     MEASURES "第二十二条", ROUTE_LAW, WITH(ANY, [ROUTE_MODEL] = MODEL_CALLED)},
    {ROUTE_REASON, "具有舆论属性或社会动员能力的生成合成类算法服务，须履行算法备案手续。",
     "A generation or synthesis service with public-opinion attributes owes the algorithm filing.",
     MEASURES "第十七条；" ORDER_9 "第二十四条；" DEEP "第十九条", ROUTE_LAW,
     WITH(ROUTE_ALGORITHM, [ROUTE_SYNTHESIS] = SYNTHESIS_YES)},
    {ROUTE_REASON,
     "调用他方已备案模型的，可以免于完整的大模型备案，但仍须办理算法备案并取得省级同意。",
     "Who calls another's filed model may be spared the full filing, but owes the algorithm filing "
     "and the province's consent.",
     ARTICLE, ROUTE_SECONDARY,
     WITH(ROUTE_ALGORITHM, [ROUTE_MODEL] = MODEL_CALLED, [ROUTE_FILED] = FILED_YES)},
    {ROUTE_REASON, "自认不具有舆论属性或社会动员能力的，是否需要办理以主管部门认定为准。",
     "Who holds that it has no such attributes should have the authority say so.",
     MEASURES "第十七条；认定口径", ROUTE_VERIFY, WHEN([ROUTE_OPINION] = OPINION_NO)},
    {ROUTE_REASON, "是否具有舆论属性或社会动员能力不确定，各项手续都取决于此。",
     "Whether it has public-opinion attributes is not sure, and all hangs on it.",
     MEASURES "第十七条", ROUTE_LAW, WHEN([ROUTE_OPINION] = OPINION_UNSURE)},
    {ROUTE_REASON, "大模型的回答就是生成的文本，一般属于生成合成类：答“否”或“不确定”的应再核对。",
     "What a language model answers is generated text: look again at 'no' and 'not sure'.",
     ORDER_9 "第二条", ROUTE_VERIFY, WHEN([ROUTE_SYNTHESIS] = SYNTHESIS_NO | SYNTHESIS_UNSURE)},

    /* ---- what the province decides ---- */
    {ROUTE_PROVINCE, "具体项目是否需要办理、用哪套表格与材料清单，以属地省级网信部门答复为准。",
     "Whether this project must file, and with which forms and lists, is the province's answer.",
     ARTICLE, ROUTE_SECONDARY, WITH(ANY)},
    {ROUTE_PROVINCE, "“网关＋已备案模型”按直接调用（登记）还是按二次开发（备案）认定。",
     "Whether 'gateway and filed model' is a mere call (registration) or further development "
     "(filing).",
     "各地口径", ROUTE_VERIFY, WHEN([ROUTE_MODEL] = MODEL_CALLED)},
    {ROUTE_PROVINCE, "所加的系统提示词、知识库检索是否仍视为直接调用（通常视为调用）。",
     "Whether system prompts or retrieval on top are still a mere call (usually they are).",
     "各地口径", ROUTE_VERIFY, WHEN([ROUTE_ADDED] = ADDED_PROMPTS | ADDED_RAG | ADDED_UNSURE)},
    {ROUTE_PROVINCE, "小模型是否需要备案。", "Whether a small model must be filed.", ARTICLE,
     ROUTE_SECONDARY, WHEN([ROUTE_SMALL] = SMALL_YES | SMALL_UNSURE)},
    {ROUTE_PROVINCE, "服务是否具有舆论属性或社会动员能力的认定。",
     "Whether the service has public-opinion attributes.", MEASURES "第十七条；认定口径",
     ROUTE_VERIFY, WHEN([ROUTE_OPINION] = OPINION_NO | OPINION_UNSURE)},
    {ROUTE_PROVINCE, "已经上线的服务在办理期间能否继续提供。",
     "Whether a service that is online may go on while its papers are under way.", "各地口径",
     ROUTE_VERIFY, WHEN([ROUTE_ONLINE] = ONLINE_YES)},

    /* ---- steps ---- */
    {ROUTE_STEP, "先就上列事项书面咨询属地省级网信部门，留存答复。",
     "Ask the province about the points above in writing, and keep its answer.", ARTICLE,
     ROUTE_SECONDARY, WITH(ROUTE_ASK)},
    {ROUTE_STEP, "1 向属地网信部门领取表格与材料清单。",
     "1 Get the forms from the local authority.", ARTICLE, ROUTE_SECONDARY, WITH(MODELS)},
    {ROUTE_STEP, "2 编写材料。", "2 Write the papers.", ARTICLE, ROUTE_SECONDARY,
     "juyong filing pack", WITH(MODELS)},
    {ROUTE_STEP, "3 自评估（题库测试），准备测试环境与账号。",
     "3 Assess the service (question banks), prepare the test environment and accounts.", ARTICLE,
     ROUTE_SECONDARY, "juyong filing evaluate", WITH(MODELS)},
    {ROUTE_STEP, "4 提交属地网信部门。", "4 Submit.", ARTICLE, ROUTE_SECONDARY, WITH(MODELS)},
    {ROUTE_STEP, "5 属地材料审核与技术测试，可能退回修改。",
     "5 Local review of the papers and technical test; may come back for changes.", ARTICLE,
     ROUTE_SECONDARY, WITH(MODELS)},
    {ROUTE_STEP, "6 中央网信办复审（大模型备案）。", "6 Central review (filing of a model).",
     ARTICLE, ROUTE_SECONDARY, WITH(ROUTE_FILING)},
    {ROUTE_STEP, "6 登记由省级网信部门办理，没有中央复审。",
     "6 A registration is the province's: no central review.", NOTICE, ROUTE_SECONDARY,
     WITH(ROUTE_REGISTRATION)},
    {ROUTE_STEP, "7 取得备案号或上线编号，并予公示。", "7 Get the number, and display it.", ARTICLE,
     ROUTE_SECONDARY, "juyong filing disclosure", WITH(MODELS)},
    {ROUTE_STEP,
     "算法备案：在 beian.cac.gov.cn 填报主体信息（含算法安全负责人）、产品及功能信息、算法信息，"
     "提交算法安全自评估报告与拟公示内容。",
     "Algorithm filing: enter entity (with the person responsible), product and algorithm at "
     "beian.cac.gov.cn, with self-assessment and text for publication.",
     ORDER_9 "第二十四条", ROUTE_LAW, "juyong filing annex algorithm", WITH(ROUTE_ALGORITHM)},
    {ROUTE_STEP, "将来向境内公众提供服务的，上线前重新回答本问卷。",
     "Before it is ever offered to the mainland public, answer these questions anew.",
     MEASURES "第二条", ROUTE_LAW, WITH(ROUTE_NONE)},

    /* ---- documents ---- */
    {ROUTE_DOCUMENT, "备案表或登记表（属地网信部门提供）", "The form, from the local authority",
     PACKS, ROUTE_SECONDARY, WITH(MODELS)},
    {ROUTE_DOCUMENT, "附件1 安全自评估报告", "Annex 1: safety self-assessment", ARTICLE,
     ROUTE_SECONDARY, "juyong filing annex 1", WITH(MODELS)},
    {ROUTE_DOCUMENT, "附件2 模型服务协议、隐私政策", "Annex 2: service agreement, privacy policy",
     ARTICLE, ROUTE_SECONDARY, "juyong filing annex 2", WITH(MODELS)},
    {ROUTE_DOCUMENT, "附件3 语料标注规则：不涉及，写明原因",
     "Annex 3: labelling rules, not applicable, with the reason", PACKS, ROUTE_SECONDARY,
     "juyong filing annex 3", WITH(MODELS, [ROUTE_MODEL] = MODEL_CALLED | MODEL_UNSURE)},
    {ROUTE_DOCUMENT, "附件3 语料标注规则，以及语料来源与安全评估（自备）",
     "Annex 3: labelling rules, with sources and assessment of the training data (your own)",
     ARTICLE, ROUTE_SECONDARY, WITH(MODELS, [ROUTE_MODEL] = MODEL_OWN | MODEL_TUNED)},
    {ROUTE_DOCUMENT, "附件4 关键词拦截列表", "Annex 4: intercepted keywords", ARTICLE,
     ROUTE_SECONDARY, "juyong filing annex 4", WITH(MODELS)},
    {ROUTE_DOCUMENT, "附件5 评估测试题集", "Annex 5: questions, answers, judgements", ARTICLE,
     ROUTE_SECONDARY, "juyong filing annex 5", WITH(MODELS)},
    {ROUTE_DOCUMENT, "调用已备案模型情况说明", "Statement on the filed model that is called", PACKS,
     ROUTE_SECONDARY, "juyong filing annex model", WITH(ROUTE_REGISTRATION)},
    {ROUTE_DOCUMENT, "模型合同或控制台证明、模型方备案公示（自备）",
     "Contract or console proof, the vendor's public notice (your own)", PACKS, ROUTE_SECONDARY,
     WITH(ROUTE_REGISTRATION)},
    {ROUTE_DOCUMENT, "内容安全管理制度（自备）", "Rules of content safety (your own)", PACKS,
     ROUTE_SECONDARY, WITH(ROUTE_REGISTRATION)},
    {ROUTE_DOCUMENT, "测试通道：地址、账号与接口说明，口令另行保管",
     "Test channel: address, accounts, interface; secrets kept apart", PACKS, ROUTE_SECONDARY,
     "juyong reviewer", WITH(MODELS)},
    {ROUTE_DOCUMENT, "算法安全自评估报告与拟公示内容",
     "Algorithm self-assessment and text for publication", ORDER_9 "第二十四条", ROUTE_LAW,
     "juyong filing annex algorithm", WITH(ROUTE_ALGORITHM)},
    {ROUTE_DOCUMENT, "落实算法安全主体责任基本情况（自备）",
     "How the entity bears its responsibility for the algorithm (your own)", "算法备案系统填报项",
     ROUTE_SECONDARY, WITH(ROUTE_ALGORITHM)},

    /* ---- deadlines ---- */
    {ROUTE_DEADLINE, "算法备案：提供服务之日起十个工作日内。",
     "Algorithm filing: within ten working days of the start of service.", ORDER_9 "第二十四条",
     ROUTE_LAW, "juyong filing status", WITH(ROUTE_ALGORITHM)},
    {ROUTE_DEADLINE, "算法备案信息变更：十个工作日内；终止服务：二十个工作日内注销。",
     "Changes to it: within ten working days; end of service: cancelled within twenty.",
     ORDER_9 "第二十四条", ROUTE_LAW, WITH(ROUTE_ALGORITHM)},
    {ROUTE_DEADLINE, "材料齐全的，主管部门三十个工作日内予以备案并公布编号。",
     "With complete papers the authority files and publishes within thirty working days.",
     ORDER_9 "第二十五条（条号待核实）", ROUTE_LAW, WITH(ROUTE_ALGORITHM)},
    {ROUTE_DEADLINE, "实践中多在上线前办理算法备案，属地通常要求先行办理。",
     "In practice it is done before the start, and the province expects it first.", ARTICLE,
     ROUTE_VERIFY, WITH(ROUTE_ALGORITHM)},
    {ROUTE_DEADLINE, "大模型备案：无法定时限，咨询机构称约 6–8 个月。",
     "Filing of a model: no time by law; consultants say 6 to 8 months.", "咨询机构公开资料",
     ROUTE_SECONDARY, WITH(ROUTE_FILING)},
    {ROUTE_DEADLINE, "登记：无法定时限，咨询机构称约 3–4 个月。",
     "Registration: no time by law; consultants say 3 to 4 months.", "咨询机构公开资料",
     ROUTE_SECONDARY, WITH(ROUTE_REGISTRATION)},
    {ROUTE_DEADLINE, "关键词库每周更新，测试题库每月更新。",
     "Keywords are brought up to date every week, question banks every month.", STANDARD,
     ROUTE_SECONDARY, "juyong filing status", WITH(MODELS)},
    {ROUTE_DEADLINE, "网络日志留存不少于六个月。", "Logs are kept for at least six months.",
     "《网络安全法》（2026-01-01 修正施行，条号待核实）", ROUTE_LAW, WITH(ANY)},

    /* ---- what else follows ---- */
    {ROUTE_DUTY, "在显著位置或产品详情页公示所用模型名称及备案号或上线编号。",
     "Show the model's name and filing or launch number prominently.", NOTICE, ROUTE_SECONDARY,
     "juyong filing disclosure", WITH(MODELS)},
    {ROUTE_DUTY, "在显著位置标明算法备案编号，并提供公示信息链接。",
     "Show the algorithm's number prominently, with a link to what was published.",
     ORDER_9 "第二十六条", ROUTE_LAW, "juyong filing disclosure", WITH(ROUTE_ALGORITHM)},
    {ROUTE_DUTY,
     "安全评估：上线前、重大变更、用户规模明显增长或传播违法信息后，"
     "自行评估并通过全国平台提交属地市级以上网信与公安部门。",
     "Safety assessment before the start, on great changes and growth, and after unlawful content "
     "spread: to the city's authority and the police, through the national platform.",
     "《具有舆论属性或社会动员能力的互联网信息服务安全评估规定》；" MEASURES "第十七条", ROUTE_LAW,
     WITH(ANY, [ROUTE_OPINION] = OPINION_YES | OPINION_UNSURE)},
    {ROUTE_DUTY, "发现违法内容立即停止生成、停止传输、消除，整改并报告；处置违法使用者，保存记录。",
     "On unlawful content stop, remove, mend and report; act against unlawful use; keep records.",
     MEASURES "第十四条", ROUTE_LAW, WITH(ANY)},
    {ROUTE_DUTY, "设置便捷的投诉举报入口，公布处理流程与时限。",
     "Offer a way to complain, and publish its process and time.", MEASURES "第十五条", ROUTE_LAW,
     "juyong complaint", WITH(ANY)},
    {ROUTE_DUTY, "对生成合成内容添加显式与隐式标识。",
     "Label generated content, visibly and in files.",
     "《人工智能生成合成内容标识办法》；GB 45438-2025", ROUTE_SECONDARY, WITH(ANY)},
    {ROUTE_DUTY, "纯文本 API 输出的标识方式各地理解不一，宜事先确认。",
     "How the bare output of an API is labelled is understood differently: have it confirmed.",
     "《人工智能生成合成内容标识办法》", ROUTE_VERIFY, WITH(ANY, [ROUTE_MODEL] = MODEL_CALLED)},
    {ROUTE_DUTY, "防范未成年人过度依赖或者沉迷。", "Prevent minors' over-reliance.",
     MEASURES "第十条", ROUTE_LAW,
     WITH(ANY, [ROUTE_MINORS] = MINORS_FOR | MINORS_AMONG | MINORS_UNSURE)},
    {ROUTE_DUTY, "面向未成年人：监护人管理、限制付费、提供有益内容。",
     "For minors: guardians' limits, no paid services beyond their capacity, helpful content.",
     STANDARD "安全措施要求", ROUTE_VERIFY, WITH(ANY, [ROUTE_MINORS] = MINORS_FOR)},
    {ROUTE_DUTY, "不允许未成年人使用：须有技术或管理措施防止其使用。",
     "Minors kept out: technical or other measures must prevent their use.",
     STANDARD "安全措施要求", ROUTE_VERIFY, WITH(ANY, [ROUTE_MINORS] = MINORS_EXCLUDED)},
    {ROUTE_DUTY,
     "拟人化互动：极端情境处置与人工接管、每 2 小时提醒、不得向未成年人提供虚拟亲属或伴侣；"
     "注册用户 100 万或月活 10 万以上的另作安全评估。",
     "Companion services: crisis handling, a reminder every 2 hours, no virtual relatives or "
     "partners for minors; an assessment from 1 million registered or 100,000 monthly users on.",
     "《人工智能拟人化互动服务管理暂行办法》", ROUTE_LAW,
     WITH(ANY, [ROUTE_COMPANION] = COMPANION_YES)},
    {ROUTE_DUTY, "是否属于拟人化互动不确定：持续情感互动的适用专门办法，应先确认。",
     "Not sure whether it is a companion service: continuing emotional interaction has rules of "
     "its own; find out first.",
     "《人工智能拟人化互动服务管理暂行办法》", ROUTE_LAW,
     WITH(ANY, [ROUTE_COMPANION] = COMPANION_UNSURE)},
    {ROUTE_DUTY,
     "特殊领域：采取与风险相适应的保护措施（提示、人工转接等），并核对是否另需行业许可。",
     "A special field: protection that fits the risk (notices, a human to hand over to), and see "
     "whether a licence is needed.",
     STANDARD "安全措施要求；行业管理规定", ROUTE_VERIFY,
     WITH(ANY, [ROUTE_FIELD] = FIELD_MEDICAL | FIELD_FINANCE | FIELD_PSYCHOLOGY | FIELD_CRITICAL |
                               FIELD_OTHER | FIELD_UNSURE)},
    {ROUTE_DUTY, "新闻信息：核对是否另需互联网新闻信息服务许可。",
     "News: see whether a licence for internet news is needed.", "互联网新闻信息服务管理规定",
     ROUTE_VERIFY, WITH(ANY, [ROUTE_FIELD] = FIELD_NEWS)},
    {ROUTE_DUTY, "不面向公众的，网络安全、数据安全、个人信息保护等法律仍然适用。",
     "Not offered to the public, the laws on cybersecurity, data and personal information hold all "
     "the same.",
     "《网络安全法》《数据安全法》《个人信息保护法》", ROUTE_VERIFY, WITH(ROUTE_NONE)},

    /* ---- not ready ---- */
    {ROUTE_GAP, "缺所调用模型的备案号：材料与公示都要写明。",
     "The called model's filing number is missing: papers and display name it.", NOTICE,
     ROUTE_SECONDARY,
     .when = {.routes = MODELS, .answers = {[ROUTE_FILED] = FILED_YES}, .lacks = ROUTE_FILED}},
    {ROUTE_GAP, "已上线但未写上线日期：期限无法计算。",
     "It is online, but since when was not told: deadlines can't be counted.", ORDER_9 "第二十四条",
     ROUTE_LAW,
     .when = {.routes = ANY, .answers = {[ROUTE_ONLINE] = ONLINE_YES}, .lacks = ROUTE_ONLINE}},
    {ROUTE_GAP, "还缺不附加审核策略的测试账号。",
     "Test accounts without the added policy are missing.", PACKS, ROUTE_SECONDARY,
     "juyong reviewer", WITH(MODELS, [ROUTE_READY] = READY_ONE)},
    {ROUTE_GAP, "测试账号尚未准备：附加与不附加审核策略的各一类。",
     "Test accounts are not ready: both with the added policy and without.", PACKS, ROUTE_SECONDARY,
     "juyong reviewer", WITH(MODELS, [ROUTE_READY] = READY_NONE | READY_UNSURE)},
};
const size_t route_line_count = sizeof(route_lines) / sizeof(*route_lines);
