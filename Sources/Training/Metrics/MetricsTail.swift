import Checkpoints
import Files
import Glibc

/// The last steps that a `metrics.jsonl` tells of. Only the file's end is read, so a long run costs no more than a
/// short one; what is no step (a line written halfway, foreign lines) is passed over.
package struct MetricsTail: Sendable {
    /// Oldest first.
    package private(set) var recent: [StepMetrics] = []
    /// The last step with an evaluation.
    package private(set) var heldOut: StepMetrics?

    /// How much of the end is looked through for the last evaluation: some ten thousand steps.
    private static let reach = 4 << 20
    /// More than any line.
    private static let longestLine = 1 << 16
    private static let mark = Array("\"held_out_loss\"".utf8)

    /// - Parameter count: the most steps in `recent`
    package init(_ path: String, count: Int = 20) throws {
        let bytes = try Self.end(of: path)
        bytes.withUnsafeBufferPointer { bytes in
            var end = bytes.count
            while end > 0, recent.count < count || heldOut == nil {
                let begin = Self.begin(ofLineBefore: end, bytes)
                let line = UnsafeBufferPointer(rebasing: bytes[begin..<end])
                let isEvaluation = heldOut == nil && Self.holdsMark(line)
                if recent.count < count || isEvaluation, line.count < Self.longestLine,
                    let step = StepMetrics(json: Array(line))
                {
                    if recent.count < count { recent.append(step) }
                    if heldOut == nil, step.heldOutLoss != nil { heldOut = step }
                }
                end = begin - 1
            }
        }
        recent.reverse()
    }

    /// The last bytes of a regular file; none of anything else.
    private static func end(of path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open it", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError.system("examine it", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { return [] }
        let begin = max(0, Int(status.st_size) - reach)
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size) - begin)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + done, $0.count - done, off_t(begin + done))
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("read it", path)
            }
            if count == 0 { break }
            done += count
        }
        return Array(bytes[..<done])
    }

    private static func begin(ofLineBefore end: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        guard end > 0, let base = bytes.baseAddress else { return 0 }
        var begin = end
        while begin > 0, base[begin - 1] != UInt8(ascii: "\n") { begin -= 1 }
        return begin
    }

    private static func holdsMark(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let base = line.baseAddress else { return false }
        var i = 0
        while i + mark.count <= line.count {
            if memcmp(base + i, mark, mark.count) == 0 { return true }
            i += 1
        }
        return false
    }
}
