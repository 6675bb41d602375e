/// How a model's layers are shared among pipeline stages: consecutive runs, at least one layer each; the embedding
/// belongs to the first stage, the output layer to the last.
package struct LayerPartition: Sendable, Equatable {
    /// Layers of each stage.
    package let counts: [Int]

    package init(counts: [Int]) { self.counts = counts }

    package var stages: Int { counts.count }

    /// Layer numbers of a stage.
    package func layers(of stage: Int) -> Range<Int> {
        let first = counts[..<stage].reduce(0, +)
        return first..<first + counts[stage]
    }

    /// Numbers as equal as can be; the first stages take one more where it doesn't divide.
    package static func even(layers: Int, stages: Int) -> LayerPartition {
        LayerPartition(counts: (0..<stages).map { layers / stages + ($0 < layers % stages ? 1 : 0) })
    }

    /// Minimises the longest stage's cost, embedding and output layer counted; among equals the earliest stages are the
    /// longest.
    ///
    /// - Parameters:
    ///   - layer: cost of one layer, in any unit.
    ///   - embedding: cost that the first stage has besides; `output`: that the last has.
    package static func balanced(
        layers: Int, stages: Int, layer: Double, embedding: Double, output: Double
    ) -> LayerPartition {
        precondition(stages >= 1 && layers >= stages, "every stage needs a layer")
        func cost(_ stage: Int, _ count: Int) -> Double {
            Double(count) * layer + (stage == 0 ? embedding : 0) + (stage == stages - 1 ? output : 0)
        }
        /// The least longest cost of the first stages, none of them the last, with n layers.
        func longest(_ first: Int, _ n: Int) -> Double {
            if first == 1 { return cost(0, n) }
            let others = first - 1
            // All but the first of them are alike.
            return Self.balance(1...n - others) {
                cost(0, $0)
            } falling: {
                cost(1, (n - $0 + others - 1) / others)
            }
        }
        var counts = [Int](repeating: 0, count: stages)
        var left = layers
        for stage in stride(from: stages - 1, to: 0, by: -1) {
            let choices = 1...left - stage
            let best = Self.balance(choices) {
                cost(stage, $0)
            } falling: {
                longest(stage, left - $0)
            }
            counts[stage] = Self.first(in: choices) { longest(stage, left - $0) <= best }
            left -= counts[stage]
        }
        counts[0] = left
        return LayerPartition(counts: counts)
    }

    /// The least of the larger of two costs of a number, of which one rises with it and the other falls.
    private static func balance(
        _ numbers: ClosedRange<Int>, rising: (Int) -> Double, falling: (Int) -> Double
    ) -> Double {
        let meeting = first(in: numbers) { rising($0) >= falling($0) }
        return (max(numbers.lowerBound, meeting - 1)...meeting).map { max(rising($0), falling($0)) }.min() ?? 0
    }

    /// The first number from which on something holds; the last one if it holds for none before.
    private static func first(in numbers: ClosedRange<Int>, where holds: (Int) -> Bool) -> Int {
        var (low, high) = (numbers.lowerBound, numbers.upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
