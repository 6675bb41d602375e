import Foundation
import TestSupport
import Testing

/// Every option of every command, as the program itself lists them.
@Suite struct OptionTests {
    private struct Help: Decodable {
        let command: Command
    }

    private struct Command: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable { let name: String }

            let kind: String
            let isOptional: Bool
            let names: [Name]?
        }

        let commandName: String
        let subcommands: [Command]?
        let arguments: [Argument]?
    }

    /// Options that take any text: -1 may be a name.
    private static let texts: Set = [
        "against", "cluster", "compare", "costs", "folder", "golden", "job", "matrices", "name", "out", "output",
        "partition", "precision", "prompt", "recompute", "save", "sbatch", "schedule", "size", "svg", "time", "trace",
        "write",
    ]

    private static func gecko(_ arguments: [String]) throws -> (passed: Bool, output: String) {
        try runProgram(Mpirun.programs.appendingPathComponent("gecko").path, arguments)
    }

    @Test("a negative value is refused with the option, what was expected and the value, whatever the option")
    func negativeValues() throws {
        let help = try Self.gecko(["--experimental-dump-help"])
        let root = try JSONDecoder().decode(Help.self, from: Data(help.output.utf8)).command
        var checked: [String] = []
        func walk(_ command: Command, _ path: [String]) throws {
            for subcommand in command.subcommands ?? [] where subcommand.commandName != "help" {
                try walk(subcommand, path + [subcommand.commandName])
            }
            let arguments = command.arguments ?? []
            let positionals = arguments.filter { $0.kind == "positional" && !$0.isOptional }.map { _ in "x" }
            for option in arguments where option.kind == "option" {
                let name = try #require(option.names?.last?.name)
                guard !Self.texts.contains(name) else { continue }
                let others = arguments.filter { $0.kind == "option" && !$0.isOptional }
                    .compactMap { $0.names?.last?.name }.filter { $0 != name }.flatMap { ["--" + $0, "1"] }
                let outcome = try Self.gecko(path + ["--" + name, "-1"] + others + positionals)
                let says = ["found -1", "found '-1'"].contains { outcome.output.contains($0) }
                #expect(
                    !outcome.passed && says && outcome.output.contains("--\(name): expected"),
                    "\(path) --\(name): \(outcome.output)")
                checked.append(name)
            }
        }
        try walk(root, [])
        #expect(checked.count >= 30)
    }

    @Test("what follows a minus sign is a value only behind an option that waits for one")
    func minusSigns() throws {
        #expect(try Self.gecko(["simulate", "--forward", "--json"]).output.contains("Missing value for '--forward"))
        #expect(try Self.gecko(["simulate", "--forward", "-.5"]).output.contains("found -0.5"))
        #expect(try Self.gecko(["simulate", "--forward", "-inf"]).output.contains("found -inf"))
        #expect(try Self.gecko(["train", "--training.steps", "-1"]).output.contains("found -1"))
        #expect(try Self.gecko(["simulate", "--stages", "2", "--forward=-1"]).output.contains("found -1"))
    }
}
