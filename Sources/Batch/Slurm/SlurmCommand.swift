import Foundation

/// Slurm's own programs, asked by their command line: it is the same on every cluster, whatever its version.
package enum SlurmCommand {
    /// - Parameter limit: seconds that an answer may take; nil: any time
    /// - Returns: what the program printed; nil if there is no such program
    /// - Throws: `BatchError` with what it complained of when it fails
    package static func run(_ arguments: [String], limit: Double? = nil) throws -> String? {
        guard let path = path(of: arguments[0]) else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = Array(arguments.dropFirst())
        process.standardInput = FileHandle.nullDevice
        let (output, complaints) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = complaints
        do { try process.run() } catch {
            throw BatchError("cannot start \(path): \(error.localizedDescription)")
        }
        var reader = PipeReader([output, complaints].map(\.fileHandleForReading.fileDescriptor))
        let command = arguments.joined(separator: " ")
        guard reader.read(limit: limit, while: { process.isRunning }) else {
            kill(process.processIdentifier, SIGKILL)
            throw BatchError("\(command) gave no answer within \(Int(limit ?? 0)) s")
        }
        process.waitUntilExit()
        let (text, complaint) = (reader.text(0), reader.text(1).trimmingCharacters(in: .whitespacesAndNewlines))
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw BatchError("\(command) failed\(complaint.isEmpty ? "" : ": \(complaint)")")
        }
        return text
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

/// Reads several pipes at once, so that whoever writes never waits for the one that isn't read.
private struct PipeReader {
    private let descriptors: [Int32]
    private var bytes: [[UInt8]]
    private var isOpen: [Bool]

    init(_ descriptors: [Int32]) {
        self.descriptors = descriptors
        bytes = descriptors.map { _ in [] }
        isOpen = descriptors.map { _ in true }
    }

    func text(_ index: Int) -> String { String(decoding: bytes[index], as: UTF8.self) }

    /// Reads to the end of all: until they are closed, or their writer is gone and nothing more comes (its children
    /// may have them still).
    /// - Returns: false when that takes longer than `limit`
    mutating func read(limit: Double?, while writerLives: () -> Bool) -> Bool {
        let start = ContinuousClock.now
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while isOpen.contains(true) {
            if let limit, ContinuousClock.now - start > .seconds(limit) { return false }
            let lives = writerLives()
            var polled = descriptors.indices.map {
                pollfd(fd: isOpen[$0] ? descriptors[$0] : -1, events: Int16(POLLIN), revents: 0)
            }
            let ready = poll(&polled, nfds_t(polled.count), 100)
            if ready == 0, !lives { return true }
            for i in polled.indices where polled[i].revents != 0 {
                let count = Glibc.read(descriptors[i], &piece, piece.count)
                if count > 0 {
                    bytes[i] += piece[..<count]
                } else if count == 0 || errno != EINTR {
                    isOpen[i] = false
                }
            }
        }
        return true
    }
}
