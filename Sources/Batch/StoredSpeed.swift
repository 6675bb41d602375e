import Foundation

/// A core's speed as it was measured for a run's first submission.
package enum StoredSpeed {
    static func text(_ gflops: Double) -> String {
        """
        # GFLOP/s of a core, measured when the run was submitted.
        # The next submission plans with it, too; --replan measures again.
        \(gflops)

        """
    }

    /// Nil when none is stored.
    package static func gflops(_ folder: RunFolder) -> Double? {
        guard let text = try? String(contentsOfFile: folder.speed, encoding: .utf8),
            let line = text.split(separator: "\n").last(where: { !$0.hasPrefix("#") }), let value = Double(line),
            value.isFinite, value > 0
        else { return nil }
        return value
    }
}
