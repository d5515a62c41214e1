internal import FedConsole
internal import FedRuntime
internal import FedTool

@main
enum Main {
    static func main() async {
        BLASBoot.reexecIfNeeded()
        await CommandLineEdge.run(FedCommand.self)
    }
}
