import TestSupport
import Testing

/// What steps after the first allocate, counted by a program whose malloc counts.
@Suite struct AllocationTests {
    /// Calls of malloc and its relatives in each of the steps 3 to 5.
    private func calls(stages: Int, layers: Int, slices: Int) async throws -> [Int] {
        let run = try await Mpirun.run("allocation-probe", ["\(stages)", "\(layers)", "\(slices)"], ranks: 0)
        try #require(run.exitCode == 0, "\(run.output)")
        return run.output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 4 && words[0] == "step" ? Int(words[2]) : nil
        }
    }

    @Test(arguments: [1, 2])
    func layersAllocateNothing(stages: Int) async throws {
        let few = try await calls(stages: stages, layers: 2, slices: 8)
        let many = try await calls(stages: stages, layers: 6, slices: 8)
        #expect(few.count == 3 && many.count == 3)
        // A step makes its report; a hook that counts nothing would find not even that. Ranks that wait for each other vary a little.
        #expect(few.allSatisfy { $0 > 0 })
        #expect(try #require(many.min()) - #require(few.min()) <= (stages == 1 ? 0 : 4), "\(few), then \(many)")
    }

    /// A slice's plan, and what the rank tells the watchdog: a few small ones per slice and action, whatever the layers.
    @Test(arguments: [1, 2])
    func slicesAllocateNextToNothing(stages: Int) async throws {
        let few = try await calls(stages: stages, layers: 2, slices: 4)
        let many = try await calls(stages: stages, layers: 2, slices: 12)
        #expect(try #require(many.min()) - #require(few.min()) <= 8 * 8 * stages, "\(few), then \(many)")
        #expect(try #require(few.min()) <= 120 * stages, "\(few)")
    }
}
