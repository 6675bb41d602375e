import Checkpoints
import Glibc

/// Writes `metrics.jsonl`: one line a step, on disk's side of the process as soon as it is written, so that a run that
/// dies leaves all its steps.
package final class MetricsWriter {
    private let path: String
    private let descriptor: Int32

    /// Begins the file anew.
    package init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError.system("create it", path) }
    }

    deinit { close(descriptor) }

    package func write(_ metrics: StepMetrics) throws {
        var line = Array((metrics.json + "\n").utf8)[...]
        while !line.isEmpty {
            let count = line.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw FileError.system("write to it", path)
            }
            line.removeFirst(count)
        }
    }
}
