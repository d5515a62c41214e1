extension ReviewPage {
    /// The page's words, in both languages.
    static let words = """
        "use strict";
        const words = {
          en: {
            title: "Suspicious accounts of", model: "model", reviewer: "Reviewer",
            token: "Access token", enter: "Enter", cases: "Cases", show: "Show", open: "open",
            decided: "decided", all: "all", reload: "Reload", capacity: "Entries",
            make: "Make a list", case: "Case", entity: "Account", probability: "Probability",
            loss: "Expected loss", slice: "Chosen by", verdict: "Verdict",
            none: "There are no such cases.", reasons: "Why it is listed", kept: "Amount kept",
            confirmed: "1 Fraud", false_alarm: "2 False alarm", unclear: "3 Unclear",
            keys: "Keys: up and down move between cases, 1 2 3 give a verdict, r reloads.",
            effect: "Effect of the lists", models: "Model and policy", ranked: "rank",
            explored: "draw", confirmed_fraud: "fraud", disputed: "disputed",
            listed: "Listed", confirmed_count: "Confirmed frauds", false_alarms: "False alarms",
            unclear_open: "Unclear or open", precision: "Precision of decided cases",
            balance: "Balance kept", gain: "Interception over local alone",
            unknown_gain: "unknown until frauds from elsewhere are reported",
            by_both: "both lists", by_list_only: "this list only",
            by_local_only: "local alone only", by_neither: "neither",
            plot: "Known frauds by which list had them", version: "Version", rule: "Rule",
            sha: "SHA-256", policy: "Policy", swaps: "Swaps", choose: "Choose a case.",
            need_reviewer: "Enter the reviewer's name first.", stands: "The verdict stands.",
            known: "The verdict was known.", contradicts: "The verdict replaces an earlier one.",
            superseded: "A later verdict stands.", made: "A list was made; entries:",
            disputed_now: "Reviewers disagree; the case is unclear.",
            unknown_case: "No such case.", before_listing: "Decided before it was listed.",
            failed: "Not done:", unreachable: "The service cannot be reached."
          },
          zh: {
            title: "可疑账户：", model: "模型", reviewer: "审核人", token: "访问令牌",
            enter: "进入", cases: "案件", show: "显示", open: "待审", decided: "已审", all: "全部",
            reload: "刷新", capacity: "数量", make: "生成名单", case: "案件号", entity: "账户",
            probability: "概率", loss: "预期损失", slice: "入选方式", verdict: "结论",
            none: "没有这样的案件。", reasons: "入选原因", kept: "保住金额",
            confirmed: "1 欺诈", false_alarm: "2 误报", unclear: "3 不明确",
            keys: "按键：上下键切换案件，1 2 3 作出结论，r 刷新。",
            effect: "名单效果", models: "模型与策略", ranked: "排序", explored: "抽样",
            confirmed_fraud: "欺诈", disputed: "有争议", listed: "已列入",
            confirmed_count: "确认欺诈", false_alarms: "误报", unclear_open: "不明确或待审",
            precision: "已审案件的准确率", balance: "保住余额", gain: "相对仅本地模型的拦截提升",
            unknown_gain: "需先上报其他渠道得知的欺诈", by_both: "两份名单都有",
            by_list_only: "仅本名单", by_local_only: "仅本地模型", by_neither: "都没有",
            plot: "已知欺诈按所在名单划分", version: "版本", rule: "组合规则", sha: "SHA-256",
            policy: "策略", swaps: "切换次数", choose: "请选择案件。",
            need_reviewer: "请先填写审核人。", stands: "结论已生效。", known: "该结论此前已收到。",
            contradicts: "结论已取代先前的结论。", superseded: "以更晚的结论为准。",
            made: "名单已生成，数量：", disputed_now: "审核人意见不一，案件视为不明确。",
            unknown_case: "没有这个案件。", before_listing: "结论早于列入名单的时间。",
            failed: "未完成：", unreachable: "无法连接服务。"
          }
        };
        """
}
