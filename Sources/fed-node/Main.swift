internal import FedConsole
internal import FedRuntime
internal import FedNode

@main
enum Main {
    static func main() async {
        BLASBoot.reexecIfNeeded()
        await CommandLineEdge.run(NodeCommand.self)
    }
}
