import Numerics
import Pipeline

/// A run's model and layout without its corpus: what is measured trains on random bytes.
package struct BenchPlan: RunPlan {
    package let configuration: RunConfiguration
    package let pipeline: PipelinePlan

    package init(_ configuration: RunConfiguration) throws {
        self.configuration = configuration
        try configuration.checkArithmetic()
        pipeline = try PipelinePlan(configuration)
    }

    /// Tokens of a step over all replicas.
    package var tokensPerStep: Int { configuration.training.batch * configuration.data.sequence }

    /// The batches of step `step`, one a replica, drawn anew for each step: a text seen again and again would soon be
    /// known by heart.
    package func batches(step: Int) -> [Batch] {
        let length = configuration.data.sequence
        let rows = configuration.training.batch / pipeline.replicas
        let generator = CounterGenerator(
            seed: UInt64(configuration.training.seed), stream: RandomStream.benchmarkTokens)
        return (0..<pipeline.replicas).map { replica in
            var tokens: [Int32] = []
            var targets: [Int32] = []
            tokens.reserveCapacity(rows * length)
            targets.reserveCapacity(rows * length)
            let numbers = (0..<rows).map { (step * pipeline.replicas + replica) * rows + $0 }
            for number in numbers {
                func token(_ i: Int) -> Int32 {
                    Int32(generator.integer(UInt64(number * (length + 1) + i), below: 256))
                }
                for i in 0..<length {
                    tokens.append(token(i))
                    targets.append(token(i + 1))
                }
            }
            return Batch(
                tokens: tokens, targets: targets, length: length, countedTargets: tokensPerStep,
                sequenceNumbers: numbers, restarts: [Bool](repeating: true, count: rows))
        }
    }
}
