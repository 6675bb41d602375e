import Hardware
import Numerics
import Schedules

/// Runs a rank's row of a table: waits for what an action needs, lets the action's stage compute, and sends on its way
/// what that made.
final class TableExecutor {
    private let rank: RankContext
    private let buffers: BufferPool
    private let elements: [Int]
    private let messages: MessagePump
    private let progress: MessageProgress
    /// Outputs that wait for a stage on this very rank.
    private var handedOver: [Handover: FloatBuffer] = [:]
    /// Seconds that the latest run waited for messages and memory.
    private(set) var waited = 0.0

    private struct Handover: Hashable {
        let direction: MessageDirection
        let stage, sequence, slice: Int
    }

    /// - Parameters:
    ///   - buffers: of activations between stages, [T, D], for the longest slice
    ///   - elements: by slice, numbers of its activations
    ///   - wire: how they travel
    init(_ rank: RankContext, _ progress: MessageProgress, buffers: BufferPool, elements: [Int], wire: WireFormat) {
        self.rank = rank
        self.progress = progress
        self.buffers = buffers
        self.elements = elements
        messages = MessagePump(rank, buffers: buffers, elements: elements, wire: wire)
    }

    /// Before a run: posts the first receives.
    func begin(_ messages: Messages) throws {
        waited = 0
        try self.messages.begin(messages)
    }

    /// Runs the row that `begin` had the messages of. Afterwards everything sent has left.
    ///
    /// - Throws: what went wrong, with rank, stage, replica and action; but as it is what another rank's failure or a
    ///   wait in vain says
    func run(_ row: [Action], _ work: some TableWork) throws {
        for (position, action) in row.enumerated() {
            rank.heartbeat.turn(to: work.activity(of: action, at: position))
            do {
                try run(action, at: position, work)
                try progress.check()
            } catch let error as TransportError {
                // A cancelled transport speaks of the rank that failed, a wait in vain of the action; anything else
                // happened here.
                switch error {
                case .cancelled, .timedOut: throw error
                default: throw PipelineError("rank \(rank.endpoint.rank), \(describe(action)): \(error)")
                }
            }
        }
        try rank.team.alone(as: .communication) { try messages.finish() }
        precondition(handedOver.isEmpty, "activations handed over within a rank must be used")
    }

    /// On the timeline an action begins when it has all that it needs and ends when its product is on its way: only
    /// waiting lies between two actions of a rank.
    private func run(_ action: Action, at position: Int, _ work: some TableWork) throws {
        let (isFirst, isLast) = (action.stage == 0, action.stage == rank.plan.lastStage)
        waited += try work.begin(action, at: position)
        defer { work.end(action, at: position) }
        rank.team.clock?.enter(action.kind.part)
        let tracer = work.tracer
        var start = tracer.map { _ in Tracer.Moment.now }
        switch action.kind {
        case .forward:
            if !isFirst {
                let arrived = try take(.activation, action, at: position, from: action.stage - 1, tracer)
                start = tracer.map { _ in Tracer.Moment.now }
                work.accept(arrived, for: action, at: position)
                buffers.giveBack(arrived)
            }
            let output = buffers.take()
            work.forward(action, at: position, output: output.base)
            if isLast {
                buffers.giveBack(output)
            } else {
                try pass(output, .activation, action, at: position, tracer)
            }
        case .recompute:
            let scratch = buffers.take()
            work.recompute(action, at: position, scratch: scratch.base)
            buffers.giveBack(scratch)
        case .backward, .backwardInput:
            let gradient =
                isLast ? buffers.take() : try take(.gradient, action, at: position, from: action.stage + 1, tracer)
            start = tracer.map { _ in Tracer.Moment.now }
            work.backward(action, at: position, gradient: gradient.base)
            if isFirst {
                buffers.giveBack(gradient)
            } else {
                try pass(gradient, .gradient, action, at: position, tracer)
            }
        case .backwardWeight:
            work.accumulateWeightGradients(action, at: position)
        }
        if let tracer, let start { tracer.span(.action(action), since: start) }
    }

    /// What another stage made for this action: from a message, or handed over within the rank.
    private func take(
        _ direction: MessageDirection, _ action: Action, at position: Int, from stage: Int, _ tracer: Tracer?
    ) throws -> FloatBuffer {
        let key = Handover(direction: direction, stage: stage, sequence: action.sequence, slice: action.slice)
        if let buffer = handedOver.removeValue(forKey: key) { return buffer }
        guard messages.needsMessage(at: position) else {
            preconditionFailure("\(describe(action)): nothing was handed over and no message is due")
        }
        let start = MonotonicClock.seconds
        let (message, buffer) = try rank.team.alone(as: .waiting) { try messages.receive(for: describe(action)) }
        let end = MonotonicClock.seconds
        waited += end - start
        tracer?.arrived(message, at: end)
        return buffer
    }

    /// Sends a buffer to the next stage in its direction, or keeps it for that stage where it lives on this rank.
    private func pass(
        _ buffer: FloatBuffer, _ direction: MessageDirection, _ action: Action, at position: Int, _ tracer: Tracer?
    ) throws {
        guard messages.producesMessage(at: position) else {
            handedOver[
                Handover(
                    direction: direction, stage: action.stage, sequence: action.sequence, slice: action.slice)] = buffer
            return
        }
        let bytes = elements[action.slice] * MemoryLayout<Float>.stride
        let ready = MonotonicClock.seconds
        let message = try rank.team.alone(as: .communication) { try messages.send(buffer) }
        tracer?.departed(message, action, at: ready, bytes: bytes)
    }

    private func describe(_ action: Action) -> String {
        "stage \(action.stage) of replica \(rank.replica), action \(action)"
    }
}

extension ActionKind {
    /// Where a breakdown counts the action.
    fileprivate var part: StepPart {
        switch self {
        case .forward: .forward
        case .recompute: .recompute
        case .backward, .backwardInput, .backwardWeight: .backward
        }
    }
}
