import KernelInterface
import Numerics

/// The model's last block: final timestep norm, output matrix, cross entropy. Its y is unused; the forward leaves the
/// loss, and (when there are targets) already turns the logits into their gradient, since the loss is the end of the
/// way.
package final class OutputLayer: OutputBlock {
    private let c: GeckoConfiguration
    private let map: LinearMap
    private var store: ParameterStore?
    private var boundNorm: GeckoNorm?
    /// Tokens that memory is laid out for.
    private var longest: Int?
    private var loss = TokenLoss()
    private static let name = "output"
    package let name: String = OutputLayer.name
    private static let normWeight = "output.final_norm.weight"
    private static let normBias = "output.final_norm.bias"
    package static let weightName = "output.output.weight"
    /// The name under which a tied output matrix is kept beside the embedding: a part of its own, so that the two
    /// gradients are always summed in the same order, whether or not they meet on one stage.
    package static let tiedName = "output.tied_embedding"

    package var lossSum: Double { loss.sum }
    package var tokenLosses: [Double] { loss.losses }

    package init(_ c: GeckoConfiguration) {
        self.c = c
        map = LinearMap(Self.mapShape(c))
        matrix = Self.matrix(c)
    }

    /// The output matrix in the store.
    private let matrix: String

    private static func matrix(_ c: GeckoConfiguration) -> String { c.tieEmbeddings ? tiedName : weightName }
    private static func mapShape(_ c: GeckoConfiguration) -> LinearMap.Shape {
        LinearMap.Shape(outputs: c.vocabulary, inputs: c.dim)
    }

    static func description(_ c: GeckoConfiguration) -> BlockDescription {
        let parameters = [
            ParameterSpec(normWeight, [c.dim], .constant(0)),
            ParameterSpec(normBias, [c.dim], .constant(0)),
            c.embedding.spec(name: matrix(c), copyOf: c.tieEmbeddings ? GeckoConfiguration.embeddingWeight : nil),
        ]
        return BlockDescription(
            name: name, parameters: parameters, flops: .init(perToken: 2 * Double(c.dim) * Double(c.vocabulary))
        ) {
            sizes(c, length: $0.length, $0.matrices)
        } carried: { _ in
            [
                StateTensor("\(name).mean", GeckoNorm.shape(c), offset: 0),
                StateTensor("\(name).variance", GeckoNorm.shape(c), offset: GeckoNorm.count(c)),
            ]
        } work: {
            c.outputWork(slice: $0.slice, operand: $1)
        }
    }

    private static func sizes(_ c: GeckoConfiguration, length: Int, _ matrices: MatrixEngine) -> BlockSizes {
        var carver = Carver(counting: ())
        _ = Stash(&carver, c, length: length)
        return BlockSizes(
            state: 2 * GeckoNorm.count(c), stash: carver.used,
            workspace: length * c.dim + 16 + GeckoNorm.workspace(c),
            packed: mapShape(c).preparedCount(matrices, c.precision))
    }

    private struct Stash {
        /// The norm's corrected means and inverse deviations [T, G].
        let mhat, r: UnsafeMutablePointer<Float>
        /// x after the norm [T, D].
        let n: UnsafeMutablePointer<Float>
        /// [T, V]; their gradient once there are targets.
        let logits: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: GeckoConfiguration, length T: Int) {
            mhat = carver.take(T * c.normGroups)
            r = carver.take(T * c.normGroups)
            n = carver.take(T * c.dim)
            logits = carver.take(T * c.vocabulary)
        }

        func norm(_ x: UnsafePointer<Float>) -> TimestepNormKept { .init(x: x, means: mhat, scales: r) }
    }

    /// The norm's averages are all that is carried.
    private func normState(_ base: UnsafeMutablePointer<Float>) -> GeckoNorm.State {
        .init(mean: base, variance: base + GeckoNorm.count(c))
    }

    package func bind(_ store: ParameterStore) {
        self.store = store
        boundNorm = GeckoNorm(c, store, weight: Self.normWeight, bias: Self.normBias)
    }

    package func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {
        state.update(repeating: 0, count: 2 * GeckoNorm.count(c))
    }

    package func beginStep(_ shape: SliceShape) {
        longest = shape.length
        map.beginStep()
        loss.prepare(length: shape.length)
    }

    package func endStep() {}

    private var norm: GeckoNorm { boundNorm! }

    private func layout(_ stash: UnsafeMutablePointer<Float>) -> Stash {
        guard let longest else { preconditionFailure("output: beginStep comes before forward and backward") }
        var carver = Carver(stash)
        return Stash(&carver, c, length: longest)
    }

    /// The logits [T, V] of the slice in `stash`, as long as its forward had no targets with a gradient.
    package func logits(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> { layout(stash).logits }

    package func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let f = layout(stash)
        let (D, V) = (c.dim, c.vocabulary)
        exit.update(from: entry, count: 2 * GeckoNorm.count(c))
        norm.forward(context, f.norm(x), y: f.n, state: normState(exit))
        map.forward(context, store!.value(matrix)!, FloatRows(f.n, stride: D), to: Destination(f.logits, stride: V))
        loss.take(context, logits: f.logits, vocabulary: V)
    }

    package func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let f = layout(slice.stash)
        let (T, D, V) = (context.length, c.dim, c.vocabulary)
        let dn = context.workspace
        map.backward(context, store!.value(matrix)!, FloatRows(f.logits, stride: V), to: Destination(dn, stride: D))
        norm.backward(
            context, dy: dn, dx: dx, f.norm(slice.x), stateGradient: normState(stateGradient),
            scratch: dn + (T * D + 15) / 16 * 16)
    }

    package func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {
        let f = layout(slice.stash)
        map.accumulateWeightGradient(
            context, store!.gradient(matrix)!, FloatRows(f.logits, stride: c.vocabulary), FloatRows(f.n, stride: c.dim))
    }
}
