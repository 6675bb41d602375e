import Hardware
import Kernels
import Model
import Numerics

/// Trains a small model for one step of two slices on one thread, so that a profiler can count the instructions of
/// every kernel: each runs on the same numbers in every run. What only other models need is called by itself. It prints
/// the CPU level of the kernels.
@main
enum KernelProbe {
    static func main() {
        var c = Architectures.known.standard.init()
        for (key, value) in [
            ("layers", 1), ("dim", 160), ("z_dim", 64), ("value_dim", 160), ("ffn_dim", 192), ("chunk", 64),
            ("norm_groups", 16), ("vocabulary", 128),
        ] { c.set(key, to: value) }
        c.resolve(for: TextNeeds(vocabulary: c.vocabulary, documentMark: nil))
        let length = 128
        let slices = 2
        let team = Team(serial: ())
        let stage = Stage(
            of: c, c.parts, shape: SliceShape(length: length), matrices: TileProducts(team),
            splitsWeightGradients: false)
        let generator = CounterGenerator(seed: 1, stream: 1)
        // Small values of either sign; the real initialisation would cost more than everything else.
        for i in 0..<stage.store.values.count { stage.store.values.base[i] = Float((i * 7919) % 211 - 105) / 2000 }

        func buffers(_ count: Int, _ each: Int) -> [FloatBuffer] { (0..<count).map { _ in FloatBuffer(each) } }
        let slots = buffers(slices, stage.slotCount)
        let states = buffers(slices + 1, stage.stateCount)
        let (gradientSlot, gradient) = (FloatBuffer(stage.gradientSlotCount), FloatBuffer(length * c.dim))
        let tokens = (0...slices * length).map { Int32(generator.integer(UInt64($0), below: UInt64(c.vocabulary))) }

        stage.beginStep()
        stage.initialState(states[0].base)
        var cursor = c.cursor.start
        tokens.withUnsafeBufferPointer { tokens in
            var contexts: [SliceContext] = []
            for i in 0..<slices {
                let slice = c.makeSlice()
                let first = tokens.baseAddress! + i * length
                slice.move(to: cursor, length: length, tokens: first)
                cursor = slice.exit
                contexts.append(
                    stage.context(
                        slice: slice, tokens: first, targets: first + 1, lossScale: 1 / Float(slices * length),
                        dropout: nil))
                stage.forward(
                    contexts[i], slot: slots[i].base, entry: states[i].base, exit: states[i + 1].base,
                    output: gradient.base)
            }
            let stateGradient = FloatBuffer(stage.stateCount)
            for i in (0..<slices).reversed() {
                stage.backward(
                    contexts[i],
                    .init(
                        slot: slots[i].base, gradientSlot: gradientSlot.base, gradient: gradient.base,
                        stateGradient: stateGradient.base), accumulates: true)
            }
        }
        stage.endStep()
        let store = stage.store
        for tensor in store.entries.compactMap(store.updated) {
            AdamW().update(team, tensor, AdamW.Step(number: 1, rate: 1e-3, clip: 1))
        }
        runCumulativeNorm()
        ContinuedAttentionKernels.run()
        DampedLayerKernels.run()
        print("level \(KernelTable.best.level)")
    }

    /// Forward and backward of as many tokens as the model's own norm sees at a time.
    private static func runCumulativeNorm() {
        let (rows, features, groups) = (128, 160, 16)
        func small(_ count: Int) -> FloatBuffer {
            let values = FloatBuffer(count)
            for i in 0..<count { values.base[i] = Float((i * 7919) % 211 - 105) / 200 }
            return values
        }
        let (x, dy, parameters) = (small(rows * features), small(rows * features), small(2 * features))
        let shares = FloatBuffer(rows)
        for t in 0..<rows { shares.base[t] = 1 / Float(t + 1) }
        let (y, dx, gradients) = (FloatBuffer(x.count), FloatBuffer(x.count), FloatBuffer(2 * features))
        let (means, scales) = (FloatBuffer(rows * groups), FloatBuffer(rows * groups))
        let (moments, momentGradients, scratch) = (FloatBuffer(4 * groups), small(4 * groups), FloatBuffer(3 * groups))
        let norms = KernelTable.best.sequences.timestepNorms
        let share = GroupShare(shape: GroupedShape(rows: rows, features: features, groups: groups), groups: 0..<groups)
        norms.cumulativeNorm(
            CumulativeNormArguments(
                y: y.base, means: means.base, scales: scales.base,
                moments: CumulativeMoments(mean: moments.base, variance: moments.base + 2 * groups), x: x.base,
                parameters: TimestepNormParameters(weight: parameters.base, bias: parameters.base + features),
                weights: CumulativeWeights(shares: shares.base, eps: 1e-5), share: share))
        norms.cumulativeNormBackward(
            CumulativeNormBackwardArguments(
                dx: dx.base,
                parameterGradients: TimestepNormParameterGradients(
                    weight: gradients.base, bias: gradients.base + features),
                momentGradients: CumulativeMoments(
                    mean: momentGradients.base, variance: momentGradients.base + 2 * groups), dy: dy.base,
                forward: TimestepNormed(x: x.base, weight: parameters.base, means: means.base, scales: scales.base),
                shares: shares.base, share: share, scratch: scratch.base))
    }
}
