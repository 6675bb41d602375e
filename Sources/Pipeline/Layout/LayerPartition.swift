/// How a model's layers are shared among pipeline stages: consecutive runs, at least one layer each; the embedding belongs to the first
/// stage, the output layer to the last.
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

    /// Minimises the longest stage's cost, embedding and output layer counted; among equals the earliest stages are the longest.
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
        // best[s][n]: least longest cost of stages 0...s with n layers.
        var best = [[Double]](repeating: [Double](repeating: .infinity, count: layers + 1), count: stages)
        var choice = [[Int]](repeating: [Int](repeating: 0, count: layers + 1), count: stages)
        for stage in 0..<stages {
            for n in (stage + 1)...layers {
                if stage == 0 {
                    best[0][n] = cost(0, n)
                    choice[0][n] = n
                    continue
                }
                for count in 1...(n - stage) {
                    let longest = max(best[stage - 1][n - count], cost(stage, count))
                    if longest < best[stage][n] {
                        best[stage][n] = longest
                        choice[stage][n] = count
                    }
                }
            }
        }
        var counts = [Int](repeating: 0, count: stages)
        var left = layers
        for stage in stride(from: stages - 1, through: 0, by: -1) {
            counts[stage] = choice[stage][left]
            left -= counts[stage]
        }
        return LayerPartition(counts: counts)
    }
}
