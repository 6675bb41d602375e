import Model
import Numerics

/// The stages of a rank, in their order in the pipeline.
final class RankStages {
    let all: [StageRuntime]

    init(_ all: [StageRuntime]) { self.all = all }

    /// - Parameter stage: that lives on this rank
    subscript(_ stage: Int) -> StageRuntime {
        guard let found = all.first(where: { $0.number == stage }) else {
            preconditionFailure("stage \(stage) doesn't live on this rank")
        }
        return found
    }

    /// Whether the last stage, which has the losses, is among them.
    var haveLosses: Bool { all.contains(where: \.isLast) }

    /// A tensor that is updated here and its gradient; nil if its stage lives elsewhere or another replica updates it.
    func updatedGradient(_ tensor: (name: String, stage: Int)) -> UnsafeMutableBufferPointer<Float>? {
        guard let store = all.first(where: { $0.number == tensor.stage })?.stage.store,
            let entry = store[tensor.name], entry.isUpdated
        else { return nil }
        return UnsafeMutableBufferPointer(start: store.gradients.base + entry.offset, count: entry.count)
    }
}
