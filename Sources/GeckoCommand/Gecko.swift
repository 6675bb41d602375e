import ArgumentParser

struct Gecko: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gecko", abstract: "Train long-sequence language models on CPU clusters.",
        subcommands: [
            Train.self, Generate.self, Checkpoint.self, Profile.self, Bench.self, Simulate.self, Plan.self, Submit.self,
            Status.self, Doctor.self, TopologyCommand.self, Verify.self,
        ])
}

@main
enum Main {
    static func main() async {
        await Gecko.main()
    }
}
