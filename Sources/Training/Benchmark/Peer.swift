import Foundation
import Hardware
import Locks

/// Another program that trains, as a command for the shell.
///
/// Its rate is the last one that its output names: the value of a JSON key `tokens_per_second`, or else a number in
/// front of `tokens/s`.
struct Peer: Sendable {
    let command: String
    /// Of the cores that it may use.
    let topology: Topology

    /// Runs it to its end and reads the rate. It is started from a thread of its own: a program inherits the binding of
    /// the thread that starts it, and one that a pinned rank started would have all its ranks on that rank's core.
    func tokensPerSecond() throws -> Double {
        let outcome = Lock<Result<Double, any Error>?>(nil)
        let thread = try PosixThread(name: "gecko peer") { [self] in
            let result = Result {
                try topology.unpin()
                return try run()
            }
            outcome.withLock { $0 = result }
        }
        thread.join()
        guard let result = outcome.withLock({ $0 }) else { preconditionFailure("a joined thread has left its result") }
        return try result.get()
    }

    private func run() throws -> Double {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        let pipe = Pipe()
        process.standardOutput = pipe
        do { try process.run() } catch {
            throw TrainingError("cannot start /bin/sh for --against \"\(command)\": \(error.localizedDescription)")
        }
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw TrainingError(
                """
                --against \"\(command)\" ended with status \(process.terminationStatus); the last of its \
                output:\n\(output.suffix(500))
                """
            )
        }
        guard let rate = Self.rate(in: output) else {
            throw TrainingError(
                """
                --against \"\(command)\": expected a JSON key \"tokens_per_second\" or a number followed by \
                \"tokens/s\" in its output, found:\n
                """
                    + output.suffix(500))
        }
        return rate
    }

    /// The last rate that a text names.
    static func rate(in text: String) -> Double? {
        if let match = text.matches(of: /"tokens_per_second"\s*:\s*([0-9.eE+-]+)/).last { return Double(match.1) }
        return text.matches(of: /([0-9][0-9.,]*)\s*tokens\/s/).last.flatMap {
            Double($0.1.filter { $0 != "," })
        }
    }
}
