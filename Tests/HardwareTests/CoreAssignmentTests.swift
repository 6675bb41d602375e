import Hardware
import Testing

@Suite struct CoreAssignmentTests {
    @Test func identicalListsAreCutIntoEvenRuns() throws {
        let assignment = try CoreAssignment(allowed: [[Int]](repeating: Array(0..<8), count: 4))
        #expect(assignment.cores == [[0, 1], [2, 3], [4, 5], [6, 7]])
        #expect(assignment.oversubscribed == [false, false, false, false])
        #expect(assignment.warning == nil)
    }

    @Test func aLoneRankTakesEveryCore() throws {
        #expect(try CoreAssignment(allowed: [[3, 1, 2]]).cores == [[1, 2, 3]])
    }

    @Test func ranksSpreadOverTheMachineWhenCoresAreLeft() throws {
        let assignment = try CoreAssignment(allowed: [[Int]](repeating: Array(0..<32), count: 2), threads: 4)
        #expect(assignment.cores == [[0, 1, 2, 3], [16, 17, 18, 19]])
    }

    @Test func bindingsOfTheLauncherAreKept() throws {
        let assignment = try CoreAssignment(allowed: [[4, 5, 6, 7], [0, 1]])
        #expect(assignment.cores == [[4, 5, 6, 7], [0, 1]])
        #expect(assignment.warning == nil)
    }

    @Test func overlappingListsAreSortedOut() throws {
        // A greedy choice would give core 0 to the first rank and leave nothing for the second.
        let assignment = try CoreAssignment(allowed: [[0, 1], [0]])
        #expect(assignment.cores == [[1], [0]])
        #expect(assignment.oversubscribed == [false, false])
        let chain = try CoreAssignment(allowed: [[0, 1], [1, 2], [2, 3], [0]], threads: 1)
        #expect(chain.cores == [[1], [2], [3], [0]])
    }

    @Test func moreRanksThanCoresShareEvenlyAndSaySo() throws {
        let assignment = try CoreAssignment(allowed: [[Int]](repeating: [0, 1], count: 4))
        #expect(assignment.cores.allSatisfy { $0.count == 1 })
        #expect(assignment.cores.filter { $0 == [0] }.count == 2)
        #expect(assignment.oversubscribed == [true, true, true, true])
        let warning = try #require(assignment.warning)
        #expect(warning.contains("4 threads of 4 rank(s)"))
        #expect(warning.contains("2 core(s)"))
    }

    @Test func onlyRanksThatShareAreMarked() throws {
        let assignment = try CoreAssignment(allowed: [[0], [0], [5, 6]])
        #expect(assignment.cores == [[0], [0], [5, 6]])
        #expect(assignment.oversubscribed == [true, true, false])
    }

    @Test func moreThreadsThanCoresDoubleUpEvenly() throws {
        let assignment = try CoreAssignment(allowed: [[0, 1]], threads: 5)
        #expect(assignment.cores[0].count == 5)
        #expect(Set(assignment.cores[0]) == [0, 1])
        #expect(assignment.oversubscribed == [false], "no other rank wants these cores")
        #expect(try #require(assignment.warning).contains("fewer threads"))
    }

    @Test func aRankHasNoMoreThreadsOnACoreThanThatRuns() throws {
        let assignment = try CoreAssignment(allowed: [[0, 1]], threads: 32) { $0 == 0 ? 2 : 1 }
        #expect(assignment.cores == [[0, 0, 1]])
        #expect(assignment.oversubscribed == [false])
        let warning = try #require(assignment.warning)
        #expect(warning.contains("32 threads") && warning.contains("run 3 at a time"))
        // Ranks that share a core do so all the same.
        let ranks = try CoreAssignment(allowed: [[0, 1], [0, 1], [0, 1]], threads: 8) { _ in 1 }
        #expect(ranks.cores == [[0, 1], [0, 1], [0, 1]])
        #expect(ranks.oversubscribed == [true, true, true])
    }

    @Test func aQuotaBoundsThreadsThatNobodyAskedFor() throws {
        #expect(try CoreAssignment(allowed: [[0, 1, 2, 3]], most: [1]).cores == [[0]])
        let two = try CoreAssignment(allowed: [[Int]](repeating: Array(0..<8), count: 2), most: [3, 3])
        #expect(two.cores.map(\.count) == [3, 3] && two.warning == nil)
        #expect(try CoreAssignment(allowed: [[0, 1, 2, 3]], threads: 3, most: [1]).cores[0].count == 3)
        #expect(try CoreAssignment(allowed: [[0, 1], [2, 3]], most: [nil, 1]).cores == [[0, 1], [2]])
    }

    @Test func moreThreadsThanAnyMachineRunsAreRefusedAtOnce() throws {
        #expect(try CoreAssignment(allowed: [[0, 1]], threads: 128).cores[0].count == 128)
        for threads in [129, 100_000, Int(Int32.max)] {
            let error = #expect(throws: HardwareError.self) { try CoreAssignment(allowed: [[0, 1]], threads: threads) }
            #expect(error?.description.contains("Set machine.threads to at most 128") == true)
        }
        #expect(throws: HardwareError.tooManyThreads(threads: 1, ranks: 1_000_000_000, cores: 2, most: 4096)) {
            try CoreAssignment.check(ranks: 1_000_000_000, threads: 0, cores: 2)
        }
        #expect(throws: HardwareError.self) { try CoreAssignment.check(ranks: .max, threads: 128, cores: 2) }
        // Many ranks share few cores evenly, and that is found without a search.
        let many = try CoreAssignment(allowed: [[Int]](repeating: [0, 1, 2], count: 1500))
        #expect((0..<3).allSatisfy { core in many.cores.count { $0 == [core] } == 500 })
    }

    @Test func aRankWithoutCoresIsAnError() {
        #expect(throws: HardwareError.noUsableCore(rank: 1)) { try CoreAssignment(allowed: [[0], []]) }
    }

    @Test func randomBindingsNeverShareACoreWithoutNeed() throws {
        var generator = SplitMix(state: 1)
        for _ in 0..<300 { try checkRandomBinding(&generator) }
    }

    private func checkRandomBinding(_ generator: inout SplitMix) throws {
        let cores = 1 + generator.below(12)
        let ranks = 1 + generator.below(6)
        let threads = generator.below(4)
        let allowed = (0..<ranks).map { _ in
            let some = (0..<cores).filter { _ in generator.below(2) == 0 }
            return some.isEmpty ? [generator.below(cores)] : some
        }
        let assignment = try CoreAssignment(allowed: allowed, threads: threads)
        for (rank, chosen) in assignment.cores.enumerated() {
            #expect(!chosen.isEmpty && Set(chosen).isSubset(of: Set(allowed[rank])))
            if threads > 0 { #expect(chosen.count == threads) }
        }
        let all = assignment.cores.flatMap(\.self)
        #expect((Set(all).count < all.count) == (assignment.warning != nil))
        let byRank = assignment.cores.flatMap { Set($0) }
        #expect((Set(byRank).count < byRank.count) == assignment.oversubscribed.contains(true))
        if assignment.warning != nil {
            // Hall's theorem: sharing is needed only if some ranks together want more threads than they may use cores.
            let wanted = max(1, threads)
            let tooMany = (1..<(1 << ranks)).contains { subset in
                let chosen = (0..<ranks).filter { subset >> $0 & 1 == 1 }
                return Set(chosen.flatMap { allowed[$0] }).count < wanted * chosen.count
            }
            #expect(tooMany)
        }
        #expect(try CoreAssignment(allowed: allowed, threads: threads) == assignment)
    }

    @Test func coreListsAreCompact() {
        #expect(CoreList([3, 0, 1, 2, 8]).description == "0-3,8")
        #expect(CoreList([]).description == "none")
        #expect(CoreList(Array(0..<128)).short == "0-127")
        #expect(CoreList(stride(from: 0, to: 400, by: 2).map { $0 }).short == "0,2,4,6,... (200 cores)")
    }
}

private struct SplitMix {
    var state: UInt64

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((word ^ (word >> 31)) % UInt64(limit))
    }
}
