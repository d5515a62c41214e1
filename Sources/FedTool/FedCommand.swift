package import ArgumentParser
internal import FedCore

/// `fed`.
package struct FedCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "fed",
        abstract: "The data scientist's tool: check data, train, evaluate, compare, demonstrate.",
        subcommands: [
            CheckCommand.self, StandardCommand.self, FeaturesCommand.self, TrainCommand.self,
            EvaluateCommand.self, ReplayCommand.self, VerifyReceiptCommand.self,
            SimulateCommand.self, SimulateLoopCommand.self, SyntheticCommand.self,
            DemoCommand.self, ChaosCommand.self, MeasureCommand.self,
        ])

    package init() {}
}
