import ArgumentParser
import CVersion
import Files
import Foundation
import Hardware
import Kernels
import Training

struct Gecko: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gecko", abstract: "Train long-sequence language models on CPU clusters.", version: Program.text,
        subcommands: [
            Train.self, Generate.self, Checkpoint.self, Profile.self, Bench.self, Simulate.self, Plan.self, Submit.self,
            Status.self, Compare.self, Doctor.self, TopologyCommand.self, Verify.self,
        ])
}

@main
enum Main {
    static func main() async {
        Console.open()
        ResourceLimits.makeDo()
        if let problem = ResourceLimits.problem ?? KernelTable.levelProblem {
            Console.complain("Error: \(problem)")
            exit(ExitCode.failure.rawValue)
        }
        Program.identify(commit: String(cString: cversion_commit()))
        exit(await status())
    }

    private static func status() async -> Int32 {
        // Whose usage an error is told with.
        var failing: any ParsableCommand.Type = Gecko.self
        do {
            let command = try Gecko.parseAsRoot(NegativeValues.joined(try Words.ofThisProcess()))
            failing = type(of: command)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                var command = command
                try command.run()
            }
            return 0
        } catch {
            return tell(error, of: failing)
        }
    }

    /// Tells what there is to tell, a text that was asked for on standard output.
    /// - Returns: the exit status
    private static func tell(_ error: any Error, of command: any ParsableCommand.Type) -> Int32 {
        if let error = error as? OutputError, error.isBrokenPipe { return ExitCode.failure.rawValue }
        let status = Gecko.exitCode(for: error)
        let text = command.fullMessage(for: error)
        guard !text.isEmpty else { return status.rawValue }
        guard status.isSuccess else {
            Console.complain(Shown.escaped(text, keeping: ["\n"]) + Words.notes(for: text))
            return status.rawValue
        }
        do {
            try Console.show(text)
            return status.rawValue
        } catch {
            return tell(error, of: command)
        }
    }
}

/// The words of the command line.
enum Words {
    /// Whether a command's help may be shown, which may be long to make.
    static let askForHelp = CommandLine.arguments.dropFirst().contains { $0 == "-h" || $0.contains("help") }

    /// - Throws: for a word that is no text; Swift would put other characters in its place and go on with another name
    static func ofThisProcess() throws -> [String] {
        let count = Int(CommandLine.argc)
        let words = try (1..<max(1, count)).compactMap { i -> String? in
            guard let word = CommandLine.unsafeArgv[i] else { return nil }
            guard let text = String(validatingCString: word) else {
                throw ValidationError(
                    """
                    argument \(i), '\(String(cString: word))', is not UTF-8. Name files by a folder, a pattern or \
                    a link whose name is
                    """
                )
            }
            return text
        }
        return words == ["-v"] ? ["--version"] : words
    }

    /// What is odd in words that a message is about, where it doesn't tell already.
    static func notes(for message: String) -> String {
        let words = ((try? ofThisProcess()) ?? []).filter { !$0.isEmpty && message.contains($0) }
        return words.map { (word: $0, note: Shown.note(on: $0)) }.filter {
            !$0.note.isEmpty && !message.contains($0.note)
        }
        .map { "\n\(Shown.quoted($0.word))\($0.note)" }.joined()
    }
}
