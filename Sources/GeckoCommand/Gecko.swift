import ArgumentParser

@main
struct Gecko: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gecko", abstract: "Train long-sequence language models on CPU clusters.",
        subcommands: [TopologyCommand.self, Verify.self, Simulate.self, Plan.self])
}
