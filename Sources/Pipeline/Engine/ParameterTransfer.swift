import Model
import Numerics

/// Takes a model's tensors in the model's order.
package protocol ParameterSink: AnyObject {
    func take(_ spec: ParameterSpec, _ values: UnsafeBufferPointer<Float>) throws
}

/// Gives a model's tensors by name.
package protocol ParameterSource {
    /// Copies the tensor into `values`; throws when it is missing or has another shape.
    func copy(_ spec: ParameterSpec, into values: UnsafeMutableBufferPointer<Float>) throws
}

/// Brings a model's parameters together, and sets them.
final class ParameterTransfer {
    private let context: RankContext
    private let stages: RankStages

    init(_ context: RankContext, _ stages: RankStages) {
        self.context = context
        self.stages = stages
    }

    /// Brings every tensor of the model to world rank 0, one at a time and in the model's order, and gives it to the
    /// sink there.
    func collect(_ sink: (any ParameterSink)?) throws {
        let (plan, endpoint, rank, tag) = (context.plan, context.endpoint, context.rank, context.tags.parameters)
        guard context.replica == 0 else { return }
        for stage in 0...plan.lastStage {
            let owner = plan.table.shape.rank(of: stage)
            guard owner == rank || rank == 0 else { continue }
            if owner == rank {
                let store = stages[stage].stage.store
                for e in store.entries where e.spec.copyOf == nil {
                    context.heartbeat.beat()
                    let values = UnsafeBufferPointer(start: store.values.base + e.offset, count: e.count)
                    if rank == 0 {
                        try sink?.take(e.spec, values)
                    } else {
                        let id = try endpoint.startSend(UnsafeRawBufferPointer(values), to: 0, tag: tag)
                        try endpoint.wait(id, for: "sending parameter \(e.spec.name)")
                    }
                }
            } else {
                for spec in plan.blocks(of: stage).flatMap(\.parameters) where spec.copyOf == nil {
                    let buffer = FloatBuffer(spec.count)
                    let id = try endpoint.startReceive(
                        into: UnsafeMutableRawBufferPointer(buffer.bytes), from: owner, tag: tag)
                    try endpoint.wait(id, for: "parameter \(spec.name) of rank \(owner)")
                    try sink?.take(spec, UnsafeBufferPointer(start: buffer.base, count: spec.count))
                }
            }
        }
    }

    /// Sets all parameters of this rank's stages.
    func set(from source: any ParameterSource) throws {
        for runtime in stages.all {
            let store = runtime.stage.store
            for e in store.entries {
                let spec = e.spec
                let original =
                    spec.copyOf.map { ParameterSpec($0, spec.shape, spec.initializer, decays: spec.decays) } ?? spec
                try source.copy(
                    original, into: UnsafeMutableBufferPointer(start: store.values.base + e.offset, count: e.count))
            }
        }
    }
}
