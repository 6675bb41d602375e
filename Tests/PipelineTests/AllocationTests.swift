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

    /// Calls of malloc and its relatives in a step after the second that are not MPI's own: the least of forty steps
    /// (and processes), since a rank that is held up for long may tell so, and the one that waits for it take another
    /// buffer. Other tests may hold its core all the while, and a worker that is moved to another core costs calls:
    /// then another run is made. What a step itself takes is in all of them.
    private func calls(_ c: Case, layers: Int, slices: Int) async throws -> Int {
        var least = Int.max
        for _ in 0..<6 where least > c.most {
            least = min(least, try await callsOnce(c, layers: layers, slices: slices))
        }
        return least
    }

    private func callsOnce(_ c: Case, layers: Int, slices: Int) async throws -> Int {
        let run = try await Mpirun.run(
            "allocation-probe", ["\(c.stages)", "\(layers)", "\(slices)", "\(c.threads)", c.matrices],
            ranks: c.mpi ? c.stages : 0)
        try #require(run.exitCode == 0, "\(run.output)")
        let calls = run.output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            return words.count == 8 && words[0] == "step" ? Int(words[2]) : nil
        }
        try #require(calls.count == 40 * (c.mpi ? c.stages : 1), "\(run.output)")
        return try #require(calls.min())
    }

    /// Whatever the layers and slices, a step allocates the same: in its stage loop nothing.
    @Test(arguments: cases) func layersAndSlicesAllocateNothing(_ c: Case) async throws {
        let few = try await calls(c, layers: 2, slices: 4)
        let layers = try await calls(c, layers: 6, slices: 4)
        let slices = try await calls(c, layers: 2, slices: 12)
        // A step makes its report; a hook that counts nothing would find not even that.
        #expect(few > 0 && few <= c.most)
        #expect(layers == few && slices == few, "\(few), then \(layers) and \(slices)")
    }
}
