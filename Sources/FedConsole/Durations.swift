internal import Foundation

extension Duration {
    /// The length in seconds.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }

    /// The length for a person, such as `1.24 s`.
    package var text: String { String(format: "%.2f s", seconds) }
}
