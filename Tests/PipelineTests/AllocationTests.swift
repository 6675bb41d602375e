import TestSupport
import Testing

/// What steps after the first allocate, counted by a program whose malloc counts.
@Suite struct AllocationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let stages: Int
        /// Under mpirun, or all ranks in one process.
        let mpi: Bool
        let threads: Int
        /// Of a step as a whole: docs/performance.md, Allocations, tells where they come from.
        let most: Int
        var matrices = "tiles"

        var testDescription: String {
            "\(stages) stages \(mpi ? "under MPI" : "in memory"), \(threads) threads each, \(matrices)"
        }
    }

    static let cases = [
        Case(stages: 1, mpi: false, threads: 1, most: 3), Case(stages: 1, mpi: false, threads: 2, most: 3),
        Case(stages: 2, mpi: false, threads: 1, most: 30), Case(stages: 2, mpi: true, threads: 1, most: 3),
        Case(stages: 2, mpi: true, threads: 2, most: 3),
        Case(stages: 1, mpi: false, threads: 2, most: 3, matrices: "openblas"),
    ]

    /// Calls of malloc and its relatives in a step after the second that are not MPI's own: what most of forty steps
    /// (and processes) take. A rank that is held up may tell so, and the one that waits for it take another buffer, or
    /// one less.
    private func calls(_ c: Case, layers: Int, slices: Int) async throws -> Int {
        let run = try await Mpirun.run(
            "allocation-probe", ["\(c.stages)", "\(layers)", "\(slices)", "\(c.threads)", c.matrices],
            ranks: c.mpi ? c.stages : 0)
        try #require(run.exitCode == 0, "\(run.output)")
        let calls = run.output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 8 && words[0] == "step" ? Int(words[2]) : nil
        }
        try #require(calls.count == 40 * (c.mpi ? c.stages : 1), "\(run.output)")
        let steps = Dictionary(grouping: calls) { $0 }.mapValues(\.count)
        return try #require(steps.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key)
    }

    /// Whatever the layers and slices, a step allocates the same: in its stage loop nothing.
    @Test(arguments: cases) func layersAndSlicesAllocateNothing(_ c: Case) async throws {
        // Other tests may hold a rank's core all the while, and a worker that is moved to another core costs calls: what
        // a step itself takes is the least of several runs.
        let models: [(layers: Int, slices: Int)] = [(2, 4), (6, 4), (2, 12)]
        var least = models.map { _ in Int.max }
        for _ in 0..<6 where Set(least).count > 1 || least[0] > c.most {
            for (i, model) in models.enumerated() {
                least[i] = min(least[i], try await calls(c, layers: model.layers, slices: model.slices))
            }
        }
        // A step makes its report; a hook that counts nothing would find not even that.
        #expect(least[0] > 0 && least[0] <= c.most)
        #expect(Set(least).count == 1, "\(models): \(least)")
    }
}
