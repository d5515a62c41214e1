internal import FedConsole
internal import FedNode
internal import FedRuntime

@main
enum Main {
    static func main() async {
        BLASBoot.reexecIfNeeded()
        await CommandLineEdge.run(NodeCommand.self)
    }
}
