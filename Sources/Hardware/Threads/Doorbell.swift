import CCPU
import Glibc
import Synchronization

/// Lets threads sleep until another thread has changed something that they watch.
///
/// **Why that has no races.** All that is shared here is atomic, and nothing is ordered by it: a woken thread looks at
/// the watched state anew, and it is that state's releases and acquires that order what was written before. The fences
/// only keep a ring from being missed. The word that is slept on is freed with the bell, which every ringer and sleeper
/// holds.
///
/// The watched state must be readable without a lock (atomics). Ringing costs a fence when nobody sleeps, and nobody
/// holds a lock: a thread that loses its core, on either side, delays no other.
/// `@unchecked Sendable`: the word that threads sleep on is atomic and stays where it is.
package final class Doorbell: @unchecked Sendable {
    /// How often it rang for somebody: the word that sleepers sleep on.
    private let rings = UnsafeMutablePointer<Atomic<UInt32>>.allocate(capacity: 1)
    /// Whether somebody may have fallen asleep since the last ring.
    private let isAwaited = Atomic<Bool>(false)

    package init() { rings.initialize(to: Atomic(0)) }

    deinit { rings.deallocate() }

    /// Wakes all sleepers. Call it after the change.
    ///
    /// The fences here and in `sleep` keep the two from missing each other: either the ringer sees that it is awaited,
    /// or the sleeper sees the ringer's change before it sleeps. A sleeper whose mark another ringer wipes away is
    /// woken by that one, since it has read `rings` before it made its mark, and the ringer counts up after it wiped
    /// it.
    package func ring() {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard isAwaited.load(ordering: .relaxed) else { return }
        isAwaited.store(false, ordering: .relaxed)
        rings.pointee.add(1, ordering: .releasing)
        ccpu_wake_all(rings)
    }

    /// Returns when `isReady` holds or `seconds` have passed. `isReady` should only look.
    package func sleep(atMost seconds: Double = .infinity, until isReady: () -> Bool) {
        let end = MonotonicClock.seconds + seconds
        while true {
            let heard = rings.pointee.load(ordering: .acquiring)
            isAwaited.store(true, ordering: .relaxed)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            if isReady() { return }
            guard seconds.isFinite else {
                ccpu_sleep_while(rings, heard, nil)
                continue
            }
            let left = end - MonotonicClock.seconds
            if left <= 0 { return }
            var time = timespec(tv_sec: Int(left), tv_nsec: Int((left - left.rounded(.down)) * 1e9))
            ccpu_sleep_while(rings, heard, &time)
        }
    }
}
