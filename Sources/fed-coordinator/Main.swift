internal import FedConsole
internal import FedRuntime
internal import FedCoordinator

@main
enum Main {
    static func main() async {
        BLASBoot.reexecIfNeeded()
        await CommandLineEdge.run(CoordinatorCommand.self)
    }
}
