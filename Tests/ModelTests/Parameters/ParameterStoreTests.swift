import Hardware
import Model
import Numerics
import Testing

@Suite struct ParameterStoreTests {
    @Test func tensorsAreAlignedUnlessTheyJoinTheOneBefore() throws {
        let store = ParameterStore([
            ParameterSpec("a", [3, 5], .constant(1)), ParameterSpec("b", [7], .constant(2)),
            ParameterSpec("c", [2], .constant(3), joinsPrevious: true), ParameterSpec("d", [1], .constant(4)),
        ])
        let offsets = store.entries.map(\.offset)
        #expect(offsets == [0, 16, 23, 32])
        #expect(Int(bitPattern: store.values.base) % 64 == 0)
        store.initialize(seed: 1, Team(serial: ()))
        #expect(store.entries.map { store.values.base[$0.offset] } == [1, 2, 3, 4])
        #expect(try #require(store.value("c")) == store.values.base + 23)
        #expect(try #require(store.gradient("d")) == store.gradients.base + 32)
        #expect(store["e"] == nil && store.value("e") == nil && store.gradient("e") == nil)
    }

    @Test func momentsOfOtherReplicasTakeNoMemory() throws {
        let specs = [
            ParameterSpec("a", [3, 5], .constant(1)), ParameterSpec("b", [7], .constant(2)),
            ParameterSpec("c", [2], .constant(3), joinsPrevious: true), ParameterSpec("d", [20], .constant(4)),
        ]
        let all = ParameterStore(specs)
        let some = ParameterStore(specs, keepsMoments: [true, false, true, true])
        #expect(some.entries.map(\.offset) == all.entries.map(\.offset))
        #expect(some.entries.map(\.momentOffset) == [0, nil, 16, 32])
        #expect(all.entries.map(\.momentOffset) == all.entries.map { .some($0.offset) })
        #expect([some.values.count, some.gradients.count] == [52, 52])
        #expect([some.firstMoments.count, some.secondMoments.count] == [52, 52])
        #expect(ParameterStore(specs, keepsMoments: [false, false, false, true]).firstMoments.count == 20)
        #expect(some.moments(some.entries[1]) == nil)
        #expect(try #require(some.moments(some.entries[3])).second == some.secondMoments.base + 32)
    }

    @Test func aStoreThatDoesNotTrainHasNoGradients() {
        let store = ParameterStore([ParameterSpec("a", [30], .constant(1))], trains: false)
        #expect(store.values.count == 30)
        #expect(store.gradients.count == 0 && store.firstMoments.count == 0 && store.secondMoments.count == 0)
    }
}
