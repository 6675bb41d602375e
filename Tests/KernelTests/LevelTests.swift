import Kernels
import Testing

/// Levels 3 and 4 give the same bits: the same operations on the same 16 lanes in the same order, whatever registers
/// hold them. The baseline level may differ, for lack of a fused multiply-add it rounds products before it adds.
@Suite(.enabled(if: KernelTable.at(level: 4) != nil, "this CPU doesn't run level 4"))
struct LevelTests {
    @Test(arguments: KernelCases.all)
    func levelsThreeAndFourGiveTheSameBits(_ c: KernelCase) throws {
        let bits = try [3, 4].map { level in
            let memory = KernelMemory()
            c.run(try #require(KernelTable.at(level: level)), memory)
            return memory.results.map { $0.values.map(\.bitPattern) }
        }
        #expect(bits[0] == bits[1])
    }
}
