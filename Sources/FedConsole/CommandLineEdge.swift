public import ArgumentParser
public import FedCore
internal import FedFiles
package import FedRuntime
internal import Foundation

/// The one place where errors become words and exit codes.
package enum CommandLineEdge {
    /// Parses the process's arguments, runs the command and exits with its code.
    package static func run(_ command: any AsyncParsableCommand.Type) async -> Never {
        await run(root: command)
    }

    private static func run<Root: AsyncParsableCommand>(root: Root.Type) async -> Never {
        do {
            var parsed = try await root.asyncParseAsRoot()
            if var asynchronous = parsed as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try parsed.run()
            }
            exit(0)
        } catch let error as any ExplainedError {
            report(error)
            exit(exitCode(of: error))
        } catch let error as DataFileError {
            report(
                CommandFailure(
                    error.description, hint: "fed check --standard FILE DATA shows every violation",
                    exitKind: .data))
            exit(exitKind(of: error).rawValue)
        } catch let error as LearningError {
            report(CommandFailure(error.description, exitKind: .data))
            exit(ExitKind.data.rawValue)
        } catch {
            root.exit(withError: error)
        }
    }

    /// Prints `error:` and, where there is one, `hint:`.
    package static func report(_ error: any ExplainedError) {
        var text = "error: \(error.description)\n"
        if !error.hint.isEmpty { text += "hint: \(error.hint)\n" }
        // Where nobody can be told, the exit code still tells.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// A file that is not there is told apart from one that is wrong, as `fed check` does.
    private static func exitKind(of error: DataFileError) -> ExitKind {
        guard case .violations(let first, _) = error else { return .data }
        return first.contains { $0.kind == .missingFile || $0.kind == .unreadableFile }
            ? .noInput : .data
    }

    private static func exitKind(of error: EnrolmentError) -> ExitKind {
        switch error {
        case .refused(.unavailable): .temporary
        case .refused: .noPermission
        case .transport(let transport): transport.isTransient ? .unavailable : .protocol
        case .credentials: .noPermission
        }
    }

    private static func exitCode(of error: any ExplainedError) -> Int32 {
        let kind: ExitKind =
            switch error {
            case let failure as any ExitingError: failure.exitKind
            case let store as StoreError:
                switch store {
                case .diskFull: .cannotCreate
                case .locked: .temporary
                case .missing: .noInput
                case .inaccessible: .noPermission
                case .corrupt, .newerSchema, .conflict, .failed: .data
                }
            case let transport as TransportError: transport.isTransient ? .unavailable : .protocol
            case is CredentialError: .noPermission
            case let enrolment as EnrolmentError: exitKind(of: enrolment)
            case let error as OperatorError:
                switch error {
                case .transport: .unavailable
                case .notFound, .invalid: .data
                case .conflict: .temporary
                case .failed: .failure
                }
            default: .failure
            }
        return kind.rawValue
    }
}

/// Exit codes by kind of failure; the numbers of sysexits.h.
package enum ExitKind: Int32, Sendable {
    /// The work was done and ended without success, such as a run that was aborted.
    case failure = 1
    /// The command line is wrong.
    case usage = 64
    /// Input data are wrong.
    case data = 65
    /// An input file is not there or cannot be read.
    case noInput = 66
    /// A peer cannot be reached.
    case unavailable = 69
    /// A file cannot be written.
    case cannotCreate = 73
    /// Try again later.
    case temporary = 75
    /// A peer does not keep to the protocol or does not accept us.
    case `protocol` = 76
    /// Permission or credentials are lacking.
    case noPermission = 77
}

/// An error that says which exit code it ends the process with.
package protocol ExitingError: ExplainedError {
    /// The kind of failure.
    var exitKind: ExitKind { get }
}

/// A command that ends with words for a person.
package struct CommandFailure: ExitingError, Equatable {
    package let description: String
    package let hint: String
    package let exitKind: ExitKind

    /// Wraps the words.
    package init(_ description: String, hint: String = "", exitKind: ExitKind = .failure) {
        self.description = description
        self.hint = hint
        self.exitKind = exitKind
    }
}

extension NodeID: ExpressibleByArgument {
    /// Takes a bank's name from the command line.
    public init?(argument: String) { self.init(argument) }
}

extension RunID: ExpressibleByArgument {
    /// Takes a run's identifier from the command line.
    public init?(argument: String) { self.init(argument) }
}
