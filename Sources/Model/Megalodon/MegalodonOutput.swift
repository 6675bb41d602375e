import KernelInterface
import Numerics

/// The model's last block: final timestep norm, output matrix, cross entropy. Its y is unused; the forward leaves the
/// loss, and (when there are targets) already turns the logits into their gradient, since the loss is the end of the
/// way.
final class MegalodonOutput: OutputBlock {
    private let c: MegalodonConfiguration
    private let map: LinearMap
    private var store: ParameterStore?
    private var boundNorm: TimestepNorm?
    /// Tokens that memory is laid out for.
    private var longest: Int?
    private var loss = TokenLoss()
    private static let name = "output"
    let name: String = MegalodonOutput.name
    private static let normWeight = "output.final_norm.weight"
    private static let normBias = "output.final_norm.bias"
    static let weightName = "output.output.weight"
    /// The name under which a tied output matrix is kept beside the embedding (`ParameterSpec.copyOf`).
    static let tiedName = "output.tied_embedding"

    var lossSum: Double { loss.sum }
    var tokenLosses: [Double] { loss.losses }

    init(_ c: MegalodonConfiguration) {
        self.c = c
        map = LinearMap(Self.mapShape(c))
        matrix = Self.matrix(c)
    }

    /// The output matrix in the store.
    private let matrix: String

    private static func matrix(_ c: MegalodonConfiguration) -> String { c.tieEmbeddings ? tiedName : weightName }
    private static func mapShape(_ c: MegalodonConfiguration) -> LinearMap.Shape {
        LinearMap.Shape(outputs: c.vocabulary, inputs: c.dim)
    }

    static func description(_ c: MegalodonConfiguration) -> BlockDescription {
        let parameters =
            TimestepNorm.parameters(dim: c.dim, weight: normWeight, bias: normBias) + [
                c.embedding.spec(
                    name: matrix(c), copyOf: c.tieEmbeddings ? MegalodonConfiguration.embeddingWeight : nil)
            ]
        return BlockDescription(
            name: name, parameters: parameters, flops: .init(perToken: 2 * Double(c.dim) * Double(c.vocabulary))
        ) {
            sizes(c, length: $0.length, $0.matrices)
        } carried: { _ in
            [
                StateTensor("\(name).mean", [2, c.normGroups], offset: 0),
                StateTensor("\(name).variance", [2, c.normGroups], offset: 2 * c.normGroups),
            ]
        } work: {
            c.outputWork(slice: $0.slice, operand: $1)
        }
    }

    private static func sizes(_ c: MegalodonConfiguration, length: Int, _ matrices: MatrixEngine) -> BlockSizes {
        var stash = Carver(counting: ())
        _ = Stash(&stash, c, length: length)
        var workspace = Carver(counting: ())
        _ = Workspace(&workspace, c, length: length)
        return BlockSizes(
            state: TimestepNorm.momentCount(groups: c.normGroups), stash: stash.used, workspace: workspace.used,
            packed: mapShape(c).preparedCount(matrices, c.precision))
    }

    private struct Stash {
        /// The norm's means and inverse deviations [T, G].
        let means, scales: UnsafeMutablePointer<Float>
        /// x after the norm [T, D].
        let n: UnsafeMutablePointer<Float>
        /// [T, V]; their gradient once there are targets.
        let logits: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: MegalodonConfiguration, length T: Int) {
            means = carver.take(T * c.normGroups)
            scales = carver.take(T * c.normGroups)
            n = carver.take(T * c.dim)
            logits = carver.take(T * c.vocabulary)
        }

        func norm(_ x: UnsafePointer<Float>) -> TimestepNorm.Kept { .init(x: x, means: means, scales: scales) }
    }

    private struct Workspace {
        /// The gradient of x after the norm [T, D], and what the norm asks for.
        let dn, norm: UnsafeMutablePointer<Float>

        init(_ carver: inout Carver, _ c: MegalodonConfiguration, length T: Int) {
            dn = carver.take(T * c.dim)
            norm = carver.take(TimestepNorm.workspace(groups: c.normGroups))
        }
    }

    /// The norm's moments are all that is carried.
    private func moments(_ base: UnsafeMutablePointer<Float>) -> CumulativeMoments {
        CumulativeMoments(mean: base, variance: base + 2 * c.normGroups)
    }

    func bind(_ store: ParameterStore) {
        self.store = store
        boundNorm = TimestepNorm(
            dim: c.dim, groups: c.normGroups, eps: c.eps, store, weight: Self.normWeight, bias: Self.normBias)
    }

    func initialState(_ state: UnsafeMutablePointer<Float>, _ shape: SliceShape) {
        state.update(repeating: 0, count: TimestepNorm.momentCount(groups: c.normGroups))
    }

    func beginStep(_ shape: SliceShape) {
        longest = shape.length
        map.beginStep()
        loss.prepare(length: shape.length)
    }

    func endStep() {}

    private func laidOut() -> Int {
        guard let longest else { preconditionFailure("output: beginStep comes before forward and backward") }
        return longest
    }

    private func layout(_ stash: UnsafeMutablePointer<Float>) -> Stash {
        var carver = Carver(stash)
        return Stash(&carver, c, length: laidOut())
    }

    func logits(stash: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> { layout(stash).logits }

    func forward(
        _ context: SliceContext, x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>,
        entry: UnsafePointer<Float>, exit: UnsafeMutablePointer<Float>, stash: UnsafeMutablePointer<Float>
    ) {
        let f = layout(stash)
        let (D, V) = (c.dim, c.vocabulary)
        exit.update(from: entry, count: TimestepNorm.momentCount(groups: c.normGroups))
        boundNorm!.forward(context, f.norm(x), y: f.n, moments: moments(exit), shares: context.megalodon.shares)
        map.forward(context, store!.value(matrix)!, FloatRows(f.n, stride: D), to: Destination(f.logits, stride: V))
        loss.take(context, logits: f.logits, vocabulary: V)
    }

    func backward(
        _ context: SliceContext, _ slice: SliceMemory, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>,
        stateGradient: UnsafeMutablePointer<Float>
    ) {
        let f = layout(slice.stash)
        let (D, V) = (c.dim, c.vocabulary)
        var carver = Carver(context.workspace)
        let w = Workspace(&carver, c, length: laidOut())
        map.backward(context, store!.value(matrix)!, FloatRows(f.logits, stride: V), to: Destination(w.dn, stride: D))
        boundNorm!.backward(
            context, dy: w.dn, dx: dx, f.norm(slice.x), momentGradients: moments(stateGradient),
            shares: context.megalodon.shares, scratch: w.norm)
    }

    func accumulateWeightGradients(_ context: SliceContext, _ slice: SliceMemory, followsBackward: Bool) {
        let f = layout(slice.stash)
        map.accumulateWeightGradient(
            context, store!.gradient(matrix)!, FloatRows(f.logits, stride: c.vocabulary), FloatRows(f.n, stride: c.dim))
    }
}
