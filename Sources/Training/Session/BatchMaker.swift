import Corpora
import Pipeline

/// Cuts the corpus into the batches of a step, one per replica: pure functions of the step, the same in every process.
struct BatchMaker {
    let plan: TrainingPlan

    private var length: Int { plan.configuration.data.sequence }
    private var replicas: Int { plan.configuration.pipeline.replicas }

    /// The training batches of step `step`, counted from 0.
    /// - Throws: `CorpusError` when the text can't be read any more
    func training(step: Int) throws -> [Batch] {
        let sampler = plan.sampler
        return try batches(count: sampler.batch, firstNumber: step * sampler.batch) { index, inputs, targets in
            try sampler.fill(step: step, index: index, inputs: inputs, targets: targets)
        }
    }

    /// All held-out sequences and how many targets they count. Replicas get equally many: the last may be filled up
    /// with sequences that count nothing.
    func heldOut(_ windows: HeldOutWindows) throws -> (batches: [Batch], targets: Int) {
        let each = (windows.count + replicas - 1) / replicas
        let all = try batches(count: each * replicas, firstNumber: 0) { index, inputs, targets in
            if index < windows.count {
                try windows.fill(index, inputs: inputs, targets: targets)
            } else {
                inputs.update(repeating: 0)
                targets.update(repeating: ByteVocabulary.ignoredTarget)
            }
            return true
        }
        return (all, all[0].countedTargets)
    }

    /// The held-out sequences in pieces of about a training step's work, between which a run can stop.
    func pieces(_ heldOut: [Batch]) -> [[Batch]] {
        let each = plan.sampler.batch / replicas
        return stride(from: 0, to: heldOut[0].sequences, by: each).map { start in
            heldOut.map { $0.rows(start..<min(start + each, $0.sequences)) }
        }
    }

    private func batches(
        count: Int, firstNumber: Int,
        fill: (Int, UnsafeMutableBufferPointer<Int32>, UnsafeMutableBufferPointer<Int32>) throws -> Bool
    ) throws -> [Batch] {
        var inputs = [Int32](repeating: 0, count: count * length)
        var targets = inputs
        var restarts: [Bool] = []
        try inputs.withUnsafeMutableBufferPointer { inputs in
            try targets.withUnsafeMutableBufferPointer { targets in
                for i in 0..<count {
                    let range = i * length..<(i + 1) * length
                    restarts.append(
                        try fill(
                            i, UnsafeMutableBufferPointer(rebasing: inputs[range]),
                            UnsafeMutableBufferPointer(rebasing: targets[range])))
                }
            }
        }
        let counted = targets.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) }
        if replicas == 1 {
            return [
                Batch(
                    tokens: inputs, targets: targets, length: length, countedTargets: counted,
                    sequenceNumbers: (0..<count).map { firstNumber + $0 }, restarts: restarts)
            ]
        }
        let each = count / replicas
        return (0..<replicas).map { r in
            let rows = r * each..<(r + 1) * each
            let tokens = rows.lowerBound * length..<rows.upperBound * length
            return Batch(
                tokens: Array(inputs[tokens]), targets: Array(targets[tokens]), length: length, countedTargets: counted,
                sequenceNumbers: rows.map { firstNumber + $0 }, restarts: Array(restarts[rows]))
        }
    }
}
