/// What makes one bank of the consortium unlike the others.
public struct SyntheticBank: Sendable {
    /// The bank's name in file names.
    public let name: String
    /// Share of the consortium's accounts.
    public let accountShare: Double
    /// Added to the logarithm of amounts.
    let amountLevel: Double
    /// Weights of young, middle-aged and senior holders.
    let ageWeights: [Double]
    /// Weights by `Channel.rawValue`.
    let channelWeights: [Double]
    /// Weight of the bank as a target by kind, against its share of accounts.
    let exposure: [FraudKind: Double]
    /// Day on which campaigns of a kind reach the bank; before it they nearly spare it.
    let arrival: [FraudKind: Int]

    /// Weight of the bank as a target of a campaign on a day.
    package func targetWeight(of kind: FraudKind, day: Int) -> Double {
        let spared = day < arrival[kind, default: 0]
        return accountShare * exposure[kind, default: 1] * (spared ? 0.04 : 1)
    }

    /// Five unequal banks: universal, retail, private, rural savings, digital.
    public static let consortium: [SyntheticBank] = [
        SyntheticBank(
            name: "A", accountShare: 0.55, amountLevel: 0, ageWeights: [0.25, 0.50, 0.25],
            channelWeights: [0.52, 0.22, 0.18, 0.08], exposure: [:], arrival: [:]),
        SyntheticBank(
            name: "B", accountShare: 0.22, amountLevel: -0.25, ageWeights: [0.35, 0.50, 0.15],
            channelWeights: [0.55, 0.27, 0.12, 0.06], exposure: [.socialEngineering: 0.8],
            arrival: [.testCharge: 35]),
        SyntheticBank(
            name: "C", accountShare: 0.13, amountLevel: 0.65, ageWeights: [0.10, 0.50, 0.40],
            channelWeights: [0.40, 0.20, 0.34, 0.06],
            exposure: [.socialEngineering: 1.4, .accountTakeover: 1.3],
            arrival: [.testCharge: 75, .accountTakeover: 45]),
        SyntheticBank(
            name: "D", accountShare: 0.06, amountLevel: -0.1, ageWeights: [0.12, 0.38, 0.50],
            channelWeights: [0.58, 0.10, 0.14, 0.18], exposure: [.mulePayee: 1.3],
            arrival: [.testCharge: 85, .accountTakeover: 85]),
        SyntheticBank(
            name: "E", accountShare: 0.04, amountLevel: -0.35, ageWeights: [0.70, 0.27, 0.03],
            channelWeights: [0.28, 0.42, 0.28, 0.02],
            exposure: [.testCharge: 1.5, .mulePayee: 1.5],
            arrival: [.testCharge: 85, .accountTakeover: 70, .socialEngineering: 60]),
    ]
}
