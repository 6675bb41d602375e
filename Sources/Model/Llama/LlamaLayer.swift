import Hardware
import Numerics

/// One Llama layer: causal attention, then feed-forward.
final class LlamaLayer: GoldenLayer {
    private let c: LlamaConfiguration
    private let attention: LlamaAttention
    private let feedForward: FeedForward
    private var shape: SliceShape?
    let name: String

    init(_ c: LlamaConfiguration, layer: Int) {
        self.c = c
        name = Self.name(layer)
        attention = LlamaAttention(c, layer: layer)
        feedForward = FeedForward(c.feedForward(layer: layer))
    }

    /// What is to be known of a layer.
    static func description(_ c: LlamaConfiguration, layer: Int) -> BlockDescription {
        BlockDescription(
            name: name(layer),
            parameters: LlamaAttention.parameters(c, layer: layer) + c.feedForward(layer: layer).parameters,
            forwardFlopsPerToken: c.mapFlopsPerToken + c.attentionFlops(keys: 1),
            flopsPerTokenBefore: c.attentionFlops(keys: 1)
        ) {
            sizes(c, $0)
        } work: {
            c.layerWork($0, operand: $1)
        }
    }

    private static func name(_ layer: Int) -> String { "layers.\(layer)" }

    private static func sizes(_ c: LlamaConfiguration, _ shape: SliceShape) -> BlockSizes {
        func used(_ carve: (inout Carver) -> Void) -> Int {
            var carver = Carver(counting: ())
            carve(&carver)
            return carver.used
        }
        let form = c.feedForward(layer: 0)
        let (attention, feedForward) = (LlamaAttention.mapShapes(c), form.mapShapes)
        let maps = [attention.wqkv, attention.wo, feedForward.first, feedForward.last]
        return BlockSizes(
            prefix: LlamaAttention.prefixWidth(c), stash: used { _ = Stash(&$0, c, form, shape) },
            gradientStash: used { _ = GradientStash(&$0, c, form, shape) },
            workspace: used { _ = Workspace(&$0, c, form, shape) },
            packed: maps.reduce(0) { $0 + $1.preparedCount(shape.matrices, c.precision) })
    }

    private struct Stash {
        /// The activation between the halves [T, D].
        let middle: UnsafeMutablePointer<Float>
        let attention: LlamaAttention.Stash
        let feedForward: FeedForward.Stash

        init(_ carver: inout Carver, _ c: LlamaConfiguration, _ f: FeedForward.Form, _ shape: SliceShape) {
            middle = carver.take(shape.length * c.dim)
            attention = .init(&carver, c, length: shape.length)
            feedForward = .init(&carver, f, length: shape.length)
        }
    }

    private struct GradientStash {
        let attention: LlamaAttention.GradientStash
        let feedForward: FeedForward.GradientStash

        init(_ carver: inout Carver, _ c: LlamaConfiguration, _ f: FeedForward.Form, _ shape: SliceShape) {
            attention = .init(&carver, c, length: shape.length)
            feedForward = .init(&carver, f, length: shape.length)
        }
    }

    private struct Workspace {
        let attention: LlamaAttention.Workspace
        let feedForward: FeedForward.Workspace

        init(_ carver: inout Carver, _ c: LlamaConfiguration, _ f: FeedForward.Form, _ shape: SliceShape) {
            attention = .init(&carver, c, length: shape.length, workers: shape.workers)
            feedForward = .init(&carver, f, length: shape.length)
        }
    }

    func bind(_ store: ParameterStore) {
        attention.bind(store)
        feedForward.bind(store)
    }

    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {}

    func beginStep(_ shape: SliceShape) {
        self.shape = shape
        attention.beginStep()
        feedForward.beginStep()
    }

    func endStep() {}

    private func laidOut() -> SliceShape {
        guard let shape else { preconditionFailure("\(name): beginStep comes before forward and backward") }
        return shape
    }

    private func workspace(_ context: SliceContext) -> Workspace {
        let shape = laidOut()
        precondition(context.length <= shape.length, "a slice longer than the memory laid out for it")
        var carver = Carver(context.workspace)
        return Workspace(&carver, c, feedForward.form, shape)
    }

    private func stash(_ base: UnsafeMutablePointer<Float>) -> Stash {
        var carver = Carver(base)
        return Stash(&carver, c, feedForward.form, laidOut())
    }

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let (f, w) = (self.stash(stash), workspace(context))
        attention.forward(context, x: x, y: f.middle, stash: f.attention, workspace: w.attention)
        feedForward.forward(
            context, y: f.middle, residual: f.middle, out: y, stash: f.feedForward, workspace: w.feedForward)
    }

    /// What the two halves' backwards work on.
    private struct Memory {
        /// The activation between the halves, and its gradient [T, D].
        let middle, dmiddle: UnsafeMutablePointer<Float>
        let attention: LlamaAttention.Memory
        let feedForward: FeedForward.Memory
    }

    private func memory(_ context: SliceContext, _ slice: SliceMemory) -> Memory {
        let (f, w) = (stash(slice.stash), workspace(context))
        var carver = Carver(slice.gradientStash)
        let g = GradientStash(&carver, c, feedForward.form, laidOut())
        return Memory(
            middle: f.middle, dmiddle: g.attention.dy,
            attention: .init(stash: f.attention, gradientStash: g.attention, workspace: w.attention),
            feedForward: .init(stash: f.feedForward, gradientStash: g.feedForward, workspace: w.feedForward))
    }

    func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let m = memory(context, slice)
        context.team.alone(as: .elementwise) { m.dmiddle.update(from: dy, count: context.length * c.dim) }
        feedForward.backward(context, dout: dy, dy: m.dmiddle, add: true, y: m.middle, m.feedForward)
        attention.backward(context, dx: dx, x: slice.x, m.attention)
    }

    func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {
        let m = memory(context, slice)
        feedForward.accumulateWeightGradients(context, y: m.middle, m.feedForward)
        attention.accumulateWeightGradients(context, x: slice.x, m.attention)
    }

    func middle(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> { self.stash(stash).middle }
}
