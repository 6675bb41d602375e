import Model
import Pipeline
import Simulation

extension PipelinePlan {
    /// What a stage takes for each slice, as shares of the mean, by the arithmetic of its blocks; nil where all take
    /// the same.
    package func sliceShares(of stage: Int) -> SliceShares? {
        let blocks = blocks(of: stage)
        let growing = blocks.reduce(0) { $0 + $1.flopsPerTokenBefore }
        guard growing > 0 || !cut.isEqual else { return nil }
        let fixed = blocks.reduce(0) { $0 + $1.forwardFlopsPerToken }
        // A multiplication and an addition a token for each element of a linear map's matrix; an embedding is looked
        // up.
        let linear = blocks.reduce(0) { sum, block in
            sum
                + min(
                    block.forwardFlopsPerToken,
                    2 * block.parameters.filter(\.decays).reduce(0) { $0 + Double($1.count) })
        }
        let slices = (0..<cut.count).map { k -> (maps: Double, other: Double) in
            let (first, length) = (Double(streamContext + cut.start(of: k)), Double(cut.length(of: k)))
            let all = fixed * length + growing * length * (first + (length - 1) / 2)
            return (linear * length, all - linear * length)
        }
        func shares(maps: Double, other: Double) -> [Double] {
            let costs = slices.map { maps * $0.maps + other * $0.other }
            let mean = costs.reduce(0, +) / Double(costs.count)
            return mean > 0 ? costs.map { $0 / mean } : [Double](repeating: 1, count: costs.count)
        }
        return SliceShares(
            forward: shares(maps: 1, other: 1), backwardInput: shares(maps: 1, other: 2),
            backwardWeight: shares(maps: 1, other: 0), backward: shares(maps: 2, other: 2))
    }
}
