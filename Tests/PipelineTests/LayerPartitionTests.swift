import Pipeline
import Testing

@Suite struct LayerPartitionTests {
    /// Every split, by a table of all stages and numbers of layers: what the quick way must agree with.
    private func byTable(_ layers: Int, _ stages: Int, _ layer: Double, _ embedding: Double, _ output: Double) -> [Int]
    {
        func cost(_ stage: Int, _ count: Int) -> Double {
            Double(count) * layer + (stage == 0 ? embedding : 0) + (stage == stages - 1 ? output : 0)
        }
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
        return counts
    }

    @Test func theBalancedSplitIsTheFirstOfTheBest() {
        for layers in 1...24 {
            for stages in 1...layers {
                for (layer, embedding, output) in [
                    (1.0, 0.0, 0.0), (1, 0, 0.7), (1, 2.5, 3.2), (3.3e6, 0, 98_304), (0.1, 0.1, 5), (7, 40, 1),
                ] {
                    let found = LayerPartition.balanced(
                        layers: layers, stages: stages, layer: layer, embedding: embedding, output: output)
                    #expect(found.counts == byTable(layers, stages, layer, embedding, output))
                }
            }
        }
    }

    @Test func manyLayersAndStagesTakeNoTime() {
        let found = LayerPartition.balanced(layers: 16_384, stages: 4096, layer: 1, embedding: 0, output: 2.5)
        #expect(found.counts.reduce(0, +) == 16_384 && found.counts.count == 4096)
    }
}
