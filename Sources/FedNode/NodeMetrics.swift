internal import FedCore
package import FedRuntime
package import FedService
internal import FedWire

/// What a node's store tells of its runs, for the metrics of the scoring service beside it.
package struct NodeMetrics: Sendable {
    private let store: NodeStore

    /// Reads an open store, also while the node serves.
    package init(store: NodeStore) { self.store = store }

    /// Runs by state, their rounds, banks left out of them, masked vectors and bytes sent; without
    /// the figures that cannot be read now.
    package var families: [MetricFamily] {
        var families: [MetricFamily] = []
        if let runs = try? store.runs.counts() {
            families.append(
                MetricFamily(
                    "fed_runs_total", .gauge,
                    "Runs that this bank took part in; failed and aborted ones gave nothing.",
                    runs.map {
                        MetricFamily.Sample(
                            Double($0.runs),
                            labels: [("algorithm", $0.algorithm), ("state", $0.state.rawValue)])
                    }))
            families.append(
                MetricFamily(
                    "fed_run_rounds_total", .counter,
                    "Rounds of runs that this bank has followed: trees, or steps of the optimiser.",
                    Dictionary(grouping: runs, by: \.algorithm).sorted { $0.key < $1.key }.map {
                        MetricFamily.Sample(
                            Double($1.reduce(0) { $0 + $1.rounds }), labels: [("algorithm", $0)])
                    }))
        }
        if let banks = try? store.leftOut() {
            families.append(
                MetricFamily(
                    "fed_runs_left_out_total", .counter,
                    "Runs that had a sum without a bank, by that bank.",
                    banks.map {
                        MetricFamily.Sample(Double($0.runs), labels: [("bank", $0.bank.name)])
                    }))
        }
        if let sent = try? store.egressTotals() {
            families.append(
                MetricFamily(
                    "fed_masked_slots_total", .counter,
                    "Masked vectors that have left this bank, one a slot.",
                    [MetricFamily.Sample(Double(sent.reduce(0) { $0 + $1.slots }))]))
            families.append(
                MetricFamily(
                    "fed_sent_messages_total", .counter, "Messages that have left this bank.",
                    sent.map {
                        MetricFamily.Sample(Double($0.messages), labels: [("kind", $0.kind)])
                    }))
            families.append(
                MetricFamily(
                    "fed_sent_bytes_total", .counter, "Bytes that have left this bank.",
                    sent.map { MetricFamily.Sample(Double($0.bytes), labels: [("kind", $0.kind)]) })
            )
        }
        return families
    }
}
