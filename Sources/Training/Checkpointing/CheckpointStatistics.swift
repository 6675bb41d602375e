import Figures
import Foundation
import Pipeline

/// What the checkpoints of a run cost it.
struct CheckpointStatistics {
    var saved = 0
    private var taken = 0
    private var stall = 0.0
    private var bytes = 0
    private var copying = 0.0

    /// - Parameter stall: seconds that training stood still, waiting for the checkpoint before included
    mutating func add(_ reports: [CaptureReport], stall: Double) {
        taken += 1
        self.stall += stall
        bytes += reports.reduce(0) { $0 + $1.bytes }
        // Ranks copy at the same time.
        copying += reports.map(\.seconds).max() ?? 0
    }

    /// - Parameters:
    ///   - plainCopyRate: bytes a second of a plain copy of the same memory
    func line(plainCopyRate: Double) -> String {
        let mean = stall / Double(max(1, taken))
        let rate = copying > 0 ? Double(bytes) / copying : 0
        return
            "saved \(saved) checkpoints: training stood still for "
            + "\((1e3 * mean).fixed(1)) ms each, "
            + "copying \((rate / 1e9).fixed(1)) GB/s a process (plain memcpy \((plainCopyRate / 1e9).fixed(1)))"
    }
}
