internal import FedConsole
internal import FedCoordinator
internal import FedRuntime

@main
enum Main {
    static func main() async {
        BLASBoot.reexecIfNeeded()
        await CommandLineEdge.run(CoordinatorCommand.self)
    }
}
