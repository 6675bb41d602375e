import Hardware
import Numerics

/// One layer: a token mixer, then a feed-forward network whose residual is the mixer's output, or the layer's input.
package final class MixerLayer<Mixer: TokenMixer>: GoldenLayer {
    private let c: Mixer.Configuration
    private let mixer: Mixer
    private let feedForward: FeedForward
    private var shape: SliceShape?
    package let name: String

    package init(_ c: Mixer.Configuration, layer: Int) {
        self.c = c
        name = Self.name(layer)
        mixer = Mixer(c, layer: layer)
        feedForward = FeedForward(c.feedForward(layer: layer))
    }

    /// What is to be known of a layer.
    ///
    /// - Parameters:
    ///   - flops: matrix flops of a token's forward, and more for each token before it
    ///   - work: as `BlockDescription.work` gives it
    static func description(
        _ c: Mixer.Configuration, layer: Int, flops: BlockDescription.ForwardFlops,
        work: @escaping @Sendable (_ tokens: SequenceShape, _ operand: Double) -> WorkCounts
    ) -> BlockDescription {
        let name = name(layer)
        return BlockDescription(
            name: name, parameters: Mixer.parameters(c, layer: layer) + c.feedForward(layer: layer).parameters,
            flops: flops
        ) {
            sizes(c, $0)
        } carried: {
            Mixer.carried(c, $0, layer: name)
        } work: {
            work($0, $1)
        }
    }

    private static func name(_ layer: Int) -> String { "layers.\(layer)" }

    private static func sizes(_ c: Mixer.Configuration, _ shape: SliceShape) -> BlockSizes {
        func used(_ carve: (inout Carver) -> Void) -> Int {
            var carver = Carver(counting: ())
            carve(&carver)
            return carver.used
        }
        let form = c.feedForward(layer: 0)
        let maps = Mixer.maps(c) + [form.mapShapes.first, form.mapShapes.last]
        return BlockSizes(
            state: Mixer.stateCount(c, shape), prefix: Mixer.prefixWidth(c),
            stash: used { _ = Stash(&$0, c, form, shape) },
            gradientStash: used { _ = GradientStash(&$0, c, form, shape) },
            workspace: used { _ = Workspace(&$0, c, form, shape) },
            packed: maps.reduce(0) { $0 + $1.preparedCount(shape.matrices, c.precision) })
    }

    private struct Stash {
        /// The activation between the halves [T, D].
        let middle: UnsafeMutablePointer<Float>
        let mixer: Mixer.Stash
        let feedForward: FeedForward.Stash

        init(_ carver: inout Carver, _ c: Mixer.Configuration, _ f: FeedForward.Form, _ shape: SliceShape) {
            middle = carver.take(shape.length * c.dim)
            mixer = Mixer.stash(&carver, c, shape)
            feedForward = .init(&carver, f, length: shape.length)
        }
    }

    private struct GradientStash {
        let mixer: Mixer.GradientStash
        let feedForward: FeedForward.GradientStash

        init(_ carver: inout Carver, _ c: Mixer.Configuration, _ f: FeedForward.Form, _ shape: SliceShape) {
            mixer = Mixer.gradientStash(&carver, c, shape)
            feedForward = .init(&carver, f, length: shape.length)
        }
    }

    private struct Workspace {
        let mixer: Mixer.Workspace
        let feedForward: FeedForward.Workspace

        init(_ carver: inout Carver, _ c: Mixer.Configuration, _ f: FeedForward.Form, _ shape: SliceShape) {
            mixer = Mixer.workspace(&carver, c, shape)
            feedForward = .init(&carver, f, length: shape.length)
        }
    }

    package func bind(_ store: ParameterStore) {
        mixer.bind(store)
        feedForward.bind(store)
    }

    package func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {
        mixer.initialState(state, shape)
    }

    package func beginStep(_ shape: SliceShape) {
        self.shape = shape
        mixer.beginStep()
        feedForward.beginStep()
    }

    package func endStep() { mixer.endStep() }

    package var preparation: Work { mixer.preparation }

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

    package func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let (f, w) = (self.stash(stash), workspace(context))
        mixer.forward(
            context, x: x, y: f.middle,
            state: MixerState(entry: UnsafeMutablePointer(mutating: entry), exit: exit, shape: laidOut()),
            stash: f.mixer, workspace: w.mixer)
        feedForward.forward(
            context, y: f.middle, residual: c.hasTwoHops ? x : UnsafePointer(f.middle), out: y,
            stash: f.feedForward, workspace: w.feedForward)
    }

    /// What the two halves' backwards work on.
    private struct Memory {
        /// The activation between the halves [T, D].
        let middle: UnsafeMutablePointer<Float>
        let mixer: MixerMemory<Mixer>
        let feedForward: FeedForward.Memory
    }

    private func memory(_ context: SliceContext, _ slice: SliceMemory) -> Memory {
        let (f, w) = (stash(slice.stash), workspace(context))
        var carver = Carver(slice.gradientStash)
        let g = GradientStash(&carver, c, feedForward.form, laidOut())
        return Memory(
            middle: f.middle, mixer: .init(stash: f.mixer, gradientStash: g.mixer, workspace: w.mixer),
            feedForward: .init(stash: f.feedForward, gradientStash: g.feedForward, workspace: w.feedForward))
    }

    package func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let m = memory(context, slice)
        let count = context.length * c.dim
        let dmiddle = mixer.outputGradient(m.mixer)
        // Without the two-hop residual the middle activation is the residual, so its gradient begins as dy.
        if !c.hasTwoHops { context.team.alone(as: .elementwise) { dmiddle.update(from: dy, count: count) } }
        feedForward.backward(context, dout: dy, dy: dmiddle, add: !c.hasTwoHops, y: m.middle, m.feedForward)
        // The second hop: x is the feed-forward's residual too. Its gradient is kept before dx (perhaps dy) is written.
        let hop = m.feedForward.workspace.dg
        if c.hasTwoHops { context.team.alone(as: .elementwise) { hop.update(from: dy, count: count) } }
        mixer.backward(
            context, dx: dx, x: slice.x,
            stateGradient: MixerState(entry: stateGradient, exit: stateGradient, shape: laidOut()), m.mixer)
        if c.hasTwoHops {
            context.team.alone(as: .elementwise) { context.kernels.tokens.elementwise.addTo(dx, hop, count) }
        }
    }

    package func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {
        let m = memory(context, slice)
        feedForward.accumulateWeightGradients(context, y: m.middle, m.feedForward)
        mixer.accumulateWeightGradients(context, x: slice.x, m.mixer, followsBackward: followsBackward)
    }

    package func middle(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> { self.stash(stash).middle }
}
