import Glibc
import Hardware
import Model
import Numerics

/// Continues a text through the pipeline: every stage keeps the stream's state, one token at a time goes through all of
/// them.
final class Generator {
    private let engine: RankEngine
    private let stages: [(number: Int, stage: Stage)]
    private let slots: [FloatBuffer]
    private var states: [FloatBuffer]
    private var exits: [FloatBuffer]
    /// Rows of the tokens of prompt and continuation; nothing where no block keeps any.
    private var prefixes: [FloatBuffer] = []
    private var longest = 0
    private let ids: FixedBuffer<Int32>
    private let length: Int
    private let slice: any SharedSlice
    private static let fewTokens = 8

    /// Prompts go through in pieces of up to `length` tokens.
    init(_ engine: RankEngine, length: Int) {
        self.engine = engine
        self.length = length
        let m = engine.plan.model
        let shape = SliceShape(
            length: length, aligned: false, workers: engine.team.count, matrices: engine.plan.matrices)
        stages = engine.places.map { place in
            (
                place.number,
                Stage(
                    of: m, engine.plan.parts(of: place.number), shape: shape, matrices: engine.matrices,
                    sharing: place.stage.store)
            )
        }
        slots = stages.map { FloatBuffer($0.stage.slotCount) }
        states = stages.map { FloatBuffer($0.stage.stateCount) }
        exits = stages.map { FloatBuffer($0.stage.stateCount) }
        ids = FixedBuffer(length)
        slice = m.makeSlice()
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
        for (i, s) in stages.enumerated() {
            s.stage.beginStep(trains: false)
            s.stage.initialState(states[i].base)
        }
        longest = request.prompt.count + request.count
        prefixes = stages.map { FloatBuffer($0.stage.prefixWidth * longest) }
        var cursor = engine.plan.cursor.start
        var result: [Int32] = []
        var pending = request.prompt
        while result.count < request.count {
            var logits: [Float] = []
            for start in stride(from: 0, to: pending.count, by: length) {
                logits = try forward(Array(pending[start..<min(start + length, pending.count)]), &cursor)
            }
            guard let token = try choose(logits, request, position: cursor.position, isStopped: isStopped()) else {
                break
            }
            result.append(token)
            try emit(token)
            pending = [token]
        }
        return result
    }

    /// The choice is made where the logits are and told to everyone; nil when a rank is stopped.
    private func choose(_ logits: [Float], _ request: Request, position: Int, isStopped: Bool) throws -> Int32? {
        let plan = engine.plan
        let owner = plan.worldRank(replica: 0, rank: plan.table.shape.rank(of: plan.lastStage))
        var chosen = 0
        if engine.endpoint.rank == owner {
            chosen = Sampler.choose(
                logits, temperature: request.temperature,
                uniform: CounterGenerator(seed: request.seed, stream: RandomStream.generation).uniform(
                    UInt64(position)))
        }
        let told = try engine.endpoint.allGather([Double(chosen), isStopped ? 1 : 0])
        return told.allSatisfy { $0[1] == 0 } ? Int32(told[owner][0]) : nil
    }

    /// Sends tokens through all stages; the logits of the last one where the last stage lives, nothing elsewhere.
    private func forward(_ tokens: [Int32], _ cursor: inout StreamCursor) throws -> [Float] {
        let plan = engine.plan
        let m = plan.model
        ids.base.update(from: tokens, count: tokens.count)
        slice.move(to: cursor, length: tokens.count, tokens: ids.base)
        cursor = slice.exit
        guard engine.replica == 0 else { return [] }
        // A token's work beside the products takes a microsecond at a time.
        engine.team.hasLittleWork = tokens.count < Self.fewTokens
        defer { engine.team.hasLittleWork = false }
        let shape = plan.table.shape
        let bytes = tokens.count * m.dim * MemoryLayout<Float>.stride
        var result: [Float] = []
        for (i, (number, stage)) in stages.enumerated() {
            let slot = slots[i].base
            if number > 0, shape.rank(of: number - 1) != engine.rank {
                let id = try engine.endpoint.startReceive(
                    into: UnsafeMutableRawBufferPointer(start: stage.input(slot), count: bytes),
                    from: plan.worldRank(replica: 0, rank: shape.rank(of: number - 1)), tag: engine.tags.generation)
                try engine.endpoint.wait(id, for: "generation at stage \(number)")
            } else if number > 0 {
                stage.input(slot).update(from: output.base, count: tokens.count * m.dim)
            }
            let context = stage.context(
                slice: slice, tokens: number == 0 ? UnsafePointer(ids.base) : nil, targets: nil, lossScale: 0,
                dropout: nil)
            stage.forward(
                context, slot: slot, entry: states[i].base, exit: exits[i].base,
                prefix: Stage.Prefix(values: prefixes[i].base, tokens: longest, first: slice.start),
                output: output.base)
            swap(&states[i], &exits[i])
            if number == plan.lastStage {
                let logits = stage.output!.logits(stash: stage.stash(slot, of: stage.blocks.count - 1))
                let last = logits + (tokens.count - 1) * m.vocabulary
                result = Array(UnsafeBufferPointer(start: last, count: m.vocabulary))
            } else if shape.rank(of: number + 1) != engine.rank {
                let id = try engine.endpoint.startSend(
                    UnsafeRawBufferPointer(start: output.base, count: bytes),
                    to: plan.worldRank(replica: 0, rank: shape.rank(of: number + 1)), tag: engine.tags.generation)
                try engine.endpoint.wait(id, for: "generation at stage \(number)")
            }
        }
        return result
    }

    private lazy var output = FloatBuffer(length * engine.plan.model.dim)
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
