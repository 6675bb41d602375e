import Hardware
import Numerics

/// One Megalodon layer: gated attention, then feed-forward whose residual is the layer's input (two hops).
final class MegalodonLayer: GoldenLayer {
    private let c: MegalodonConfiguration
    private let attention: MegalodonAttention
    private let feedForward: FeedForward
    private var geometry: MegalodonGeometry?
    let name: String

    init(_ c: MegalodonConfiguration, layer: Int) {
        self.c = c
        name = Self.name(layer)
        attention = MegalodonAttention(c, layer: layer)
        feedForward = FeedForward(c.feedForward(layer: layer))
    }

    /// What is to be known of a layer.
    static func description(_ c: MegalodonConfiguration, layer: Int) -> BlockDescription {
        let name = name(layer)
        return BlockDescription(
            name: name,
            parameters: MegalodonAttention.parameters(c, layer: layer) + c.feedForward(layer: layer).parameters,
            forwardFlopsPerToken: c.forwardFlopsPerToken
        ) {
            sizes(c, MegalodonGeometry($0, c), $0.matrices)
        } carried: {
            MegalodonState.tensors(c, window: MegalodonGeometry($0, c).window, block: name)
        } work: {
            c.layerWork(slice: $0.slice, operand: $1)
        }
    }

    private static func name(_ layer: Int) -> String { "layers.\(layer)" }

    private static func sizes(
        _ c: MegalodonConfiguration, _ geometry: MegalodonGeometry, _ matrices: MatrixEngine
    ) -> BlockSizes {
        func used(_ carve: (inout Carver) -> Void) -> Int {
            var carver = Carver(counting: ())
            carve(&carver)
            return carver.used
        }
        let form = c.feedForward(layer: 0)
        let (attention, feedForward) = (MegalodonAttention.mapShapes(c), form.mapShapes)
        let maps = [
            attention.wzr, attention.wv, attention.wh1, attention.wh2, feedForward.first, feedForward.last,
        ]
        return BlockSizes(
            state: MegalodonState.count(c, window: geometry.window),
            stash: used { _ = Stash(&$0, c, form, geometry) },
            gradientStash: used { _ = GradientStash(&$0, c, form, geometry) },
            workspace: used { _ = Workspace(&$0, c, form, geometry) },
            packed: maps.reduce(0) { $0 + $1.preparedCount(matrices, c.precision) })
    }

    private struct Stash {
        /// The activation between the halves [T, D].
        let middle: UnsafeMutablePointer<Float>
        let attention: MegalodonAttention.Stash
        let feedForward: FeedForward.Stash

        init(_ carver: inout Carver, _ c: MegalodonConfiguration, _ f: FeedForward.Form, _ g: MegalodonGeometry) {
            middle = carver.take(g.length * c.dim)
            attention = .init(&carver, c, g)
            feedForward = .init(&carver, f, length: g.length)
        }
    }

    private struct GradientStash {
        let attention: MegalodonAttention.GradientStash
        let feedForward: FeedForward.GradientStash

        init(_ carver: inout Carver, _ c: MegalodonConfiguration, _ f: FeedForward.Form, _ g: MegalodonGeometry) {
            attention = .init(&carver, c, g)
            feedForward = .init(&carver, f, length: g.length)
        }
    }

    private struct Workspace {
        let attention: MegalodonAttention.Workspace
        let feedForward: FeedForward.Workspace

        init(_ carver: inout Carver, _ c: MegalodonConfiguration, _ f: FeedForward.Form, _ g: MegalodonGeometry) {
            attention = .init(&carver, c, g)
            feedForward = .init(&carver, f, length: g.length)
        }
    }

    func bind(_ store: ParameterStore) {
        attention.bind(store)
        feedForward.bind(store)
    }

    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {
        MegalodonState.at(state, c, window: MegalodonGeometry(shape, c).window).reset()
    }

    func beginStep(_ shape: SliceShape) {
        geometry = MegalodonGeometry(shape, c)
        attention.beginStep()
        feedForward.beginStep()
    }

    func endStep() { attention.endStep() }

    /// The EMA's coefficients, and the gradients of what they are made of.
    var preparation: Work { .ema }

    private func laidOut() -> MegalodonGeometry {
        guard let geometry else { preconditionFailure("\(name): beginStep comes before forward and backward") }
        return geometry
    }

    private func workspace(_ context: SliceContext) -> Workspace {
        let geometry = laidOut()
        precondition(context.length <= geometry.length, "a slice longer than the memory laid out for it")
        var carver = Carver(context.workspace)
        return Workspace(&carver, c, feedForward.form, geometry)
    }

    private func stash(_ base: UnsafeMutablePointer<Float>) -> Stash {
        var carver = Carver(base)
        return Stash(&carver, c, feedForward.form, laidOut())
    }

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let (f, w, window) = (self.stash(stash), workspace(context), laidOut().window)
        attention.forward(
            context, x: x, y: f.middle,
            state: .init(
                entry: .at(UnsafeMutablePointer(mutating: entry), c, window: window),
                exit: .at(exit, c, window: window)), stash: f.attention, workspace: w.attention)
        feedForward.forward(
            context, y: f.middle, residual: x, out: y, stash: f.feedForward, workspace: w.feedForward)
    }

    /// What the two halves' backwards work on.
    private struct Memory {
        /// The activation between the halves, and its gradient [T, D].
        let middle, dmiddle: UnsafeMutablePointer<Float>
        let attention: MegalodonAttention.Memory
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
        let count = context.length * c.dim
        // The middle's gradient comes through the norm alone; the second hop gives x the gradient of the output, kept
        // before dx (perhaps dy) is written.
        feedForward.backward(context, dout: dy, dy: m.dmiddle, add: false, y: m.middle, m.feedForward)
        let hop = m.feedForward.workspace.dg
        context.team.alone(as: .elementwise) { hop.update(from: dy, count: count) }
        attention.backward(
            context, dx: dx, x: slice.x, stateGradient: .at(stateGradient, c, window: laidOut().window), m.attention)
        context.team.alone(as: .elementwise) { context.kernels.tokens.elementwise.addTo(dx, hop, count) }
    }

    func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {
        let m = memory(context, slice)
        feedForward.accumulateWeightGradients(context, y: m.middle, m.feedForward)
        attention.accumulateWeightGradients(context, x: slice.x, m.attention, followsBackward: followsBackward)
    }

    func middle(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> { self.stash(stash).middle }
}
