import Checkpoints
import Files
import Glibc

/// Writes `metrics.jsonl`: one line a step, on disk's side of the process as soon as it is written, so that a run that
/// dies leaves all its steps.
package final class MetricsWriter {
    private let path: String
    private let descriptor: Int32

    /// Lines, or the rest of one, that could not be written yet.
    private var pending: [UInt8] = []
    /// More than this is not kept while nothing can be written: some ten thousand steps.
    private static let mostPending = 4 << 20

    /// Begins the file anew.
    package convenience init(_ path: String) throws { try self.init(path, flags: O_TRUNC) }

    private init(_ path: String, flags: Int32) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | flags | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError.system("create it", path) }
    }

    /// Goes on with the file after `step` steps: the later ones, which a run that died had done, and a line cut off are
    /// dropped, in place, which takes no room on the disk.
    /// - Parameter evaluateEvery: steps between evaluations
    /// - Returns: the writer, and lines of what the file keeps: of a long file not all of them
    package static func resuming(
        _ path: String, after step: Int, evaluateEvery: Int
    ) throws -> (MetricsWriter, [StepMetrics]) {
        var kept: [StepMetrics] = []
        var end = 0
        if let file = try MetricsFile(path) {
            end = try file.end(after: step)
            kept = try file.sample(upTo: end)
            let known = Set(kept.map(\.step))
            kept += try file.evaluations(every: evaluateEvery, upTo: end).filter { !known.contains($0.step) }
            kept.sort { $0.step < $1.step }
        }
        let writer = try MetricsWriter(path, flags: 0)
        guard ftruncate(writer.descriptor, off_t(end)) == 0 else { throw FileError.system("shorten it", path) }
        return (writer, kept)
    }

    deinit { close(descriptor) }

    /// Adds a line. What cannot be written, as on a full disk, is tried again with the next line, so that no step gets
    /// lost.
    package func write(_ metrics: StepMetrics) throws {
        if pending.count < Self.mostPending { pending += (metrics.json + "\n").utf8 }
        while !pending.isEmpty {
            let count = pending.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("write to it", path)
            }
            pending.removeFirst(count)
        }
    }
}
