/// The sections on what left the banks and on the run.
extension HTMLReport {
    func egress(_ page: inout Markup) {
        guard !report.sent.isEmpty || !report.maskedSums.isEmpty else { return }
        page.group("section") { page in
            page.element("h2", "What left each bank")
            if !report.sent.isEmpty { sentTable(&page) }
            if !report.maskedSums.isEmpty { sumsTable(&page) }
        }
    }

    private func sentTable(_ page: inout Markup) {
        var banks: [String] = []
        var kinds: [String] = []
        for line in report.sent {
            if !banks.contains(line.bank) { banks.append(line.bank) }
            if !kinds.contains(line.kind) { kinds.append(line.kind) }
        }
        func cell(_ page: inout Markup, _ lines: [RunReport.Sent]) {
            page.group("td") { page in
                guard !lines.isEmpty else { return page.add("-") }
                page.add(NumberText.bytes(lines.reduce(0) { $0 + $1.bytes }))
                let count = NumberText.grouped(lines.reduce(0) { $0 + $1.messages })
                page.element("small", " in " + count)
            }
        }
        page.group("div", attributes: "class=\"scroll\"") { page in
            page.group("table") { page in
                page.element("caption", "Bytes sent and number of messages, by kind of message")
                page.group("thead") { page in
                    page.raw("<tr>")
                    page.element("th", "message", attributes: "scope=\"col\" class=\"text\"")
                    for name in banks + ["all banks"] {
                        page.element("th", name, attributes: "scope=\"col\"")
                    }
                    page.raw("</tr>")
                }
                page.group("tbody") { page in
                    for kind in kinds + [nil] as [String?] {
                        page.raw(kind == nil ? "<tr class=\"total\">" : "<tr>")
                        page.element("th", kind ?? "all messages", attributes: "scope=\"row\"")
                        for bank in banks + [nil] as [String?] {
                            cell(
                                &page,
                                report.sent.filter {
                                    (kind == nil || $0.kind == kind)
                                        && (bank == nil || $0.bank == bank)
                                })
                        }
                        page.raw("</tr>\n")
                    }
                }
            }
        }
    }

    private func sumsTable(_ page: inout Markup) {
        page.group("div", attributes: "class=\"scroll\"") { page in
            page.group("table") { page in
                page.element("caption", "Masked sums: all that was computed over the banks")
                page.raw("<thead><tr>")
                page.element(
                    "th", "what was summed", attributes: "scope=\"col\" class=\"text\"")
                for name in ["sums", "lanes each", "bytes a bank, each"] {
                    page.element("th", name, attributes: "scope=\"col\"")
                }
                page.raw("</tr></thead>\n")
                page.group("tbody") { page in
                    for sums in report.maskedSums {
                        page.raw("<tr>")
                        page.element("th", sums.kind, attributes: "scope=\"row\"")
                        page.element("td", NumberText.grouped(sums.count))
                        page.element("td", NumberText.grouped(sums.lanes))
                        page.element("td", NumberText.grouped(sums.bytes))
                        page.raw("</tr>\n")
                    }
                }
            }
        }
    }

    func boundary(_ page: inout Markup) {
        page.group("section") { page in
            page.element("h2", "What a bank keeps, what it sends, what can be read of it")
            page.group("div", attributes: "class=\"boundary\"") { page in
                panel(&page, "stays", "Stays in the bank", report.boundary.stays)
                page.raw("<div class=\"arrow\" aria-hidden=\"true\">→</div>")
                panel(&page, "leaves", "Leaves the bank", report.boundary.leaves)
                page.raw("<div class=\"arrow\" aria-hidden=\"true\">→</div>")
                panel(&page, "readable", "The coordinator can read", report.boundary.readable)
            }
        }
    }

    private func panel(_ page: inout Markup, _ style: String, _ title: String, _ items: [String]) {
        page.group("div", attributes: "class=\"panel \(style)\"") { page in
            page.element("h3", title)
            page.group("ul") { page in
                for item in items { page.element("li", item) }
            }
        }
    }

    func facts(_ page: inout Markup) {
        let seconds = comparison.seconds
        let times =
            "data \(NumberText.seconds(seconds.data)), training "
            + "\(NumberText.seconds(seconds.train)), evaluation "
            + NumberText.seconds(seconds.evaluate)
        let own = [
            RunReport.Fact("algorithm", comparison.algorithm),
            RunReport.Fact("joint model, SHA-256", comparison.modelSHA256),
            RunReport.Fact("feature standard, SHA-256", comparison.standardSHA256),
            RunReport.Fact("roster", comparison.banks.map(\.name).joined(separator: ", ")),
            RunReport.Fact("masked sums", NumberText.grouped(comparison.slots)),
            RunReport.Fact("time", times),
        ]
        let pooled = comparison.pooled.map {
            [
                RunReport.Fact("model of pooled rows, SHA-256", $0.modelSHA256),
                RunReport.Fact("joint and pooled model", ComparisonTable.describe($0)),
            ]
        }
        page.group("section") { page in
            page.element("h2", "Run")
            page.group("dl") { page in
                for fact in own + (pooled ?? []) + report.facts {
                    page.element("dt", fact.name)
                    page.element("dd", fact.value)
                }
            }
        }
    }
}
