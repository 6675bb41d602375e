import Hardware
import Model
import Numerics
import Schedules

/// Hears of the stages' gradients while the rank still computes.
protocol GradientObserver: AnyObject {
    /// The gradients of a stage's block, and those of all blocks behind it, are final.
    func blockIsFinal(_ block: Int, of stage: Int)
}

/// A stage on its rank with all memory of its slices in flight, laid out from the table before the first step.
final class StageRuntime {
    let number: Int
    let stage: Stage
    let isFirst: Bool
    let isLast: Bool
    private let plan: PipelinePlan
    /// Memory of the slots of each family.
    let memory: StageSlots
    private let states: BufferPool
    private let slices: SharedSlices
    /// Where recomputes leave the exit state, which nobody needs.
    private let discarded: FloatBuffer
    private let cursors = CursorPool()
    /// Where each unit in flight stands in its stream.
    private var units: [Int: HeldCursor] = [:]
    /// The latest exit state of each sequence under way, and where its stream stands.
    private var streams: [Int: Stream] = [:]
    private var stateGradients: [Int: FloatBuffer] = [:]
    /// Rows of the tokens of whole sequences, and their gradients.
    private let rows: SequenceRows
    /// Streams mode: what each sequence ended the last step with.
    private var carried: [Int: Stream] = [:]
    /// Streams mode: what each sequence began this step with, until it is known whether the step counts.
    private var entered: [Int: Stream] = [:]
    private var evaluated: [Int: Stream] = [:]
    /// Actions of a step that give weight gradients, and those of the step under way that are still to come.
    private let weightGradients: Int
    private var weightGradientsLeft = 0
    /// Hears of blocks whose gradients are final.
    var observer: (any GradientObserver)?

    private struct Stream {
        let cursor: HeldCursor
        let state: FloatBuffer
    }

    init(
        _ number: Int, of rank: RankContext, shape: SliceShape, matrices: any MatrixProducts, slices: SharedSlices
    ) {
        let plan = rank.plan
        self.number = number
        self.plan = plan
        self.slices = slices
        isFirst = number == 0
        isLast = number == plan.lastStage
        weightGradients = plan.table.rows[rank.rank].count { $0.stage == number && $0.kind.givesWeightGradient }
        stage = Stage(
            of: plan.model, plan.parts(of: number), shape: shape, matrices: matrices,
            splitsWeightGradients: plan.splitsWeightGradients(of: number),
            parameters: .own(keepsMoments: plan.keepsMoments(replica: rank.replica, stage: number)))
        memory = StageSlots(
            plan.slotSizes(of: stage), counts: plan.slots.stages[number], paged: plan.stashDirectory != nil)
        states = BufferPool(stage.stateCount)
        rows = SequenceRows(stage, plan)
        discarded = FloatBuffer(plan.slots.stages[number].light > 0 ? stage.stateCount : 0)
    }

    /// Before a step's first action.
    func beginStep() {
        weightGradientsLeft = weightGradients
        stage.beginStep()
    }

    /// The memory in which a slice's input is put before its forward.
    func input(_ slots: SlotNumbers) -> UnsafeMutablePointer<Float> {
        slots.light >= 0 ? memory[.light, slots.light] + stage.stateCount : stage.input(memory[.full, slots.full])
    }

    struct Inputs {
        let tokens: UnsafePointer<Int32>
        let targets: UnsafePointer<Int32>
        let lossScale: Float
        let dropout: DropoutStream?
    }

    private func context(_ unit: Int, _ inputs: Inputs) -> SliceContext {
        guard let held = units[unit] else { preconditionFailure("stage \(number): unit \(unit) isn't in flight") }
        return context(slices.slice(of: unit, at: held.value, tokens: inputs.tokens), inputs)
    }

    private func context(_ slice: any SharedSlice, _ inputs: Inputs) -> SliceContext {
        stage.context(
            slice: slice, tokens: isFirst ? inputs.tokens : nil, targets: isLast ? inputs.targets : nil,
            lossScale: inputs.lossScale, dropout: inputs.dropout)
    }

    /// Starts or goes on with a sequence: its state before the slice.
    private func entry(sequence: Int, slice: Int, restart: Bool) -> Stream {
        if slice > 0 { return streams[sequence]! }
        if !restart, let stream = carried.removeValue(forKey: sequence) {
            stream.cursor.value.firstKept = max(0, stream.cursor.value.position - plan.streamContext)
            return stream
        }
        if let old = carried.removeValue(forKey: sequence) { giveBack(old) }
        return freshStream()
    }

    /// The rows of a sequence for one of its slices; nil where no block keeps any.
    private func prefix(_ sequence: Int, slice: Int) -> Stage.Prefix? {
        rows.prefix(sequence, start: plan.cut.start(of: slice))
    }

    private func freshStream() -> Stream {
        let state = states.take()
        stage.initialState(state.base)
        return Stream(cursor: cursors.take(plan.cursor.start), state: state)
    }

    private func giveBack(_ stream: Stream) {
        cursors.giveBack(stream.cursor)
        states.giveBack(stream.state)
    }

    /// The number of an action's unit within the step.
    private func unit(_ action: Action) -> Int { action.sequence * plan.slices + action.slice }

    /// A slice's forward from a stream's state on.
    /// - Returns: the state after it
    private func forward(
        _ action: Action, from stream: Stream, _ context: SliceContext, slot: UnsafeMutablePointer<Float>,
        output: UnsafeMutablePointer<Float>
    ) -> FloatBuffer {
        let exit = states.take()
        if action.slice == 0 {
            let cursor = stream.cursor.value
            rows.begin(action.sequence, before: cursor.position - cursor.firstKept)
        }
        stage.forward(
            context, slot: slot, entry: stream.state.base, exit: exit.base,
            prefix: prefix(action.sequence, slice: action.slice), output: output)
        return exit
    }

    /// The forward of a unit. With a light slot, input and entry state are kept and the activations dropped.
    ///
    /// - Parameter restart: the sequence begins anew
    func forward(
        _ action: Action, _ slots: SlotNumbers, _ inputs: Inputs, restart: Bool, output: UnsafeMutablePointer<Float>
    ) {
        let (sequence, slice) = (action.sequence, action.slice)
        let stream = entry(sequence: sequence, slice: slice, restart: restart)
        units[unit(action)] = stream.cursor
        let context = context(unit(action), inputs)
        let slot = memory[.full, slots.full]
        if slots.light >= 0 {
            let light = memory[.light, slots.light]
            light.update(from: stream.state.base, count: stage.stateCount)
            stage.input(slot).update(
                from: light + stage.stateCount, count: plan.cut.length(of: action.slice) * plan.model.dim)
        }
        let exit = forward(action, from: stream, context, slot: slot, output: output)
        // The cursor stays with the unit until its last use.
        if plan.streams, slice == 0 {
            entered[sequence] = Stream(cursor: cursors.take(stream.cursor.value), state: stream.state)
        } else {
            states.giveBack(stream.state)
        }
        let next = Stream(cursor: cursors.take(context.slice.exit), state: exit)
        next.cursor.value.firstKept = stream.cursor.value.firstKept
        if slice + 1 < plan.slices {
            streams[sequence] = next
        } else {
            streams[sequence] = nil
            if plan.streams {
                carried[sequence] = next
                rows.leave(sequence)
            } else {
                giveBack(next)
            }
        }
    }

    /// Where an evaluation's slices are computed: a slot that no unit holds between steps.
    private var evaluationSlot: UnsafeMutablePointer<Float> { memory[.full, 0] }
    var evaluationInput: UnsafeMutablePointer<Float> { stage.input(evaluationSlot) }

    /// A forward without a backward. Sequences begin anew and may be as many as one likes.
    func evaluate(_ action: Action, _ inputs: Inputs, output: UnsafeMutablePointer<Float>) {
        let (sequence, slice) = (action.sequence, action.slice)
        let stream = slice == 0 ? freshStream() : evaluated[sequence]!
        let shared = slices.slice(of: unit(action), at: stream.cursor.value, tokens: inputs.tokens)
        let exit = forward(action, from: stream, context(shared, inputs), slot: evaluationSlot, output: output)
        if slice == plan.slices - 1 { rows.end(sequence) }
        states.giveBack(stream.state)
        stream.cursor.value.become(shared.exit)
        let next = Stream(cursor: stream.cursor, state: exit)
        if slice + 1 < plan.slices {
            evaluated[sequence] = next
        } else {
            evaluated[sequence] = nil
            giveBack(next)
        }
    }

    /// Computes a unit's activations again from its kept input and entry state: the same numbers, since the kernels are
    /// the same.
    func recompute(_ action: Action, _ slots: SlotNumbers, _ inputs: Inputs, output: UnsafeMutablePointer<Float>) {
        let slot = memory[.full, slots.full]
        let light = memory[.light, slots.light]
        stage.input(slot).update(
            from: light + stage.stateCount, count: plan.cut.length(of: action.slice) * plan.model.dim)
        // The rows are written again as they are.
        stage.forward(
            context(unit(action), inputs), slot: slot, entry: light, exit: discarded.base,
            prefix: prefix(action.sequence, slice: action.slice), output: output)
    }

    /// `gradient` [T, D] holds the output's gradient and receives the input's.
    func backward(
        _ action: Action, _ slots: SlotNumbers, _ inputs: Inputs, gradient: UnsafeMutablePointer<Float>
    ) {
        let (sequence, slice) = (action.sequence, action.slice)
        if slice == plan.slices - 1 { beginGradients(sequence) }
        let stateGradient = stateGradients[sequence]!
        let context = context(unit(action), inputs)
        let work = Stage.Backward(
            slot: memory[.full, slots.full], gradientSlot: memory[.gradient, slots.gradient], gradient: gradient,
            stateGradient: stateGradient.base, prefix: prefix(sequence, slice: slice))
        let accumulates = action.kind.givesWeightGradient
        if accumulates { weightGradientsLeft -= 1 }
        for block in stage.blocks.indices.reversed() {
            stage.backward(block: block, context, work, accumulates: accumulates)
            if accumulates { added(block) }
        }
        if accumulates { retire(unit(action)) }
        if slice == 0 {
            states.giveBack(stateGradient)
            stateGradients[sequence] = nil
            rows.end(sequence)
        }
    }

    /// Gradients of the state and the rows of a sequence whose last slice goes back.
    private func beginGradients(_ sequence: Int) {
        let fresh = states.take()
        fresh.clear()
        stateGradients[sequence] = fresh
        rows.beginGradients(sequence)
    }

    func accumulateWeightGradients(_ action: Action, _ slots: SlotNumbers, _ inputs: Inputs) {
        let context = context(unit(action), inputs)
        weightGradientsLeft -= 1
        for block in stage.blocks.indices.reversed() {
            stage.accumulateWeightGradients(
                block: block, context, slot: memory[.full, slots.full],
                gradientSlot: memory[.gradient, slots.gradient])
            added(block)
        }
        retire(unit(action))
    }

    /// A block has added its gradients of a unit. Of the stage's last weight gradient they are final: they go on their
    /// way while the next block computes.
    private func added(_ block: Int) {
        guard weightGradientsLeft == 0 else { return }
        stage.endStep(block: block)
        observer?.blockIsFinal(block, of: number)
    }

    /// The unit is no longer in flight.
    private func retire(_ unit: Int) {
        if let cursor = units.removeValue(forKey: unit) { cursors.giveBack(cursor) }
    }

    /// Streams mode, between steps: what each sequence goes on from.
    var carriedStreams: [(sequence: Int, cursor: StreamCursor, state: UnsafePointer<Float>)] {
        carried.sorted { $0.key < $1.key }.map { ($0.key, $0.value.cursor.value, UnsafePointer($0.value.state.base)) }
    }

    /// The same of the rows of tokens before; nil where the stream has begun anew or no block keeps any.
    func carriedRows(_ sequence: Int) -> UnsafePointer<Float>? { rows.carriedRows(sequence) }

    /// Floats of the rows that each stream keeps from step to step.
    var carriedRowCount: Int { rows.carriedCount }

    /// The parts of those rows for a stream that stands at a cursor.
    func rowTensors(at cursor: StreamCursor) -> [StateTensor] {
        stage.prefixTensors(rows: min(plan.streamContext, cursor.position), tokens: plan.streamContext)
    }

    /// Sets what a sequence goes on from; `fill` writes every part of the state and of the rows.
    func setCarried(
        sequence: Int, cursor: StreamCursor,
        fill: (_ state: UnsafeMutablePointer<Float>, _ rows: UnsafeMutablePointer<Float>) throws -> Void
    ) rethrows {
        let stream = carried[sequence] ?? Stream(cursor: cursors.take(cursor), state: states.take())
        carried[sequence] = stream
        stream.cursor.value.become(cursor)
        // Paddings between the parts are never read; zeros keep them from holding anything odd.
        stream.state.clear()
        try fill(stream.state.base, rows.setCarried(sequence))
    }

    /// Streams mode, at a step's end: on with the new states; or back to the old ones, when the step is skipped because
    /// its own, too, may hold what is not a number.
    func settleStreams(skipped: Bool) {
        for (sequence, before) in entered {
            guard skipped else {
                giveBack(before)
                continue
            }
            if let spoiled = carried.updateValue(before, forKey: sequence) { giveBack(spoiled) }
        }
        entered.removeAll(keepingCapacity: true)
        rows.settle(skipped: skipped)
    }

    /// Nothing may be left in flight after a step.
    var isDrained: Bool { units.isEmpty && streams.isEmpty && stateGradients.isEmpty && rows.isEmpty }

    /// The sum of the latest forward's token losses, on the last stage.
    var lossSum: Double { stage.output?.lossSum ?? 0 }
    /// Those losses, of at least as many tokens as the slice has.
    var tokenLosses: [Double] { stage.output?.tokenLosses ?? [] }
}
