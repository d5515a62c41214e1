public import FedCore
public import Logging

extension Notice.Level {
    /// The level of the logging library.
    public var logLevel: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
