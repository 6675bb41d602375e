import Glibc

/// A file that takes every line of the console beside it, each with its time. What it can't take is dropped, as
/// everywhere on the console.
package struct RunningLog: Sendable {
    private let descriptor: Int32
    private var stream: LossyStream
    /// Whether the file ends with a line's end.
    private var isAtLineStart = true

    /// Goes on with the file, or begins it.
    package init(_ path: String) throws {
        // A pipe that nobody reads must not hold the run up.
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0o644)
        guard descriptor >= 0 else { throw FileError.system("write it", path) }
        stream = LossyStream(descriptor)
    }

    func end() { close(descriptor) }

    mutating func write(_ text: String) {
        var out = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.offset > 0 {
                out += "\n"
                isAtLineStart = true
            }
            guard !line.element.isEmpty else { continue }
            if isAtLineStart { out += Self.now + " " }
            isAtLineStart = false
            out += line.element
        }
        _ = stream.write(out)
    }

    private static var now: String {
        var seconds = time(nil)
        var local = tm()
        localtime_r(&seconds, &local)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { memory in
            let count = strftime(memory.baseAddress!, memory.count, "%Y-%m-%d %H:%M:%S", &local)
            return String(decoding: memory[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
