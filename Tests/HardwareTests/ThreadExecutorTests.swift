import Foundation
import Hardware
import Synchronization
import Testing

private actor Counter {
    nonisolated let executor: ThreadExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private var value = 0

    init(executor: ThreadExecutor) { self.executor = executor }

    func add() -> Int {
        value += 1
        return value
    }

    func isOnItsThread() -> Bool { executor.isCurrent }

    func block(_ hasBegun: DispatchSemaphore, until mayEnd: DispatchSemaphore) {
        hasBegun.signal()
        mayEnd.wait()
    }

    func cores(of topology: Topology) -> [Int] { topology.boundCores() }
}

extension DispatchSemaphore {
    /// The compiler lets no asynchronous code wait; this test has threads enough.
    fileprivate func waitHere() { wait() }
}

@Suite struct ThreadExecutorTests {
    @Test func anActorRunsOnTheExecutorsThread() async throws {
        let executor = try ThreadExecutor(name: "test")
        defer { executor.stop() }
        let counter = Counter(executor: executor)
        #expect(await counter.isOnItsThread())
        #expect(!executor.isCurrent)
    }

    @Test func manyCallersAreServedOneByOne() async throws {
        let executor = try ThreadExecutor(name: "test")
        defer { executor.stop() }
        let counter = Counter(executor: executor)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { for _ in 0..<20 { _ = await counter.add() } } }
        }
        #expect(await counter.add() == 1001)
    }

    @Test func theThreadWakesFromSleep() async throws {
        let executor = try ThreadExecutor(name: "test", policy: WaitPolicy(spin: 0, awake: 0))
        defer { executor.stop() }
        let counter = Counter(executor: executor)
        for expected in 1...5 {
            try await Task.sleep(for: .milliseconds(2))
            #expect(await counter.add() == expected)
        }
    }

    @Test func theThreadIsPinnedBeforeItsFirstJob() async throws {
        let topology = try Topology()
        let core = try #require(topology.usableCores.last)
        let executor = try ThreadExecutor(name: "test") {
            do { try topology.pin(toCore: core) } catch { Issue.record(error) }
        }
        defer { executor.stop() }
        #expect(await Counter(executor: executor).cores(of: topology) == [core])
    }

    /// Jobs that are queued when the executor is stopped run on its thread, and may see that they do.
    @Test func whatIsQueuedAtTheEndStillRunsOnTheThread() async throws {
        let executor = try ThreadExecutor(name: "test")
        let counter = Counter(executor: executor)
        let hasBegun = DispatchSemaphore(value: 0)
        let mayEnd = DispatchSemaphore(value: 0)
        async let first: Void = counter.block(hasBegun, until: mayEnd)
        hasBegun.waitHere()
        let second = Task { await counter.isOnItsThread() }
        // The queued job holds the executor's end up, so that it runs while `stop` waits.
        while executor.queuedJobs == 0 { usleep(100) }
        let stopper = Thread { executor.stop() }
        stopper.start()
        while !executor.isBeingStopped { usleep(100) }
        mayEnd.signal()
        await first
        #expect(await second.value)
    }

    @Test func stoppingTwiceIsFine() throws {
        let executor = try ThreadExecutor(name: "test")
        executor.stop()
        executor.stop()
        #expect(!executor.isCurrent)
    }
}
