import Hardware
import Model
import Numerics
import Schedules

extension RankEngine {
    /// Runs this rank's row of the plan's table: forwards, backwards, weight gradients. Afterwards every stage's
    /// gradient is complete, and on its way to the other replicas since its block had it.
    func runTable(_ batch: Batch, step: Int) throws {
        let row = plan.table.rows[rank]
        let slots = plan.slots.rows[rank]
        let scale = Float(1 / Double(max(1, batch.countedTargets)))
        for stage in gradientsLeft.indices { gradientsLeft[stage] = 0 }
        for action in row where action.kind.givesWeightGradient { gradientsLeft[action.stage] += 1 }
        for (position, action) in row.enumerated() {
            let place = place(of: action.stage)
            let inputs = inputs(of: action, batch: batch, scale: scale, step: step)
            pulse.turn(to: StepActivity.computes(row, position: Int32(position), step: Int32(step)))
            if action.kind.givesWeightGradient { gradientsLeft[action.stage] -= 1 }
            do {
                try run(action, at: position, place: place, slots: slots[position], inputs: inputs, batch: batch) {
                    // Of a stage's last weight gradient each block's is final: it goes on its way while the next block
                    // computes.
                    guard gradientsLeft[action.stage] == 0 else { return }
                    place.stage.endStep(block: $0)
                    let block = $0
                    moveMessages { try sync?.complete(block: block, of: action.stage) }
                }
                try checkMessages()
            } catch let error as PipelineError {
                throw error
            } catch let error as TransportError {
                // A cancelled transport speaks of the rank that failed, a wait in vain of the action; anything else
                // happened here.
                switch error {
                case .cancelled, .timedOut: throw error
                default: throw PipelineError("rank \(endpoint.rank), \(describe(action)): \(error)")
                }
            }
        }
        try team.alone(as: .communication) { try messages.finish() }
        pulse.turn(to: StepActivity.hasFinishedItsRow(step: Int32(step)))
        for place in places where !place.isDrained {
            preconditionFailure("stage \(place.number) still holds units after its row")
        }
        precondition(handedOver.isEmpty, "activations handed over within a rank must be used")
    }

    private func inputs(of action: Action, batch: Batch, scale: Float, step: Int) -> StagePlace.Inputs {
        let o = offset(action)
        return StagePlace.Inputs(
            tokens: tokens.base + o, targets: targets.base + o, lossScale: scale,
            dropout: plan.model.drops
                ? DropoutStream(seed: seed, step: step, sequence: batch.sequenceNumbers[action.sequence]) : nil)
    }

    /// On the timeline an action begins when it has all that it needs and ends when its product is on its way: only
    /// waiting lies between two actions of a rank. `added` hears of each block that has added its gradients.
    private func run(
        _ action: Action, at position: Int, place: StagePlace, slots: SlotNumbers, inputs: StagePlace.Inputs,
        batch: Batch, added: (_ block: Int) -> Void
    ) throws {
        let unit = unit(action)
        if let spool {
            let start = MonotonicClock.seconds
            try team.alone(as: .communication) { try spool.wait(for: slots, of: action.stage) { advance() } }
            waited += MonotonicClock.seconds - start
        }
        defer { spool?.carryOut(after: position) { self.place(of: $0).memory } }
        team.clock?.enter(action.kind.part)
        var start = tracer.map { _ in Tracer.Moment.now }
        switch action.kind {
        case .forward:
            if !place.isFirst {
                let arrived = try take(.activation, action, at: position, from: action.stage - 1)
                start = tracer.map { _ in Tracer.Moment.now }
                team.alone(as: .elementwise) {
                    place.input(slots).update(from: arrived.base, count: arrived.count)
                }
                activationBuffers.giveBack(arrived)
            }
            let output = activationBuffers.take()
            place.forward(
                sequence: action.sequence, slice: action.slice, place: slots, inputs: inputs,
                restart: !plan.streams || batch.restarts[action.sequence], output: output.base)
            if place.isLast {
                unitLosses[unit] = place.lossSum
                activationBuffers.giveBack(output)
            } else {
                try pass(output, .activation, action, at: position, to: action.stage + 1)
            }
        case .recompute:
            let output = activationBuffers.take()
            place.recompute(unit: unit, place: slots, inputs: inputs, output: output.base)
            activationBuffers.giveBack(output)
        case .backward, .backwardInput:
            let gradient =
                place.isLast
                ? activationBuffers.take() : try take(.gradient, action, at: position, from: action.stage + 1)
            start = tracer.map { _ in Tracer.Moment.now }
            place.backward(
                sequence: action.sequence, slice: action.slice, place: slots, inputs: inputs, gradient: gradient.base,
                accumulates: action.kind == .backward, added: added)
            if place.isFirst {
                activationBuffers.giveBack(gradient)
            } else {
                try pass(gradient, .gradient, action, at: position, to: action.stage - 1)
            }
        case .backwardWeight:
            place.accumulateWeightGradients(unit: unit, place: slots, inputs: inputs, added: added)
        }
        if let tracer, let start { tracer.span(.action(action), since: start) }
    }

    /// What another stage made for this action: from a message, or handed over within the rank.
    func take(_ direction: MessageDirection, _ action: Action, at position: Int, from stage: Int) throws -> FloatBuffer
    {
        let key = Handover(direction: direction, stage: stage, unit: unit(action))
        if let buffer = handedOver.removeValue(forKey: key) { return buffer }
        guard messages.needsMessage(at: position) else {
            preconditionFailure("\(describe(action)): nothing was handed over and no message is due")
        }
        let start = MonotonicClock.seconds
        let (message, buffer) = try team.alone(as: .waiting) { try messages.receive(for: describe(action)) }
        let end = MonotonicClock.seconds
        waited += end - start
        tracer?.arrived(message, at: end)
        return buffer
    }

    func pass(
        _ buffer: FloatBuffer, _ direction: MessageDirection, _ action: Action, at position: Int, to stage: Int
    ) throws {
        guard messages.producesMessage(at: position) else {
            handedOver[Handover(direction: direction, stage: action.stage, unit: unit(action))] = buffer
            return
        }
        let bytes = buffer.count * MemoryLayout<Float>.stride
        let ready = MonotonicClock.seconds
        let message = try team.alone(as: .communication) { try messages.send(buffer) }
        tracer?.departed(message, action, at: ready, bytes: bytes)
    }

    /// Runs a phase of the step, on the timeline if one is kept.
    func timed<Value>(_ phase: StepPhase, _ body: () throws -> Value) rethrows -> Value {
        guard let tracer else { return try body() }
        let start = Tracer.Moment.now
        let value = try body()
        tracer.span(.label(phase.rawValue), since: start)
        return value
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
