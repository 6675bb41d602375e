import Foundation
import Hardware
import Locks
import Synchronization
import Testing

/// Teams whose threads come late, lose their cores, or are more than the cores.
@Suite struct CrowdedTeamTests {
    private static let hasTwoCores = ((try? Topology())?.usableCores.count ?? 0) > 1

    /// Cores for `count` workers, taking turns where the machine has fewer.
    private func cores(_ count: Int, of topology: Topology) -> [Int] {
        (0..<count).map { topology.usableCores[$0 % topology.usableCores.count] }
    }

    /// Holds back the threads of a team that have seen a round.
    private final class Gate: Sendable {
        private let isOpen = Atomic<Bool>(false)
        let arrivals = Atomic<Int>(0)

        func open() { isOpen.store(true, ordering: .releasing) }

        func pass() {
            arrivals.add(1, ordering: .acquiringAndReleasing)
            while !isOpen.load(ordering: .acquiring) { usleep(200) }
        }
    }

    @Test func aStalledThreadHoldsNoRoundUpAndComesTooLateForAll() throws {
        let topology = try Topology()
        try onNewThread {
            let gate = Gate()
            let team = try Team(
                topology: topology, cores: cores(3, of: topology), oversubscribed: true, threadsPerCore: 3,
                onSight: { if $0 == 2 { gate.pass() } })
            #expect(team.threadCount == 3)
            let calls = Lock([Int](repeating: 0, count: 3))
            // Rounds with bodies that go out of scope: one that is read later would be seen as a wrong count or worse.
            for _ in 0..<500 {
                let seen = Atomic<Int>(0)
                team.run { worker in
                    seen.add(1 << (8 * worker), ordering: .relaxed)
                    calls.withLock { $0[worker] += 1 }
                }
                #expect(seen.load(ordering: .relaxed) == 0x010101)
            }
            while gate.arrivals.load(ordering: .acquiring) == 0 { team.run { _ in } }
            #expect(gate.arrivals.load(ordering: .acquiring) == 1, "it is still held at the round that it saw first")
            let before = calls.withLock { $0 }
            #expect(before == [500, 500, 500])
            // The late thread goes on, with a round in hand that is over.
            gate.open()
            usleep(20_000)
            #expect(calls.withLock { $0 } == before)
            // It is a full member again.
            team.run(inPlace: true) { worker in calls.withLock { $0[worker] += 1 } }
            #expect(calls.withLock { $0 } == [501, 501, 501])
            team.stop()
        }
    }

    /// More threads than cores, so that they are late, lose their cores in the middle and take over from each other,
    /// thousands of times.
    @Test(arguments: [2, 16, 64])
    func everyShareIsComputedOnceWhateverTheScheduler(workers: Int) throws {
        let topology = try Topology()
        try onNewThread {
            let team = try Team(
                topology: topology, cores: cores(workers, of: topology), oversubscribed: true, threadsPerCore: 64)
            #expect(team.threadCount == workers)
            let counts = UnsafeMutableBufferPointer<Int>.allocate(capacity: workers)
            defer { counts.deallocate() }
            counts.initialize(repeating: 0)
            let rounds = 4000
            var noise: UInt64 = 88172645463325252
            for round in 1...rounds {
                noise ^= noise << 13
                noise ^= noise >> 7
                noise ^= noise << 17
                let turns = Int(noise % 64)
                let inPlace = round % 1000 == 0
                // Plain memory: a share that ran twice, or a body of a round that was over, would leave a wrong number.
                team.run(inPlace: inPlace) { worker in
                    var x = round
                    for _ in 0..<turns { x = x &* 3 | 1 }
                    if counts[worker] == round - 1, x != 0 { counts[worker] = round }
                }
                if round % 512 == 0 { usleep(1500) }
            }
            #expect(counts.allSatisfy { $0 == rounds })
            team.stop()
        }
    }

    @Test func workersThatShareCoresShareThreads() throws {
        let topology = try Topology()
        try onNewThread {
            let core = topology.usableCores[0]
            let team = try Team(
                topology: topology, cores: [Int](repeating: core, count: 5), oversubscribed: true, threadsPerCore: 1)
            #expect(team.count == 5 && team.threadCount == 1)
            var order: [Int] = []
            team.run { order.append($0) }
            team.forEach(7) { order.append(10 + $0) }
            #expect(order == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16])
            team.stop()
        }
    }

    @Test func seatsKeepWorkersOfACoreTogether() {
        let seats = Team.seats([4, 4, 4, 7, 4, 7]) { $0 == 4 ? 2 : 1 }
        #expect(seats.map(\.core) == [4, 4, 7])
        #expect(seats.map(\.workers) == [[0, 1], [2, 4], [3, 5]])
    }

    /// What a neighbour's job does to a core, made by hand: the worker is in its share and has no core.
    @Test(.enabled(if: hasTwoCores)) func aWorkerThatIsBroughtToTheLeadersCoreGoesHomeAfterItsShare() throws {
        let topology = try Topology()
        try onNewThread {
            let team = try Team(
                topology: topology, cores: Array(topology.usableCores.prefix(2)), oversubscribed: false)
            let own = topology.usableCores.prefix(2).map { [$0] }
            #expect(team.boundCores(topology) == own)
            // Blocked in the system a thread gets no core either. Far longer than the leader looks on.
            let found = Lock<[Int]>([])
            let leader = pthread_self()
            for _ in 0..<50 where found.withLock({ $0.isEmpty }) {
                team.run { worker in
                    if worker == 0 { usleep(2000) }
                    if worker == 1, pthread_equal(pthread_self(), leader) == 0 {
                        usleep(20_000)
                        let bound = topology.boundCores()
                        found.withLock { $0 = bound }
                    }
                }
            }
            #expect(found.withLock { $0 } == [topology.usableCores[0]], "it was brought to the leader's core")
            #expect(team.boundCores(topology) == own, "and went home")
            team.stop()
        }
    }

    @Test(.enabled(if: hasTwoCores)) func theLeaderGetsTheCoreOfAnIdleWorker() throws {
        let topology = try Topology()
        try onNewThread {
            let team = try Team(
                topology: topology, cores: Array(topology.usableCores.prefix(2)), oversubscribed: false)
            for _ in 0..<50 where topology.boundCores() == [topology.usableCores[0]] {
                let leader = pthread_self()
                team.run { worker in if pthread_equal(pthread_self(), leader) != 0 { usleep(5000) } }
            }
            #expect(topology.boundCores() == [topology.usableCores[1]])
            let bound = team.boundCores(topology)
            #expect(bound == [[topology.usableCores[1]], [topology.usableCores[0]]], "they have changed places")
            team.stop()
        }
    }
}
