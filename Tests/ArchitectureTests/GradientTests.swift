import Hardware
import Model
import Numerics
import Testing

/// The test architecture's gradients are those of its equations: otherwise equal bits would prove little.
@Suite struct LeakyGradientTests {
    private static let tokens: [Int32] = (0..<21).map { Int32(($0 * 7 + $0 * $0) % 11) }

    /// Loss and gradients of a model in slices that end at `ends`, with parameters moved by `shift`.
    private static func run(
        _ model: LeakyModel, ends: [Int], gradients: Bool = true, shift: (ParameterStore) -> Void = { _ in }
    ) -> (loss: Double, store: ParameterStore) {
        let length = tokens.count - 1
        let longest = zip(ends, [0] + ends).map { $0 - $1 }.max() ?? 0
        let stage = Stage(
            of: model, model.parts, shape: SliceShape(length: longest, aligned: false),
            matrices: TileProducts(Team(serial: ())))
        stage.store.initialize(seed: 4, Team(serial: ()))
        shift(stage.store)
        stage.beginStep()
        var slices: [(shared: any SharedSlice, slot: FloatBuffer, start: Int)] = []
        var state = FloatBuffer(stage.stateCount)
        let rows = (0..<2).map { _ in FloatBuffer(stage.prefixWidth * length) }
        func prefix(_ start: Int, gradients: Bool) -> Stage.Prefix {
            Stage.Prefix(
                values: rows[0].base, gradients: gradients ? rows[1].base : nil, tokens: length, first: start)
        }
        stage.initialState(state.base)
        let output = FloatBuffer(longest * model.dim)
        var (cursor, loss) = (model.cursor.start, 0.0)
        tokens.withUnsafeBufferPointer { tokens in
            func context(_ shared: any SharedSlice, _ start: Int) -> SliceContext {
                stage.context(
                    slice: shared, tokens: tokens.baseAddress! + start, targets: tokens.baseAddress! + start + 1,
                    lossScale: 1 / Float(length), dropout: nil)
            }
            for (start, end) in zip([0] + ends, ends) {
                let shared = model.makeSlice()
                shared.move(to: cursor, length: end - start, tokens: tokens.baseAddress! + start)
                let (slot, exit) = (FloatBuffer(stage.slotCount), FloatBuffer(stage.stateCount))
                stage.forward(
                    context(shared, start), slot: slot.base, entry: state.base, exit: exit.base,
                    prefix: prefix(start, gradients: false), output: output.base)
                (cursor, state) = (shared.exit, exit)
                loss += stage.output!.lossSum / Double(length)
                slices.append((shared, slot, start))
            }
            guard gradients else { return }
            let (gradientSlot, stateGradient) = (FloatBuffer(stage.gradientSlotCount), FloatBuffer(stage.stateCount))
            for (shared, slot, start) in slices.reversed() {
                stage.backward(
                    context(shared, start),
                    .init(
                        slot: slot.base, gradientSlot: gradientSlot.base, gradient: output.base,
                        stateGradient: stateGradient.base, prefix: prefix(start, gradients: true)))
                stage.accumulateWeightGradients(
                    context(shared, start), slot: slot.base, gradientSlot: gradientSlot.base)
            }
        }
        return (loss, stage.store)
    }

    /// With layers of two and of three kinds.
    static let models = [LeakyModel(), LeakyModel(layers: 6, hasMeans: true)].map { given in
        var model = given
        model.resolve(for: TextNeeds(vocabulary: 11, documentMark: 3))
        return model
    }

    @Test(arguments: models.indices) func agreeWithFiniteDifferences(number: Int) {
        let model = Self.models[number]
        let (_, store) = Self.run(model, ends: [20])
        for entry in store.entries {
            let name = entry.spec.name
            let direction = (0..<entry.count).map { Float(($0 * 37) % 7 - 3) / 3 }
            let slope = (0..<entry.count).reduce(0.0) { $0 + Double(direction[$1]) * Double(store.gradient(name)![$1]) }
            func loss(_ step: Float) -> Double {
                Self.run(model, ends: [20], gradients: false) { store in
                    for i in 0..<entry.count { store.value(name)![i] += step * direction[i] }
                }.loss
            }
            let found = (loss(1e-2) - loss(-1e-2)) / 2e-2
            #expect(abs(found - slope) < 3e-3 * max(0.05, abs(slope)), "\(name): \(slope), by differences \(found)")
            #expect(abs(slope) > 1e-5, "\(name) moves the loss")
        }
    }

    @Test(arguments: [[1, 2, 9, 20], Array(1...20), [10, 20]], models.indices)
    func areThoseOfTheWholeSequenceBitForBit(ends: [Int], number: Int) {
        let model = Self.models[number]
        let (whole, cut) = (Self.run(model, ends: [20]).store, Self.run(model, ends: ends).store)
        for entry in whole.entries {
            let (a, b) = (whole.gradient(entry.spec.name)!, cut.gradient(entry.spec.name)!)
            #expect((0..<entry.count).allSatisfy { a[$0].bitPattern == b[$0].bitPattern }, "\(entry.spec.name)")
        }
    }
}
