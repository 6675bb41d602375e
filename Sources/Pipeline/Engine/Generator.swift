import Glibc
import Hardware
import Model
import Numerics
import Schedules

/// Continues a text through the pipeline: every stage keeps the stream's state, one token at a time goes through all of
/// them, each by the same table of forwards.
final class Generator {
    private let rank: RankContext
    private let work: GenerationWork
    private let table: ScheduleTable
    private let messages: Messages
    /// For pieces of a prompt, and for single tokens, whose activations are no longer than they have to be.
    private let pieces, singles: TableExecutor
    /// Tokens of a piece at most.
    private let length: Int

    /// Prompts go through in pieces of up to `length` tokens.
    init(
        _ rank: RankContext, _ stages: RankStages, _ progress: MessageProgress, matrices: any MatrixProducts,
        length: Int
    ) throws {
        let plan = rank.plan
        self.rank = rank
        self.length = length
        table = try plan.forwardTable(sequences: 1, slices: 1)
        messages = Messages(table)
        work = GenerationWork(rank, stages, matrices: matrices, length: length)
        func executor(tokens: Int) -> TableExecutor {
            // The logits are to be those of one stage, however activations travel in training.
            TableExecutor(
                rank, progress, buffers: BufferPool(tokens * plan.model.dim), elements: [tokens * plan.model.dim],
                wire: .float32)
        }
        pieces = executor(tokens: length)
        singles = executor(tokens: 1)
    }

    struct Request: Sendable {
        let prompt: [Int32]
        let count: Int
        let temperature: Double
        let seed: UInt64
    }

    /// The tokens that continue the prompt, until any rank is stopped; the same on every rank. `emit` is called with
    /// each as it comes.
    func run(_ request: Request, isStopped: () -> Bool, emit: (Int32) throws -> Void) throws -> [Int32] {
        work.begin(tokens: request.prompt.count + request.count)
        var result: [Int32] = []
        var pending = request.prompt
        while result.count < request.count {
            for start in stride(from: 0, to: pending.count, by: length) {
                try forward(pending[start..<min(start + length, pending.count)])
            }
            guard let token = try choose(request, isStopped: isStopped()) else { break }
            result.append(token)
            try emit(token)
            pending = [token]
        }
        return result
    }

    /// The choice is made where the logits are and told to everyone; nil when a rank is stopped.
    private func choose(_ request: Request, isStopped: Bool) throws -> Int32? {
        let plan = rank.plan
        let owner = plan.worldRank(replica: 0, rank: plan.table.shape.rank(of: plan.lastStage))
        var chosen = 0
        if rank.endpoint.rank == owner {
            chosen = Sampler.choose(
                work.logits, temperature: request.temperature,
                uniform: CounterGenerator(seed: request.seed, stream: RandomStream.generation).uniform(
                    UInt64(work.position)))
        }
        // Nobody's token but the owner's counts; -1: the rank is stopped.
        let told = try rank.endpoint.gather(isStopped ? -1 : chosen)
        return told.contains(-1) ? nil : Int32(told[owner])
    }

    /// Sends tokens through all stages.
    private func forward(_ tokens: ArraySlice<Int32>) throws {
        work.move(to: tokens)
        guard rank.replica == 0 else { return }
        // A token's work beside the products takes a microsecond at a time.
        rank.team.hasLittleWork = tokens.count < Self.fewTokens
        defer { rank.team.hasLittleWork = false }
        let executor = tokens.count == 1 ? singles : pieces
        try executor.begin(messages)
        try executor.run(table.rows[rank.rank], work)
    }

    private static let fewTokens = 8
}

/// The forward of a piece of text with the state that the text before left, in memory of its own.
private final class GenerationWork: TableWork {
    private let model: any Architecture
    private let lastStage: Int
    private var stages: [Part]
    private let ids: FixedBuffer<Int32>
    private let slice: any SharedSlice
    private var cursor: StreamCursor
    private let start: StreamCursor
    /// Tokens of the whole text, for the rows of blocks that keep them.
    private var longest = 0
    /// Of the latest token, [V], where the last stage lives.
    private(set) var logits: [Float] = []

    /// A stage with the training's parameters, laid out for short slices.
    private struct Part {
        let number: Int
        let stage: Stage
        let slot: FloatBuffer
        var state, exit: FloatBuffer
        /// Rows of the tokens of prompt and continuation; empty where no block keeps any.
        var prefix: FloatBuffer
    }

    init(_ rank: RankContext, _ stages: RankStages, matrices: any MatrixProducts, length: Int) {
        let plan = rank.plan
        model = plan.model
        lastStage = plan.lastStage
        let shape = SliceShape(
            length: length, aligned: false, workers: rank.team.count, matrices: plan.matrices)
        self.stages = stages.all.map { runtime in
            let stage = Stage(
                of: plan.model, plan.parts(of: runtime.number), shape: shape, matrices: matrices,
                parameters: .shared(runtime.stage.store))
            return Part(
                number: runtime.number, stage: stage, slot: FloatBuffer(stage.slotCount),
                state: FloatBuffer(stage.stateCount), exit: FloatBuffer(stage.stateCount), prefix: FloatBuffer(0))
        }
        ids = FixedBuffer(length)
        slice = plan.model.makeSlice()
        start = plan.cursor.start
        cursor = start
    }

    /// Begins a text of so many tokens.
    func begin(tokens: Int) {
        longest = tokens
        cursor = start
        for i in stages.indices {
            stages[i].stage.beginStep(trains: false)
            stages[i].stage.initialState(stages[i].state.base)
            stages[i].prefix = FloatBuffer(stages[i].stage.prefixWidth * tokens)
        }
    }

    /// Tokens so far.
    var position: Int { cursor.position }

    /// The text goes on with these tokens.
    func move(to tokens: ArraySlice<Int32>) {
        for (i, token) in tokens.enumerated() { ids.base[i] = token }
        slice.move(to: cursor, length: tokens.count, tokens: ids.base)
        cursor = slice.exit
    }

    private func index(_ action: Action) -> Int {
        guard let index = stages.firstIndex(where: { $0.number == action.stage }) else {
            preconditionFailure("\(action): the stage doesn't live on this rank")
        }
        return index
    }

    func activity(of action: Action, at position: Int) -> StepActivity { .generates(stage: Int32(action.stage)) }

    func accept(_ input: FloatBuffer, for action: Action, at position: Int) {
        let part = stages[index(action)]
        part.stage.input(part.slot.base).update(from: input.base, count: slice.length * model.dim)
    }

    func forward(_ action: Action, at position: Int, output: UnsafeMutablePointer<Float>) {
        let i = index(action)
        let part = stages[i]
        let context = part.stage.context(
            slice: slice, tokens: part.number == 0 ? UnsafePointer(ids.base) : nil, targets: nil, lossScale: 0,
            dropout: nil)
        part.stage.forward(
            context, slot: part.slot.base, entry: part.state.base, exit: part.exit.base,
            prefix: Stage.Prefix(values: part.prefix.base, tokens: longest, first: slice.start), output: output)
        (stages[i].state, stages[i].exit) = (part.exit, part.state)
        guard part.number == lastStage, let head = part.stage.output else { return }
        let all = head.logits(stash: part.stage.stash(part.slot.base, of: part.stage.blocks.count - 1))
        let last = all + (slice.length - 1) * model.vocabulary
        logits = Array(UnsafeBufferPointer(start: last, count: model.vocabulary))
    }
}

/// Chooses a token from logits.
enum Sampler {
    /// Temperature 0 takes the largest (the first of equals); otherwise softmax(logits / temperature) at the given
    /// uniform number.
    static func choose(_ logits: [Float], temperature: Double, uniform: Double) -> Int {
        let top = logits.max() ?? 0
        if temperature <= 0 { return logits.firstIndex(of: top) ?? 0 }
        let weights = logits.map { exp((Double($0) - Double(top)) / temperature) }
        var left = uniform * weights.reduce(0, +)
        for (i, w) in weights.enumerated() {
            left -= w
            if left < 0 { return i }
        }
        return weights.count - 1
    }
}
