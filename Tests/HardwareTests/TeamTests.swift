import Foundation
import Hardware
import Locks
import Synchronization
import Testing

@Suite struct TeamTests {
    /// Cores for `count` workers, taking turns where the machine has fewer.
    private func cores(_ count: Int, of topology: Topology) -> [Int] {
        (0..<count).map { topology.usableCores[$0 % topology.usableCores.count] }
    }

    @Test(arguments: [1, 2, 3, 5])
    func everyWorkerRunsOncePerRound(workers: Int) throws {
        let topology = try Topology()
        try onNewThread {
            let team = try Team(topology: topology, cores: cores(workers, of: topology), oversubscribed: true)
            let calls = UnsafeMutableBufferPointer<Int>.allocate(capacity: workers * 16)
            defer { calls.deallocate() }
            calls.initialize(repeating: 0)
            for _ in 0..<1000 {
                team.run { worker in calls[worker * 16] += 1 }
            }
            #expect((0..<workers).allSatisfy { calls[$0 * 16] == 1000 })
            team.stop()
        }
    }

    @Test(arguments: [1, 2, 3], [0, 1, 2, 3, 7, 64])
    func everyTaskRunsOnceInConsecutiveShares(workers: Int, tasks: Int) throws {
        let topology = try Topology()
        try onNewThread {
            let team = try Team(topology: topology, cores: cores(workers, of: topology), oversubscribed: true)
            let runs = Lock([Int](repeating: 0, count: tasks))
            team.forEach(tasks) { task in runs.withLock { $0[task] += 1 } }
            #expect(runs.withLock { $0 } == [Int](repeating: 1, count: tasks))
            team.stop()
        }
    }

    @Test func workersWakeAfterTheyFellAsleep() throws {
        let topology = try Topology()
        try onNewThread {
            let team = try Team(topology: topology, cores: cores(3, of: topology), oversubscribed: true)
            let total = Atomic<Int>(0)
            for _ in 0..<5 {
                usleep(5000)
                team.run { worker in total.add(worker, ordering: .relaxed) }
            }
            #expect(total.load(ordering: .relaxed) == 15)
            team.stop()
        }
    }

    @Test func workersAreOnTheirCores() throws {
        let topology = try Topology()
        try onNewThread {
            let team = try Team(topology: topology, cores: topology.usableCores, oversubscribed: false)
            let bound = Lock([[Int]](repeating: [], count: team.count))
            team.run(inPlace: true) { worker in
                let cores = topology.boundCores()
                bound.withLock { $0[worker] = cores }
            }
            #expect(bound.withLock { $0 } == topology.usableCores.map { [$0] })
            team.stop()
        }
    }

    @Test func aTeamOnACoreThatIsNotThereIsRefused() throws {
        let topology = try Topology()
        try onNewThread {
            #expect(throws: HardwareError.unknownCore(9999, usable: topology.usableCores)) {
                try Team(topology: topology, cores: [topology.usableCores[0], 9999], oversubscribed: false)
            }
        }
    }

    @Test func theHookRunsAfterEachForkJoin() throws {
        for workers in [1, 2] {
            let topology = try Topology()
            try onNewThread {
                let team = try Team(topology: topology, cores: cores(workers, of: topology), oversubscribed: true)
                let hooks = Atomic<Int>(0)
                team.onJoin = { hooks.add(1, ordering: .relaxed) }
                team.run { _ in }
                team.forEach(4) { _ in }
                team.forEach(1) { _ in }
                #expect(hooks.load(ordering: .relaxed) == 3)
                team.stop()
            }
        }
    }

    @Test func theSerialTeamRunsOnTheCaller() {
        let team = Team(serial: ())
        var order: [Int] = []
        team.run { order.append($0) }
        team.forEach(3) { order.append(10 + $0) }
        #expect(order == [0, 10, 11, 12])
    }
}
