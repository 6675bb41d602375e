import Hardware
import Model
import Numerics
import Testing
import Verification

/// A forward is a function of its inputs: done again, into other memory, it leaves every bit alike.
@Suite struct RecomputationTests {
    @Test(arguments: [false, true]) func aForwardDoneAgainGivesTheSameBits(drops: Bool) {
        let model = SmallModel {
            $0.bosID = 0
            if drops { ($0.dropout, $0.hiddenDropout, $0.attentionDropout) = (0.2, 0.3, 0.25) }
        }
        let dropout = drops ? DropoutStream(seed: 1, step: 2, sequence: 3) : nil
        let run = model.run(dropout: dropout)
        let stage = run.stage
        stage.beginStep()
        // A carried state with something in it.
        let stream = ModelRun<GeckoConfiguration>.Stream(run)
        let (tokens, targets) = (model.tokens, model.targets)
        _ = run.forward(stream, tokens: Array(tokens[..<11]), targets: nil, lossScale: 0)
        let slice = Array(tokens[11...])
        let shared = run.slice(at: stream.cursor, tokens: slice)

        func once(garbage: Float) -> [[UInt32]] {
            let memory = [stage.slotCount, stage.stateCount].map { count in
                FloatBuffer([Float](repeating: garbage, count: count))
            }
            let output = FloatBuffer(model.length * model.configuration.dim)
            slice.withUnsafeBufferPointer { tokens in
                Array(targets[11...]).withUnsafeBufferPointer { targets in
                    let context = stage.context(
                        slice: shared, tokens: tokens.baseAddress, targets: targets.baseAddress, lossScale: 0.1,
                        dropout: dropout)
                    stage.forward(
                        context, slot: memory[0].base, entry: stream.state.copied.base, exit: memory[1].base,
                        output: output.base)
                }
            }
            // What each block handed on, the state handed on, and what the backward will find.
            let inputs = (1..<stage.blocks.count).flatMap { i in
                (0..<slice.count * model.configuration.dim).map { stage.input(memory[0].base, of: i)[$0].bitPattern }
            }
            let head = stage.output!.logits(stash: stage.stash(memory[0].base, of: stage.blocks.count - 1))
            let logits = (0..<slice.count * model.configuration.vocabulary).map { head[$0].bitPattern }
            let states = run.named(.init(copied: memory[1], prefix: FloatBuffer(0)), at: model.length).flatMap {
                $0.values.map(\.bitPattern)
            }
            return [inputs, logits, states]
        }
        let first = once(garbage: .nan)
        #expect(first == once(garbage: 1e30))
        #expect(!first.joined().contains { Float(bitPattern: $0).isNaN })
    }
}
