import Foundation

/// Slurm's own programs, asked by their command line: it is the same on every cluster, whatever its version.
package enum SlurmCommand {
    /// - Parameter limit: seconds that an answer may take; nil: any time
    /// - Returns: what the program printed; nil if there is no such program
    /// - Throws: `BatchError` with what it complained of when it fails
    package static func run(_ arguments: [String], limit: Double? = nil) throws -> String? {
        guard let path = path(of: arguments[0]) else { return nil }
        let command = arguments.joined(separator: " ")
        let child: ChildProcess
        do { child = try ChildProcess(path, arguments) } catch { throw BatchError("cannot start \(path): \(error)") }
        guard let end = child.end(limit: limit) else {
            throw BatchError("\(command) gave no answer within \(Int(limit ?? 0)) s")
        }
        let complaint = end.complaints.trimmingCharacters(in: .whitespacesAndNewlines)
        guard end.status == 0 else {
            throw BatchError("\(command) failed\(complaint.isEmpty ? "" : ": \(complaint)")")
        }
        return end.output
    }

    /// Whether there is such a program.
    package static func isInstalled(_ program: String) -> Bool { path(of: program) != nil }

    private static func path(of program: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }.first {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder) && !isFolder.boolValue
                && FileManager.default.isExecutableFile(atPath: $0)
        }
    }
}
