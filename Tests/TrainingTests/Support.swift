import Foundation
import Model
import Training

/// A fresh folder, removed when the value goes away.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("training-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file, with the folders on the way to it, and gives its path.
    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        let url = URL(fileURLWithPath: file(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return file(name)
    }
}

extension RunConfiguration {
    /// The model of a configuration that names no architecture.
    var gecko: GeckoConfiguration {
        get { model as! GeckoConfiguration }
        set { model = newValue }
    }
}

/// The root of the package.
let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The metrics of a step that went well, but for what is given.
func metrics(
    step: Int, loss: Double = 2, gradientNorm: Double = 0.834, skipped: Int = 0, heldOutLoss: Double? = nil,
    earlySums: Double? = nil
) -> StepMetrics {
    var metrics = StepMetrics(step: step)
    metrics.loss = loss
    metrics.tokensPerSecond = 12_345
    metrics.gradientNorm = gradientNorm
    metrics.learningRate = 1.83e-3
    metrics.utilisation = 0.423
    metrics.idle = 0.12
    metrics.seconds = 0.5
    metrics.tokens = step * 4096
    metrics.skipped = skipped
    metrics.heldOutLoss = heldOutLoss
    metrics.earlySums = earlySums
    return metrics
}
