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

    /// Goes on with the file after `step` steps: later ones, which a run that died had done, and a line cut off are dropped.
    /// - Returns: the writer, and what the file keeps
    package static func resuming(_ path: String, after step: Int) throws -> (MetricsWriter, [StepMetrics]) {
        var kept: [StepMetrics] = []
        if access(path, F_OK) == 0 {
            let bytes = try SmallFile.read(path)
            for line in bytes.split(separator: UInt8(ascii: "\n")) {
                guard let metrics = StepMetrics(json: Array(line)), metrics.step <= step,
                    metrics.step > kept.last?.step ?? 0
                else { continue }
                kept.append(metrics)
            }
        }
        // Whole under its name before anything is added: a run that dies here resumes like this one.
        try SmallFile.write(kept.map { $0.json + "\n" }.joined(), to: path)
        return (try MetricsWriter(appending: path), kept)
    }

    private init(appending path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError.system("open it", path) }
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
