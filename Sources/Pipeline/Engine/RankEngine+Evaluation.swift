import Schedules

extension RankEngine {
    /// Sum of the token losses of this replica's sequences (any number of them) in nats, over all replicas; parameters
    /// as they are. Every replica must bring equally many sequences.
    func evaluate(_ batch: Batch) throws -> Double {
        load(batch)
        for place in places { place.stage.beginStep(trains: false) }
        let table = try plan.forwardTable(sequences: batch.sequences)
        try messages.begin(Messages(table))
        let row = table.rows[rank]
        for (position, action) in row.enumerated() {
            pulse.turn(to: StepActivity.evaluates(row, position: Int32(position)))
            let place = place(of: action.stage)
            let o = offset(action)
            let inputs = StagePlace.Inputs(
                tokens: tokens.base + o, targets: targets.base + o, lossScale: 0, dropout: nil)
            let input =
                place.isFirst ? nil : try take(.activation, action, at: position, from: action.stage - 1)
            let output = activationBuffers.take()
            place.evaluate(
                sequence: action.sequence, slice: action.slice, inputs: inputs, input: input, output: output.base)
            if let input { activationBuffers.giveBack(input) }
            if place.isLast {
                unitLosses[unit(action)] = place.lossSum
                activationBuffers.giveBack(output)
            } else {
                try pass(output, .activation, action, at: position, to: action.stage + 1)
            }
        }
        try messages.finish()
        let own = places.contains { $0.isLast } ? unitLosses[..<(batch.sequences * plan.slices)].reduce(0, +) : 0
        return try endpoint.allGather([own]).reduce(0) { $0 + $1[0] }
    }
}
