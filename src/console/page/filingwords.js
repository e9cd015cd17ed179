// The words of the filing desk: [中文, English]; part of dictionary.js. Chinese as filings are written.
export const filing_words = {
  group_filing: ['备案', 'Filing'], page_filing: ['备案', 'Filing'],
  filing_ready: ['就绪情况', 'Readiness'], filing_files: ['材料下载', 'Papers'],
  filing_draft: ['以下均为草稿，须由本单位人员核对；是否符合由负责人判断，本系统不作结论。', 'All of this is a draft for your own people to check. Whether anything conforms is for a person to say, not for this page.'],
  filing_items_met: ['已备齐', 'There'], filing_items_text: ['按可自动核对的项目计', 'of what can be counted'], filing_items_open: ['尚缺', 'Missing'], filing_all_there: ['逐项仍须人工核对', 'each still to be checked by people'], filing_see_below: ['见下列各项', 'see below'],
  filing_there: ['已备齐', 'there'], filing_missing: ['未备齐', 'missing'], filing_missing_n: ['缺 {n} 项', '{n} missing'], filing_amount: ['现有 {have}，要求不少于 {want}', '{have} of {want} or more'], filing_what_missing: ['缺少的内容', 'What is missing'],
  filing_have: ['现有', 'There'], filing_want: ['要求', 'Asked for'], filing_short: ['尚差', 'Short by'],
  filing_paper: ['材料', 'Paper'], filing_take: ['生成并下载', 'Make and download'], filing_files_text: ['材料按当前生效的配置、词库和评估结果即时生成；每次下载均记录在案。未知事项写作“待补充”。', 'Made at that moment of what is in force; each that leaves is on record. What is unknown says 待补充.'], filing_files_closed: ['下载材料限发布员、管理员和检查员。', 'Publishers, administrators and inspectors may download these.'],

  'filing_item.keywords': ['关键词库', 'Keyword library'], 'filing_item.disclosure': ['公示信息', 'What users are shown'],
  'filing_asks.keywords': ['GB/T 45654-2025：总数不少于 10,000 个；A.1 每类不少于 200 个，A.2 每类不少于 100 个；每周更新。', 'GB/T 45654-2025: 10,000 in all; 200 of each type of A.1, 100 of each of A.2; brought up to date weekly.'],
  'filing_asks.disclosure': ['应在显著位置公示所用模型名称及备案号或上线编号、算法备案号及链接、投诉举报渠道。', 'To be shown prominently: model and filing or launch number, algorithm number with its link, where to complain.'],
  'filing_key.provider': ['服务提供者', 'provider'], 'filing_key.launch_number': ['上线编号', 'launch number'], 'filing_key.algorithm_number': ['算法备案号', 'algorithm filing number'], 'filing_key.complaint': ['投诉举报渠道', 'where to complain'], 'filing_key.filing_number': ['备案号', 'filing number'], 'filing_key.display_name': ['公示名称', 'name to be shown'],
  'filing_file.annex4.xlsx': ['附件4 拦截关键词列表', 'Annex 4: intercepted keywords'], 'filing_about.annex4.xlsx': ['计入的关键词按类型列出，不计入的另列；含每类统计与版本。', 'What counts, by type, and what does not on sheets of its own; with counts and version.'],
  'filing_file.disclosure.html': ['公示信息（网页片段）', 'What users are shown (HTML)'], 'filing_about.disclosure.html': ['可嵌入应用页面。', 'A section for the app’s own page.'],
  'filing_file.disclosure.json': ['公示信息（JSON）', 'What users are shown (JSON)'], 'filing_about.disclosure.json': ['供应用程序读取。', 'For programs.'],
  'act.filing_file': ['下载备案材料', 'downloaded a filing paper'],
};
