import Glibc
import Hardware
import Testing

/// Who had a core: others, or we ourselves.
@Suite struct CoreUseTests {
    private func use(
        _ wall: Double, process: Double? = nil, throttled: Double = 0, _ threads: [(Int, Int, Double, Double)]
    ) -> CoreUse {
        CoreUse(
            wall: wall, process: process ?? threads.reduce(0) { $0 + $1.2 }, throttled: throttled,
            threads: threads.map { CoreUse.Thread(id: $0.0, core: $0.1, onCore: $0.2, delayed: $0.3) })
    }

    /// "core 1: 76 %"
    private func text(_ taken: [TakenCore]) -> [String] {
        taken.map { "core \($0.core): \(Int((100 * $0.share).rounded())) %" }
    }

    @Test func aThreadsDelayIsOthersTime() {
        let begin = use(100, [(7, 0, 50, 1), (8, 1, 20, 30)])
        let end = use(110, [(7, 0, 60, 1), (8, 1, 22.4, 37.6)])
        #expect(text(end.taken(since: begin)) == ["core 0: 0 %", "core 1: 76 %"])
        #expect(end.taken(since: begin).map(\.isNotable) == [false, true])
        #expect(end.taken(since: begin)[1].description == "core 1: other programs had it for 76 % of the time")
    }

    @Test func ourOwnThreadsAreNotBlamedOnOthers() {
        // Two workers of ours on core 0: each waits for the other half of the time.
        let begin = use(0, [(1, 0, 0, 0), (2, 0, 0, 0)])
        #expect(text(use(10, [(1, 0, 5, 5), (2, 0, 5, 5)]).taken(since: begin)) == ["core 0: 0 %"])
        // And a third program beside them.
        #expect(text(use(9, [(1, 0, 3, 6), (2, 0, 3, 6)]).taken(since: begin)) == ["core 0: 33 %"])
        // A thread of ours that isn't pinned writes a checkpoint for 4 s, wherever it runs.
        let alone = use(0, process: 0, [(1, 0, 0, 0)])
        #expect(text(use(10, process: 10, [(1, 0, 6, 4)]).taken(since: alone)) == ["core 0: 0 %"])
    }

    @Test func threadsThatCameInBetweenAreLeftOut() {
        let begin = use(0, [(1, 0, 0, 0)])
        #expect(text(use(2, [(1, 0, 2, 0), (5, 1, 0, 2)]).taken(since: begin)) == ["core 0: 0 %"])
        #expect(begin.taken(since: begin).isEmpty)
    }

    @Test func aQuotaShows() {
        #expect(use(10, throttled: 9, []).throttled(since: use(0, throttled: 4, [])) == 0.5)
    }

    @Test func theSystemsListsAreRead() throws {
        let times = try #require(CoreUse.schedstat("2500000000 500000000 17\n"))
        #expect(times.onCore == 2.5 && times.delayed == 0.5)
        #expect(CoreUse.schedstat("0\n") == nil)
        #expect(Throttling.seconds("nr_periods 2\nnr_throttled 1\nthrottled_usec 1500000\n") == 1.5)
        #expect(Throttling.seconds("nr_periods 2\nnr_throttled 1\nthrottled_time 2500000000\n") == 2.5)
        #expect(Throttling.seconds("usage_usec 17\n") == nil)
        let groups = ControlGroups(
            groups: "4:memory:/x\n2:cpu,cpuacct:/a\n0::/s/t\n",
            mounts: """
                30 1 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
                31 1 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct
                """
        ) { _ in nil }
        #expect(
            groups.cpuStatistics == [
                "/sys/fs/cgroup/s/t/cpu.stat", "/sys/fs/cgroup/s/cpu.stat", "/sys/fs/cgroup/cpu.stat",
                "/sys/fs/cgroup/cpu/a/cpu.stat", "/sys/fs/cgroup/cpu/cpu.stat",
            ])
    }

    /// Threads that another one keeps from a core, for as long as it takes to see it.
    @Test func aThreadWithoutItsCoreIsSeen() throws {
        let topology = try Topology()
        let core = topology.usableCores[0]
        try onNewThread {
            let team = try Team(topology: topology, cores: [core], oversubscribed: false)
            defer { team.stop() }
            let begin = CoreUse.now()
            guard begin.threads.contains(where: { $0.core == core }) else { return }  // a system that doesn't tell
            // A program begins where the thread is bound that starts it.
            var neighbour = pid_t()
            let words = ["sh", "-c", "while :; do :; done"]
            var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
            try #require(posix_spawn(&neighbour, "/bin/sh", nil, nil, &arguments, nil) == 0)
            defer {
                kill(neighbour, SIGKILL)
                waitpid(neighbour, nil, 0)
                for argument in arguments { free(argument) }
            }
            let end = MonotonicClock.seconds + 10
            var taken: TakenCore?
            while MonotonicClock.seconds < end, taken?.isNotable != true {
                var x = 1
                for i in 0..<3_000_000 { x = x &* i | 1 }
                #expect(x != 0)
                taken = CoreUse.now().taken(since: begin).first { $0.core == core }
            }
            #expect(taken?.isNotable == true)
        }
    }
}
