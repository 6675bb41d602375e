import Foundation

/// Slurm's own programs, asked by their command line: it is the same on every cluster, whatever its version.
package enum SlurmCommand {
    /// - Returns: what the program printed; nil if there is no such program
    /// - Throws: `BatchError` with what it complained of when it fails
    package static func run(_ arguments: [String]) throws -> String? {
        guard isInstalled(arguments[0]) else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        let (output, complaints) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = complaints
        try process.run()
        // Complaints are few lines: they fit into a pipe while the output is read.
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let complaint = complaints.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let reason = String(decoding: complaint, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            throw BatchError(
                "\(arguments.joined(separator: " ")) failed\(reason.isEmpty ? "" : ": \(reason)")")
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func isInstalled(_ program: String) -> Bool {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
            FileManager.default.isExecutableFile(atPath: "\($0)/\(program)")
        }
    }
}
