import Dispatch
import Hardware
import Testing

@Suite("Threads that nobody waits for")
struct PosixThreadTests {
    @Test("the system takes back what it holds of them when they end")
    func detached() throws {
        let (threads, ended) = (2000, DispatchSemaphore(value: 0))
        let before = ProcessMemory.addresses
        for _ in 0..<threads {
            try PosixThread.detached(name: "gecko test") { ended.signal() }
            ended.wait()
        }
        // A stack each would be 2,000 times 8 MiB of addresses, or whatever the shell's limit is; other tests that run
        // at the same time take a few hundred MiB.
        #expect(ProcessMemory.addresses - before < threads * ResourceLimits.threadStack / 4)
    }
}
