import Hardware
import Kernels
import Numerics

/// A whole model (or one layer) on one thread team, run over one row of tokens in slices of any length.
package final class ModelRun<Model: GoldenArchitecture> {
    package let configuration: Model
    package let stage: Stage
    private let parts: [ModelPart]
    /// Tokens of the longest sequence.
    private let sequence: Int
    /// The masks of the sequence; nil switches dropout off.
    private let dropout: DropoutStream?
    /// What has been run forward, in order.
    private var done: [Done] = []
    private let gradientSlot: FloatBuffer
    private let output: FloatBuffer

    private struct Done {
        let slice: any SharedSlice
        let slot: FloatBuffer
        let stream: Stream
    }

    /// `longest`: tokens of the longest slice; `sequence`: of the longest sequence, if that is longer.
    package convenience init(
        _ c: Model, longest: Int, sequence: Int = 0, team: Team, dropout: DropoutStream? = nil
    ) {
        self.init(c, longest: longest, sequence: sequence, TileProducts(team), dropout: dropout)
    }

    /// The same with an engine's matrix products, on its team.
    package init(
        _ c: Model, parts: [ModelPart]? = nil, longest: Int, sequence: Int = 0, _ matrices: any MatrixProducts,
        dropout: DropoutStream? = nil
    ) {
        configuration = c
        self.dropout = dropout
        self.parts = parts ?? c.parts
        self.sequence = max(longest, sequence)
        stage = Stage(
            of: c, self.parts,
            shape: SliceShape(length: longest, aligned: false, workers: matrices.team.count), matrices: matrices)
        gradientSlot = FloatBuffer(stage.gradientSlotCount)
        output = FloatBuffer(longest * c.dim)
    }

    /// A state of all blocks, or its gradient: what is copied from slice to slice, and the rows of all tokens.
    package struct State {
        package let copied: FloatBuffer
        package let prefix: FloatBuffer

        package init(copied: FloatBuffer, prefix: FloatBuffer) {
            self.copied = copied
            self.prefix = prefix
        }
    }

    package func makeState() -> State {
        State(copied: FloatBuffer(stage.stateCount), prefix: FloatBuffer(stage.prefixWidth * sequence))
    }

    /// A stream's carried state.
    package final class Stream {
        package var cursor: StreamCursor
        package let state: State
        /// Document numbers of all tokens so far.
        package internal(set) var documents: [Int32] = []

        package init(_ run: ModelRun) {
            cursor = run.configuration.cursor.start
            state = run.makeState()
            run.stage.initialState(state.copied.base)
        }
    }

    /// The slice of these tokens at a place of a stream.
    package func slice(at cursor: StreamCursor, tokens: [Int32]) -> any SharedSlice {
        let slice = configuration.makeSlice()
        tokens.withUnsafeBufferPointer { slice.move(to: cursor, length: tokens.count, tokens: $0.baseAddress!) }
        return slice
    }

    /// The rows of all blocks, for a slice that begins at `first`.
    package func prefix(_ values: State, gradients: State? = nil, first: Int) -> Stage.Prefix? {
        guard stage.prefixWidth > 0 else { return nil }
        return Stage.Prefix(
            values: values.prefix.base, gradients: gradients?.prefix.base, tokens: sequence, first: first)
    }

    /// Runs one slice and returns its logits [T, V] and the sum of its token losses; keeps what the backward needs. A
    /// loss scale of 0 keeps the logits readable.
    package func forward(_ stream: Stream, tokens: [Int32], targets: [Int32]?, lossScale: Float) -> (
        logits: [Float], loss: Double
    ) {
        let slice = slice(at: stream.cursor, tokens: tokens)
        let slot = FloatBuffer(stage.slotCount)
        let exit = FloatBuffer(stage.stateCount)
        let prefix = prefix(stream.state, first: stream.cursor.position)
        withContext(slice, tokens, targets, lossScale) {
            stage.forward(
                $0, slot: slot.base, entry: stream.state.copied.base, exit: exit.base, prefix: prefix,
                output: output.base)
        }
        stream.state.copied.base.update(from: exit.base, count: exit.count)
        stream.cursor = slice.exit
        for token in tokens {
            let latest = stream.documents.last ?? 0
            stream.documents.append(token == configuration.documentMark ? latest + 1 : latest)
        }
        done.append(Done(slice: slice, slot: slot, stream: stream))
        let head = stage.output!
        let logits = head.logits(stash: stage.stash(slot.base, of: stage.blocks.count - 1))
        let values =
            lossScale == 0
            ? Array(UnsafeBufferPointer(start: logits, count: tokens.count * configuration.vocabulary)) : []
        return (values, head.lossSum)
    }

    /// Backward over all slices run since the last call, last first; `visit` sees the state gradient before each
    /// slice's first token, and that token's position.
    package func backward(
        tokens: [Int32], targets: [Int32], lossScale: Float, visit: (_ position: Int, State) -> Void
    ) {
        let stateGradient = makeState()
        let gradient = FloatBuffer(stage.shape.length * configuration.dim)
        for one in done.reversed() {
            let range = one.slice.start..<one.slice.start + one.slice.length
            withContext(one.slice, Array(tokens[range]), Array(targets[range]), lossScale) { context in
                stage.backward(
                    context,
                    .init(
                        slot: one.slot.base, gradientSlot: gradientSlot.base, gradient: gradient.base,
                        stateGradient: stateGradient.copied.base,
                        prefix: prefix(one.stream.state, gradients: stateGradient, first: one.slice.start)))
                stage.accumulateWeightGradients(context, slot: one.slot.base, gradientSlot: gradientSlot.base)
            }
            visit(one.slice.start, stateGradient)
        }
        forget()
    }

    /// Lends a context whose tokens and targets last as long as the body.
    private func withContext(
        _ slice: any SharedSlice, _ tokens: [Int32], _ targets: [Int32]?, _ lossScale: Float,
        _ body: (SliceContext) -> Void
    ) {
        tokens.withUnsafeBufferPointer { tokens in
            func run(_ targets: UnsafePointer<Int32>?) {
                body(
                    stage.context(
                        slice: slice, tokens: tokens.baseAddress, targets: targets, lossScale: lossScale,
                        dropout: dropout))
            }
            guard let targets else { return run(nil) }
            targets.withUnsafeBufferPointer { run($0.baseAddress) }
        }
    }

    package func forget() { done = [] }

    /// The real tensors of block `i`'s state (or its gradient) at a position, in the golden data's layouts.
    func tensors(_ state: State, of i: Int, at position: Int, isGradient: Bool) -> [GoldenStateTensor] {
        let offset = stage.prefixOffset(of: i)
        return configuration.goldenState(
            of: parts[i],
            GoldenStateMemory(
                state: stage.state(state.copied.base, of: i),
                prefix: state.prefix.count > 0 ? state.prefix.base + offset * sequence : nil, shape: stage.shape,
                position: position, isGradient: isGradient))
    }

    /// The real tensors of a state (or its gradient) at a position, in the golden data's names and layouts.
    package func named(
        _ state: State, at position: Int, isGradient: Bool = false
    ) -> [(name: String, values: [Float])] {
        stage.blocks.indices.flatMap { i in
            tensors(state, of: i, at: position, isGradient: isGradient).map { tensor in
                let isLayer = if case .layer = parts[i] { true } else { false }
                return (isLayer ? "\(stage.blocks[i].name).\(tensor.name)" : tensor.name, tensor.read())
            }
        }
    }

    /// The integers of a stream's state, in the golden data's names.
    func numbers(_ stream: Stream) -> [(name: String, values: [Int32])] {
        configuration.goldenNumbers(stream.cursor, documents: stream.documents)
    }

    /// Gradients under the reference's names: a tied matrix's two parts are summed.
    package func gradient(_ name: String) -> [Float] {
        var sum = stage.store.gradientValues(name)
        for copy in copies(of: name) { sum = zip(sum, stage.store.gradientValues(copy)).map { $0 + $1 } }
        return sum
    }

    /// Names of a tensor's copies.
    func copies(of name: String) -> [String] {
        stage.store.entries.map(\.spec).filter { $0.copyOf == name }.map(\.name)
    }

    func load(_ name: String, _ values: [Float], file: String) throws {
        try stage.store.set(name, values, file: file)
        for copy in copies(of: name) { try stage.store.set(copy, values, file: file) }
    }
}
