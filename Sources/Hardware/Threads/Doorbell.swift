import Glibc
import Synchronization

/// Lets threads sleep until another thread has changed something that they watch.
///
/// The watched state must be readable without a lock (atomics). Ringing costs a fence when nobody sleeps.
/// `@unchecked Sendable`: the mutex and the condition are made for use by many threads, and their addresses never change.
package final class Doorbell: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let sleepers = Atomic<Int>(0)

    package init() {
        pthread_mutex_init(mutex, nil)
        // Deadlines are monotonic, so that setting the wall clock wakes nobody.
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Wakes all sleepers. Call it after the change.
    ///
    /// The fences here and in `sleep` keep the two from missing each other: either the ringer sees the sleeper's count, or
    /// the sleeper sees the ringer's change before it sleeps.
    package func ring() {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard sleepers.load(ordering: .relaxed) > 0 else { return }
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Returns when `isReady` holds or `seconds` have passed. `isReady` runs under the doorbell's lock: it should only look.
    package func sleep(atMost seconds: Double = .infinity, until isReady: () -> Bool) {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        sleepers.add(1, ordering: .relaxed)
        defer { sleepers.subtract(1, ordering: .relaxed) }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard seconds.isFinite else {
            while !isReady() { pthread_cond_wait(condition, mutex) }
            return
        }
        let end = MonotonicClock.seconds + seconds
        var deadline = timespec(tv_sec: Int(end), tv_nsec: Int((end - end.rounded(.down)) * 1e9))
        while !isReady(), pthread_cond_timedwait(condition, mutex, &deadline) != ETIMEDOUT {}
    }
}
